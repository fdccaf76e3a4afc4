"""Which line of a YAML file says what: so that a fault is named where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

Lines = dict[tuple[int | str, ...], int]
"""The line of each part of a document, by its place in it."""


def lines_of(text: str) -> Lines:
    """The lines of a YAML text that can be read, counted from 1."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return dict(_walk(root, ())) if root is not None else {}


def _walk(node: yaml.Node, place: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield from _walk(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _walk(item, (*place, number))


def line_of(lines: Lines, place: Sequence[int | str]) -> int:
    """The line of a place, or of the nearest part around it that is there."""
    known = tuple(place)
    while known and known not in lines:
        known = known[:-1]
    return lines.get(known, 1)
