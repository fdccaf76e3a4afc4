"""YAML in which yes, no, on and off are words, as they are in what other systems write; true and false alone are not."""

from __future__ import annotations

import re

import yaml


class Words(yaml.SafeLoader):
    """As YAML 1.2 reads."""


_BOOL = "tag:yaml.org,2002:bool"
Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Words.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
