"""Weather stations of the meteorological bureau; the first five are those of the feed that stands already."""

from __future__ import annotations

from simulation import weather
from simulation.city.places.geography import SYNTHETIC, TOWNSHIPS, Site, site, township

_KEPT = tuple(
    Site(code, name, "weather", township(town).code, float(longitude), float(latitude), {"town": town})
    for code, name, town, longitude, latitude in weather.STATIONS
)
_SERVED = {s.township for s in _KEPT}
STATIONS: tuple[Site, ...] = (
    *_KEPT,
    *(
        site(f"SYNW{number:02d}", t.name[:2], "weather", t.name, 1.2, town=t.name)
        for number, t in enumerate((t for t in TOWNSHIPS if t.code not in _SERVED), start=6)
    ),
)
assert all(s.name.endswith(SYNTHETIC) for s in STATIONS)
