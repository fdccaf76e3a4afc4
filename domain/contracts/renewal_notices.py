"""The steps of a term before it ends: notices, with the price from the quote day on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from domain.contracts import renewal_talk
from domain.contracts.ending import NOTHING_LEFT, nothing_left
from domain.contracts.renewal_quote import last_day, next_term, notice_by, notice_context, quote_renewal, said_until
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.value_report import value_context
from domain.contracts.writes import QuoteRenewal
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.keys import about
from domain.frame.pace import QUIET_DAYS
from domain.frame.renewal_facts import TermValue
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.holds.guard import guard_of
from domain.kernel.calendar import business_day_until, local_instant
from domain.kernel.shown import counted

BUSINESS_DAYS_TO_SAY_NO = 3
"""So many are left after the last notice before the last day on which a customer can say no."""
LEAST_SETTLING, MOST_SETTLING = 12, 30
"""A quarter of a term, within so many days: it has to pass before a notice says that the term ends."""
_DAYS_TO_CALL = 3


def begin(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract's latest term opens with its first notice still to come; of what has no end nothing is to come."""
    if contract.term.is_open:
        return Outcome(stages={contract.stage: Stage(status=RenewalStatus.EVERGREEN)})
    steps = list(_remaining(situation, contract))
    # The term's end is planned from the start: it comes even if a notice before it cannot be sent.
    return Outcome(
        plan=[steps[0], steps[-1]],
        stages={contract.stage: Stage(status=RenewalStatus.WAITING, until=contract.term.ends_at)},
    )


def take_up(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract that the customer holds already, for a journey that begins anew.

    A term that went by while no journey looked after it is over: nothing is renewed in hindsight.
    """
    if situation.is_past(contract.term.ends_at):
        return Outcome()
    if contract.status == ContractStatus.ACTIVE:
        return begin(situation, contract)
    return run_out(situation, contract)


def run_out(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract that will not be renewed: only its end is still to come."""
    end = end_step(contract, max(contract.term.ends_at, situation.as_of))
    return Outcome(
        plan=[end], stages={contract.stage: Stage(status=RenewalStatus.DECLINED, until=contract.term.ends_at)}
    )


def end_step(contract: ContractFacts, at: datetime | None = None) -> Step:
    """The end of the latest term, at `at` if that is another instant."""
    return Step(
        kind="renewal_term_end",
        stage=contract.stage,
        name=named(contract, "term-end"),
        at=at or contract.term.ends_at,
        on=contract.term.until,
    )


def named(contract: ContractFacts, name: str) -> str:
    """A step's name, another one each time that the term's dates were changed: what was done for the old dates is done anew."""
    return f"{name}.{contract.term.moves}" if contract.term.moves else name


def _remaining(situation: Situation, contract: ContractFacts) -> Iterator[Step]:
    """The steps of a term that are still to come: its notices (those already past are merged into one that is due now), then its end."""
    past: int | None = None
    sent = False
    for days in notice_days(situation, contract):
        step = notice_step(situation, contract, days)
        if step.at >= situation.as_of:
            if past is not None and not sent and not situation.imported:
                yield notice_step(situation, contract, past, now=True)
                sent = True
            yield step
        else:
            past = days
    if (
        not situation.imported
        and past is not None
        and not sent
        and not situation.is_past(contract.term.ends_at)
        and situation.as_of < contract.term.ends_at
    ):
        yield notice_step(situation, contract, past, now=True)
    yield end_step(contract, None if situation.imported else max(contract.term.ends_at, situation.as_of))


def notice_days(situation: Situation, contract: ContractFacts) -> list[int]:
    """The playbook's notices that fit into the term; a term shorter than all of them gets one at its middle. One more if none
    of them says the price in time. Whoever has just heard that a term begins does not hear at once of its end. Where there is a last
    day to say no, the last notice before it leaves time for that, and only one comes after it."""
    found = _days_that_fit(situation, contract)
    return _about_the_last_day(situation, contract, found) if contract.auto_renew else found


def _about_the_last_day(situation: Situation, contract: ContractFacts, found: list[int]) -> list[int]:
    until, last = contract.term.until, notice_by(contract)
    day = last
    for _ in range(BUSINESS_DAYS_TO_SAY_NO):
        day = business_day_until(day - timedelta(days=1), situation.customer.account.country)
    at_least, over = (until - day).days, (until - last).days
    if day <= contract.term.start_on:
        return found
    before = {max(days, at_least) for days in found if days >= over}
    after = [days for days in found if days < over]
    return sorted({*before, *after[-1:]}, reverse=True)


def _days_that_fit(situation: Situation, contract: ContractFacts) -> list[int]:
    length = (contract.term.until - contract.term.start_on).days
    settled = min(MOST_SETTLING, max(LEAST_SETTLING, length // 4))
    fitting = [days for days in situation.playbook.renewal.notice_days if days <= length - settled]
    middle = max(1, length // 2)
    if not contract.auto_renew:
        return fitting or [middle]
    # Where the last day to say no is near, the price comes between the beginning and that day, with the playbook's lead if there is room.
    to_say_no = (notice_by(contract) - contract.term.start_on).days
    in_time = max(min(LEAST_SETTLING, to_say_no * 5 // 8), to_say_no - situation.playbook.renewal.lead_days)
    by = min(_quote_by(situation, contract), max(1, length - min(settled, in_time)))
    if not fitting:
        return [max(by, middle)]
    priced = [days for days in fitting if days <= _quote_days(situation, contract)]
    return fitting if max(priced, default=0) >= by else sorted({*fitting, by}, reverse=True)


def _quote_by(situation: Situation, contract: ContractFacts) -> int:
    """How many days before the term ends a customer who can say no has to know the price."""
    return (contract.term.until - notice_by(contract)).days + situation.playbook.renewal.lead_days


def notice_step(situation: Situation, contract: ContractFacts, days: int, *, now: bool = False) -> Step:
    """The notice so many days before the term ends, on the last business day until then; `now`: it is due at once."""
    name = named(contract, f"notice-{days}")
    if now:
        return situation.step_soon("renewal_notice", contract.stage, name)
    zone, country = situation.customer.account.time_zone, situation.customer.account.country
    day = business_day_until(contract.term.until - timedelta(days=days), country)
    return Step(kind="renewal_notice", stage=contract.stage, name=name, at=local_instant(day, zone), on=day)


def notice(situation: Situation, step: Step, value: TermValue | None = None) -> Decision:
    """The customer hears that a term ends; from the quote day on with the price of the next one, and with it once what the term has
    brought them (`value`)."""
    contract = contract_of(situation, step.stage)
    days = _days_of(step)
    if (
        contract is None
        or contract.stage != step.stage
        or contract.status != ContractStatus.ACTIVE
        or step.name != named(contract, f"notice-{days}")
    ):
        return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))
    if situation.as_of >= contract.term.ends_at:
        over = list(_remaining(situation, contract))[-1:]
        return Decision(JournalLine("Dropped: renewal notice; the term is over", kind="dropped"), Outcome(plan=over))
    passed = [d for d in notice_days(situation, contract) if notice_step(situation, contract, d).at <= situation.as_of]
    if passed and min(passed) < days:
        nearest = notice_step(situation, contract, min(passed), now=True)
        return Decision(
            JournalLine(f"Merged into the notice of {min(passed)} days", kind="skipped"), Outcome(plan=[nearest])
        )
    later = [other for other in notice_days(situation, contract) if other < days]
    following = _after_notice(situation, contract, days)
    if nothing_left(situation, contract):
        plan = [following] if following else []
        return Decision(JournalLine(f"No notice: {NOTHING_LEFT}", kind="skipped"), Outcome(plan=plan))
    left = (contract.term.until - situation.today).days
    # One that comes late has the quote of the next one if that would follow within days: it is not said twice.
    quoting = min(days, left - QUIET_DAYS) <= _quote_days(situation, contract) or not later
    held = guard_of(situation).renewal_held(contract.term.ends_at) if quoting else None
    quote = quote_renewal(situation, contract) if quoting and held is None else None
    earlier = [other for other in notice_days(situation, contract) if other > days]
    first = quote is not None and not any(other <= _quote_days(situation, contract) for other in earlier)
    brought = value_context(situation, contract, value) if first and value is not None else None
    status = RenewalStatus.QUOTED if quote else RenewalStatus.WAITING
    says = f"Renewal notice, {counted(left, 'day')} before the term ends" + (
        f", with quote {quote.quote_id}" if quote else ""
    )
    decision = Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            plan=[following] if following else [],
            stages={contract.stage: Stage(status=status, until=contract.term.ends_at)},
            said=[says],
        ),
        [quote] if quote else [],
        [
            Mail(
                "renewal_notice", {**notice_context(situation, contract, quote), "value": brought, "first_offer": first}
            )
        ],
    )
    if not later and not contract.auto_renew:
        decision = replace(decision, notices=[_unanswered(situation, contract, quote)])
    return renewal_talk.beside_notice(situation, contract, decision, held, quoting=quoting)


def _unanswered(situation: Situation, contract: ContractFacts, quote: QuoteRenewal | None) -> Notice:
    """The owner hears with the last notice of a term that needs a yes that there is none yet, and what follows on that."""
    last = last_day(contract.term)
    due_at, due_on = situation.customer.morning(min(situation.in_days(_DAYS_TO_CALL), last))
    grace = situation.playbook.renewal.grace_days
    offered = next_term(situation, contract)
    lines = [
        *([f"What they were offered: {quote.total} {quote.currency} {said_until(offered)}."] if quote else []),
        f"Without a yes it runs out, and what they have is kept running for {counted(grace, 'day')} more."
        if grace
        else "Without a yes it runs out, and all that it covers with it.",
        f"Please ask them by {due_on}.",
    ]
    return Notice(f"{contract.contract_id} ends on {last}, and nobody has answered", lines, to="owner", due=due_at)


def _after_notice(situation: Situation, contract: ContractFacts, days: int) -> Step | None:
    """What is still to come of a term after the notice of so many days: a later notice, or its end."""
    later = {named(contract, f"notice-{other}") for other in notice_days(situation, contract) if other < days}
    left = _remaining(situation, contract)
    return next((step for step in left if step.kind == "renewal_term_end" or step.name in later), None)


def without_notice(situation: Situation, step: Step) -> list[Step]:
    """The notice that follows on one that is left out, if there is one."""
    contract = contract_of(situation, step.stage)
    if contract is None or contract.stage != step.stage or contract.status != ContractStatus.ACTIVE:
        return []
    following = _after_notice(situation, contract, _days_of(step))
    return [following] if following and following.kind == "renewal_notice" else []


def _days_of(step: Step) -> int:
    return int(step.name.removeprefix("notice-").partition(".")[0])


def _quote_days(situation: Situation, contract: ContractFacts) -> int:
    """From so many days before the term ends on a notice carries the quote."""
    promised = situation.playbook.renewal.quote_days
    return max(promised, _quote_by(situation, contract)) if contract.auto_renew else promised


def contract_of(situation: Situation, stage: str) -> ContractFacts | None:
    return situation.customer.contract(about(stage))
