"""YAML in which yes, no, on and off are words, as they are in what other systems write; true and false alone are not. And files of our own."""

from __future__ import annotations

import re
from typing import Any

import yaml

_FASTEST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_own(text: str) -> Any:
    """What a file of ours says. Not for what others write: the faster reader has no limit to how deep it goes."""
    return yaml.load(text, Loader=_FASTEST)


class Words(yaml.SafeLoader):
    """As YAML 1.2 reads."""


_BOOL = "tag:yaml.org,2002:bool"
Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Words.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
