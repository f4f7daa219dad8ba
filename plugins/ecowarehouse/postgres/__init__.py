"""One PostgreSQL 18: embedded from a wheel, or given by `ECO_DATABASE_URL`."""

from ecowarehouse.postgres.connection import connect, dsn, libpq_env, sqlalchemy_url

__all__ = ["connect", "dsn", "libpq_env", "sqlalchemy_url"]
