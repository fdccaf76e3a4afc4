"""Charts that are drawn by hand: right lengths, and documents that any browser reads."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from workers.cli.drawings import HEIGHT, WIDTH, bar, svg_bars, svg_lines

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("value", "drawn"),
    [("0", ""), ("-3", ""), ("100", "█" * 10), ("400", "█" * 10), ("50", "█" * 5), ("55", "█████▌"), ("1", "▏")],
)
def test_a_bar_is_as_long_as_its_value(value: str, drawn: str) -> None:
    assert bar(Decimal(value), Decimal(100), 10) == drawn


def test_without_a_most_there_is_no_bar() -> None:
    assert bar(Decimal(5), Decimal(0)) == ""


def test_lines_go_through_their_values_inside_the_drawing() -> None:
    root = ElementTree.fromstring(svg_lines("Net & more", "EUR", {"a": [Decimal(-100), Decimal(0), Decimal(100)]}))
    [line] = root.findall(f"{SVG}polyline")
    points = [tuple(float(part) for part in point.split(",")) for point in line.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    (_, low), (_, zero), (_, high) = points
    assert 0 < high < zero < low < HEIGHT
    assert zero - high == pytest.approx(low - zero, abs=0.2)
    assert all(0 < x < WIDTH for x, _ in points)
    assert "Net & more (EUR)" in [text.text for text in root.findall(f"{SVG}text")]


def test_bars_stand_on_zero_and_name_their_value() -> None:
    root = ElementTree.fromstring(svg_bars("Kept", "percent", {"2026-03-02": Decimal(80), "2026-03-09": Decimal(40)}))
    drawn = [rect for rect in root.findall(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    heights = [float(rect.attrib["height"]) for rect in drawn]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert [rect.findtext(f"{SVG}title") for rect in drawn] == ["2026-03-02: 80", "2026-03-09: 40"]


def test_nothing_to_draw_is_still_a_document() -> None:
    assert ElementTree.fromstring(svg_lines("t", "u", {})) is not None
    assert ElementTree.fromstring(svg_bars("t", "u", {})) is not None
