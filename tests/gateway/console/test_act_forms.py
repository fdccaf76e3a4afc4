"""Forms for people: what is asked first, rows that close up, and the request that rows of a quote mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from domain.journey.registry import CASE, JOURNEY
from domain.kernel.refusals import Problem
from gateway.console.act_forms import FIRST, asked_where, begun, form_of, request_of
from gateway.console.fields import Field, choosing, closed_up

QUOTE = JOURNEY["request_quote"]


def _all(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


@pytest.mark.parametrize("update", sorted(FIRST))
def test_what_is_asked_first_is_there_and_nothing_that_is_needed_is_aside(update: str) -> None:
    kind = JOURNEY.get(update) or CASE[update]
    fields = form_of(kind)
    first = [field for field in _all(fields) if not field.aside]
    paths = {field.path.replace(f"[{n}]", "") for field in first for n in range(9)}
    assert set(FIRST[update]) <= paths
    filled_in = begun(kind, "co-0123456789abcdef0123")
    assert not [field.path for field in fields if field.required and field.aside and field.path not in filled_in]


def test_rows_close_up_so_that_what_is_wrong_is_told_where_it_stands() -> None:
    fields = form_of(JOURNEY["amend_assets"])
    typed = {"assets[1].asset_id": "A-1", "assets[1].add": "2", "assets[3].asset_id": "A-3", "reason": "r"}
    closed = {name: value for name, value in closed_up(fields, typed).items() if value}
    assert closed == {"assets[0].asset_id": "A-1", "assets[0].add": "2", "assets[1].asset_id": "A-3", "reason": "r"}
    assert closed_up(fields, closed) | closed == closed_up(fields, closed)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"asset_id": "A-1", "quantity": "25"}, {"kind": "quantity", "asset_id": "A-1", "delta": 25}),
        ({"asset_id": "A-1", "quantity": "-5"}, {"kind": "quantity", "asset_id": "A-1", "delta": -5}),
        (
            {"product": "PRO", "quantity": "3", "months": "12"},
            {"kind": "sale", "product": "PRO", "quantity": 3, "months": 12},
        ),
        ({"asset_id": "A-1", "product": "PRO"}, {"kind": "swap", "asset_id": "A-1", "to_product": "PRO"}),
        ({"asset_id": "A-1", "kind": "renew", "months": "24"}, {"kind": "renew", "asset_id": "A-1", "months": 24}),
        (
            {"asset_id": "A-1", "kind": "cancel", "start": "2027-03-01"},
            {"kind": "cancel", "asset_id": "A-1", "effective": "2027-03-01"},
        ),
    ],
)
def test_a_row_of_a_quote_means_a_line(row: dict[str, str], line: dict[str, object]) -> None:
    typed = {f"lines[0].{name}": value for name, value in row.items()} | {"quote_id": "Q-1"}
    assert request_of(QUOTE, form_of(QUOTE), typed, "UTC") == {"quote_id": "Q-1", "lines": [{"line_id": "1", **line}]}


def test_a_discount_of_a_row_is_one_of_its_line_beside_those_that_are_given_by_name() -> None:
    typed = {"lines[0].asset_id": "A-1", "lines[1].product": "PRO", "lines[1].discount": "5"}
    typed |= {"discounts[0].name": "Spring", "discounts[0].value": "2"}
    discounts = request_of(QUOTE, form_of(QUOTE), typed, "UTC")["discounts"]
    assert discounts == [
        {"name": "Spring", "value": "2"},
        {"name": "Discount 2", "kind": "percent", "value": "5", "lines": ["2"]},
    ]


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("lines[1].quantity.delta", "lines[1].quantity"),
        ("lines[0].sale.product", "lines[0].product"),
        ("lines[0].swap.to_product", "lines[0].product"),
        ("lines[2].cancel.effective", "lines[2].start"),
        ("lines[0].start", "lines[0].start"),
        ("lines[0].sale", "lines[0].asset_id"),
        ("lines[0]", "lines[0].kind"),
        ("valid_days", "valid_days"),
    ],
)
def test_what_is_wrong_with_a_line_is_told_at_the_question(told: str, asked: str) -> None:
    (found,) = asked_where(QUOTE, [Problem(field=told, problem="is wrong")])
    assert found.field == asked
    assert told == "valid_days" or asked in {field.path for field in _all(form_of(QUOTE))}


def test_ids_are_chosen_where_they_are_on_record_and_typed_where_they_are_new_or_too_many() -> None:
    known = {"asset_id": [("A-1", "Seats")], "add_ons.asset_id": [], "contract_id": [(f"K-{n}", "") for n in range(9)]}
    kinds = {field.path: field.kind for field in _all(choosing(form_of(JOURNEY["amend_assets"]), known, 8))}
    assert kinds["assets[0].asset_id"] == "pick"
    assert kinds["assets[0].end_with.asset_id"] == "pick"
    assert kinds["add_ons[0].asset_id"] == "text"
    assert kinds["add_ons[0].contract_id"] == "text"
