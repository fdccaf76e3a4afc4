"""The one function: from what the database knows to what a customer's journey must have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from domain.billing import dunning
from domain.frame.keys import StageId, StageKind, stage_kind
from domain.frame.service_facts import NO_SERVICE
from domain.frame.state import PLAYS, Outcome, Stage, Step
from domain.frame.unreadable import UnreadableError, unreadable_of
from domain.holds import holding
from domain.holds.leads import WAITING
from domain.holds.writes import ForgetHeldSteps, WithdrawMail
from domain.journey import ahead, contract_steps, fulfilling, mail_anew, mornings, play_steps, success_steps
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.journey.horizon import NEXT, Horizon
from domain.kernel.base import Write
from domain.quotes import deciding
from domain.success import adoption, thanks

Part = Callable[[Facts, Agenda], None]
Further = Callable[[Facts, Agenda, datetime], None]


def agenda(facts: Facts, horizon: Horizon = NEXT) -> Agenda:
    """The stages, steps and deliveries that the journey must have at the situation's instant: of each kind what comes next.

    What is overdue keeps the instant at which it was due. A closed account has nothing but what is on its way out.
    `horizon`: how far ahead; beyond the next step of each kind it says what comes if nothing is asked.
    """
    return planned(facts, horizon, PARTS, _further)


def planned(facts: Facts, horizon: Horizon, parts: Sequence[Part], further: Further) -> Agenda:
    """The agenda as far as these parts of it go; `further`: what comes after the next step of each kind."""
    found = Agenda(
        paused=facts.record.paused,
        deliveries={one.id: one.channel for one in facts.record.waiting},
        unreadable=[*facts.situation.customer.unreadable, *unreadable_of(facts.situation.records)],
    )
    if facts.record.closed_at is not None:
        return found
    for part in parts:
        try:
            part(facts, found)
        except UnreadableError as error:  # the other parts are planned all the same
            found.unreadable.append(error.fact)
    if (until := horizon.until(facts)) is not None:
        further(facts, found, until)
    _moved(facts, found)
    if len(facts.record.zones) > 1:
        found.steps = {key: facts.here(step) for key, step in found.steps.items()}
    return found


def plays_of(facts: Facts) -> list[Step]:
    """All steps of plays that the journey must have, as `agenda` has them."""
    found = Agenda()
    if facts.record.closed_at is None:
        play_steps.plays(facts, found)
        _moved(facts, found)
    here = (facts.here(step) if len(facts.record.zones) > 1 else step for step in found.plan())
    return [step for step in here if step.kind in PLAYS]


def _further(facts: Facts, found: Agenda, until: datetime) -> None:
    try:
        ahead.extend(facts, found, until)
    except UnreadableError as error:
        found.unreadable.append(error.fact)


def _moved(facts: Facts, found: Agenda) -> None:
    """What people left out or moved, and what a resumed journey planned anew, is as they left it, until it is planned again."""
    for key, step in facts.by_hand.items():
        wanted = found.steps.pop(key, None) is not None
        if step is None or facts.done(key) is not None or not (wanted or _stands(found, step)):
            continue
        if step.kind == "renewal_notice":  # one after the other: what is planned says what comes next
            found.steps = {k: one for k, one in found.steps.items() if (one.kind, one.stage) != (step.kind, step.stage)}
        found.add(step)


def _stands(found: Agenda, step: Step) -> bool:
    """True for a step whose stage is open, and for those that have none."""
    alone = step.stage == thanks.ANNIVERSARIES or stage_kind(step.stage) in (StageKind.FULFILMENT, StageKind.PLAY)
    return alone or step.stage in found.stages


def begun_anew(facts: Facts) -> Outcome:
    """The whole agenda, for a journey that has none yet."""
    found, situation = agenda(facts), facts.situation
    plan = found.plan()
    if situation.service is not NO_SERVICE and facts.record.closed_at is None:
        plan += holding.after_request(situation)  # the cases are shown again, and what holds sales back
    return Outcome(
        account=situation.account_view,
        plan=plan,
        stages=dict(found.stages),
        deliveries=dict(found.deliveries),
        pause=found.paused,
    )


def of_contracts(found: Agenda, contracts: Collection[str], *, check_ins: bool) -> Agenda:
    """The part of an agenda that contracts have brought, with or without the check-ins; the anniversary, which may be of an
    earlier day than was known."""
    about = {thanks.ANNIVERSARIES} | {f"billing:contract:{contract_id}" for contract_id in contracts}
    terms = [key for key in found.stages if stage_kind(key) is StageKind.RENEWAL]
    about |= {key for key in terms if StageId.parse(key).about in contracts}
    about |= {adoption.STAGE} if check_ins else set()
    return Agenda(
        stages={key: stage for key, stage in found.stages.items() if key in about},
        steps={
            key: step
            for key, step in found.steps.items()
            if step.stage in about or StageId.parse(step.stage)[::2] == (StageKind.BILLING, "asset")
        },
    )


def _quotes(facts: Facts, found: Agenda) -> None:
    """Quotes that wait for approval, or for the customer."""
    for quote in facts.record.quotes:
        stage = deciding.stage_of(quote.quote_id)
        if quote.state == deciding.IN_APPROVAL and quote.asked_at is not None:
            then = success_steps.at_instant(facts, quote.asked_at)
            steps = deciding.approval_steps(then, quote.quote_id, quote.version)
            found.stages[stage] = Stage(status=deciding.IN_APPROVAL, until=steps[-1].at)
            found.add(*(step for step in steps if facts.done(step.key) is None))
        elif quote.state == deciding.PRESENTED:
            step = deciding.expiry_step(facts.situation, quote.quote_id, quote.version, quote.valid_until)
            found.stages[stage] = Stage(status=deciding.PRESENTED, until=quote.valid_until)
            if facts.done(step.key) is None:
                found.add(step)


def _promises(facts: Facts, found: Agenda) -> None:
    """What was promised by a day and is looked for then."""
    for promise in facts.record.promises:
        if promise.promised_at > promise.recorded_at:
            then = success_steps.at_instant(
                facts, promise.recorded_at
            )  # its name is of a day where the customer was then
            step = fulfilling.look_on(then, promise.order_id, promise.line_id, promise.promised_at)
            if facts.done(step.key) is None:
                found.add(step)


def _dunning(facts: Facts, found: Agenda) -> None:
    """The reminder of overdue invoices that was planned last, unless it is done."""
    planned = [one for one in facts.record.announced if one.step.kind == dunning.KIND]
    if not facts.record.overdue or not planned:
        return
    found.stages[dunning.STAGE] = Stage(status=dunning.OVERDUE)
    if facts.done(planned[-1].step.key) is None:
        found.add(planned[-1].step)


def _mornings(facts: Facts, found: Agenda) -> None:
    """What was decided by night and waits to be told."""
    began = facts.record.reopened_at
    found.add(*(one.step for one in facts.announced(mornings.KIND) if began is None or one.by >= began))


def _can_wait(write: Write, planned: Collection[str]) -> bool:
    """True for what is seen at any later look: that the moment of a mail has passed, or that a quote is not wanted any more."""
    return isinstance(write, WithdrawMail) or (isinstance(write, ForgetHeldSteps) and write.key not in planned)


def _service(facts: Facts, found: Agenda) -> None:
    """What holds sales back now, until when; leads that wait for an answer; a look if the record says something else."""
    review = holding.review_step(facts.situation, f"{facts.situation.as_of:%Y%m%dT%H%M%S%f}")
    check_ins = tuple(step.on for step in found.steps.values() if step.kind == "adoption_check_in")
    decided = mail_anew.review(replace(facts.situation, kept=check_ins), review)
    if (stage := decided.outcome.stages.get(holding.STAGE)) is not None:
        found.stages[holding.STAGE] = stage
    found.add(*(step for step in decided.outcome.plan if step.kind == "service_hold_lift"))
    open_leads = {lead.lead_id for lead in facts.situation.service.leads if lead.status in WAITING}
    found.add(
        *(
            one.step
            for one in facts.announced("service_lead_reminder", "service_lead_overdue")
            if any(one.step.name.startswith(f"lead-{lead_id}-") for lead_id in open_leads)
        )
    )
    planned = {step.key for step in decided.outcome.plan}
    if any(not _can_wait(write, planned) for write in decided.writes):
        found.add(review)
    found.tolerated |= {f"{holding.STAGE}/review-*", f"{holding.STAGE}/lift-*", "relationship/health-*"}


PARTS: Sequence[Part] = (
    success_steps.onboardings,
    success_steps.anniversaries,
    success_steps.check_ins,
    success_steps.offers,
    success_steps.reorders,
    success_steps.deliveries,
    contract_steps.renewals,
    contract_steps.win_backs,
    contract_steps.invoices,
    contract_steps.changes_ahead,
    _quotes,
    _promises,
    _mornings,
    _dunning,
    play_steps.plays,
    _service,
)
"""All parts of an agenda."""
