"""What a task of our people stands for, by the key that it was opened under: what ends with it, and what alone can end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from domain.contracts.revising import APPROVAL_TASK
from domain.frame.decision import Decision, JournalLine
from domain.frame.keys import StageKind, StepKey, about
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.frame.state import Outcome, Stage
from domain.holds import holding
from domain.holds.deciding import RENEWAL_TASK
from domain.holds.guard import guard_of
from domain.holds.writes import NoteOnCase, RecordAcknowledgement
from domain.success import adoption, reorder
from domain.success.writes import NoteOutcome

SURVEY = "survey/"

_NOTHING = Decision(JournalLine(""))


def _by_a_word(situation: Situation, task: StaffTaskFacts) -> str | None:
    return None


def _nothing_else(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    return _NOTHING


def _nothing_again(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    return _NOTHING


@dataclass(frozen=True)
class Matter:
    """What tasks whose keys begin with `prefix` are about.

    instead: what to ask where a word does not end it, null where it does; ended: what ends with the task; again: what begins anew with
    it, or why it cannot; reviewed: holds are looked at whenever something becomes of it.
    """

    prefix: str
    instead: Callable[[Situation, StaffTaskFacts], str | None] = _by_a_word
    ended: Callable[[Situation, StaffTaskFacts, str, str], Decision] = _nothing_else
    again: Callable[[Situation, StaffTaskFacts], Decision | str] = _nothing_again
    reviewed: bool = False

    def looked_at(self, situation: Situation) -> Outcome:
        """The look at holds that follows on whatever becomes of it."""
        return Outcome(plan=holding.after_request(situation)) if self.reviewed else Outcome()


def matter_of(key: str) -> Matter:
    """What the task of a key is about."""
    return next((matter for matter in _MATTERS if key.startswith(matter.prefix)), _ANYTHING)


def _ask(situation: Situation, update: str, fields: str) -> str:
    return f"`perennial journey ask {situation.customer.account.account_id} {update} {fields}`"


# A task of an onboarding that is late, waits for somebody, or was done without a word on what was reached


def _of_onboarding(situation: Situation, task: StaffTaskFacts) -> str | None:
    stage, name = StepKey.parse(task.key)
    name, _, part = name.partition("/")
    facts = next((one for one in situation.customer.tasks if (one.stage, one.name) == (stage, name)), None)
    if facts is None:
        return None
    which = f"task={name} order_id={about(stage)} by=…"
    if part == "blocked" and facts.waits_for is not None:
        how = _ask(situation, "unblock_task", which)
        return f"it is over once “{facts.title['en']}” goes on, which is said by {how}"
    if not part and facts.is_open:
        how = _ask(situation, "complete_task", f"{which} evidence=…")
        return f"it is over once “{facts.title['en']}” is done, which is said by {how}"
    return None


def _reached(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    """Whoever has found out what a task of first value has brought says it with their own task."""
    stage, name = StepKey.parse(task.key)
    if not name.endswith("/outcome"):
        return _NOTHING
    return Decision(JournalLine(""), writes=[NoteOutcome(stage, name.removesuffix("/outcome"), outcome)])


def _onboarding_again(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    name, _, part = StepKey.parse(task.key).name.partition("/")
    if part != "outcome" and _of_onboarding(situation, task) is None:
        return f"the task of the onboarding that it was about, {name!r}, is over or goes on"
    return _NOTHING


# A renewal that somebody has to approve of


def _approve(situation: Situation, task: StaffTaskFacts) -> str | None:
    contract_id = task.key.removeprefix(f"{APPROVAL_TASK}/")
    how = _ask(situation, "approve_renewal", f"contract_id={contract_id} decision=approve role=… by=…")
    return f"it is over once somebody has approved or rejected, which is said by {how}"


def _approved(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    return "what was to be approved of is decided; ask for another version"


# A renewal that a case keeps from being talked about


def _release(situation: Situation, task: StaffTaskFacts) -> str | None:
    contract = situation.customer.contract(StepKey.parse(task.key).name)
    held = guard_of(situation).renewal_held(contract.term.ends_at) if contract else None
    cases = {case.case_id for case in situation.service.cases}
    case_id = next((hold.source for hold in held.holds if hold.source in cases), None) if held else None
    if case_id is None:
        return None
    how = _ask(situation, "release_for_renewal", f"case_id={case_id} decision=release role=service_manager by=…")
    return f"it is over once somebody has decided, which is said by {how}"


def _decided(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    return _clearing(f"renewal_held:{StepKey.parse(task.key).name}")


def _asked_anew(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    return "whether a renewal may be talked about is asked anew when a case keeps it from that again"


# An unhappy answer


def _called(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    source = task.key.removeprefix(SURVEY)
    if situation.customer.survey(source) is not None:
        return Decision(JournalLine(""), writes=[RecordAcknowledgement(source, by)])
    case_id = source.rpartition("-")[0]
    return Decision(JournalLine(""), writes=[NoteOnCase(case_id, "followed_up", by, {"outcome": outcome})])


# Help, and customers who are to be won back


def _clearing(attention: str) -> Decision:
    return Decision(JournalLine(""), Outcome(attention={attention: None}))


def _helped(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    stages: dict[str, Stage | None] = {adoption.STAGE: Stage(status=adoption.STEADY)}
    over = Outcome(drop=[f"{adoption.STAGE}/follow-up-*"], stages=stages, attention={"low_adoption": None})
    return Decision(JournalLine(""), over)


def _helps_again(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    if not situation.customer.holds_term(situation.as_of):
        return "nothing that they could be helped with is left"
    stages: dict[str, Stage | None] = {adoption.STAGE: Stage(status=adoption.HELPING)}
    begins = Outcome(plan=[adoption.next_follow_up(situation)], stages=stages, attention={"low_adoption": task.title})
    return Decision(JournalLine(""), begins)


def _won_back(situation: Situation, task: StaffTaskFacts, by: str, outcome: str) -> Decision:
    return _clearing("lapsed")


def _lapsed_again(situation: Situation, task: StaffTaskFacts) -> Decision | str:
    if any(situation.customer.day_of(_over(task)) <= purchase.day for purchase in situation.customer.purchases):
        return "they have ordered since"
    return Decision(JournalLine(""), Outcome(attention={"lapsed": task.title}))


def _over(task: StaffTaskFacts) -> datetime:
    return task.closed_at or task.opened_at


_ANYTHING = Matter("")
_MATTERS = (
    Matter(f"{StageKind.ONBOARDING.value}:", instead=_of_onboarding, ended=_reached, again=_onboarding_again),
    Matter(f"{APPROVAL_TASK}/", instead=_approve, again=_approved),
    Matter(f"{RENEWAL_TASK}/", instead=_release, ended=_decided, again=_asked_anew),
    Matter(SURVEY, ended=_called, reviewed=True),
    Matter(f"{adoption.HELP_TASK}/"),  # a further step of help, which goes on without it
    Matter(adoption.HELP_TASK, ended=_helped, again=_helps_again),
    Matter(reorder.LAPSE_TASK, ended=_won_back, again=_lapsed_again),
)
