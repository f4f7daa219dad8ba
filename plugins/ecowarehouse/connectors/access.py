"""The address and the secrets of one fetch, and what of them may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ecowarehouse.contracts import Contract

_SECRET = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a source; `source` is its address as it may be shown, `hidden` what may not."""

    url: str = field(repr=False)
    source: str
    hidden: tuple[str, ...] = field(default=(), repr=False)
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, contract: Contract, resolve: Callable[[str], str]) -> Access:
        """The address with its secrets filled in, and the values of the other secrets by name.

        An address that is wholly a secret's value is shown without user, password, query and fragment;
        secrets inside of an address stay names.

        Raises:
            SecretError: from `resolve`, naming what is missing.
        """
        connector = contract.connector
        values = {name: resolve(name) for name in connector.secret_names}
        url = filled(connector.url, values)
        first = _SECRET.match(connector.url)
        whole = first.group(1) if first else None
        address = _SECRET.sub(lambda m: values[whole] if m.group(1) == whole else m.group(1), connector.url)
        hidden = {value for name, value in values.items() if name != whole and value}
        # Longest first: what is part of another secret must not cut it.
        return cls(
            url, shown(address), tuple(sorted(hidden | _passwords(url), key=len, reverse=True)), values
        )

    def value(self, name: str | None) -> str | None:
        """The value of a secret that the contract names; None where it names none."""
        return self.values[name] if name else None

    def clean(self, text: str) -> str:
        """A message in which no secret stands."""
        text = text.replace(self.url, self.source) if self.url else text
        for secret in self.hidden:
            text = text.replace(secret, "[secret]")
        return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of the secrets that it names."""
    return _SECRET.sub(lambda match: values[match.group(1)], text)


def shown(url: str) -> str:
    """An address without user, password, query or fragment: secrets live there."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(no valid address)"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}{parts.path}"


def _passwords(url: str) -> set[str]:
    try:
        password = urlsplit(url).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()
