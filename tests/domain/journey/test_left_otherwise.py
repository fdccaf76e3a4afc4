"""What people, a move or a pause leave otherwise than it was planned is in the agenda as they left it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.contracts.changes import amend, stage_of
from domain.contracts.requests import AmendAssets
from domain.frame.state import AccountView, JourneyState, Step
from domain.journey import fulfilling
from domain.journey.agenda import Agenda, Running
from domain.journey.agenda_facts import (
    Facts,
    Moved,
    OrderFacts,
    PlannedSince,
    PromiseFacts,
    QuoteFacts,
    TransferFacts,
    ZoneFacts,
)
from domain.journey.comparing import compare
from domain.journey.planning import agenda
from domain.journey.success_steps import at_instant
from domain.kernel.calendar import local_instant
from domain.orders.order import BillingFrequency
from domain.success import onboarding, onboarding_tasks, thanks
from tests.domain.contracts.world import World
from tests.domain.journey.test_horizons import facts_of

HOME, ELSEWHERE = "Asia/Tokyo", "UTC"


def lived(days: int, **on_record: object) -> Facts:
    """A customer after so many days, with what else is on record."""
    world = World(auto_renew=True)
    world.pass_by(days)
    found = facts_of(world, BillingFrequency.WHOLE_TERM)
    return replace(found, record=found.record.having(**on_record))


def moved_away(facts: Facts, zone: str = ELSEWHERE) -> Facts:
    """The customer is in another zone since now."""
    customer = facts.situation.customer
    account = customer.account.having(time_zone=zone)
    situation = replace(facts.situation, customer=customer.having(account=account))
    zones = [
        ZoneFacts(since=account.since, zone=customer.account.time_zone),
        ZoneFacts(since=situation.as_of, zone=zone),
    ]
    return replace(facts, situation=situation, record=facts.record.having(zones=zones))


def test_what_was_promised_is_looked_for_under_the_name_of_its_day_where_the_customer_was() -> None:
    here = lived(40)
    at = here.now.replace(hour=20) + timedelta(days=3)  # the next day already in Tokyo
    promise = PromiseFacts(order_id="SO-1", line_id="3", promised_at=at, recorded_at=here.now - timedelta(days=1))
    planned = fulfilling.look_on(here.situation, "SO-1", "3", at)
    facts = moved_away(replace(here, record=here.record.having(promises=[promise])))
    (look,) = [step for step in agenda(facts).plan() if step.kind == "fulfilment_late"]
    assert look.key == planned.key
    assert look.at == local_instant(planned.on, ELSEWHERE)


def test_what_ends_at_an_instant_keeps_it_though_it_is_nine_o_clock_elsewhere() -> None:
    midnight = datetime(2027, 3, 16, tzinfo=UTC)  # nine in the morning in Tokyo
    quote = QuoteFacts(quote_id="Q-1", state="presented", version=1, valid_until=midnight)
    found = agenda(moved_away(lived(40, quotes=[quote])))
    (expiry,) = [step for step in found.plan() if step.kind == "quote_expiry"]
    assert expiry.at == midnight


@pytest.mark.parametrize(("kind", "stays"), [("quote_expiry", True), ("expansion_expiry", True), ("onboarding_touch", False)])  # fmt: skip
def test_who_moves_takes_mornings_along_and_leaves_instants(kind: str, stays: bool) -> None:
    nine, day = datetime(2027, 3, 16, tzinfo=UTC), date(2027, 3, 16)
    step = Step(kind=kind, stage="quote:Q-1", name="expiry-v1", at=nine, on=day)
    before = AccountView(name="Aoi", time_zone=HOME, owner="S-1", playbook="standard 1")
    state = JourneyState(account_id="C-1", account=before.having(time_zone="Europe/Paris"), agenda=[step])
    (after,) = state.moved(before).agenda
    assert after.at == (nine if stays else local_instant(day, "Europe/Paris"))


def test_what_was_left_out_stays_so_when_its_stage_is_planned_anew_without_it() -> None:
    facts = lived(40)
    step = facts.situation.step("reorder_lapse", "reorder", "lapse-2027-01-04", facts.situation.in_days(60))
    skipped = Moved(number=1, drop=[step.key])
    record = facts.record.having(moved=[skipped])
    kept = record.having(planned=[PlannedSince(number=2, drop=["reorder"])])
    again = record.having(planned=[PlannedSince(number=2, drop=["reorder"], plan={step.key: step.at})])
    assert replace(facts, record=kept).by_hand == {step.key: None}
    assert replace(facts, record=again).by_hand == {}


def test_what_was_put_off_for_more_than_a_week_still_comes() -> None:
    world = World(auto_renew=True)
    order_id = world.seats.partition(".")[0]
    then = world.situation()
    steps = onboarding.first_steps(then, order_id, onboarding_tasks.starts_on(then, then.today))
    touch = max((step for step in steps if step.kind == "onboarding_touch"), key=lambda step: step.at)
    world.pass_by((touch.at - world.now).days + 9)
    found = facts_of(world, BillingFrequency.WHOLE_TERM)
    order = OrderFacts(order_id=order_id, activated_at=then.as_of, recorded_at=then.as_of)
    lives = [life.having(order_id=order_id) for life in found.record.contracts]
    record = found.record.having(orders=[order], contracts=lives)
    off = touch.having(at=world.now + timedelta(hours=1))
    put_off = record.having(moved=[Moved(number=1, plan=[off])])
    assert touch.key not in agenda(replace(found, record=record)).steps
    assert agenda(replace(found, record=put_off)).steps[touch.key] == off


def test_the_anniversary_after_one_that_was_left_out_is_of_the_day_where_the_customer_was_then() -> None:
    facts = lived(40)
    account = facts.situation.customer.account.having(since=facts.situation.customer.account.since.replace(hour=20))
    customer = facts.situation.customer.having(account=account)
    facts = moved_away(replace(facts, situation=replace(facts.situation, customer=customer)))
    (first,) = [step for step in agenda(facts).plan() if step.kind == "relationship_anniversary"]
    skipped = Moved(number=1, at=facts.now, drop=[first.key])
    after = replace(facts, record=facts.record.having(moved=[skipped]))
    (following,) = [step for step in agenda(after).plan() if step.kind == "relationship_anniversary"]
    planned = thanks.anniversary_after(at_instant(after, after.now), first)
    assert (following.key, following.at) == (planned.key, planned.at)


@pytest.mark.parametrize("status", ["waiting", "quoted"])
def test_a_renewal_is_quoted_if_that_was_said_of_it_last(status: str) -> None:
    """Whatever notices were said since: a quote that was asked for, or made anew, is no notice's."""
    facts = lived(320)
    contract = facts.situation.customer.contracts[0]
    said = replace(facts, record=facts.record.having(renewals={contract.stage: status}))
    assert agenda(said).stages[contract.stage].status == status


def test_an_overdue_look_at_invoices_is_any_look_at_them() -> None:
    """A paused journey keeps the look of the day on which it was due; what is due by now is found by the same look."""
    facts = lived(40)
    customer, as_of = facts.situation.customer, facts.now
    due = Step(
        kind="billing_invoice", stage="billing:contract:K-1", name="due-2027-02-01", at=as_of, on=date(2027, 2, 1)
    )
    overdue = due.having(name="due-2027-01-29", at=as_of - timedelta(days=3))
    other = overdue.having(stage="billing:contract:K-2")
    wanted = Agenda(steps={due.key: due}, tolerated={"billing:*"})
    zone = customer.account.time_zone

    def apart(*steps: Step) -> list[str]:
        state = JourneyState(account_id="C-1", agenda=list(steps))
        return [one.about for one in compare(wanted, Running.of(state, as_of), as_of, zone)]

    assert apart(overdue) == []
    assert apart(other) == [due.key]
    assert apart(due.having(name="due-2027-03-01", at=as_of + timedelta(days=9))) == [due.key]


def test_what_was_moved_stays_so_when_it_is_planned_at_nine_of_that_day_elsewhere() -> None:
    """As when something is imported for a customer who has another zone since: the whole agenda is planned where they are now."""
    here = lived(40)
    (step,) = [step for step in agenda(here).plan() if step.kind == "relationship_anniversary"]
    moved = here.situation.step(step.kind, step.stage, step.name, here.situation.in_days(60))
    by_hand = here.record.having(moved=[Moved(number=1, plan=[moved])])
    gone = moved_away(replace(here, record=by_hand))
    nine = local_instant(moved.on, ELSEWHERE)
    assert agenda(gone).steps[step.key].at == nine
    for at, stays in ((nine, True), (moved.at, True), (nine + timedelta(days=1), False)):
        planned = gone.record.having(planned=[PlannedSince(number=2, plan={step.key: at})])
        assert (replace(gone, record=planned).by_hand == {step.key: moved}) is stays


@pytest.mark.parametrize("hours", range(0, 24, 3))
def test_the_first_check_in_keeps_its_day_though_the_days_of_then_are_others_elsewhere(hours: int) -> None:
    """It is counted from the day on which use began to the day on which that was known: both where the customer was."""
    here = lived(1)
    sold = here.situation.customer.account.since
    known = sold + timedelta(days=3, hours=hours)
    order = OrderFacts(order_id="SO-9", activated_at=sold, recorded_at=known)
    life = here.record.contracts[0].having(order_id=order.order_id, recorded_at=known)
    at = known + timedelta(days=1)
    situation = replace(here.situation, as_of=at)
    record = here.record.having(orders=[order], contracts=[life])
    here = replace(here, situation=situation, record=record, now=at)
    (planned,) = [step for step in agenda(here).plan() if step.kind == "adoption_check_in"]
    (kept,) = [step for step in agenda(moved_away(here, "Pacific/Auckland")).plan() if step.kind == "adoption_check_in"]
    assert (kept.key, kept.on) == (planned.key, planned.on)


@pytest.mark.parametrize(("days", "comes"), [(5, True), (25, False)])
def test_of_a_transfer_that_was_settled_after_its_day_nothing_is_left_to_take_effect(days: int, comes: bool) -> None:
    """Whoever receives may be away for long: that it took effect is told when it is settled."""
    world = World(auto_renew=True)
    world.pass_by(40)
    day = world.situation().in_days(20)
    request = AmendAssets.model_validate({"assets": [{"asset_id": world.seats, "remove": 3}], "effective": day})
    world.apply(amend(world.desk("transfer_assets:t-1"), request))
    settled_at = world.now + timedelta(days=days)
    world.pass_by(days + 1)
    found = facts_of(world, BillingFrequency.WHOLE_TERM)
    stage = stage_of("transfer_assets:t-1")
    transfer = TransferFacts(transfer_id="T-1", request_id="transfer_assets:t-1", status="received")
    done = {key: at for key, at in found.record.done.items() if not key.startswith(stage)}
    record = found.record.having(transfers=[transfer], done={**done, f"{stage}/T-1": settled_at})
    wanted = agenda(replace(found, record=record))
    assert (stage in wanted.stages, f"{stage}/effective" in wanted.steps) == (comes, comes)
