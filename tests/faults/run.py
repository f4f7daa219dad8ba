"""`make faults`: many kills, each at another random moment, told one by one. Exit code 1 at the first that did harm."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from random import Random, SystemRandom

from tests.faults.house import House
from tests.faults.kills import POINTS, Tally, chosen, kill_at


def main() -> int:
    """Kill, run again, compare; the seed repeats the choice of points and delays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", default="", help="points whose name begins so")
    options = parser.parse_args()
    tally = Tally(options.seed)
    points = [point for point in POINTS if point.name.startswith(options.only)]
    print(f"seed {options.seed}, {options.kills} kills; the warehouse is being made", flush=True)
    with tempfile.TemporaryDirectory(prefix="eco-faults-", ignore_cleanup_errors=True) as folder:
        house = House.make(Path(folder))
        try:
            for number, point in enumerate(chosen(points, options.kills, Random(options.seed)), 1):
                began = time.monotonic()
                kill_at(house, point, Random(f"{options.seed}:{number}"), tally)
                print(f"{number:4} {point.name:45} {time.monotonic() - began:6.1f} s", flush=True)
        except AssertionError as problem:
            print(f"seed {options.seed}, kill {tally.kills.total() + 1}: {problem}")
            return 1
        finally:
            house.end()
            print("\n".join(tally.lines()), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
