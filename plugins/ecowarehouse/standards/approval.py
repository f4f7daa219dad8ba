"""Which contents of the standards people approved: the repository's list, and decisions since."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import psycopg
import yaml

from ecowarehouse.postgres.session import acting_as
from ecowarehouse.settings import Settings
from ecowarehouse.standards.files import seed_files, table_hashes
from ecowarehouse.yaml_text import read_yaml

STEWARD = "eco_steward"


class StandardsError(ValueError):
    """An approval that cannot be written or read; the message says what to mend."""


def applied_hash(conn: psycopg.Connection[Any]) -> str:
    """One hash over what all tables of standards hold now."""
    hashes = table_hashes(conn, _applied_relations(conn))
    return hashlib.sha256(repr(sorted(hashes.items())).encode()).hexdigest()


def unapproved(conn: psycopg.Connection[Any], *, settings: Settings | None = None) -> list[str]:
    """Files of standards whose table is not what was applied, or whose applied content nobody approved.

    An UPDATE of a table by hand shows here, because the hash is worked out from the rows. Empty is good;
    a database without any standards is not.
    """
    settings = settings or Settings.load()
    applied = conn.execute(
        "select file, relation, csv_sha256, table_hash from governance.standards_applied order by file"
    ).fetchall()
    if not applied:
        return ["no standards applied"]
    tables = table_hashes(conn, [row[1] for row in applied])
    approved = approvals(conn, settings)
    found = [
        file
        for file, relation, sha256, table_hash in applied
        if tables.get(relation) != table_hash or (file, sha256) not in approved
    ]
    missing = {seed.file for seed in seed_files(settings)} - {row[0] for row in applied}
    return sorted({*found, *missing})


def approvals(conn: psycopg.Connection[Any], settings: Settings) -> set[tuple[str, str]]:
    """Approved (file, sha256), from the repository's list and from decisions.

    Raises:
        StandardsError: the list cannot be read.
    """
    listed = {(file, str(entry["sha256"])) for file, entry in _listed(_list_path(settings)).items()}
    decided = {
        (row[0], row[1]) for row in conn.execute("select file, sha256 from decision.standards_approval")
    }
    return listed | decided


def approve(
    conn: psycopg.Connection[Any],
    file: str,
    *,
    by: str,
    reason: str,
    document: str | None = None,
    settings: Settings | None = None,
) -> str:
    """Write down that a person approves the present content of a file; returns its hash.

    Args:
        file: `standards/air_limits.csv`, or its bare name.
        by: the person.
        reason: why this content is right.
        document: what it rests on.

    Raises:
        StandardsError: no such file, or no name or reason.
    """
    if not by.strip() or not reason.strip():
        raise StandardsError("an approval needs a person (--by) and a reason (--reason)")
    seeds = {seed.file: seed for seed in seed_files(settings or Settings.load())}
    by_name = {name: seed for seed in seeds.values() for name in (seed.file, seed.path.name, seed.table)}
    if file not in by_name:
        raise StandardsError(f"no file {file!r} of standards; there are {', '.join(sorted(seeds))}")
    seed = by_name[file]
    sha256 = seed.sha256()
    with acting_as(conn, STEWARD):
        conn.execute(
            "insert into decision.standards_approval (file, sha256, reason, document, decided_by)"
            " values (%s, %s, %s, %s, %s)",
            [seed.file, sha256, reason.strip(), document, by.strip()],
        )
        conn.commit()
    return sha256


def _applied_relations(conn: psycopg.Connection[Any]) -> list[str]:
    return [
        row[0] for row in conn.execute("select relation from governance.standards_applied order by relation")
    ]


def _list_path(settings: Settings) -> Path:
    return settings.dbt_project / "seeds" / "standards" / "approved.yml"


def _listed(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = read_yaml(path.read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = content["files"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise StandardsError(
            f"{path}: expected `files`, each with sha256, by, on and document ({error})"
        ) from error
    for file, entry in files.items():
        if not {"sha256", "by", "on", "document"} <= set(entry):
            raise StandardsError(f"{path}: {file} needs sha256, by, on and document")
    return files
