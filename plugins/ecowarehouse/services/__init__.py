"""Services that run between commands: PostgreSQL, and Airflow's four processes."""

from __future__ import annotations

from typing import Any

from ecowarehouse.services.processes import ServiceError
from ecowarehouse.settings import Settings

__all__ = ["ServiceError", "down", "status", "up"]


def up(settings: Settings | None = None, *, airflow: bool = True) -> dict[str, Any]:
    """Start the database (unless one is given) and Airflow, wait until they are healthy; then `status`.

    Standards and views are `deployment.deploy`. Raises `ServiceError`, `ClusterError`, `DatabaseUnreachable`.
    """
    from ecowarehouse.postgres import cluster, prepare  # psycopg and psutil, only when something is started

    settings = settings or Settings.load()
    if settings.database_url:
        prepare.prepare(settings)
    else:
        cluster.ensure_running(settings)
    if airflow:
        from ecowarehouse.services import airflow as parts

        parts.start(settings)
    return status(settings)


def down(settings: Settings | None = None, *, database: bool = False) -> list[str]:
    """Stop all services that this home started, with `database` PostgreSQL too; the names of what ran."""
    from ecowarehouse.postgres import cluster
    from ecowarehouse.services import airflow as parts
    from ecowarehouse.services import processes

    settings = settings or Settings.load()
    stopped = parts.stop(settings)
    folder = parts.folder(settings)
    stopped += processes.stop(folder, processes.records(folder))  # others, such as the demo's simulated city
    if database and not settings.database_url and cluster.stop(settings):
        stopped.append("postgres")
    return stopped


def status(settings: Settings | None = None) -> dict[str, Any]:
    """What runs: the database and Airflow's parts, with pids, URL, health and memory. Starts nothing."""
    from ecowarehouse.postgres import cluster
    from ecowarehouse.services import airflow as parts
    from ecowarehouse.services import processes

    settings = settings or Settings.load()
    server = None if settings.database_url else cluster.status(settings)
    others = [r for r in processes.records(parts.folder(settings)) if r.name not in parts.PARTS and r.alive]
    return {
        "postgres": {"pid": server.pid, "port": server.port} if server else None,
        "airflow": parts.status(settings),
        "others": {record.name: {"pid": record.pid, "port": record.port} for record in others},
    }
