"""`python -m simulation.city [SEED]`: what is in the city, what was planted, how like real air it is."""

from __future__ import annotations

import sys
import time
from collections import Counter

from simulation.city import City, likeness


def main(seed: int) -> None:
    """Build all of a city and print it; all of it is synthetic."""
    begun = time.perf_counter()
    city = City(seed)
    print(f"synthetic city, seed {seed}, {city.window.first_day} to {city.window.last_day}")
    planted: Counter[tuple[str, str]] = Counter()
    for feed in city.feeds():
        shown, draft = feed.rows().num_rows, feed.draft
        months = 0 if draft.months is None else draft.months().num_rows
        print(
            f"{draft.department:20} {feed.name:26} {len(draft.clean):8,} rows clean {shown:8,} shown "
            f"{months:7,} by month"
        )
        planted.update((p.layer, p.kind) for p in (*draft.phenomena, *feed.plants))
    print("planted: " + ", ".join(f"{kind} {count}" for (_, kind), count in sorted(planted.items())))
    print(likeness.table(likeness.measured(city)))
    print(f"{time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
