"""What of an address may be shown, and that no message tells the rest."""

from __future__ import annotations

import pytest

from ecowarehouse.connectors.access import Access, shown
from tests.integration.department_house import weather_by

ADDRESS = "postgresql://reader:p%40ss-word@10.0.0.5:5432/lims?sslpassword=q"


def test_no_message_tells_a_secret() -> None:
    contract = weather_by({"transport": "sql", "url": "${lab.url}", "query": "select 1 order by 1"})
    access = Access.of(contract, lambda _: ADDRESS)
    assert access.source == "postgresql://10.0.0.5:5432/lims"
    for text in (ADDRESS, "password p@ss-word of reader", "p%40ss-word"):
        assert "ss-word" not in access.clean(text)
    assert "ss-word" not in repr(access)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("sftp://u:p@[::1]:22/out/*.csv", "sftp://[::1]:22/out/*.csv"),
        ("http://h/x?token=t#f", "http://h/x"),
        ("/srv/inbox/*.csv", "/srv/inbox/*.csv"),
        ("http://h:port/x", "(no valid address)"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, public: str) -> None:
    assert shown(url) == public
