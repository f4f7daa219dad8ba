"""From an empty server to one that is ready for work: roles, databases, grants, migrations. Idempotent."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ecowarehouse import secrets
from ecowarehouse.postgres import cluster, migrate, roles
from ecowarehouse.postgres.connection import GIVEN_SECRET, connect, endpoint
from ecowarehouse.postgres.errors import DatabaseUnreachable
from ecowarehouse.settings import Settings

AIRFLOW = "airflow"


def prepare(settings: Settings | None = None) -> list[migrate.Migration]:
    """Bring the database (embedded or given) to what this code expects; returns the migrations it applied.

    Raises:
        DatabaseUnreachable, ClusterError: no admin login.
        MigrationError: files and recorded migrations disagree, or one failed.
    """
    settings = settings or Settings.load()
    if settings.database_url:
        return _prepare_given(settings)
    server = cluster.ensure_running(settings)
    return prepare_embedded(settings, server.port)


def prepare_embedded(settings: Settings, port: int) -> list[migrate.Migration]:
    """The same for the embedded server on this port, whose port nobody else may know yet.

    Raises:
        DatabaseUnreachable: the server refuses its superuser.
        MigrationError: files and recorded migrations disagree, or one failed.
    """
    password = secrets.ensure(settings.secrets_file, [cluster.LOGIN_SECRET])[cluster.LOGIN_SECRET]
    with _admin(settings, "postgres", port) as connection:
        roles.create(connection)
        roles.ensure_login(connection, cluster.LOGIN, password)
        roles.ensure_reader_logins(connection, reader_passwords(settings))
        create_database(connection, settings.database, owner=roles.OWNER)
        create_database(connection, AIRFLOW, owner=cluster.LOGIN)
    with _admin(settings, settings.database, port) as connection:
        roles.grant(connection)
        return migrate.apply(connection, settings.migrations)


def reader_passwords(settings: Settings) -> dict[str, str]:
    """The password of each reader's login; one that nothing defines is generated and kept."""
    undefined = [
        name
        for name in map(roles.reader_secret, roles.READERS)
        if secrets.environment_name(name) not in os.environ
    ]
    secrets.ensure(settings.secrets_file, undefined)
    return {role: secrets.resolve(roles.reader_secret(role), settings) for role in roles.READERS}


def create_database(
    connection: psycopg.Connection[Any], name: str, *, owner: str, template: str = "template0"
) -> None:
    """Create a database closed to PUBLIC unless it exists; the sort order is the same on every server."""
    exists = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
    if exists is None:
        statement = "create database {} owner {} template {}"
        if template == "template0":
            statement += " encoding 'UTF8' locale 'C' locale_provider builtin builtin_locale 'C.UTF-8'"
        identifiers = [sql.Identifier(part) for part in (name, owner, template)]
        connection.execute(sql.SQL(statement).format(*identifiers))
    with roles.as_owner_of(connection, name):
        connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))


def _prepare_given(settings: Settings) -> list[migrate.Migration]:
    where = endpoint(settings).parameters
    login, password, name = where.get("user", ""), where.get("password"), where["dbname"]
    with maintenance(settings) as connection:
        roles.create(connection)
        if settings.database_admin and settings.database_admin != login:
            if password is None:
                raise DatabaseUnreachable(
                    f"ECO_DATABASE_ADMIN makes the login {login or 'of ECO_DATABASE_URL'}: it needs a name in the "
                    f"URL and a password, in the URL or as {secrets.environment_name(GIVEN_SECRET)}"
                )
            roles.ensure_login(connection, login, password)
        roles.ensure_reader_logins(connection, reader_passwords(settings))
        create_database(connection, name, owner=roles.OWNER)
        roles.let_in(connection, name, [login or connection.info.user, connection.info.user])
        create_database(connection, AIRFLOW, owner=login or connection.info.user)
    with connect(application="prepare", admin=True, autocommit=True, settings=settings) as connection:
        roles.grant(connection, login or connection.info.user)
        return migrate.apply(connection, settings.migrations)


def maintenance(settings: Settings) -> psycopg.Connection[Any]:
    """An admin's connection from which the warehouse's database can be made; to itself, where only it is open."""
    with suppress(DatabaseUnreachable):
        return connect(
            application="prepare", admin=True, autocommit=True, database="postgres", settings=settings
        )
    return connect(application="prepare", admin=True, autocommit=True, settings=settings)


def _admin(settings: Settings, database: str, port: int) -> psycopg.Connection[Any]:
    where = endpoint(settings, admin=True, database=database, port=port).parameters | {"dbname": database}
    try:
        return psycopg.connect(make_conninfo("", **where), autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL refuses its superuser: {error}. "
            f"Mend: give back the {settings.secrets_file} it was made with"
        ) from error
