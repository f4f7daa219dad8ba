"""What the books take an attempt for: an answer, something unusable, silence, or a fault of ours."""

from __future__ import annotations

import pytest

from ecowarehouse.connectors.problems import OUR_FAULTS
from ecowarehouse.postgres.connection import connect
from ecowarehouse.settings import Settings

SILENCE = (
    "connect_error",
    "timeout",
    "http_500",
    "http_404",
    "tls_error",
    "host_key_unknown",
    "unfinished",
    "query_failed",
)
SPOILED = (
    "truncated",
    "html_instead_of_data",
    "empty_body",
    "inconsistent_pages",
    "header_changed",
    "checksum_mismatch",
)


@pytest.fixture(scope="module")
def taken_for(module_database: Settings) -> dict[tuple[str, str | None], str]:
    attempts = [
        *(("failed", reason) for reason in (*OUR_FAULTS, *SILENCE, *SPOILED)),
        ("rejected", "no_rows"), ("aborted", "process_died"), ("partial", "caught_mid_update"), ("loaded", None),
        ("loaded", "cursor_went_back"), ("unchanged", "not_modified"),
    ]  # fmt: skip
    with connect(application="tests", admin=True, settings=module_database) as admin:
        return {
            attempt: admin.execute("select governance.answer_of(%s, %s)", attempt).fetchone()[0]
            for attempt in attempts
        }


def test_python_and_sql_agree_whose_fault_it_is(taken_for: dict[tuple[str, str | None], str]) -> None:
    ours = {
        reason
        for (outcome, reason), answer in taken_for.items()
        if answer == "our_fault" and outcome == "failed"
    }
    assert ours == OUR_FAULTS
    assert taken_for["aborted", "process_died"] == "our_fault"


def test_what_came_and_cannot_be_used_is_not_silence(taken_for: dict[tuple[str, str | None], str]) -> None:
    assert {taken_for["failed", reason] for reason in SPOILED} == {"unusable"}
    assert taken_for["rejected", "no_rows"] == "unusable"
    assert {taken_for["failed", reason] for reason in SILENCE} == {"no_answer"}


def test_an_answer_is_one_whatever_is_noted_of_it(taken_for: dict[tuple[str, str | None], str]) -> None:
    for reason in (None, "cursor_went_back"):
        assert taken_for["loaded", reason] == "answered"
    assert taken_for["unchanged", "not_modified"] == "answered"
    assert taken_for["partial", "caught_mid_update"] == "partial"
