"""Stations of the gamma dose rate, and where the eight media of radiation are sampled."""

from __future__ import annotations

from simulation.city.places.geography import Site, along, site

STATIONS: tuple[Site, ...] = (
    site("SYNR01", "桂平城区辐射自动站", "automatic", "西山镇", base=82.0),
    site("SYNR02", "大藤峡辐射自动站", "automatic", "南木镇", base=95.0),
    site("SYNR03", "江口辐射自动站", "automatic", "江口镇", base=88.0),
    site("SYNR04", "罗秀辐射自动站", "automatic", "罗秀镇", base=118.0),
    site("SYNR05", "紫荆辐射自动站", "automatic", "紫荆镇", base=131.0),
    site("SYNR06", "石龙辐射自动站", "automatic", "石龙镇", base=90.0),
)
# medium, unit, and the usual activity of each nuclide in it
MEDIA = {
    "aerosol": ("mBq/m3", {"Be-7": 5.2, "Pb-210": 1.1, "Cs-137": 0.002}),
    "deposition": ("Bq/(m2.d)", {"Be-7": 1.3, "Cs-137": 0.0015}),
    "surface_water": ("mBq/L", {"U": 0.9, "Th": 0.25, "Ra-226": 7.0, "Cs-137": 0.4, "Sr-90": 2.5}),
    "groundwater": ("Bq/L", {"gross_alpha": 0.05, "gross_beta": 0.08}),
    "drinking_source": ("Bq/L", {"gross_alpha": 0.03, "gross_beta": 0.07}),
    "soil": ("Bq/kg", {"U-238": 62.0, "Th-232": 75.0, "Ra-226": 58.0, "K-40": 430.0, "Cs-137": 1.1}),
    "biota": ("Bq/kg", {"K-40": 95.0, "Sr-90": 0.08, "Cs-137": 0.02}),
    "air_moisture": ("mBq/m3", {"H-3": 14.0}),
}
POINTS: tuple[Site, ...] = tuple(
    site(
        f"SYNRM{number:02d}", f"{medium}采样点{turn}", medium, "西山镇",
        2.0, at=along("qian" if turn == 1 else "yu", 0.9) if medium == "surface_water" else None,
    )
    for number, (medium, turn) in enumerate(((m, t) for m in MEDIA for t in (1, 2)), start=1)
)  # fmt: skip
