"""The forestry bureau: indicators of forest and wetland by year and township, and records of species (Darwin Core)."""

from __future__ import annotations

from datetime import date

import numpy as np

from simulation.city.delivery.feed import Draft
from simulation.city.delivery.records import listed
from simulation.city.nature.world import World
from simulation.city.places.geography import TOWNSHIPS
from simulation.city.places.land import FOREST_PLOTS
from simulation.city.streams import stream
from simulation.city.window import DAY, HOUR, midnight

_SHARE = {"plain": 0.34, "hills": 0.58, "mountain": 0.84}
# scientific name, Chinese name, class, protection (of the national list; from memory), places
_SPECIES = (
    ("Shinisaurus crocodilurus", "瑶山鳄蜥", "Reptilia", "一级", "森林"), ("Syrmaticus ellioti", "白颈长尾雉",
     "Aves", "一级", "森林"),
    ("Lophura nycthemera", "白鹇", "Aves", "二级", "森林"), ("Macaca mulatta", "猕猴", "Mammalia", "二级", "森林"),
    ("Cyathea spinulosa", "桫椤", "Polypodiopsida", "二级", "森林"), ("Ardea cinerea", "苍鹭", "Aves", None, "湿地"),
    ("Egretta garzetta", "白鹭", "Aves", None, "湿地"), ("Alcedo atthis", "普通翠鸟", "Aves", None, "湿地"),
    ("Tachybaptus ruficollis", "小䴙䴘", "Aves", None, "湿地"), ("Hoplobatrachus chinensis", "虎纹蛙",
     "Amphibia", "二级", "湿地"),
    ("Pinus massoniana", "马尾松", "Pinopsida", None, "森林"), ("Cinnamomum camphora", "樟", "Magnoliopsida",
     None, "森林"),
    ("Pycnonotus jocosus", "红耳鹎", "Aves", None, "森林"), ("Eichhornia crassipes", "凤眼莲", "Liliopsida",
     None, "湿地"),
)  # fmt: skip


def forest_wetland_year(world: World) -> Draft:
    """One row a township, year and indicator; units stand in the row (公顷, %, 立方米)."""
    records = []
    for turn, year in enumerate(world.window.years(5)):
        time = midnight(date(year, 12, 31))
        for number, t in enumerate(TOWNSHIPS):
            rng = stream(world.seed, "forest", t.code)
            whole = 9000 + 6000 * float(rng.random())
            share = _SHARE[t.land] + float(rng.normal(0, 0.03)) + 0.002 * turn
            values = (
                ("林地保有量", "公顷", whole * share * 1.05), ("森林覆盖率", "%", 100 * share),
                ("森林蓄积量", "立方米", whole * share * (62 + 2 * turn)),
                ("湿地保有量", "公顷", whole * (0.05 if t.land == "plain" else 0.012)),
                ("水土流失面积", "公顷", whole * (0.04 + 0.08 * (t.land != "plain")) * 0.97**turn),
            )  # fmt: skip
            records += [
                {"time": time, "site": number, "ready": time + 120 * DAY, "年份": year, "乡镇代码": t.code,
                 "乡镇": t.name,
                 "指标": name, "数值": round(value, 2), "单位": unit}
                for name, unit, value in values
            ]  # fmt: skip
    return listed("forest_wetland_year", "forestry", "森林与湿地年度指标（合成）", records, "数据性质")


def species_occurrence(world: World) -> Draft:
    """Occurrences with Darwin Core terms; those of protected species are exact here and must be coarse in public."""
    rng = stream(world.seed, "species")
    records = []
    for month in world.window.days_of_month(20):
        for plot in FOREST_PLOTS:
            for species in _SPECIES:
                if species[4] != plot.kind or rng.random() > (0.06 if species[3] else 0.14):
                    continue
                time = midnight(month) + int(rng.integers(6, 18)) * HOUR
                records.append({
                    "time": time, "site": 0, "ready": time + 20 * DAY, "occurrenceID": f"SYN:GP:{len(records) + 1:06d}",
                    "basisOfRecord": "HumanObservation", "scientificName": species[0], "vernacularName": species[1],
                    "class": species[2], "eventDate": f"{np.datetime64(time + 8 * HOUR, 's')}+08:00",
                    "decimalLatitude": round(plot.latitude + float(rng.normal(0, 0.003)), 5),
                    "decimalLongitude": round(plot.longitude + float(rng.normal(0, 0.003)), 5),
                    "geodeticDatum": "EPSG:4490",
                    "coordinateUncertaintyInMeters": int(rng.choice((10, 30, 100))),
                    "individualCount": int(rng.poisson(2)) + 1, "recordedBy": "合成调查队", "locality": plot.name,
                    "locationID": plot.code, "countryCode": "CN", "protectionLevel": species[3],
                    "datasetName": "桂平市生物多样性观测（合成）", "occurrenceStatus": "present",
                })  # fmt: skip
    return listed("species_occurrence", "forestry", "物种出现记录（合成）", records, "dynamicProperties")
