"""Promises and answers of many cases, rolled up."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from domain.frame.case_words import Priority
from domain.service.sla_report import CsatCell, Dimension, SlaCell, csat, groups, total
from tests.domain.service.samples import hours

FIRST, SECOND = date(2026, 3, 2), date(2026, 3, 9)


def cell(
    met: int = 0,
    late: int = 0,
    running: int = 0,
    *,
    milestone: str = "resolution",
    priority: Priority = Priority.HIGH,
    product: str | None = "CRM",
    week: date = FIRST,
    elapsed: timedelta = timedelta(0),
    longest: timedelta | None = None,
) -> SlaCell:
    return SlaCell(
        milestone=milestone,
        priority=priority,
        product=product,
        week=week,
        met=met,
        late=late,
        running=running,
        done=met,
        elapsed=elapsed,
        longest=longest,
    )


def said(counts: dict[int, int], priority: Priority = Priority.HIGH, week: date = FIRST) -> CsatCell:
    return CsatCell(priority=priority, product="CRM", week=week, counts=counts)


def test_attainment_is_the_share_kept_of_what_is_decided() -> None:
    whole = total([cell(2, 1, 5), cell(1, 0, 2, week=SECOND)], [])
    [one] = whole.milestones
    assert (one.met, one.late, one.running, one.percent) == (3, 1, 7, Decimal("75.00"))


def test_nothing_decided_is_no_percentage() -> None:
    [one] = total([cell(0, 0, 4)], []).milestones
    assert one.percent is None
    assert total([], []).milestones == ()


def test_the_mean_weighs_every_promise_alike() -> None:
    cells = [
        cell(3, elapsed=hours(3), longest=hours(2)),
        cell(1, elapsed=hours(5), longest=hours(5), week=SECOND),
        cell(0, 2, week=SECOND),
    ]
    [one] = total(cells, []).milestones
    assert (one.mean, one.longest) == (hours(2), hours(5))


def test_groups_stand_in_the_order_in_which_they_are_read() -> None:
    cells = [
        cell(1, priority=Priority.LOW, product="A", week=SECOND),
        cell(5, priority=Priority.URGENT, product=None),
        cell(2, 2, milestone="first_response", priority=Priority.LOW, product="A"),
    ]
    assert [group.label for group in groups(cells, [], Dimension.PRIORITY)] == ["urgent", "low"]
    assert [group.label for group in groups(cells, [], Dimension.WEEK)] == ["2026-03-02", "2026-03-09"]
    by_product = groups(cells, [], Dimension.PRODUCT)
    assert [group.label for group in by_product] == ["(none)", "A"]
    assert [one.milestone for one in by_product[1].milestones] == ["first_response", "resolution"]


def test_answers_stand_beside_promises_and_alone_where_there_are_none() -> None:
    found = groups([cell(1)], [said({5: 10}), said({1: 1}, Priority.LOW, SECOND)], Dimension.WEEK)
    assert [(group.label, group.csat.responses, group.csat.percent) for group in found] == [
        ("2026-03-02", 10, 100),
        ("2026-03-09", 1, None),
    ]
    assert found[1].milestones == ()


def test_few_answers_are_told_as_counts() -> None:
    few, enough = csat([{4: 5, 2: 4}]), csat([{4: 5}, {2: 4, 5: 1}])
    assert (few.responses, few.satisfied, few.percent) == (9, 5, None)
    assert (enough.responses, enough.satisfied, enough.percent) == (10, 6, 60)
