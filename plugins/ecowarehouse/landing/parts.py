"""What a content is besides its bytes.

Each of several pulls in one content was known at its own moment, and becomes a delivery of its own; and where the
contract asks the file's name, the name belongs to the content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ecowarehouse.formats import FormatProblem
from ecowarehouse.landing import shaping

if TYPE_CHECKING:
    from ecowarehouse.connectors import Delivery
    from ecowarehouse.contracts import Contract


def of(contract: Contract, delivery: Delivery, known_at_option: datetime | None) -> Iterator[Delivery]:
    """The deliveries that one content makes, in the order of their first rows.

    It is one, unless the contract reads `known_at` from a column; an option of the person who loads stands above that.
    A content that can't be read is one delivery, whose attempt says what is wrong with it.
    """
    if (of_name := contract.of_file_name) is not None:
        match = re.search(of_name.pattern, delivery.file_name)
        yield replace(delivery, part="".join(group or "" for group in match.groups()) if match else "")
        return
    rule = contract.known_at_column
    if rule is None or known_at_option is not None or delivery.problem is not None or delivery.unchanged:
        yield delivery
        return
    texts: dict[str, None] = {}
    try:
        form = delivery.form or contract.form_of(delivery.source, delivery.media)
        for table in shaping.read(contract, form, delivery.payload):
            texts.update(dict.fromkeys(pc.unique(table.table[rule.column].drop_null()).to_pylist()))
    except FormatProblem:
        texts = {}
    if not texts:
        yield delivery
    for text in texts:
        yield replace(delivery, part=text)


def only(contract: Contract, table: pa.Table, part: str) -> pa.Table:
    """The rows of a part, all of them when the delivery is a whole content."""
    rule = contract.known_at_column
    if rule is None or not part:
        return table
    return table.filter(pc.equal(table[rule.column], part))
