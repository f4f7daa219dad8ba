"""One PostgreSQL 18: embedded from a wheel, or given by `ECO_DATABASE_URL`."""

from ecowarehouse.postgres.connection import connect, libpq_env, sqlalchemy_url

__all__ = ["connect", "libpq_env", "sqlalchemy_url"]
