"""Settings of the embedded server that depend on the machine, written once, when its data are made.

Durability is not among them: fsync and synchronous_commit keep PostgreSQL's default, on.
"""

from __future__ import annotations

from pathlib import Path

import psutil

_MB = 1024 * 1024
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def memory_total() -> int:
    """Bytes of memory this process may use: the machine's, or its container's if that is less."""
    total = int(psutil.virtual_memory().total)
    try:
        limit = _CGROUP_LIMIT.read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def settings_for(memory: int, timezone: str) -> dict[str, str]:
    """`postgresql.conf` for a machine with this many bytes of memory."""
    megabytes = memory // _MB
    return {
        "shared_buffers": f"{_between(64, megabytes // 5, 2048)}MB",
        "effective_cache_size": f"{_between(128, megabytes // 2, 65536)}MB",
        "work_mem": f"{_between(8, megabytes // 128, 64)}MB",
        "maintenance_work_mem": f"{_between(64, megabytes // 16, 512)}MB",
        "max_connections": "200",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        # A killed client keeps its locks until the server looks: 36 s without this, 1 s with it.
        "client_connection_check_interval": "1s",
        "idle_in_transaction_session_timeout": "10min",
        # A query over monthly partitions takes a lock for each of them and each of their indexes.
        "max_locks_per_transaction": "256",
        "unix_socket_directories": "",  # paths of sockets are limited to 107 bytes; homes are not
        "password_encryption": "scram-sha-256",
        "timezone": timezone,
        "log_timezone": timezone,
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "log_lock_waits": "on",
        "log_checkpoints": "off",
    }


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))
