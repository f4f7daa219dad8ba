"""YAML as plain values, read by libyaml where PyYAML was built with it: ten times as fast, and read at every start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

__all__ = ["SafeLoader", "read_yaml"]

if TYPE_CHECKING:
    from yaml import SafeLoader
else:
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Mappings, lists and scalars of a document.

    Raises:
        yaml.YAMLError: no valid YAML, or a tag that says more than plain values.
    """
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 (it is a safe one)
