"""Stories in memory: the product's decisions and billing agree with the accountant, on random stories and on hand-worked ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.accountant.dense import made_dense
from tests.accountant.evergreen import made_evergreen
from tests.accountant.in_memory import judge_by_rules
from tests.accountant.living import Judgement, reproduction
from tests.accountant.stories import made
from tests.accountant.story import told

AFTER = date(2026, 11, 28)
BEGINS = date(2027, 1, 15)


@pytest.mark.parametrize(
    ("make", "seed"), [(made, 41), (made_dense, 42), (made_evergreen, 43)], ids=["plain", "dense", "evergreen"]
)
def test_random_stories(make: Callable[[int, int, date], dict[str, Any]], seed: int) -> None:
    stories = [told(make(seed, number, AFTER), f"n{number}", AFTER) for number in range(5)]
    judgements = [judge_by_rules(story) for story in stories]
    wrong = [line for each in judgements if not each.agrees for line in reproduction(each, seed, AFTER)]
    assert not wrong, "\n".join(wrong)
    assert sum(len(each.lived.documents) for each in judgements if each.lived) > 20


def lived(
    acts: list[tuple[int, str, dict[str, Any]]], *, billing: str = "quarterly", days: int = 100, auto_renew: bool = True
) -> Judgement:
    """10 units at 31.00 a month for a year from 15 January; each act on a day of the contract."""
    line = {"line_id": "1", "product": "CRM", "quantity": 10, "unit_price": "31.00"}
    term = {"start": "day 0", "months": 12}
    contract = {"contract_id": "~K", "term": term, "billing": billing, "auto_renew": auto_renew, "lines": [line]}
    order = {"day": 0, "who": "~a", "at": "09:00", "order": {"order_id": "~O", "contracts": [contract]}}
    document = {
        "name": "by hand",
        "begins": BEGINS.isoformat(),
        "days": days,
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "accounts": [{"account_id": "~a", "orders": [order]}],
        "acts": [
            {"day": day, "who": "~a", "ask": ask, "request": {**request, "request_id": f"q-{number}"}}
            for number, (day, ask, request) in enumerate(acts)
        ],
    }
    return judge_by_rules(told(document, "t", AFTER))


def billed(judgement: Judgement, asset: str = "t-O.1") -> dict[date, list[Decimal]]:
    """What an asset was charged, and credited below zero, by day. Everything was carried out, and the accountant agrees."""
    assert judgement.lived
    assert judgement.agrees, judgement.differences
    assert not [done.words for done in judgement.lived.done if done.refused]
    found: dict[date, list[Decimal]] = {}
    for document in judgement.lived.documents:
        if document.lines[0].source == asset:
            found.setdefault(document.day, []).append(-document.net if document.credit else document.net)
    return found


def change(effective: int, **changed: Any) -> dict[str, Any]:
    return {"assets": [{"asset_id": "~O.1", **changed}], "effective": f"day {effective}"}


RENEWED: tuple[int, str, dict[str, Any]] = (
    5, "renew_assets", {"contract_id": "~K", "start": "day 31", "months": 12, "uplift_percent": "0"}
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "on_its_day", "on_the_renewals"),
    [
        # Until 15 February, the first day of the renewal: 11 of 31 days of five units; then the two months that are left of the
        # quarter, which ten units were paid for.
        ({"add": 5}, ["55.00"], ["310.00"]),
        # Up to where they were paid for: 11 of 31 days and two months. The other five units were paid for, too.
        ({"remove": 5}, ["-365.00"], []),
        # The one up to where it was paid for, the other until the renewal.
        ({"price": "62"}, ["-730.00", "220.00"], ["1240.00"]),
    ],
    ids=["more", "fewer", "another price"],
)
def test_what_changes_before_an_early_renewal_that_was_agreed_since(
    changed: dict[str, Any], on_its_day: list[str], on_the_renewals: list[str]
) -> None:
    found = billed(lived([(3, "amend_assets", change(20, **changed)), RENEWED]))
    assert sorted(found[date(2027, 2, 4)]) == sorted(map(Decimal, on_its_day))
    assert sorted(found.get(date(2027, 2, 15), [])) == sorted(map(Decimal, on_the_renewals))


@pytest.mark.parametrize("alone", [False, True], ids=["contract", "one of two assets"])
@pytest.mark.parametrize(
    ("billing", "days", "expected"),
    [
        ("quarterly", 100, {BEGINS: ["930.00"], date(2027, 4, 15): ["930.00"]}),
        ("yearly", 380, {BEGINS: ["3720.00"], date(2028, 1, 15): ["310.00"]}),
    ],
)
def test_what_goes_on_at_the_same_price_is_not_given_back_and_charged_again(
    alone: bool, billing: str, days: int, expected: dict[date, list[str]]
) -> None:
    """A renewal from the second month on: the days that were paid for are those of the next term."""
    other = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    what = {"assets": [{"asset_id": "~O.1"}]} if alone else {"contract_id": "~K"}
    renewed = (5, "renew_assets", {**what, "start": "day 31", "months": 12, "uplift_percent": "0"})
    found = billed(lived([(0, "amend_assets", {"add_ons": [other]}), renewed], billing=billing, days=days))
    assert found == {day: [Decimal(each) for each in nets] for day, nets in expected.items()}


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        # 20 February to 14 April: 23 of 28 days, and a month.
        ([(36, "amend_assets", {"remove": 5})], {date(2027, 2, 20): ["-282.32"]}),
        ([(31, "amend_assets", {"remove": 5})], {date(2027, 2, 15): ["-310.00"]}),
        ([(36, "amend_assets", {"add": 5})], {date(2027, 2, 20): ["282.32"]}),
        ([(36, "amend_assets", {"price": "62"})], {date(2027, 2, 20): ["-564.64", "1129.28"]}),
        ([(36, "cancel_assets", {})], {date(2027, 2, 20): ["-564.64"]}),
        # An end in the quarter that is paid for is credited on the first day without, also if it is moved again.
        ([(36, "amend_assets", {"end": "2027-03-14"})], {date(2027, 3, 15): ["-310.00"]}),
        (
            [(36, "amend_assets", {"end": "2027-03-14"}), (40, "amend_assets", {"end": "2027-03-30"})],
            {date(2027, 3, 31): ["-150.00"]},
        ),
    ],
    ids=["fewer", "fewer on its first day", "more", "another price", "cancelled", "an end", "an end that moves again"],
)
def test_what_changes_of_what_went_on_is_settled_as_if_it_had_been_charged_for_it(
    acts: list[tuple[int, str, dict[str, Any]]], expected: dict[date, list[str]]
) -> None:
    changes = [(day, ask, {"assets": [{"asset_id": "~O.1", **changed}]}) for day, ask, changed in acts]
    found = billed(lived([RENEWED, *changes], days=88, auto_renew=False))
    assert {day: sorted(found[day]) for day in found if day != BEGINS} == {
        day: sorted(map(Decimal, nets)) for day, nets in expected.items()
    }


def test_units_that_replace_others_at_the_same_price_are_not_charged_again() -> None:
    """Five of ten units go and two come on one day, agreed one after the other: three are given back."""
    acts = [(3, "amend_assets", change(31, remove=5)), (4, "amend_assets", change(31, add=2))]
    found = billed(lived(acts))
    assert found[date(2027, 2, 15)] == [Decimal("-186.00")]
    # Of two that come, one goes again.
    found = billed(lived([*acts, (59, "amend_assets", {"assets": [{"asset_id": "~O.1", "remove": 1}]})]))
    assert found[date(2027, 3, 15)] == [Decimal("-31.00")]
    assert sum(found[date(2027, 4, 15)]) == Decimal("558.00")


def test_what_is_renewed_alone_under_a_contract_that_is_paid_by_the_term_is_credited_where_its_end_comes() -> None:
    """It outlived the first term, and was renewed by the second one on a day of its own."""
    other = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    added = (0, "amend_assets", {"add_ons": [other]})
    longer, nearer = ({"assets": [{"asset_id": "~O.1", "end": end}]} for end in ("2028-02-14", "2028-05-14"))
    found = billed(
        lived([added, (20, "amend_assets", longer), (420, "amend_assets", nearer)], billing="whole_term", days=500)
    )
    # Eleven months from 15 February, of which eight are given back when three are over.
    assert found == {
        BEGINS: [Decimal("3720.00")],
        date(2027, 2, 4): [Decimal("310.00")],
        date(2028, 2, 15): [Decimal("3410.00")],
        date(2028, 5, 15): [Decimal("-2480.00")],
    }


@pytest.mark.parametrize("billing", ["monthly", "yearly", "whole_term"])
def test_an_add_on_pays_a_term_that_is_agreed_ahead_on_its_first_day(billing: str) -> None:
    renewed = (20, "renew_assets", {"contract_id": "~K", "months": 2, "uplift_percent": "0"})
    product = {"contract_id": "~K", "product": "PRO", "quantity": 3, "unit_price": "31", "asset_id": "~X"}
    added = (346, "amend_assets", {"add_ons": [product]})
    found = billed(lived([renewed, added], billing=billing, days=400), "t-X")
    # 27 December to 14 January are 19 of 31 days.
    assert found[date(2027, 12, 27)] == [Decimal("57.00")]
    assert found[date(2028, 1, 15)] == [Decimal("93.00") * (1 if billing == "monthly" else 2)]


def test_what_ends_after_its_contract_is_paid_to_its_end_by_the_contracts_periods() -> None:
    more = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    longer = {"assets": [{"asset_id": "~X", "end": "2028-03-01"}]}
    found = billed(lived([(0, "amend_assets", {"add_ons": [more]}), (40, "amend_assets", longer)], days=420), "t-X")
    assert found[date(2028, 1, 15)] == [Decimal("48.10")]  # a month and 16 of 29 days


@pytest.mark.parametrize(
    ("end", "more", "later"),
    [
        ("2028-07-31", [], {}),  # 6 months and 17 of 31 days
        ("2030-01-14", [], {}),  # two whole terms more
        ("2028-07-14", [(400, "amend_assets", {"remove": 5})], {date(2028, 2, 19): ["-753.62"]}),
        ("2028-07-14", [(400, "amend_assets", {"add": 5})], {date(2028, 2, 19): ["753.62"]}),
    ],
    ids=["by months", "by terms", "fewer since", "more since"],
)
def test_what_outlives_a_term_that_is_paid_as_a_whole_is_paid_once(
    end: str, more: list[tuple[int, str, dict[str, Any]]], later: dict[date, list[str]]
) -> None:
    """To its end, when that is agreed: no term that begins meanwhile gives it back and charges it again."""
    other = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    added = (0, "amend_assets", {"add_ons": [other]})  # which goes on with the contract
    longer = (20, "amend_assets", {"assets": [{"asset_id": "~O.1", "end": end}]})
    changes = [(day, ask, change(day, **changed)) for day, ask, changed in more]
    found = billed(lived([added, longer, *changes], billing="whole_term", days=540))
    agreed = date(2027, 2, 4)
    assert set(found) == {BEGINS, agreed, *later}
    assert found[BEGINS] == [Decimal("3720.00")]
    assert found[agreed] == [
        {"2028-07-31": Decimal("2030.00"), "2030-01-14": Decimal("7440.00")}.get(end, Decimal("1860.00"))
    ]
    assert {day: [str(each) for each in found[day]] for day in later} == later


def test_an_end_that_is_moved_nearer_and_then_away_again_is_credited_where_it_comes() -> None:
    ends = [(20, "2027-03-01"), (30, "2027-03-15"), (40, "2027-04-01")]
    moved = [(day, "amend_assets", {"assets": [{"asset_id": "~O.1", "end": end}]}) for day, end in ends]
    found = billed(lived(moved, days=80))
    # 13 of 31 days, and the contract goes on by itself.
    assert sorted(found[date(2027, 4, 2)]) == [Decimal("-130.00"), Decimal("930.00")]
    assert set(found) == {BEGINS, date(2027, 4, 2)}


def test_an_end_that_is_moved_beyond_where_it_was_is_invoiced_at_once() -> None:
    ends = [(20, "2027-12-31"), (30, "2028-02-14")]
    moved = [(day, "amend_assets", {"assets": [{"asset_id": "~O.1", "end": end}]}) for day, end in ends]
    found = billed(lived(moved, billing="whole_term", days=365))
    assert found == {BEGINS: [Decimal("3720.00")], date(2027, 2, 14): [Decimal("310.00")]}


def test_what_was_invoiced_up_to_an_end_stays_so_until_an_early_renewal_begins() -> None:
    nearer = (40, "amend_assets", {"assets": [{"asset_id": "~O.1", "end": "2027-06-01"}]})
    renewed = (120, "renew_assets", {"contract_id": "~K", "start": "day 125", "months": 1, "uplift_percent": "0"})
    found = billed(lived([nearer, renewed], days=130))
    # A month and 18 of 31 days were invoiced, of which 13 are not needed.
    assert found[date(2027, 4, 15)] == [Decimal("490.00")]
    assert sorted(found[date(2027, 5, 20)]) == [Decimal("-130.00"), Decimal("310.00")]
    assert date(2027, 5, 15) not in found


def test_a_renewal_after_a_gap_is_invoiced_when_it_begins_at_whatever_price_was_agreed_since() -> None:
    renewed = (340, "renew_assets", {"contract_id": "~K", "start": "day 375", "months": 2, "uplift_percent": "0"})
    found = billed(
        lived(
            [renewed, (350, "amend_assets", change(350, price="62"))], billing="whole_term", days=400, auto_renew=False
        )
    )
    assert list(found) == [BEGINS, date(2027, 12, 31), date(2028, 1, 25)]
    assert found[date(2028, 1, 25)] == [Decimal("1240.00")]


def test_what_is_renewed_alone_is_invoiced_up_to_its_renewal_and_then_by_its_own_months() -> None:
    """On the contract's days."""
    other = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    alone = {"assets": [{"asset_id": "~O.1"}], "start": "day 100", "months": 12, "uplift_percent": "10"}
    found = billed(lived([(0, "amend_assets", {"add_ons": [other]}), (5, "renew_assets", alone)], days=190))
    assert found[date(2027, 4, 15)] == [Decimal("103.33")]  # 10 of 30 days
    assert found[date(2027, 4, 25)] == [
        Decimal("909.34")
    ]  # to 15 July, two months and 20 of 30 days; the sum so far is rounded
    assert found[date(2027, 7, 15)] == [
        Decimal("1023.00")
    ]  # to 15 October, 10 of 30 days, two months, and 20 of 30 days
    assert set(found) == {BEGINS, date(2027, 4, 15), date(2027, 4, 25), date(2027, 7, 15)}


def test_what_was_swapped_counts_the_months_of_a_term_that_has_begun_whatever_is_to_come_of_it() -> None:
    renewed = (5, "renew_assets", {"contract_id": "~K", "start": "day 40", "months": 12, "uplift_percent": "0"})
    swapped = {"asset_id": "~O.1", "to_product": "PRO", "unit_price": "31", "to_asset_id": "~S"}
    acts = [renewed, (6, "amend_assets", change(100, remove=1)), (20, "swap_assets", {"assets": [swapped]})]
    found = billed(lived(acts, days=125), "t-S")
    assert found == {
        date(2027, 2, 4): [Decimal("209.64")],  # 11 of 31 days and 9 of 28
        date(2027, 2, 24): [Decimal("930.00")],
        date(2027, 4, 25): [Decimal("-29.96")],  # a unit for 29 of 30 days; the sum so far is rounded
    }


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"assets": [{"asset_id": "~X", "remove": 1}]},
        {"assets": [{"asset_id": "~X", "add": 1}]},
        {"assets": [{"asset_id": "~X", "price": "40"}]},
    ],
    ids=["fewer", "more", "another price"],
)
def test_what_was_not_renewed_stays_in_grace_whatever_becomes_of_what_was_renewed_alone(
    meanwhile: dict[str, Any],
) -> None:
    other = {"contract_id": "~K", "product": "PRO", "quantity": 3, "unit_price": "31", "asset_id": "~X"}
    alone = {"assets": [{"asset_id": "~X"}], "start": "day 365", "months": 2}
    acts: list[tuple[int, str, dict[str, Any]]] = [
        (0, "amend_assets", {"add_ons": [other]}),
        (340, "renew_assets", alone),
        (367, "amend_assets", meanwhile),
        (369, "answer_renewal", {"contract_id": "~K", "decision": "accept"}),
    ]
    found = billed(lived(acts, billing="monthly", days=400, auto_renew=False))
    assert found[date(2028, 1, 19)] == [Decimal("310.00")]
    assert found[date(2028, 2, 15)] == [Decimal("310.00")]


def test_little_money_that_is_rounded_is_not_given_back_before_a_renewal_begins() -> None:
    """What was charged up to an end lies nearer to what it costs up to the renewal's first day, which is tomorrow."""
    acts: list[tuple[int, str, dict[str, Any]]] = [
        (40, "amend_assets", {"assets": [{"asset_id": "~O.1", "add": 1, "unit_price": "33.33"}]}),
        (62, "amend_assets", {"assets": [{"asset_id": "~O.1", "add": 5, "unit_price": "0.01"}]}),
        (83, "renew_assets", {"contract_id": "~K", "start": "day 84", "months": 6, "uplift_percent": "3"}),
    ]
    found = billed(lived(acts, days=86))
    assert date(2027, 4, 8) not in found
    # Six of 31 days of the quarter's last month are given back, and a quarter is charged.
    assert sum(found[date(2027, 4, 9)]) == Decimal("994.58")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # As the rest, from where the term before ends: a quarter at 34.10.
        ({}, {date(2028, 1, 15): ["1023.00"]}),
        # The others' new term begins on 10 January, this one's where it would have ended, five days later: two months and 26 of 31
        # days, up to the end of the contract's quarter.
        ({"start": "day 360"}, {date(2028, 1, 15): ["968.00"]}),
    ],
    ids=["when the term ends", "early"],
)
def test_what_was_cancelled_while_its_contract_was_renewed_is_invoiced_on_once_that_is_taken_back(
    start: dict[str, str], expected: dict[date, list[str]]
) -> None:
    other = {"contract_id": "~K", "product": "PRO", "quantity": 1, "unit_price": "31", "asset_id": "~X"}
    acts: list[tuple[int, str, dict[str, Any]]] = [
        (0, "amend_assets", {"add_ons": [other]}),
        (340, "cancel_assets", {"assets": [{"asset_id": "~O.1"}], "effective": "period_end"}),
        (345, "renew_assets", {"contract_id": "~K", "months": 12, "uplift_percent": "10", **start}),
        (350, "rollback", {"asset_id": "~O.1"}),
    ]
    found = billed(lived(acts, days=400, auto_renew=False))
    assert {day: nets for day, nets in found.items() if day >= date(2027, 12, 1)} == {
        day: [Decimal(net) for net in nets] for day, nets in expected.items()
    }
