"""The accountant's own sums against figures worked by hand; and every kind of wrong document, planted, is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.accountant.accountant import Accountant
from tests.accountant.books import half_up
from tests.accountant.compare import differences, judged, wrong_taxes
from tests.accountant.doors import Document, Done, Line, Lived
from tests.accountant.grid import month_of, months_on
from tests.accountant.stories import made
from tests.accountant.story import read_data, told

AFTER = date(2026, 11, 28)


def heard(name: str) -> Lived:
    """A written story as if all of it had been carried out on its days, without a product."""
    document = next(each for each in read_data() if each["name"] == name)
    story = told(document, "t", AFTER)
    done = [Done(act, story.first + timedelta(days=act["day"]), act.get("refused", "")) for act in story.acts]
    return Lived(story, done, story.first + timedelta(days=story.days))


def owed(accountant: Accountant, account: str = "t-a") -> Fraction:
    """Invoices less credits, without what the opening order cost."""
    dues = [due for due in accountant.due if due.account == account][1:]
    return sum((-due.net if due.credit else due.net for due in dues), Fraction(0))


def documents_of(accountant: Accountant) -> list[Document]:
    """What a product that makes no mistake would show."""
    shown = []
    for number, due in enumerate(accountant.due):
        net, tax = Decimal(str(float(due.net))), Decimal(str(float(sum(due.taxes.values()))))
        shown.append(
            Document(
                f"I-{due.sources[0][2]}" if not due.credit else f"C-{number}",
                due.account,
                due.day,
                due.credit,
                net,
                tax,
                net + tax,
                tuple(
                    Line(
                        source,
                        Decimal(str(float(amount))),
                        accountant.rates_on(source),
                        f"I-{invoice}" if due.credit else "",
                    )
                    for source, amount, invoice in due.sources
                ),
                dict(due.taxes),
            )
        )
    return shown


def test_months_are_counted_from_the_anchor_and_clipped() -> None:
    assert [months_on(date(2026, 12, 31), n).isoformat()[5:] for n in range(5)] == [
        "12-31",
        "01-31",
        "02-28",
        "03-31",
        "04-30",
    ]
    assert month_of(date(2026, 12, 31), date(2027, 3, 30)) == (2, date(2027, 2, 28), date(2027, 3, 31))
    assert months_on(date(2028, 2, 29), 48) == date(2032, 2, 29)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("0.5", "JPY", "1"),
        ("2.005", "EUR", "2.01"),
        ("-2.005", "EUR", "-2.01"),
        ("18.21425", "EUR", "18.21"),
        ("1.0005", "BHD", "1.001"),
    ],
)
def test_halves_go_up(amount: str, currency: str, rounded: str) -> None:
    assert half_up(Fraction(amount), currency) == Fraction(rounded)


def test_a_term_of_n_months_costs_n_months() -> None:
    assert {due.net for due in judged(heard("yearly_from_a_leap_day")).due[1:]} == {3480}
    accountant = judged(heard("month_to_month_from_the_31st"))
    assert owed(accountant) == 93_750
    assert owed(judged(heard("renewed_from_a_clipped_day"))) == 7 * 310, (
        "cancelled on the first day of the eighth month"
    )


def test_changes_each_week_cost_what_the_days_cost() -> None:
    accountant = judged(heard("a_change_every_week"))
    cost = accountant.assets["t-O1.1"].cost_before(date.max, None)
    assert round(float(cost), 2) == 9978.89
    assert owed(accountant) == 9979


def test_what_one_loses_the_other_gets() -> None:
    accountant = judged(heard("two_of_three_are_handed_over"))
    given = [due for due in accountant.due if due.why == "a transfer"]
    assert [(due.account, due.credit) for due in given] == [("t-a", True), ("t-b", False)]
    assert given[0].net == given[1].net


def test_a_credits_tax_is_what_the_invoices_exceeds_the_tax_on_what_remains() -> None:
    invoice, credit = judged(heard("a_price_falls")).due
    assert invoice.net == 20_010
    assert invoice.taxes == {Fraction(10): Fraction(2001)}
    assert credit.net == 2000
    assert credit.taxes == {Fraction(10): Fraction(200)}


def test_nothing_left_is_no_document() -> None:
    dues = judged(heard("goodwill_over_all_then_cancelled")).due
    assert [-due.net if due.credit else due.net for due in dues[1:]] == [10, 10, -20]


def test_what_begins_later_is_invoiced_on_its_first_day() -> None:
    dues = judged(heard("bought_for_a_quarter_later")).due
    assert [due.day.isoformat() for due in dues[2:4]] == ["2028-01-31", "2028-04-30"]
    assert owed(judged(heard("given_up_before_it_begins"))) == 0


def test_the_same_seed_makes_the_same_stories() -> None:
    assert [made(7, number, AFTER) for number in range(40)] == [made(7, number, AFTER) for number in range(40)]
    stories = [made(7, number, AFTER) for number in range(200)]
    assert {each["currency"] for each in stories} == {"JPY", "EUR", "BHD"}
    assert len({each["time_zone"] for each in stories}) == 5
    assert len({act["ask"] for each in stories for act in each["acts"] if "ask" in act}) == 11


def _one_more(documents: list[Document]) -> list[Document]:
    first = documents[3]
    more = first.net + 1
    return [
        *documents[:3],
        replace(
            first, net=more, gross=more + first.tax, lines=(replace(first.lines[0], amount=more), *first.lines[1:])
        ),
        *documents[4:],
    ]


def _twice(documents: list[Document]) -> list[Document]:
    return [*documents, replace(documents[5], document_id="again")]


def _no_credit(documents: list[Document]) -> list[Document]:
    credits = [document for document in documents if document.credit]
    return [document for document in documents if document is not credits[2]]


def _a_day_late(documents: list[Document]) -> list[Document]:
    return [replace(documents[0], day=documents[0].day + timedelta(days=1)), *documents[1:]]


def _tax_of_another_rate(documents: list[Document]) -> list[Document]:
    taxes = {rate + 1: tax for rate, tax in documents[2].taxes.items()}
    return [*documents[:2], replace(documents[2], taxes=taxes), *documents[3:]]


def _over_nothing(documents: list[Document]) -> list[Document]:
    empty = replace(
        documents[1], document_id="empty", net=Decimal(0), tax=Decimal(0), gross=Decimal(0), lines=(), taxes={}
    )
    return [*documents, empty]


def _a_line_too_few(documents: list[Document]) -> list[Document]:
    return [replace(documents[0], lines=documents[0].lines[1:]), *documents[1:]]


PLANTED = [_one_more, _twice, _no_credit, _a_day_late, _tax_of_another_rate, _over_nothing, _a_line_too_few]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__.strip("_"))
def test_what_is_planted_is_found(plant: Callable[[list[Document]], list[Document]]) -> None:
    lived = heard("a_change_every_week")
    accountant = judged(lived)
    lived.documents = documents_of(accountant)
    assert differences(lived, accountant) + wrong_taxes(lived, accountant) == []
    lived.documents = plant(lived.documents)
    assert differences(lived, accountant) + wrong_taxes(lived, accountant)
