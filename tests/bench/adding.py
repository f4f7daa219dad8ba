"""Adds contents to a history as standard input names them (`PATH<tab>KNOWN_AT`); says what each step took."""

from __future__ import annotations

import json
import sys
from datetime import datetime

from ecowarehouse import cycle
from ecowarehouse.contracts import load_contracts
from ecowarehouse.pipeline import run_feed
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings


def main() -> None:
    """Until standard input ends."""
    settings = Settings.load()
    contract = load_contracts(settings.city).contracts[sys.argv[1]]
    with connect(application="bench", settings=settings) as conn:
        for line in sys.stdin:
            path, known = line.rstrip("\n").split("\t")
            feed = run_feed(conn, settings, contract, paths=[path], known_at=datetime.fromisoformat(known))
            if not all(batch.usable for batch in feed.batches):
                raise SystemExit(f"{path}: {feed.batches}")
            element = cycle.run_element(conn, contract.element, settings)
            if element.release is None or element.release.outcome != "done":
                raise SystemExit(f"{path}: nothing was released: {element}")
            print("ADDED " + json.dumps({**feed.seconds, **element.seconds}), flush=True)


if __name__ == "__main__":
    main()
