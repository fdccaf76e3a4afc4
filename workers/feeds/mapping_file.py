"""Mapping files: YAML in which yes, no, on and off are words, as they are in a feed; true and false alone are not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

MappingSyntaxError = yaml.YAMLError


class _Words(yaml.SafeLoader):
    """As YAML 1.2 reads."""


_BOOL = "tag:yaml.org,2002:bool"
_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Words.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_mapping(file: Path) -> Any:
    """The document in a mapping file. Raises OSError, UnicodeError and MappingSyntaxError."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=_Words)
