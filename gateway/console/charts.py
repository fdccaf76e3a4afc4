"""Charts as SVG that stands in a page: drawn by pygal, coloured by the sheet of the pages, so that they are dark, light or printed as it is."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

# Its hook for plug-ins, of which there are none here, is of the kind that Python warns of at every import that fails.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

_WIDTH, _COLUMNS, _ROW, _LETTER = 560, 240, 34, 7.5
_BESIDE_OTHERS = 22
"""The height of a bar that lies, where each label has several."""
_LABEL_AT_MOST, _BESIDE = 230, 96
"""Places for what is written before a bar that lies, and behind it."""
_FONT = 13
_PLAIN = Style(
    font_family="inherit",
    label_font_size=_FONT,
    major_label_font_size=_FONT,
    value_font_size=_FONT,
    legend_font_size=_FONT,
)
_NO_PLACE = ("style", "script")
"""What the pages' policy lets no element do: colours of its own, and scripts."""


@dataclass(frozen=True)
class Series:
    """Values beside the labels of a chart; what is null is not known and is not drawn."""

    name: str
    values: Sequence[Decimal | int | None]


def columns(title: str, labels: Sequence[str], series: Sequence[Series], said: Callable[[Decimal], str]) -> Markup:
    """Upright bars from zero, each with what `said` says of its value; below zero they hang."""
    return _drawn(pygal.Bar, title, labels, series, said, _COLUMNS, {})


def rows(title: str, labels: Sequence[str], series: Sequence[Series], said: Callable[[Decimal], str]) -> Markup:
    """Bars that lie, the first one on top: for labels that are long or many."""
    wide = min(max((_width(label) for label in labels), default=0) * _LETTER + 14, _LABEL_AT_MOST)
    high = 46 + (_ROW if len(series) == 1 else _BESIDE_OTHERS * len(series) + 12) * len(labels)
    ordered = [Series(one.name, list(reversed(one.values))) for one in series]
    sides = {"margin_left": wide, "margin_right": _BESIDE}
    return _drawn(pygal.HorizontalBar, title, list(reversed(labels)), ordered, said, high, sides)


def _drawn(
    kind: Any,
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    said: Callable[[Decimal], str],
    height: int,
    more: dict[str, Any],
) -> Markup:
    chart = kind(
        css=(),
        js=(),
        style=_PLAIN,
        width=_WIDTH,
        height=height,
        margin=8,
        spacing=8,
        print_values=True,
        print_values_position="top",
        print_zeroes=False,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        show_y_labels=kind is not pygal.Bar,  # each bar says its value
        show_y_guides=False,
        truncate_label=-1,
        truncate_legend=-1,
        no_prefix=True,
        value_formatter=lambda value: said(Decimal(str(value))),
        **more,
    )
    chart.x_labels = labels
    for one in series:
        chart.add(one.name, [None if value is None else float(value) for value in one.values])
    return _for_a_page(chart.render_tree(), title)


def _for_a_page(tree: Any, title: str) -> Markup:
    """Without what the pages' policy forbids, and with a name that is read out instead of every number in it."""
    from xml.etree.ElementTree import tostring

    for parent in list(tree.iter()):
        for child in list(parent):
            name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else "comment"
            if name in (*_NO_PLACE, "comment", "desc", "title") or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
            for name in ("style", "id"):  # no two charts of a page may have the same ids
                child.attrib.pop(name, None)
    for name in ("id", "xmlns"):
        tree.attrib.pop(name, None)
    tree.set("class", "chart")
    tree.set("role", "img")
    tree.set("aria-label", title)
    return Markup(tostring(tree, encoding="unicode"))


def _width(text: str) -> int:
    """Letters that are as wide as two count as two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
