"""Why a fetch gave nothing, in words of the ledger."""

from __future__ import annotations

from typing import Final

from ecowarehouse.formats.model import visible

# Reasons that say nothing of the source: we had no address, file or right to ask. The books of completeness
# (`governance.delivery_of`) go by them too.
OUR_FAULTS: Final = frozenset({"secret_missing", "unauthorised", "not_http", "not_found", "unreadable"})


class FetchProblem(RuntimeError):
    """No content came. `reason` is one word of the ledger, `detail` holds no secret.

    Reasons: connect_error, timeout, http_<status>, tls_error, unauthorised, truncated, empty_body,
    html_instead_of_data, inconsistent_pages, not_modified, not_found, unreadable, secret_missing, not_http,
    header_changed, query_failed, host_key_unknown, unfinished, checksum_mismatch, known_at_unreadable,
    known_at_implausible.
    """

    def __init__(self, reason: str, detail: str, received: bytes = b"") -> None:
        self.detail = visible(detail)
        super().__init__(f"{reason}: {self.detail}")
        self.reason = reason
        self.received = received  # what came instead of data
