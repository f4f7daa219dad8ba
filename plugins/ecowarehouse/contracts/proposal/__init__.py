"""A contract proposed from a recorded answer: what the answer shows is filled in, the rest is marked as open.

Nothing of it is certain. It saves the typing; a person reads it against what the source promises, and until then
`contracts.open_questions` keeps the feed out of every run.
"""

from ecowarehouse.contracts.proposal.answer import Answer, NoProposal, read_answer
from ecowarehouse.contracts.proposal.meaning import Vocabulary
from ecowarehouse.contracts.proposal.proposing import Proposal, propose

__all__ = ["Answer", "NoProposal", "Proposal", "Vocabulary", "propose", "read_answer"]
