"""Mapping files: what is wrong in one is named with its line and field before anything comes; what an event lacks is named with its rule."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.events.mapping import BUNDLED, EventError, MappingError, read_mapping

HEAD = "title: T\nsignature: bearer\ntables:\n  zones: {NO: Europe/Oslo}\nrules:\n"
RULE = (
    "  - name: r\n    do: record_usage\n    request:\n      rows:\n        each: rows\n        as: {day: EXPRESSION}\n"
)


def _value(expression: str, event: Any) -> Any:
    text = HEAD + RULE.replace("EXPRESSION", f'"{expression}"')
    (asked,) = read_mapping(text, "m.yaml").asked_by({"rows": [event]}, {"x-topic": "paid"})
    return asked.request["rows"][0].get("day")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("title: T\nsignature: nobody\nrules: []\n", 2, "signature"),
        (HEAD + "  - {name: r, do: teleport, request: {}}\n", 6, "'teleport' cannot be asked by a source"),
        (HEAD + "  - {name: r, do: approve_quote, account: a, request: {}}\n", 6, "cannot be asked"),
        (HEAD + RULE.replace("EXPRESSION", "'day(at'"), 11, "rules[0].request.rows.as.day: 'day(at' is no expression"),
        (HEAD + RULE.replace("EXPRESSION", "datum(at)"), 11, "there is no function datum()"),
        (HEAD + RULE.replace("EXPRESSION", "day(at)"), 11, "day() takes 2, and is given 1"),
        (HEAD + RULE.replace("EXPRESSION", "\"lookup('zone', at)\""), 11, "no table 'zone'; there are zones"),
        (HEAD + "  - name: r\n    do: book_payment\n    account: a\n    request:\n      amonut: b\n", 10, "amonut"),
        (HEAD + "  - name: r\n    do: book_payment\n    request: {}\n", 7, "give `account`"),
        (HEAD + "  - name: r\n    do: resolve\n    request: {}\n", 7, "give `case`"),
        (HEAD + RULE.replace("EXPRESSION", "at") * 2, 12, "is the name of a rule before"),
        ("title: [\n", None, "is no YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, line: int | None, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        read_mapping(text, "m.yaml")
    assert said in str(refused.value)
    assert line is None or f"m.yaml:{line}:" in str(refused.value)


@pytest.mark.parametrize("file", sorted(BUNDLED.glob("*.yaml")), ids=lambda file: file.stem)
def test_those_that_come_along_are_right(file: Any) -> None:
    assert read_mapping(file.read_text(encoding="utf-8"), file.name).mapping.rules


@pytest.mark.parametrize(
    ("expression", "event", "value"),
    [
        ("minor(a, c)", {"a": 1999, "c": "eur"}, "19.99"),
        ("minor(a, c)", {"a": 1999, "c": "JPY"}, "1999"),
        ("minor(a, c)", {"a": 5, "c": "kwd"}, "0.005"),
        ("a", {"a": 0.1}, "0.1"),
        ("divided(minus(times(a, `12`), total(d)), `12`)", {"a": "4000", "d": ["1000"]}, "3916.666667"),
        ("instant(a)", {"a": 1796000000}, "2026-11-30T00:53:20+00:00"),
        ("instant(a)", {"a": "1796000000000"}, "2026-11-30T00:53:20+00:00"),
        ("day(a, 'Asia/Tokyo')", {"a": "2026-11-30T23:00:00Z"}, "2026-12-01"),
        ("day(a, 'Asia/Tokyo')", {"a": "2026-11-30"}, "2026-11-30"),
        ("lookup('zones', a)", {"a": "NO"}, "Europe/Oslo"),
        ("id('x-', a)", {"a": "gid://shop/Order/1"}, "x-gid-shop-Order-1"),
        ("whole(a)", {"a": 25.0}, 25),
        ("header('X-Topic')", {}, "paid"),
        ("event().rows[0].a", {"a": "b"}, "b"),
        ("unique(a)", {"a": [{"c": 1}, {"c": 1}]}, [{"c": 1}]),
        ("minor(a, c)", {}, None),
    ],
)
def test_expressions_say_what_requests_need(expression: str, event: Any, value: Any) -> None:
    assert _value(expression, event) == value


@pytest.mark.parametrize(
    ("expression", "event"),
    [
        ("minor(a, c)", {"a": 1, "c": "xxx"}),
        ("instant(a)", {"a": "2026-11-30T00:00:00"}),
        ("whole(a)", {"a": 1.5}),
        ("upper(a)", {"a": 1}),
        ("divided(a, `0`)", {"a": 1}),
    ],
)
def test_what_an_event_does_not_say_is_named_with_its_field(expression: str, event: Any) -> None:
    with pytest.raises(EventError, match=r"^rules\[0\]\.request\.rows\.as\.day: "):
        _value(expression, event)
