"""Who exists in the database: one owner, one group role per kind of step or reader, one login for all steps, and one
for each reader.

A reader's questions are SQL of his own, and any SQL may change the role (`set_config`): so they are asked by a login
that is a member of his role alone. The login of the steps may take every role and asks no stranger's question.

What a role may do to tables is granted where the tables are made, in migrations and by dbt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors, sql

from ecowarehouse.postgres.errors import DatabaseUnreachable

OWNER = "eco_owner"
LOGIN = "eco"
STEP_ROLES: dict[str, str] = {
    "eco_landing": "writes what was received and its ledger · 接收",
    "eco_core": "writes series, observations and flags · 核心",
    "eco_dbt": "owns staging, seeds and candidates · 建模",
    "eco_gate": "writes verdicts · 质量门",
    "eco_release": "writes releases and what others read · 发布",
    "eco_steward": "writes decisions of people · 数据管理员",
    "eco_engineer": "reads everything, writes nothing · 工程师",
    "eco_department": "reads shared.* by duty · 部门",
    "eco_public": "reads open.* · 公众",
    "eco_auditor": "reads everything that was ever released, and the ledger · 审计",
}
READERS = ("eco_engineer", "eco_department", "eco_public", "eco_auditor")
READERS_OF_OTHERS = ("eco_department", "eco_public")  # people outside: no temporary tables either

# Who may have more than nothing on relations of a schema. Migrations and dbt grant; this is what they are held against,
# so that a grant made by hand, or by a migration in error, is seen. Schemas that are not named are dbt's: staging,
# as_of, one an element. What a step needs to read is not limited: steps run our SQL only.
STEPS = tuple(role for role in STEP_ROLES if role not in READERS)
_READABLE_BY: dict[str, tuple[str, ...]] = {
    "core": ("eco_engineer", "eco_auditor"),
    "decision": ("eco_engineer", "eco_auditor"),
    "governance": ("eco_engineer", "eco_auditor"),
    "open": READERS,
    "published": ("eco_engineer", "eco_auditor"),
    "shared": ("eco_engineer", "eco_department", "eco_auditor"),
    "standards": ("eco_engineer", "eco_auditor"),
    "vocabulary": ("eco_engineer", "eco_auditor"),
}
_READABLE_OTHERWISE = ("eco_engineer",)
_WRITABLE_BY: dict[str, tuple[str, ...]] = {
    "core": ("eco_core",),
    "decision": ("eco_steward",),
    "governance": STEPS,
    "landing": ("eco_landing", "eco_core"),
    "open": ("eco_release",),
    "published": ("eco_release",),
    "shared": ("eco_release",),
}
_WRITABLE_OTHERWISE = ("eco_dbt",)
_WRITABLE_COLUMNS = {("core.change.built_in", "eco_dbt"): "a build says which changes it took up"}

_LOCK = 0x65636F01  # "eco" 1: advisory locks of the house


def apply(connection: psycopg.Connection[Any], login: str = LOGIN) -> None:
    """Create roles and grant what belongs to the database itself; by an admin in autocommit. Idempotent."""
    create(connection)
    grant(connection, login)


def create(connection: psycopg.Connection[Any]) -> None:
    """Create the owner and the step roles, all without login, and let our own login act as them."""
    connection.execute("select pg_advisory_lock(%s)", [_LOCK])
    try:
        _create_group(connection, OWNER, "owns the tables of migrations · 表所有者")
        for role, meaning in STEP_ROLES.items():
            _create_group(connection, role, meaning)
        if not _is_superuser(connection):  # a given database with a login of less power
            _let_act_as(connection, connection.info.user, (OWNER, *STEP_ROLES))
        with suppress(errors.InsufficientPrivilege):  # then it reads what is granted table by table
            connection.execute("grant pg_read_all_data to eco_engineer")
    finally:
        connection.execute("select pg_advisory_unlock(%s)", [_LOCK])


def ensure_login(connection: psycopg.Connection[Any], login: str, password: str) -> None:
    """Create the login that may take every step role and has no right of its own."""
    _create(connection, login)
    # Only a superuser may speak of this attribute, be it to deny it; what others make has it not.
    power = sql.SQL("nosuperuser nocreatedb" if _is_superuser(connection) else "")
    statement = sql.SQL("alter role {} login {} nocreaterole noinherit password {}")
    connection.execute(statement.format(sql.Identifier(login), power, sql.Literal(password)))
    _let_act_as(connection, login, tuple(STEP_ROLES))
    if not _is_superuser(connection):
        _let_act_as(connection, connection.info.user, (login,))  # to make a database for it


@contextmanager
def as_owner_of(connection: psycopg.Connection[Any], database: str) -> Iterator[None]:
    """Do the body as the owner of a database: others' grants on it are ignored with a warning.

    Raises:
        DatabaseUnreachable: the session may not act as the owner.
    """
    row = connection.execute(
        "select pg_get_userbyid(datdba), pg_has_role(session_user, datdba, 'SET') from pg_database "
        "where datname = %s",
        [database],
    ).fetchone()
    owner, may = row or ("nobody", False)
    if not may:
        raise DatabaseUnreachable(
            f"database {database} belongs to {owner}, whom {connection.info.user} may not act as. "
            f"Mend: alter database {database} owner to {connection.info.user}"
        )
    connection.execute(sql.SQL("set role {}").format(sql.Identifier(owner)))
    try:
        yield
    finally:
        connection.execute("reset role")


def let_in(connection: psycopg.Connection[Any], database: str, logins: list[str]) -> None:
    """Let logins enter a database that is closed to PUBLIC: they inherit this right from no role."""
    names = sql.SQL(", ").join(sql.Identifier(login) for login in dict.fromkeys(logins))
    with as_owner_of(connection, database):
        connection.execute(
            sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), names)
        )


def reader_login(role: str) -> str:
    """The login that asks the questions of a reader."""
    return f"{role}_login"


def reader_secret(role: str) -> str:
    """The name of the secret that holds its password."""
    return f"postgres.{role}"


def ensure_reader_logins(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """Create a login for each reader: a member of that reader's role and of no other."""
    for role in READERS:
        login = sql.Identifier(reader_login(role))
        _create(connection, reader_login(role))
        password = sql.Literal(passwords[role])
        connection.execute(sql.SQL("alter role {} login inherit password {}").format(login, password))
        connection.execute(
            sql.SQL("grant {} to {} with inherit true, set true").format(sql.Identifier(role), login)
        )


def grant(connection: psycopg.Connection[Any], login: str = LOGIN) -> None:
    """Grants on the current database: who may enter, who may make schemas."""
    with as_owner_of(connection, connection.info.dbname):
        _grant(connection, login)


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("select rolsuper from pg_roles where rolname = session_user").fetchone()
    return row is not None and bool(row[0])


def _grant(connection: psycopg.Connection[Any], login: str) -> None:
    database = sql.Identifier(connection.info.dbname)
    everyone = [OWNER, *STEP_ROLES]
    if _exists(connection, login):
        everyone.append(login)  # it does not inherit, and the right to enter is asked of the login
    inside = [role for role in everyone if role not in READERS_OF_OTHERS]
    for statement, grantees in (
        ("revoke all on database {} from public", None),
        ("revoke create on schema public from public", None),
        ("grant connect on database {} to {}", everyone),
        ("grant temporary on database {} to {}", inside),
        ("grant create on database {} to {}", [OWNER, "eco_dbt"]),
        ("grant usage, create on schema public to {1}", [OWNER]),
    ):
        names = sql.SQL(", ").join(sql.Identifier(role) for role in grantees or [])
        connection.execute(sql.SQL(statement).format(database, names))


def check(connection: psycopg.Connection[Any]) -> list[str]:
    """Deviations of the running database from what this page says, each as a sentence; empty is good."""
    return [
        *_missing_roles(connection),
        *_powerful_roles(connection),
        *_wrong_memberships(connection),
        *_wrong_readers(connection),
        *_open_to_public(connection),
        *_rewritable_observations(connection),
        *_wrong_grants(connection),
    ]


def _missing_roles(connection: psycopg.Connection[Any]) -> list[str]:
    return [f"role {role} is missing" for role in (OWNER, *STEP_ROLES) if not _exists(connection, role)]


def _powerful_roles(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        """
        select rolname, rolcanlogin and rolname <> %(login)s, rolsuper, rolcreaterole, rolcreatedb,
               rolbypassrls
        from pg_roles where rolname = any(%(ours)s)
        """,
        {"login": LOGIN, "ours": [OWNER, *STEP_ROLES, LOGIN]},
    ).fetchall()
    attributes = ("login", "superuser", "createrole", "createdb", "bypassrls")
    return [
        f"role {row[0]} has the attribute {attribute}"
        for row in rows
        for attribute, held in zip(attributes, row[1:], strict=True)
        if held
    ]


def _wrong_memberships(connection: psycopg.Connection[Any]) -> list[str]:
    """Login `eco` takes each step role and inherits none; nobody is in a writing role by inheritance."""
    rows = connection.execute(
        """
        select g.rolname, m.rolname, a.inherit_option, a.set_option
        from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
        where g.rolname = any(%s)
        """,
        [[OWNER, *STEP_ROLES]],
    ).fetchall()
    writing = {OWNER, "eco_landing", "eco_core", "eco_dbt", "eco_gate", "eco_release", "eco_steward"}
    found = [
        f"{member} inherits {group}, a writing role"
        for group, member, inherit, _ in rows
        if inherit and group in writing
    ]
    found += [
        f"{LOGIN} may act as {OWNER}" for group, member, _, _ in rows if group == OWNER and member == LOGIN
    ]
    if _exists(connection, LOGIN):
        takes = {group for group, member, _, may_set in rows if member == LOGIN and may_set}
        found += [f"{LOGIN} may not act as {role}" for role in STEP_ROLES if role not in takes]
    return found


def _wrong_readers(connection: psycopg.Connection[Any]) -> list[str]:
    """The login of a reader can become nobody but that reader."""
    rows = connection.execute(
        """
        select r.rolname, r.rolcanlogin, r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls,
            array(select g.rolname::text from pg_auth_members a join pg_roles g on g.oid = a.roleid
                  where a.member = r.oid order by 1)
        from pg_roles r where r.rolname = any(%s)
        """,
        [[reader_login(role) for role in READERS]],
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    problems = []
    for role in READERS:
        login = reader_login(role)
        may_login, powerful, groups = found.get(login, (False, False, []))
        if not may_login:
            problems.append(f"login {login} is missing")
            continue
        if powerful:
            problems.append(f"login {login} has an attribute of power")
        problems += [f"{login} may act as {group}" for group in groups if group != role]
        if role not in groups:
            problems.append(f"{login} may not act as {role}")
    return problems


def _open_to_public(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        """
        select 'schema ' || n.nspname, x.privilege_type
        from pg_namespace n, aclexplode(n.nspacl) x
        where x.grantee = 0 and n.nspname not in ('pg_catalog', 'information_schema')
          and not (n.nspname = 'public' and x.privilege_type = 'USAGE')
        union all
        select 'database ' || d.datname, x.privilege_type
        from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
        where x.grantee = 0 and d.datname = current_database()
        union all
        select 'table ' || c.oid::regclass, x.privilege_type
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        where x.grantee = 0 and n.nspname not in ('pg_catalog', 'information_schema')
        """
    ).fetchall()
    return [f"{thing} grants {privilege} to PUBLIC" for thing, privilege in rows]


def _wrong_grants(connection: psycopg.Connection[Any]) -> list[str]:
    """Grants to a named role that the house does not mean; an owner's own rights are no grant."""
    rows = connection.execute(
        """
        select 'schema', n.nspname::text, n.nspname::text, x.privilege_type, x.grantee
        from pg_namespace n, aclexplode(n.nspacl) x
        where x.grantee <> n.nspowner
        union all
        select 'table', n.nspname, c.oid::regclass::text, x.privilege_type, x.grantee
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        where x.grantee <> c.relowner
        union all
        select 'column', n.nspname, c.oid::regclass || '.' || a.attname, x.privilege_type, x.grantee
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace,
            aclexplode(a.attacl) x
        where x.grantee <> c.relowner
        union all
        select 'function', n.nspname, p.oid::regprocedure::text, x.privilege_type, x.grantee
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
            aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        where p.prosecdef and x.grantee <> p.proowner
        """
    ).fetchall()
    names = dict(connection.execute("select oid, rolname::text from pg_roles").fetchall())
    found = []
    for kind, schema, thing, privilege, grantee in rows:
        if schema in ("pg_catalog", "information_schema", "public") or (grantee == 0 and kind != "function"):
            continue  # of the server's own; `public` is looked at by the attributes of the roles, PUBLIC above
        role = names.get(grantee, "PUBLIC")
        if not _is_meant(kind, schema, thing, privilege, role):
            found.append(f"{kind} {thing} grants {privilege} to {role}")
    return sorted(found)


def _is_meant(kind: str, schema: str, thing: str, privilege: str, role: str) -> bool:
    if role == OWNER:
        return True
    if kind == "function":
        return role in STEPS
    if privilege in ("SELECT", "USAGE"):
        return role in STEPS or role in _READABLE_BY.get(schema, _READABLE_OTHERWISE)
    writers = _WRITABLE_BY.get(schema, _WRITABLE_OTHERWISE)
    return role in writers or (thing, role) in _WRITABLE_COLUMNS


def _rewritable_observations(connection: psycopg.Connection[Any]) -> list[str]:
    """Observations are append-only by grants, partitions too; the trigger is the second lock."""
    rows = connection.execute(
        """
        select c.oid::regclass::text, coalesce(g.rolname, 'PUBLIC'), x.privilege_type
        from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        left join pg_roles g on g.oid = x.grantee
        where n.nspname = 'core' and c.relname like 'observation%' and x.grantee <> c.relowner
          and x.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')
        """
    ).fetchall()
    return [f"{table} grants {privilege} to {role}" for table, role, privilege in rows]


def _create_group(connection: psycopg.Connection[Any], role: str, meaning: str) -> None:
    _create(connection, role)
    connection.execute(sql.SQL("comment on role {} is {}").format(sql.Identifier(role), sql.Literal(meaning)))


def _create(connection: psycopg.Connection[Any], role: str) -> None:
    """Roles belong to the server, advisory locks to one database: two databases may do this at once."""
    if _exists(connection, role):
        return
    with suppress(errors.DuplicateObject, errors.UniqueViolation):
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))


def _let_act_as(connection: psycopg.Connection[Any], login: str, groups: tuple[str, ...]) -> None:
    """SET, not INHERIT: a step that forgets to take its role can do nothing, instead of everything."""
    for group in groups:
        statement = sql.SQL("grant {} to {} with inherit false, set true")
        connection.execute(statement.format(sql.Identifier(group), sql.Identifier(login)))


def _exists(connection: psycopg.Connection[Any], role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None
