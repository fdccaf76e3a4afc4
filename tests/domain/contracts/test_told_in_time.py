"""Over a grid of terms, notice periods and first days: the price and the last day to answer are told before it is too late."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import product

import pytest

from activities.playbooks import FOLDER, read_playbooks
from domain.contracts.ladder import LadderTerm, due_steps
from domain.contracts.renewal_notices import notice_days, notice_step
from domain.contracts.renewal_quote import last_day, notice_by, notice_context, quote_renewal
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from tests.domain.contracts.world import World

SEGMENTS = ("standard", "enterprise", "tech_touch", "wholesale")
MONTHS = (1, 2, 3, 6, 12, 13, 24, 36, 60)
NOTICES = (0, 1, 10, 30, 45, 60, 90, 120, 180, 364)
DAYS = (
    date(2027, 1, 1),
    date(2027, 1, 31),
    date(2027, 2, 28),
    date(2027, 4, 29),
    date(2027, 8, 13),
    date(2027, 12, 29),
)


@cache
def _playbook(segment: str) -> Playbook:
    found = read_playbooks(FOLDER).current(segment)
    assert found is not None
    return found


@cache
def _sold(auto_renew: bool) -> Situation:
    """A customer with a contract, as of its sale."""
    return World(auto_renew=auto_renew).situation()


def _situation(segment: str, months: int, notice: int, start: date, *, auto_renew: bool) -> Situation:
    situation = _sold(auto_renew)
    until = date(start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1, min(start.day, 28))
    contract = situation.customer.contracts[0]
    term = contract.term.having(
        start_on=start,
        until=until,
        starts_at=situation.customer.end_of(start - timedelta(days=1)),
        ends_at=situation.customer.end_of(until - timedelta(days=1)),
    )
    changed = contract.having(
        term=term, notice_days=notice, first_start=start, first_until=until, renewal_months=months
    )
    others = [changed if one.contract_id == contract.contract_id else one for one in situation.customer.contracts]
    return Situation(situation.customer.having(contracts=others), _playbook(segment), term.starts_at, situation.records)


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("auto_renew", [True, False])
def test_the_price_comes_before_the_last_day_to_answer(segment: str, auto_renew: bool) -> None:
    for months, notice, start in product(MONTHS, NOTICES if auto_renew else (0, 60), DAYS):
        situation = _situation(segment, months, notice, start, auto_renew=auto_renew)
        contract = situation.customer.contracts[0]
        term, by = contract.term, notice_by(contract)
        assert term.start_on <= by <= last_day(term)
        steps = {days: notice_step(situation, contract, days) for days in notice_days(situation, contract)}
        playbook = situation.playbook.renewal
        from_days = (term.until - by).days + playbook.lead_days if auto_renew else 0
        priced = [step.on for days, step in steps.items() if days <= max(playbook.quote_days, from_days)]
        first, told = min(priced or [step.on for step in steps.values()]), (months, notice, start)
        assert first <= by, told
        # With the playbook's lead where the term has room for it, else before the middle of the days that there are.
        room = (by - term.start_on).days
        if room >= playbook.lead_days + 12:
            lead = playbook.lead_days if auto_renew else room // 3 if months < 3 else min(playbook.quote_days, 14)
            assert (by - first).days >= lead, told
        elif room > 1:
            assert first < by, told


def test_a_notice_names_the_day_that_is_taken_and_the_price_that_is_booked() -> None:
    world = World(auto_renew=True)
    contract, situation = world.contract(), world.situation()
    context = notice_context(situation, contract, quote_renewal(situation, contract))
    assert context["notice_by"] == notice_by(contract).isoformat()
    assert context["quote"]["valid_until"] == last_day(contract.term).isoformat()


@pytest.mark.parametrize("segment", SEGMENTS)
def test_no_step_of_the_ladder_comes_after_the_day_of_decision_and_each_comes_once(segment: str) -> None:
    ladder = _playbook(segment).renewal.ladder
    for months, notice, start, auto in product((1, 3, 12, 24), (0, 120), DAYS[1:2], (True, False)):
        situation = _situation(segment, months, notice, start, auto_renew=auto)
        contract = situation.customer.contracts[0]
        row = LadderTerm(
            contract_id="K-1",
            account_id="A-1",
            time_zone="UTC",
            segment=segment,
            playbook_version=1,
            currency=contract.currency,
            auto_renew=auto,
            notice_days=notice,
            number=1,
            start_on=start,
            until=contract.term.until,
            arr=Decimal(1),
        )
        assert row.decided_by == (notice_by(contract) if auto else last_day(contract.term))
        done: list[str] = []
        day = start
        while day <= row.until + timedelta(days=3):
            for due in due_steps(row, ladder, day):
                assert day <= row.decided_by
                done.append(due.step.rung)
                row = row.having(climbed={**row.climbed, due.step.rung: due.on})
            day += timedelta(days=1)
        assert len(done) == len(set(done))
        assert ("mid_term" in done) == (months >= 24)
