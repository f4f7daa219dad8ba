"""Key pollution sources and their outlets, sewage works, parks. Permit numbers and credit codes are invented."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.city.places.geography import SYNTHETIC, Site, site, township


@dataclass(frozen=True, slots=True)
class Source:
    """A key pollution source: what it does, where, how many outlets to water and to air."""

    number: int
    name: str
    trade: str
    town: str
    to_water: int
    to_air: int

    @property
    def permit(self) -> str:
        """An invented permit number: it begins with SYN and has the length of real ones."""
        return f"SYN45088100000{self.number:03d}P001"


SOURCES = (
    Source(1, "合成水泥有限公司", "水泥制造", "蒙圩镇", 0, 2),
    Source(2, "合成糖业有限公司", "制糖", "石龙镇", 1, 1),
    Source(3, "合成造纸有限公司", "造纸", "江口镇", 1, 1),
    Source(4, "合成生活垃圾焚烧发电厂", "垃圾焚烧发电", "寻旺乡", 1, 2),
    Source(5, "合成淀粉有限公司", "淀粉制造", "社坡镇", 1, 0),
    Source(6, "合成制药有限公司", "化学药品制造", "寻旺乡", 1, 1),
    Source(7, "合成陶瓷有限公司", "陶瓷制造", "木圭镇", 0, 2),
    Source(8, "合成电镀有限公司", "金属表面处理", "寻旺乡", 1, 0),
    Source(9, "合成规模化养殖场", "畜禽养殖", "大洋镇", 1, 0),
    Source(10, "合成食品有限公司", "食品制造", "西山镇", 1, 1),
)


def _outlets(letter: str) -> tuple[Site, ...]:
    return tuple(
        site(
            f"{of.permit}-D{letter}{turn:03d}", f"{of.name}D{letter}{turn:03d}", f"D{letter}", of.town, 2.0,
            permit=of.permit, outlet=f"D{letter}{turn:03d}", trade=of.trade,
            mn=f"SYN4508810{of.number:03d}{'AW'.index(letter)}{turn:03d}".ljust(24, "0"),
        )
        for of in SOURCES
        for turn in range(1, (of.to_air if letter == "A" else of.to_water) + 1)
    )  # fmt: skip


WATER_OUTLETS = _outlets("W")
AIR_OUTLETS = _outlets("A")
SEWAGE_WORKS: tuple[Site, ...] = (
    site("ZJ001", "桂平市第一污水处理厂", "sewage_works", "西山镇", design=40000.0),
    site("ZJ002", "桂平市第二污水处理厂", "sewage_works", "寻旺乡", design=20000.0),
    site("ZJ003", "木乐镇污水处理厂", "sewage_works", "木乐镇", design=5000.0),
    site("ZJ004", "江口镇污水处理厂", "sewage_works", "江口镇", design=5000.0),
    site("ZJ005", "金田镇污水处理厂", "sewage_works", "金田镇", design=3000.0),
    site("ZJ006", "蒙圩镇污水处理厂", "sewage_works", "蒙圩镇", design=3000.0),
)
# code, name, seat, side of the square in km, what is watched
PARKS = (
    (
        "GPP01",
        f"长安工业集中区{SYNTHETIC}",
        (township("寻旺").longitude, township("寻旺").latitude),
        3.0,
        "so2;no2;h2s",
    ),
    (
        "GPP02",
        f"龙门陶瓷园区{SYNTHETIC}",
        (township("木圭").longitude, township("木圭").latitude),
        2.0,
        "so2;pm10;hf",
    ),
    (
        "GPP03",
        f"木乐服装园区{SYNTHETIC}",
        (township("木乐").longitude, township("木乐").latitude),
        1.5,
        "cod;colour",
    ),
)
