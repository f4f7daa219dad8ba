"""Standards as rows: seeds applied to the database, compared with what people approved."""

from ecowarehouse.standards.apply import apply
from ecowarehouse.standards.approval import StandardsError, applied_hash, approve, unapproved
from ecowarehouse.standards.compare import FileState, diff

__all__ = ["FileState", "StandardsError", "applied_hash", "apply", "approve", "diff", "unapproved"]
