"""Townships and rivers of Guiping. Names and codes are the register's; positions are assumed, near enough for a map.

Codes and names: administrative divisions (national bureau of statistics, as stored in 2024-11). Longitudes and
latitudes: from memory, none of them surveyed, so every place built on them is labelled synthetic.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulation.city.streams import Floats

COUNTY = "450881"
SYNTHETIC = "（合成）"
KM_PER_DEGREE = 111.2
_EAST = KM_PER_DEGREE * float(np.cos(np.radians(23.4)))


@dataclass(frozen=True, slots=True)
class Township:
    """A township or a town; `plain`, `hills` or `mountain` says how its land lies."""

    code: str
    name: str
    longitude: float
    latitude: float
    land: str = "plain"


TOWNSHIPS = (
    Township("450881101", "木乐镇", 110.315, 23.447),
    Township("450881102", "木圭镇", 110.215, 23.425),
    Township("450881103", "石咀镇", 110.180, 23.455),
    Township("450881104", "油麻镇", 110.255, 23.285, "hills"),
    Township("450881105", "社坡镇", 110.160, 23.315),
    Township("450881106", "罗秀镇", 110.221, 23.095, "hills"),
    Township("450881107", "麻垌镇", 110.270, 23.185, "hills"),
    Township("450881108", "社步镇", 110.130, 23.245),
    Township("450881109", "下湾镇", 110.110, 23.290),
    Township("450881110", "木根镇", 110.070, 23.000, "hills"),
    Township("450881111", "中沙镇", 110.250, 22.945, "mountain"),
    Township("450881113", "大洋镇", 109.985, 23.120),
    Township("450881114", "大湾镇", 109.925, 23.205),
    Township("450881115", "白沙镇", 109.860, 23.150),
    Township("450881116", "石龙镇", 109.903, 23.389),
    Township("450881117", "蒙圩镇", 109.985, 23.360),
    Township("450881118", "西山镇", 110.075, 23.395),
    Township("450881119", "南木镇", 110.025, 23.455),
    Township("450881120", "江口镇", 110.290, 23.545),
    Township("450881121", "金田镇", 110.102, 23.523),
    Township("450881122", "紫荆镇", 110.095, 23.620, "mountain"),
    Township("450881200", "马皮乡", 110.060, 23.265),
    Township("450881202", "寻旺乡", 110.105, 23.345),
    Township("450881203", "罗播乡", 110.285, 23.030, "hills"),
    Township("450881204", "厚禄乡", 109.880, 23.295),
    Township("450881206", "垌心乡", 109.985, 23.600, "mountain"),
)
_BY_NAME = {t.name[:2]: t for t in TOWNSHIPS}


@dataclass(frozen=True, slots=True)
class River:
    """A river's course through the city, from upstream to downstream; `mean_flow` in m³/s where it ends."""

    code: str
    name: str
    mean_flow: float
    course: tuple[tuple[float, float], ...]


CONFLUENCE = (110.088, 23.402)
RIVERS = {
    "qian": River("qian", "黔江", 4100, ((109.890, 23.560), (109.960, 23.510), (110.020, 23.470), (110.065,
       23.430), CONFLUENCE)),
    "yu": River("yu", "郁江", 1500, ((109.820, 23.170), (109.900, 23.220), (109.980, 23.290), (110.040, 23.350),
      CONFLUENCE)),
    "xun": River("xun", "浔江", 5600, (CONFLUENCE, (110.150, 23.440), (110.210, 23.465), (110.280, 23.525),
      (110.360, 23.540))),
    "bei": River("bei", "北河", 9, ((110.040, 23.420), (110.066, 23.408), (110.080, 23.404))),
    "nanlu": River("nanlu", "南渌江", 22, ((110.000, 23.160), (110.030, 23.230), (110.020, 23.330))),
}  # fmt: skip
DAM = (110.020, 23.470)


@dataclass(frozen=True, slots=True)
class Site:
    """A place at which something is measured or sampled, as its department knows it.

    `code` is the department's own (`external_code`), `kind` the type by the element's standard, `attributes` what else
    the register holds. Coordinates are degrees (CGCS2000), synthetic.
    """

    code: str
    name: str
    kind: str
    township: str
    longitude: float
    latitude: float
    attributes: Mapping[str, str | float] = field(default_factory=dict)


def township(name: str) -> Township:
    """The township whose name begins with these two characters.

    Raises:
        KeyError: there is none.
    """
    return _BY_NAME[name[:2]]


def site(
    code: str,
    name: str,
    kind: str,
    town: str,
    spread: float = 1.5,
    /,
    *,
    at: tuple[float, float] | None = None,
    **attributes: str | float,
) -> Site:
    """A site of a township: at a position, or up to `spread` km from the seat, always at the same place for a code."""
    seat = township(town)
    if at is None:
        angle, share = _unit(code, "angle") * 2 * np.pi, np.sqrt(_unit(code, "far"))
        at = (
            seat.longitude + spread * share * np.cos(angle) / _EAST,
            seat.latitude + spread * share * np.sin(angle) / KM_PER_DEGREE,
        )
    return Site(
        code,
        f"{name}{SYNTHETIC}",
        kind,
        seat.code,
        round(float(at[0]), 5),
        round(float(at[1]), 5),
        attributes,
    )


def along(river: str, share: float) -> tuple[float, float]:
    """The position at a share of a river's course, 0 upstream to 1 downstream."""
    course = np.array(RIVERS[river].course)
    legs = np.linalg.norm(np.diff(course, axis=0) * (_EAST, KM_PER_DEGREE), axis=1)
    done = np.concatenate(([0], np.cumsum(legs))) / legs.sum()
    return float(np.interp(share, done, course[:, 0])), float(np.interp(share, done, course[:, 1]))


def course_length(river: str) -> float:
    """Length of a river's course through the city, km."""
    course = np.array(RIVERS[river].course)
    return float(np.linalg.norm(np.diff(course, axis=0) * (_EAST, KM_PER_DEGREE), axis=1).sum())


def kilometres(sites: Sequence[Site]) -> Floats:
    """Positions east and north of the confluence in km, sites × 2."""
    degrees = np.array([(s.longitude - CONFLUENCE[0], s.latitude - CONFLUENCE[1]) for s in sites])
    return degrees * (_EAST, KM_PER_DEGREE)


def square(longitude: float, latitude: float, side: float) -> list[tuple[float, float]]:
    """A closed ring of a square around a position; `side` in km."""
    east, north = side / 2 / _EAST, side / 2 / KM_PER_DEGREE
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    return [(round(longitude + x * east, 5), round(latitude + y * north, 5)) for x, y in corners]


def _unit(*names: str) -> float:
    return zlib.crc32("|".join(names).encode()) / 2**32
