"""Asking again, within the bounds of a contract."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_any, wait_random_exponential
from tenacity.stop import stop_after_attempt, stop_before_delay

from ecowarehouse.connectors.access import Access
from ecowarehouse.connectors.problems import FetchProblem

_LONGEST_WAIT = 30.0
Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class Transient(FetchProblem):
    """A problem that another try may mend; `after` is how many seconds the source asks us to wait."""

    def __init__(self, reason: str, detail: str, after: float = 0.0) -> None:
        super().__init__(reason, detail)
        self.after = after


def again(ask: Callable[[], Answer], access: Access, *, retries: int, deadline: float) -> Answer:
    """The answer of the first try that has one; `deadline` is of the monotonic clock.

    Raises:
        FetchProblem: what no other try may mend, or the last try's.
    """
    backoff = wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(backoff(state), error.after if isinstance(error, Transient) else 0.0)

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.info("%s: try %d: %s", access.source, state.attempt_number, access.clean(str(error)))

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, Transient)),
        stop=stop_any(
            stop_after_attempt(retries + 1), stop_before_delay(max(0.0, deadline - time.monotonic()))
        ),
        wait=wait,
        before_sleep=tell,
        reraise=True,
    )
    return retrying(ask)
