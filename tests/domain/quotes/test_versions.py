"""Approvals by limit, and the life of a quote through its versions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product as pairs

import pytest

from domain.catalogue.errors import DiscountLimitError, QuoteExpiredError, QuoteStateError
from domain.frame.playbook import RoleLimit
from domain.kernel.money import Money
from domain.quotes.approval import Approval, needs_approval
from domain.quotes.discounts import Discount
from domain.quotes.quote import Quote
from domain.quotes.versions import (
    TRANSITIONS,
    QuoteFile,
    QuoteState,
    accept,
    approve,
    decline,
    expire,
    open_file,
    present,
    reject,
    revise,
    submit,
)
from tests.domain.quotes.builders import NOW, percent, quote, sale

LIMITS = (
    RoleLimit(role="sales", percent=Decimal(10), amounts=(Money(amount=Decimal(500), currency="EUR"),)),
    RoleLimit(role="manager", percent=Decimal(25)),
    RoleLimit(role="director", percent=Decimal(50)),
)


def offered(*discounts: Discount, quantity: int = 10, version: int = 1, role: str = "sales") -> Quote:
    return quote(
        sale("seats", quantity), sale("router", 1, "2"), discounts=discounts, version=version, role=role, valid_days=10
    )


def wanted(made: Quote) -> Approval:
    approval = needs_approval(made, LIMITS)
    assert approval is not None
    return approval


def test_within_the_limits_nobody_is_asked() -> None:
    assert needs_approval(offered(percent("10")), LIMITS) is None
    assert needs_approval(offered(percent("25"), role="manager"), LIMITS) is None
    assert needs_approval(offered(), ()) is None


def test_beyond_them_the_first_role_above_that_covers_is_asked() -> None:
    approval = wanted(offered(percent("25", "1")))
    assert (approval.role, approval.percent, approval.discount.amount) == ("manager", Decimal(25), Decimal(300))
    assert [line.line_id for line in approval.lines] == ["1"]
    assert wanted(offered(percent("26", "1"))).role == "director"
    # Ten per cent of many seats is more money than sales may give.
    assert wanted(offered(percent("10", "1"), quantity=49)).role == "manager"
    assert wanted(offered(percent("1"), role="intern")).role == "sales"


def test_discounts_add_up_before_they_are_measured() -> None:
    twice = offered(percent("10", "1", name="a"), percent("10", "1", name="b"))
    assert wanted(twice).percent == Decimal(19)


def test_what_nobody_may_give_is_refused() -> None:
    with pytest.raises(DiscountLimitError, match="director 50 per cent"):
        needs_approval(offered(percent("51", "1")), LIMITS)


def presented(*discounts: Discount) -> QuoteFile:
    file = submit(open_file(offered(*discounts), "rep"), LIMITS, NOW, "rep")
    if file.state is QuoteState.IN_APPROVAL:
        file = approve(file, LIMITS, "manager", NOW, "boss")
    return present(file, NOW, "rep")


def test_a_quote_goes_from_draft_to_acceptance() -> None:
    file = accept(presented(percent("20")), NOW, "customer")
    assert [change.state for change in file.history] == ["draft", "in_approval", "approved", "presented", "accepted"]
    assert accept(file, NOW, "customer") == file
    assert [change.state for change in presented().history] == ["draft", "approved", "presented"]


def test_only_the_role_asked_for_or_one_above_may_approve() -> None:
    waiting = submit(open_file(offered(percent("20")), "rep"), LIMITS, NOW, "rep")
    for role in ("sales", "stranger"):
        with pytest.raises(QuoteStateError, match="waits for manager"):
            approve(waiting, LIMITS, role, NOW, "rep")
    assert approve(waiting, LIMITS, "director", NOW, "chief").state is QuoteState.APPROVED
    assert reject(waiting, NOW, "boss", "too much").state is QuoteState.DRAFT
    with pytest.raises(QuoteStateError, match="nobody's approval"):
        approve(presented(), LIMITS, "manager", NOW, "boss")


def test_time_runs_out() -> None:
    file = presented()
    end = file.current.valid_until
    assert end == NOW + timedelta(days=10)
    with pytest.raises(QuoteStateError, match="is valid until"):
        expire(file, end - timedelta(seconds=1), "clock")
    with pytest.raises(QuoteExpiredError):
        accept(file, end, "customer")
    assert expire(file, end, "clock").state is QuoteState.EXPIRED


def test_another_version_is_a_draft_again() -> None:
    file = decline(presented(percent("20")), NOW, "customer", "too dear")
    again = revise(file, offered(percent("25"), version=2), "rep")
    assert (again.state, again.approval, again.current.version, len(again.versions)) == (QuoteState.DRAFT, None, 2, 2)
    with pytest.raises(QuoteStateError, match="make q1 version 3"):
        revise(again, offered(version=2), "rep")
    with pytest.raises(QuoteStateError, match="is accepted"):
        revise(accept(presented(), NOW, "customer"), offered(version=2), "rep")


@pytest.mark.parametrize(("state", "to"), list(pairs(QuoteState, QuoteState)))
def test_no_way_but_the_legal_ones(state: QuoteState, to: QuoteState) -> None:
    file = presented(percent("20")).having(state=state)
    end = file.current.valid_until
    moves = {
        QuoteState.DRAFT: lambda: reject(file, NOW, "x", "y"),
        QuoteState.IN_APPROVAL: lambda: submit(file, LIMITS, NOW, "x"),
        QuoteState.APPROVED: lambda: approve(file, LIMITS, "manager", NOW, "x"),
        QuoteState.PRESENTED: lambda: present(file, NOW, "x"),
        QuoteState.ACCEPTED: lambda: accept(file, NOW, "x"),
        QuoteState.DECLINED: lambda: decline(file, NOW, "x"),
        QuoteState.EXPIRED: lambda: expire(file, end, "x"),
    }
    again = state is to is QuoteState.ACCEPTED
    # A deep discount cannot be approved without having been asked for.
    skipped = (state, to) == (QuoteState.DRAFT, QuoteState.APPROVED)
    if again or (to in TRANSITIONS[state] and not skipped):
        assert moves[to]().state is to
    else:
        with pytest.raises(QuoteStateError):
            moves[to]()
