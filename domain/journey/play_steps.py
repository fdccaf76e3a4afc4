"""Which steps a customer's plays come to: what each is anchored in, and of each occurrence the next one that is not done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from domain.contracts.renewal_quote import notice_by
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.keys import about
from domain.frame.plays import OF_PEOPLE, Play, PlayAnchor
from domain.frame.situation import TOLERATED_DELAY
from domain.frame.state import Step
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import AnchorFacts, Facts
from domain.journey.success_steps import at_instant
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months
from domain.success import people_changes
from domain.success import plays as rules
from domain.success.play_days import again_on, day_of

_YEARS = 100


@dataclass(frozen=True)
class Anchored:
    """A day that a play counts from: what it is of (`SO-1`, `K-1:2`, `2027`), and since when it is known. `past`: nothing that lay
    before that is acted on."""

    of: str
    day: date
    known: datetime
    past: bool = False


def plays(facts: Facts, agenda: Agenda, until: datetime | None = None) -> None:
    """The next step of each play and anchor; up to `until`, if that is given, every one. And the looks whether a task is done."""
    for play in facts.situation.playbook.every_play:
        for anchored in _anchors(facts, play):
            found = list(_steps(facts, play, anchored))
            agenda.add(*(found[:1] if until is None else [step for step in found if step.at <= until]))
            if play.anchor is PlayAnchor.ANNIVERSARY and found and (until is None or found[-1].at > until):
                break  # the first of the years to come, or all of them until then
        agenda.add(*_escalations(facts, play))


def of_term(facts: Facts, contract: ContractFacts, until: datetime) -> list[Step]:
    """The steps of plays that come with a term that is still to be renewed into."""
    found = Agenda()
    for play in facts.situation.playbook.plays:
        for anchored in _of_contract(contract, play.anchor, contract.term.starts_at):
            found.add(*(step for step in _steps(facts, play, anchored) if step.at <= until))
    return found.plan()


def _steps(facts: Facts, play: Play, anchored: Anchored) -> Iterator[Step]:
    """The occurrences of a play that are neither done nor left out nor past when it became known of."""
    situation, stage = facts.situation, rules.stage_of(play)
    first = day_of(situation, play, anchored.day)
    since = max(filter(None, (facts.record.playbook_since, facts.record.reopened_at)), default=None)
    earliest = anchored.known if anchored.past else anchored.known - TOLERATED_DELAY
    if since is not None and since > anchored.known:
        earliest = since  # what another playbook, or a journey that was closed, would have done is not done now
    for number in range(1, (play.repeat.times if play.repeat else 1) + 1):
        name = anchored.of if number == 1 else f"{anchored.of}.{number}"
        step = situation.step(rules.KIND, stage, name, again_on(situation, play, first, number))
        left_out = step.key in facts.by_hand and facts.by_hand[step.key] is None
        if step.at >= earliest and facts.done(step.key) is None and not left_out:
            yield step


def _escalations(facts: Facts, play: Play) -> list[Step]:
    found, prefix = [], f"{rules.stage_of(play)}/"
    for key in facts.situation.customer.staff_tasks:
        asked = facts.done(key) if key.startswith(prefix) else None
        if asked is None:
            continue
        then = at_instant(facts, asked)
        step = then.step(rules.KIND, rules.stage_of(play), key.removeprefix(prefix), then.today)
        following = rules.escalation_after(then, play, step)
        if following is not None and facts.done(following.key) is None:
            found.append(following)
    return found


def _anchors(facts: Facts, play: Play) -> Iterator[Anchored]:
    anchor = play.anchor
    match anchor:
        case _ if anchor in OF_PEOPLE:
            for occasion in people_changes.occasions(facts.situation, play):
                yield Anchored(occasion.of, occasion.day, occasion.change.at)
        case PlayAnchor.ORDER_ACTIVATED:
            yield from _orders(facts)
        case PlayAnchor.FIRST_VALUE | PlayAnchor.GO_LIVE:
            yield from _tasks(facts, anchor)
        case PlayAnchor.ANNIVERSARY:
            yield from _anniversaries(facts)
        case PlayAnchor.BAND_CHANGED | PlayAnchor.CASE_OPENED | PlayAnchor.CASE_RESOLVED:
            for one in _known(facts):
                if one.anchor == anchor:
                    yield Anchored(one.of, facts.situation.customer.day_of(one.at), one.at)
        case _:
            yield from _contracts(facts, anchor)


def _known(facts: Facts) -> Iterator[AnchorFacts]:
    """What had happened at the situation's instant: a journey that is paused looks at what came since once it goes on."""
    return (one for one in facts.record.anchors if one.at <= facts.situation.as_of)


def _contracts(facts: Facts, anchor: PlayAnchor) -> Iterator[Anchored]:
    for contract in facts.situation.customer.contracts:
        life = facts.life(contract.contract_id)
        if life is not None:
            known = life.recorded_at if anchor is PlayAnchor.CONTRACT_START else life.term_recorded_at
            past = life.origin == "imported" and contract.term.number == 1
            yield from (replace(one, past=past) for one in _of_contract(contract, anchor, known))


def _of_contract(contract: ContractFacts, anchor: PlayAnchor, known: datetime) -> Iterator[Anchored]:
    """The days of the latest term of a contract: its start, its end unless it goes on, the last day to say no to the next one."""
    of, ended = f"{contract.contract_id}:{contract.term.number}", contract.status == ContractStatus.ENDED
    if anchor is PlayAnchor.CONTRACT_START and not ended:
        yield Anchored(f"{contract.contract_id}:1", contract.first_start, known)
    elif anchor is PlayAnchor.TERM_START and not ended and contract.term.number > 1:
        yield Anchored(of, contract.term.start_on, known)
    elif anchor is PlayAnchor.CONTRACT_END and not contract.term.is_open:
        yield Anchored(of, contract.term.until - timedelta(days=1), known)
    elif anchor is PlayAnchor.DEADLINE_TO_DECLINE and contract.auto_renew and contract.status == ContractStatus.ACTIVE:
        yield Anchored(of, notice_by(contract), known)


def _orders(facts: Facts) -> Iterator[Anchored]:
    for order in facts.record.orders:
        if not order.over:
            day = facts.situation.customer.day_of(order.activated_at)
            yield Anchored(order.order_id, day, order.recorded_at, past=order.imported)


def _tasks(facts: Facts, anchor: PlayAnchor) -> Iterator[Anchored]:
    terms = facts.situation.playbook.onboarding
    name = terms.value_task if anchor is PlayAnchor.FIRST_VALUE else terms.last_task
    for one in _known(facts):
        if one.anchor == "task" and one.name == name:
            yield Anchored(about(one.of), facts.situation.customer.day_of(one.at), one.at)


def _anniversaries(facts: Facts) -> Iterator[Anchored]:
    situation = facts.situation
    since = situation.customer.day_of(situation.customer.account.since)
    for years in range(1, _YEARS):
        day = add_months(since, years * MONTHS_IN_YEAR)
        yield Anchored(str(day.year), day, facts.record.recorded_at, past=True)
