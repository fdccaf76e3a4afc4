"""An agenda that reaches further: it begins with what a journey carries, and has more of the same kinds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.billing import ContractBilling, ContractTerm, Settlement
from domain.contracts.changes import renew
from domain.contracts.requests import RenewAssets
from domain.frame.state import Step
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import ContractLife, Facts, OnRecord
from domain.journey.horizon import NEXT, Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import Refusal
from domain.orders.order import BillingFrequency
from tests.domain.contracts.test_histories import ACTS, ZONES, Act
from tests.domain.contracts.world import World
from tests.properties import examples

RHYTHMS = {"renewal_notice", "renewal_term_end", "billing_invoice", "adoption_check_in", "relationship_anniversary"}


def facts_of(world: World, billing: BillingFrequency) -> Facts:
    """What the tables would say of the world's customer. Nothing was billed yet."""
    since = world.customer.account.since
    lives = [
        ContractLife(
            contract_id=contract.contract_id,
            origin="sold",
            recorded_at=since,
            term_recorded_at=min(world.now, contract.term.starts_at) if contract.term.number > 1 else since,
            ended_at=world.now if contract.status == "ended" else None,
        )
        for contract in world.customer.contracts
    ]
    bills = {
        contract_id: ContractBilling(
            contract_id=contract_id,
            billing=billing,
            terms=tuple(
                ContractTerm(start_on=term.start_on, until=term.until, starts_at=term.starts_at) for term in terms
            ),
        )
        for contract_id, terms in world.terms.items()
    }
    record = OnRecord(
        recorded_at=since, last_known=world.now, contracts=lives, done=dict.fromkeys(world.done, world.now)
    )
    return Facts(world.situation(), record, world.now, bills)


def lived(auto_renew: bool, zone: str, acts: list[Act]) -> World:
    world = World(auto_renew=auto_renew, zone=zone)
    for act in acts:
        try:
            act(world)
        except Refusal:
            continue
    return world


def series(found: Agenda) -> dict[tuple[str, str], list[Step]]:
    """The steps that come again and again: of each kind, and of each term."""
    steps: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in found.plan():
        if step.kind in RHYTHMS:
            steps[step.kind, step.stage].append(step)
    return steps


LIVES = st.builds(lived, st.booleans(), ZONES, st.lists(ACTS, max_size=12))
BILLING = st.sampled_from(list(BillingFrequency))
MONTHS = st.integers(1, 40)


@examples(200)
@given(LIVES, BILLING, MONTHS)
def test_a_long_agenda_begins_with_the_next_of_each_kind(world: World, billing: BillingFrequency, months: int) -> None:
    facts = facts_of(world, billing)
    carried, further = agenda(facts, NEXT), agenda(facts, Horizon(months=months))
    assert (further.stages, further.deliveries, further.tolerated) == (
        carried.stages,
        carried.deliveries,
        carried.tolerated,
    )
    assert {key: further.steps.get(key) for key in carried.steps} == carried.steps
    known, more = series(carried), series(further)
    for kind, steps in known.items():
        assert [more[kind][0]] == steps, kind
    ends = {step.stage.split(":")[1]: step.at for step in carried.plan() if step.kind == "renewal_term_end"}
    for (_, stage), steps in more.items():
        if not known[_, stage]:  # of a term that begins later: as the one before ends
            assert steps[0].at >= ends[stage.split(":")[-1] if stage.startswith("billing:") else stage.split(":")[1]]


@examples(100)
@given(LIVES, BILLING, MONTHS, st.integers(0, 20), ZONES)
def test_a_nearer_horizon_is_the_beginning_of_a_farther_one(
    world: World, billing: BillingFrequency, months: int, more: int, zone: str
) -> None:
    facts = moved_to(facts_of(world, billing), zone)
    near, far = Horizon(months=months), Horizon(months=months + more)
    until, carried = near.until(facts), agenda(facts, NEXT)
    assert until is not None
    cut = {key: step for key, step in agenda(facts, far).steps.items() if step.at <= until or key in carried.steps}
    assert agenda(facts, near).steps == cut


@examples(100)
@given(LIVES, BILLING)
def test_a_whole_life_ends_with_what_is_sold(world: World, billing: BillingFrequency) -> None:
    facts = facts_of(world, billing)
    until = Horizon(life=True).until(facts)
    assert until is not None
    assert until >= world.now
    carried, life = agenda(facts, NEXT), agenda(facts, Horizon(life=True))
    assert all(step.at <= until for key, step in life.steps.items() if key not in carried.steps)


def test_a_year_of_a_contract_that_renews_itself() -> None:
    """Notices, ends of terms and every quarter's invoice, those of the terms to come as well."""
    world = World(auto_renew=True)
    facts = facts_of(world, BillingFrequency.QUARTERLY)
    first = world.contract().term
    found = agenda(facts, Horizon(months=30))
    ends = [step for step in found.plan() if step.kind == "renewal_term_end"]
    assert [step.on for step in ends] == [first.until, first.until.replace(year=first.until.year + 1)]
    for end in ends:
        notices = [step for step in found.plan() if step.kind == "renewal_notice" and step.stage == end.stage]
        assert len(notices) == len(facts.situation.playbook.renewal.notice_days)
        assert all(step.at < end.at for step in notices)
    days = [step.on for step in found.plan() if step.kind == "billing_invoice" and "contract:" in step.stage]
    # What is invoiced on the first day of a term is looked at as the one before ends.
    assert len(days) == len(set(days))
    assert first.until not in days
    gaps = [later - earlier for earlier, later in pairwise(days)]
    assert all(timedelta(days=89) <= gap <= timedelta(days=184) for gap in gaps)


def moved_to(facts: Facts, zone: str) -> Facts:
    """The customer in another zone. What they own keeps its own."""
    account = facts.situation.customer.account.having(time_zone=zone)
    customer = facts.situation.customer.having(account=account)
    return replace(facts, situation=replace(facts.situation, customer=customer))


def test_of_whoever_has_moved_west_the_next_term_is_invoiced_on_its_own_first_day() -> None:
    """The term before ends a day sooner where they are now, the next one at midnight there."""
    world = World(auto_renew=True)
    facts = moved_to(facts_of(world, BillingFrequency.WHOLE_TERM), "America/Los_Angeles")
    first = world.contract().term
    found = agenda(facts, Horizon(months=30))
    days = [step.on for step in found.plan() if step.kind == "billing_invoice" and "contract:" in step.stage]
    assert days == [first.start_on, first.until]


def test_the_first_day_of_a_term_is_looked_at_by_the_end_of_the_one_before_or_by_itself() -> None:
    world = World(auto_renew=True)
    world.ask(renew, RenewAssets(contract_id=world.contract_id))
    term, before = world.contract().term, world.contract().previous
    assert before is not None
    contract = facts_of(world, BillingFrequency.WHOLE_TERM).billing[world.contract_id]
    settled = Settlement((), (), term.start_on)
    assert settled.look_on(contract, before.ends_at - timedelta(seconds=1)) is None
    assert settled.look_on(contract, before.ends_at) == term.start_on
    assert Settlement((), (), term.start_on + timedelta(days=1)).look_on(contract, world.now) is not None


def test_nothing_is_foretold_of_an_account_that_is_closed() -> None:
    world = World(auto_renew=True)
    facts = facts_of(world, BillingFrequency.MONTHLY)
    closed = replace(facts, record=facts.record.having(closed_at=world.now))
    assert agenda(closed, Horizon(life=True)).steps == {}
