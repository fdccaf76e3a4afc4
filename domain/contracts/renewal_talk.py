"""What may be said of the next term while service still owes something, and the discount that bad service has earned."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from domain.contracts.renewal_quote import notice_context, quote_renewal
from domain.contracts.renewal_status import RenewalStatus
from domain.frame.customer import ContractFacts, ContractStatus, StaffFacts
from domain.frame.decision import CloseStaffTasks, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.decision import Decision as Decided
from domain.frame.notice_acts import act
from domain.frame.playbook import EarnedDiscount
from domain.frame.sales_holds import HoldLevel, Purpose
from domain.frame.service_facts import Bearing
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.holds.deciding import RENEWAL_TASK
from domain.holds.guard import guard_of
from domain.holds.holds import ContactDecision, Verdict
from domain.holds.writes import ForgetHeldSteps, HoldBackStep
from domain.kernel.base import Write

MANAGER_DAYS = 30


def beside_notice(
    situation: Situation, contract: ContractFacts, notice: Decided, held: ContactDecision | None, *, quoting: bool
) -> Decided:
    """A renewal notice with what belongs to its quote: withheld while service blocks it, or the discount that was earned."""
    if not quoting:
        return notice
    if held is not None:
        return notice + _withheld(situation, contract, held)
    notice += _earned(situation, contract)
    if not situation.service.cases:
        return notice
    # A quote that waited until now is in this notice.
    return notice + _settled(situation, contract)


def _settled(situation: Situation, contract: ContractFacts) -> Decided:
    """What waited for a hold to be lifted waits no more."""
    steps = f"{contract.stage}/quote-*"
    return Decided(
        JournalLine(""),
        Outcome(drop=[steps], attention={f"renewal_held:{contract.contract_id}": None}),
        [ForgetHeldSteps(steps), CloseStaffTasks(f"{RENEWAL_TASK}/{contract.contract_id}", situation.as_of)],
    )


def quote(situation: Situation, step: Step) -> Decided:
    """The quote that was withheld goes to the customer, if it is still wanted and nothing blocks it any more."""
    contract = situation.customer.contract(step.about)
    if contract is None or contract.stage != step.stage or contract.status != ContractStatus.ACTIVE:
        gone = Outcome(attention={f"renewal_held:{step.about}": None})
        return Decided(JournalLine("The withheld quote is not needed any more", kind="skipped"), gone)
    if situation.as_of >= contract.term.ends_at:
        return Decided(JournalLine("Dropped: the withheld quote; the term is over", kind="dropped"))
    held = guard_of(situation).renewal_held(contract.term.ends_at)
    if held is not None:
        return _withheld(situation, contract, held, again=True)
    quoted = quote_renewal(situation, contract)
    says = f"Renewal quote {quoted.quote_id}, which was withheld, is on its way"
    decision = Decided(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            stages={contract.stage: Stage(status=RenewalStatus.QUOTED, until=contract.term.ends_at)},
            said=[says],
        ),
        [quoted],
        [
            Mail(
                "renewal_notice",
                {**notice_context(situation, contract, quoted), "first_offer": True},
                purpose=Purpose.CONTRACTUAL_NOTICE,
            )
        ],
    )
    return decision + _settled(situation, contract) + _earned(situation, contract)


def _withheld(situation: Situation, contract: ContractFacts, held: ContactDecision, *, again: bool = False) -> Decided:
    """The quote waits for the hold to be lifted, or for the release by the case's owner; near the end a manager decides, who is
    asked anew by each notice, but not by a look at what waits (`again`)."""
    says = f"Quote for {contract.contract_id} withheld: {held.says}"
    step = situation.step_now("renewal_quote", contract.stage, f"quote-{situation.as_of:%Y%m%dT%H%M%S}")
    writes: list[Write] = [
        ForgetHeldSteps(f"{contract.stage}/quote-*"),
        HoldBackStep(step, Purpose.RENEWAL_TALK),
    ]
    if held.verdict is not Verdict.MANAGER_DECIDES:
        on = contract.term.until - timedelta(days=MANAGER_DAYS)
        later = situation.step("renewal_quote", contract.stage, f"quote-{MANAGER_DAYS}", on)
        plan = [later] if later.at > situation.as_of else []
        return Decided(
            JournalLine(says, name="quote", kind="renewal_withheld"), Outcome(plan=plan, said=[says]), writes
        )
    due_at, due_on = situation.customer.morning(situation.in_days(2))
    manager = _manager(situation, held)
    task = f"{RENEWAL_TASK}/{contract.contract_id}"
    title = f"Decide: may the renewal of {contract.contract_id} be talked about while a case is open?"
    writes.append(OpenStaffTask(task, title, manager.staff_id if manager else "owner", due_at, held.says))
    lines = [
        held.says,
        f"The term ends on {contract.term.until - timedelta(days=1)}.",
        f"Please do so by {due_on}.",
    ]
    asked = again and task in situation.customer.staff_tasks
    return Decided(
        JournalLine(f"{says}; a manager decides", name="manager", kind="renewal_withheld"),
        Outcome(attention={f"renewal_held:{contract.contract_id}": says}, said=[says]),
        writes,
        notices=[] if asked else [Notice(title, lines, "owner", due_at, manager, acts=(_release(held),))],
    )


def _release(held: ContactDecision) -> str:
    source = next((hold.source for hold in held.holds if hold.level is HoldLevel.BLOCK), "")
    return act("release_for_renewal", case_id=source)


def _manager(situation: Situation, held: ContactDecision) -> StaffFacts | None:
    blocking = {hold.source for hold in held.holds if hold.level is HoldLevel.BLOCK}
    return next((case.manager for case in situation.service.cases if case.case_id in blocking and case.manager), None)


def earned_discount(terms: EarnedDiscount, bearing: Bearing) -> tuple[Decimal, list[str]]:
    """The percentage that a customer's cases of the last year have earned, capped, with a reason for each part."""
    parts = (
        (terms.late_resolution, bearing.late, "resolved later than promised"),
        (terms.reopened, bearing.reopened, "opened again"),
        (terms.low_rating, bearing.low_rated, "rated badly"),
    )
    counting = [(percent, cases, why) for percent, cases, why in parts if percent and cases]
    percent = min(terms.cap, sum((percent * len(cases) for percent, cases, _ in counting), Decimal(0)))
    return percent, [f"{why}: {', '.join(cases[:5])}" for _, cases, why in counting]


def _earned(situation: Situation, contract: ContractFacts) -> Decided:
    """What the owner is told to think about; nothing is taken off by itself."""
    percent, why = earned_discount(situation.playbook.renewal.earned, situation.service.bearing)
    if not percent:
        return Decided(JournalLine(""))
    says = f"Consider {percent:f} % off the renewal of {contract.contract_id}"
    return Decided(
        JournalLine(says, name="earned", kind="renewal_discount", detail={"percent": str(percent), "why": why}),
        notices=[
            Notice(
                says,
                [
                    *why,
                    "Nothing was taken off: it is yours to decide.",
                ],
                to="owner",
                acts=(act("revise_renewal", contract_id=contract.contract_id),),
            )
        ],
    )
