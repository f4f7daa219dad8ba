"""What is loaded ahead into the scheduler, and that an edit of the house's own code counts in the next fork."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORK = """
import os, sys
import ecowarehouse.contracts
from ecowarehouse.services import scheduler
scheduler.read_own_code_anew_when_it_changed()
{edit}
child = os.fork()
if not child:
    os._exit(0 if ("ecowarehouse.contracts" in sys.modules) == {kept} else 1)
_, status = os.waitpid(child, 0)
assert "ecowarehouse.contracts" in sys.modules
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(("edit", "kept"), [("", True), ("scheduler.stamp = lambda *_: 'edited'", False)])
def test_a_fork_forgets_own_code_that_was_edited_and_only_then(edit: str, kept: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK.format(edit=edit, kept=kept)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
