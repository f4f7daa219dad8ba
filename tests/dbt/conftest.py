"""A database of the module's own with standards and standing views applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from ecowarehouse import marts, standards
from ecowarehouse.core import entities
from ecowarehouse.postgres import connect
from ecowarehouse.settings import Settings

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def warehouse(module_database: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a warehouse with its standards, as the login."""
    with connect(application="test dbt", admin=True, settings=module_database) as conn:
        entities.deploy(conn)
        standards.apply(conn, settings=module_database)
        marts.deploy(conn=conn, settings=module_database)
        yield conn


@pytest.fixture
def render() -> Callable[[str], str]:
    """Expand a macro of the project as dbt does, for macros that need nothing but jinja."""
    from jinja2 import Environment, FileSystemLoader

    project = Settings.load().dbt_project
    environment = Environment(loader=FileSystemLoader(project / "macros"), autoescape=False)

    def expand(text: str) -> str:
        head = "{% from 'rounding.sql' import round_half_even with context %}"
        return environment.from_string(head + text).render()

    return expand
