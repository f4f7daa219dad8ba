"""One part of the house in the foreground, for containers: whoever starts it watches, restarts and stops it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Any, Final, NoReturn

import psycopg

from ecowarehouse.postgres.connection import connect, sqlalchemy_url
from ecowarehouse.postgres.errors import DatabaseUnreachable
from ecowarehouse.postgres.prepare import maintenance
from ecowarehouse.services import airflow, config, processes
from ecowarehouse.services.processes import ServiceError
from ecowarehouse.settings import Settings

logger = logging.getLogger(__name__)

PATIENCE: Final = 120.0  # after a boot all containers start at once, and a database may have to recover


def prepare(settings: Settings, say: Callable[[str], None], *, patience: float = PATIENCE) -> None:
    """Everything that stands between runs: the warehouse as `eco up` leaves it, and Airflow's tables.

    Raises `DatabaseUnreachable` when nothing answers in time, and what `deploy` raises.
    """
    from ecowarehouse.deployment import deploy, take_up_registers

    address = _address(settings)
    _patiently(lambda: maintenance(settings), patience)
    deploy(settings, say=say)
    take_up_registers(settings, say=say)
    config.write(settings, database_url=_url(settings), address=address)
    airflow.migrate(settings)
    say("Airflow: tables are migrated")


def become(settings: Settings, name: str, *, patience: float = PATIENCE) -> NoReturn:
    """Become one of Airflow's parts, with the configuration of this home."""
    address = _address(settings)
    _patiently(lambda: connect(application=name, database=airflow.DATABASE, settings=settings), patience)
    config.write(settings, database_url=_url(settings), address=address)
    command = processes.python("-m", *airflow.PARTS[name])
    os.chdir(config.home(settings))
    os.execve(command[0], command, config.environment(settings))  # noqa: S606 no shell is meant


def state(settings: Settings, name: str) -> str:
    """What the API server says of a part: `healthy`, or what is the matter."""
    return airflow.state(name, airflow.health(_address(settings).inner))


def _address(settings: Settings) -> config.Address:
    address = config.Address.given(settings)
    if address is None:
        raise ServiceError("this is for containers, which need ECO_API_URL; on a machine: eco up")
    return address


def _url(settings: Settings) -> str:
    return sqlalchemy_url(airflow.DATABASE, settings=settings)


def _patiently(connect_once: Callable[[], psycopg.Connection[Any]], patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            connection = connect_once()
        except DatabaseUnreachable as error:
            if time.monotonic() > deadline:
                raise
            logger.debug("waiting: %s", error)
            time.sleep(1)
        else:
            connection.close()
            return
