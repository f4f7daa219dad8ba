"""Connections to the warehouse, and addresses for programs that make their own.

The way of every connection: try what is recorded; only if that fails, take the lock and start the server.
So with a running server a connection costs neither a lock nor a process.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ecowarehouse import secrets
from ecowarehouse.postgres import cluster, roles
from ecowarehouse.postgres.errors import DatabaseUnreachable
from ecowarehouse.settings import DEFAULT_DATABASE, Settings

WAREHOUSE = DEFAULT_DATABASE  # "the warehouse's database", whatever its name is in this process
GIVEN_SECRET = "database.password"  # the name of a secret, not one
GIVEN_ADMIN_SECRET = "database.admin"  # the name of a secret, not one

_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One login to one database, as libpq's parameters."""

    parameters: dict[str, str]

    def libpq_env(self) -> dict[str, str]:
        """The same as PG* variables: a password never stands in a command line."""
        return {_VARIABLES[name]: value for name, value in self.parameters.items() if name in _VARIABLES}

    def url(self, scheme: str) -> str:
        """The same as a URL, every part quoted."""
        known = dict(self.parameters)
        host, port = known.pop("host", "localhost"), known.pop("port", "5432")
        user, password = quote(known.pop("user", ""), safe=""), quote(known.pop("password", ""), safe="")
        database = quote(known.pop("dbname", ""), safe="")
        login = f"{user}:{password}@" if password else f"{user}@"
        address = f"{scheme}://{login}{host}:{port}/{database}"
        return f"{address}?{urlencode(known)}" if known else address


def connect(
    role: str | None = None,
    *,
    application: str,
    autocommit: bool = False,
    admin: bool = False,
    database: str = WAREHOUSE,
    settings: Settings | None = None,
    confined: bool = False,
) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to the warehouse as login `eco`, acting as `role`; start the embedded server if need be.

    Without a role the login may do nothing but take one. `admin` logs in as superuser: for `eco up`, backup
    and tests. With `ECO_DATABASE_URL` the URL's login serves for both, unless `ECO_DATABASE_ADMIN` names another.
    `confined` logs in as the login of the reader `role`, which can take no other: for SQL that is not ours.

    Raises:
        DatabaseUnreachable: no login, or the role does not exist or is not granted to the login.
        ClusterError: the embedded server cannot be started.
        MigrationError: it was started, but its migrations don't fit the files.
    """
    settings = settings or Settings.load()

    def where() -> Endpoint:
        as_eco = endpoint(settings, admin=admin, database=database)
        return _as_reader(as_eco, role, settings) if confined else as_eco

    try:
        connection = _login(where(), settings, application)
    except (psycopg.OperationalError, _NotRecorded) as first:
        if settings.database_url:
            whose = f"login {roles.reader_login(role)}: " if confined and role else ""
            mend = ". Mend: eco up" if whose else ""
            raise DatabaseUnreachable(f"ECO_DATABASE_URL: {whose}{_clean(first)}{mend}") from first
        cluster.ensure_running(settings)
        connection = _login_again(where(), settings, application)
    try:
        if role is not None:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        # Only now: a role set inside a transaction would be gone after its rollback.
        connection.autocommit = autocommit
    except psycopg.Error as error:
        connection.close()
        raise DatabaseUnreachable(f"role {role!r}: {_clean(error)}. Mend: eco roles apply") from error
    return connection


def sqlalchemy_url(
    database: str = WAREHOUSE, *, admin: bool = False, settings: Settings | None = None
) -> str:
    """A SQLAlchemy URL with the psycopg driver (it holds the password), of a server that answers.

    Raises:
        DatabaseUnreachable, ClusterError, MigrationError: as `connect`.
    """
    return _answering(database, admin, settings).url("postgresql+psycopg")


def libpq_env(
    database: str = WAREHOUSE, *, admin: bool = False, settings: Settings | None = None
) -> dict[str, str]:
    """This process's environment with PG* variables for a program such as dbt or pg_dump.

    Raises:
        DatabaseUnreachable, ClusterError, MigrationError: as `connect`.
    """
    others = {name: value for name, value in os.environ.items() if name not in _VARIABLES.values()}
    return others | _answering(database, admin, settings).libpq_env()


def endpoint(
    settings: Settings, *, admin: bool = False, database: str = WAREHOUSE, port: int | None = None
) -> Endpoint:
    """The login as recorded, without asking whether anything answers there.

    Raises:
        DatabaseUnreachable: nothing is recorded yet, or the URL is malformed.
    """
    if settings.database_url:
        return _given(settings, settings.database_url, database, admin=admin)
    port = port or cluster.read_port(settings)
    known = secrets.read(settings.secrets_file)
    password = known.get(cluster.ADMIN_SECRET if admin else cluster.LOGIN_SECRET)
    if port is None or password is None:
        raise _NotRecorded("the embedded PostgreSQL has not been started. Mend: eco up")
    return Endpoint(
        {
            "host": cluster.HOST,
            "port": str(port),
            "user": cluster.ADMIN if admin else cluster.LOGIN,
            "password": password,
            "dbname": settings.database if database == WAREHOUSE else database,
        }
    )


def _as_reader(where: Endpoint, role: str | None, settings: Settings) -> Endpoint:
    """The same database by the login of a reader."""
    if role not in roles.READERS:
        raise DatabaseUnreachable(
            f"there is no login for questions as {role!r}: readers are {', '.join(roles.READERS)}"
        )
    try:
        password = secrets.resolve(roles.reader_secret(role), settings)
    except secrets.SecretError as error:
        raise DatabaseUnreachable(
            f"no password of {roles.reader_login(role)} is recorded. Mend: eco up"
        ) from error
    return Endpoint(where.parameters | {"user": roles.reader_login(role), "password": password})


class _NotRecorded(DatabaseUnreachable):
    """No port or password is recorded: the embedded server was never made, or does not run."""


def _given(settings: Settings, url: str, database: str, *, admin: bool) -> Endpoint:
    """The URL's parts. A password that is not in it is a secret, or libpq's business (.pgpass, peer)."""
    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError as error:
        raise DatabaseUnreachable(
            "ECO_DATABASE_URL is malformed: postgresql://user:password@host:port/eco"
        ) from error
    parameters.setdefault("dbname", DEFAULT_DATABASE)
    if database != WAREHOUSE:
        parameters["dbname"] = database
    secret = GIVEN_SECRET
    if admin and settings.database_admin:
        secret, parameters["user"] = GIVEN_ADMIN_SECRET, settings.database_admin
        parameters.pop("password", None)
    if "password" not in parameters and (password := secrets.find(secret, settings)):
        parameters["password"] = password
    return Endpoint(parameters)


def _answering(database: str, admin: bool, settings: Settings | None) -> Endpoint:
    settings = settings or Settings.load()
    if settings.database_url:
        return endpoint(settings, admin=admin, database=database)
    port = cluster.read_port(settings)
    if port is None or not _listens(port):
        cluster.ensure_running(settings)
    return endpoint(settings, admin=admin, database=database)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((cluster.HOST, port), timeout=2):
            return True
    except OSError:
        return False


def _login(where: Endpoint, settings: Settings, application: str) -> psycopg.Connection[tuple[Any, ...]]:
    # Another server's maintenance database may have no encoding, and then names would come as bytes.
    given = {"connect_timeout": "10", "client_encoding": "utf8"} | where.parameters
    given |= {"application_name": f"eco {application}", "options": _options(given.get("options"), settings)}
    return psycopg.connect(make_conninfo("", **given), autocommit=True)


def _options(given: str | None, settings: Settings) -> str:
    """The city's clock on every session: a server that was given may have another."""
    ours = f"-c timezone={settings.timezone}"
    return f"{given} {ours}" if given else ours


def _login_again(
    where: Endpoint, settings: Settings, application: str
) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return _login(where, settings, application)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL runs but refuses the login: {_clean(error)}. Mend: eco up, then eco doctor"
        ) from error


def _clean(error: Exception) -> str:
    """The first line of a driver's message, which holds neither password nor query."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
