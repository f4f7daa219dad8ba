"""Whether files were edited since they were read: what a long-lived process keeps of them then counts no more."""

from __future__ import annotations

import stat
from pathlib import Path


def stamp(folder: Path, pattern: str = "*") -> int:
    """Changes with every edit of the folder's files, at any depth; holds within a process and its forks."""
    return hash(
        tuple(
            (str(path), found.st_mtime_ns, found.st_size)
            for path in sorted(folder.rglob(pattern))
            if stat.S_ISREG((found := path.stat()).st_mode)
        )
    )
