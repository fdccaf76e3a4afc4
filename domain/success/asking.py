"""Asking customers: whether they would recommend us, twice a year, how easy it was to begin, once; and what an answer calls for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.mail_names import contact_in_words
from domain.frame.messages import OwnWords
from domain.frame.sales_holds import AskedBefore, Purpose, SurveyKind
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import SurveyFacts
from domain.holds import holding, unhappy
from domain.holds.guard import guard_of
from domain.holds.writes import HoldBackStep
from domain.kernel.base import Write
from domain.kernel.calendar import start_of_day
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.success import conversation, low_scores, references
from domain.success.requests import AnswerSurvey
from domain.success.throttling import (
    AskedLast,
    SurveyRules,
    Withheld,
    answer_counts,
    asked_last,
    calls_for_follow_up,
    relationship_survey_withheld,
)
from domain.success.writes import RecordSurveyAnswer, SendSurvey

STAGE = "adoption"
KIND = "adoption_survey"
SURVEYS = SurveyRules()
COMPANY_WITHIN = timedelta(days=21)
"""So long after its own day a question may wait for a check-in to go with, so that the customer has one mail less to read."""
NOTHING_LEFT_WAITS = timedelta(days=30)
"""A customer of whom nothing runs at the moment may renew late: they are asked then."""
NOT_FOLLOWED_UP_WAITS = timedelta(days=14)
"""Whoever waits for a word about what they answered last is not asked again: so long until that is looked at anew."""


@dataclass(frozen=True)
class SurveyQuestion:
    """A survey of the journey: how its steps are named, its scale, and what its answers are called."""

    kind: SurveyKind
    name: str
    low: int
    high: int
    answered: str
    call: str
    asked: str


RECOMMEND = SurveyQuestion(
    SurveyKind.NPS,
    "survey",
    0,
    10,
    "Survey answered: {} of 10",
    "Call a detractor ({} of 10)",
    "Asked whether they would recommend us, they answered {} of 10",
)
EFFORT = SurveyQuestion(
    SurveyKind.CES,
    "effort",
    1,
    7,
    "Survey about the start answered: {} of 7",
    "Call about a hard start ({} of 7)",
    "Asked how easy it was to get started, they answered {} of 7",
)


def question_of(step: Step) -> SurveyQuestion:
    """What a step asks."""
    return EFFORT if step.name.startswith(f"{EFFORT.name}-") else RECOMMEND


def after_go_live(situation: Situation, *, told: bool = False) -> list[Step]:
    """The surveys that follow on a go-live of now, as the playbook has them: each unless it was asked before. `told`: the customer hears
    of it by mail, along with which goes what is asked at once."""
    terms, customer = situation.playbook.adoption, situation.customer
    found = []
    if terms.survey_after is not None and not customer.surveys:
        found.append(_on_day(situation, RECOMMEND, terms.survey_after))
    if terms.effort_after is not None and not customer.efforts:
        found.append(_on_day(situation, EFFORT, terms.effort_after))
    return [_at_once(situation, step, along=told) if step.on <= situation.today else step for step in found]


def _at_once(situation: Situation, step: Step, *, along: bool) -> Step:
    now = situation.step_now(KIND, STAGE, step.name)
    return now.having(along=along)


def taken_over(situation: Situation) -> list[Step]:
    """The first question to a customer who is taken over now and went live elsewhere: half a year after they came, and no sooner
    after us than after a go-live."""
    settles = situation.playbook.adoption.survey_after
    if settles is None or situation.customer.surveys:
        return []
    due = _day_of(situation, situation.customer.account.since) + SURVEYS.relationship_every
    return [
        _from(situation, f"{RECOMMEND.name}-", max(due, _day_of(situation, situation.as_of) + timedelta(days=settles)))
    ]


def without_go_live(situation: Situation) -> list[str]:
    """What of those falls away with a go-live that was none."""
    asked = {RECOMMEND: situation.customer.surveys, EFFORT: situation.customer.efforts}
    return [f"{STAGE}/{one.name}-*" for one, before in asked.items() if not before]


def _on_day(situation: Situation, question: SurveyQuestion, days: int) -> Step:
    day = situation.in_days(days)
    return situation.step(KIND, STAGE, f"{question.name}-{day}", day)


def next_survey(situation: Situation, asked_at: datetime | None = None) -> Step:
    """The next question whether they would recommend us, half a year after the one of `asked_at`, now by default."""
    until = _day_of(situation, asked_at or situation.as_of) + SURVEYS.relationship_every
    return _from(situation, f"{RECOMMEND.name}-", until)


def goes_on(situation: Situation) -> list[Step]:
    """The next survey of a customer who comes back: half a year after the last one, and not as the first thing that they hear."""
    if not situation.customer.surveys:
        return []
    due = last_asked(situation) + SURVEYS.relationship_every
    return [_from(situation, f"{RECOMMEND.name}-", max(due, situation.as_of + SURVEYS.contact_every))]


def anew() -> list[str]:
    """What falls away where a customer begins again: what was to be asked before."""
    return [f"{STAGE}/{one.name}-*" for one in (RECOMMEND, EFFORT)]


def last_asked(situation: Situation) -> datetime:
    """The day on which the customer was asked last whether they would recommend us, of those who were, by its first instant."""
    return _day_of(situation, max(one.sent_at for one in situation.customer.surveys))


def _day_of(situation: Situation, at: datetime) -> datetime:
    """The first instant of a local day: half a year and thirty days count in days, whatever seconds a server takes."""
    return start_of_day(situation.customer.day_of(at), situation.customer.account.time_zone)


def _from(situation: Situation, name: str, until: datetime) -> Step:
    """A survey on the first morning from an instant on."""
    day = situation.customer.day_of(until)
    step = situation.step(KIND, STAGE, f"{name}{day}", day)
    if step.at >= until:
        return step
    day += timedelta(days=1)
    return situation.step(KIND, STAGE, f"{name}{day}", day)


def survey(situation: Situation, step: Step) -> Decision:
    """The customer is asked: not while service holds them, nor shortly after a case, nor too often. What is put off is not dropped."""
    question, contact = question_of(step), situation.customer.contact()
    following = Outcome(plan=[next_survey(situation)]) if question is RECOMMEND else Outcome()
    if not situation.customer.holds_term(situation.as_of):
        return _put_off(situation, step, situation.as_of + NOTHING_LEFT_WAITS, "nothing sold for a term is left")
    if contact is None:  # the mail finds nobody, which the owner is told; so nobody was asked
        return Decision(JournalLine("Survey not sent: nobody can be reached"), following, mails=[Mail("survey")])
    if low_scores.is_open(situation):
        return _put_off(situation, step, situation.as_of + NOT_FOLLOWED_UP_WAITS, low_scores.NOT_FOLLOWED_UP)
    address = contact.email.lower()
    before = [*_asked_before(situation), *situation.service.asked]
    asked = [one.having(sent_at=_day_of(situation, one.sent_at)) for one in before]
    last_case_at = _last_case_at(situation)
    withheld = relationship_survey_withheld(
        address,
        asked,
        situation.as_of,
        kind=question.kind,
        blocked=guard_of(situation).holds_back(Purpose.SURVEY) is not None,
        last_case_at=last_case_at,
        unsubscribed=not contact.wants("survey"),
        rules=SURVEYS,
    )
    match withheld:
        case Withheld.BLOCKED:
            name = f"{step.name.partition('.')[0]}.{situation.as_of:%Y%m%dT%H%M%S}"
            later = step.having(name=name, along=False)
            return Decision(JournalLine("Survey held back"), writes=[HoldBackStep(later, Purpose.SURVEY)])
        case Withheld.CASE_RECENTLY if last_case_at is not None:
            until = last_case_at + SURVEYS.relationship_after_case
            return _put_off(situation, step, until, "service was at work lately")
        case Withheld.ASKED_RECENTLY if (last := asked_last(address, question.kind, asked, SURVEYS)) is not None:
            return _put_off(situation, step, last.until, _asked_about(last))
        case Withheld.ALREADY_ASKED:
            return _asked_already(situation, step, question)
        case Withheld.UNSUBSCRIBED:
            says = f"Survey not sent: {contact_in_words(contact)} wants no optional mails"
            return Decision(JournalLine(says, kind="mail_unwanted"), following)
    if (day := _in_company_on(situation, step)) is not None:
        return _put_off(
            situation, step, start_of_day(day, situation.customer.account.time_zone), "it goes with a check-in"
        )
    survey_id = f"{question.kind.value}-{situation.customer.account.account_id}-{step.on}"
    return Decision(
        JournalLine("Survey on its way"),
        following + Outcome(said=["Survey on its way"]),
        [SendSurvey(survey_id, question.kind.value, situation.as_of, address)],
        [Mail("survey", {"survey_id": survey_id, "question_kind": question.kind.value})],
    )


def _asked_before(situation: Situation) -> list[AskedBefore]:
    asked = {SurveyKind.NPS: situation.customer.surveys, SurveyKind.CES: situation.customer.efforts}
    return [
        AskedBefore(kind=kind, contact_id=one.sent_to or "", sent_at=one.sent_at)
        for kind, before in asked.items()
        for one in before
    ]


def _in_company_on(situation: Situation, step: Step) -> date | None:
    """The day of a check-in with which a question of today may go: soon after its own day, and as far as is known one that is written."""
    if step.along:
        return None
    last = date.fromisoformat(step.name.partition("-")[2].partition(".")[0]) + COMPANY_WITHIN
    coming = (day for day in situation.kept or () if situation.today < day <= last)
    return next((day for day in sorted(coming) if conversation.writes_on(situation, day)), None)


def _asked_about(last: AskedLast) -> str:
    about = " about a case" if last.survey.kind is SurveyKind.CSAT else ""
    return f"the customer was asked{about} lately"


def _last_case_at(situation: Situation) -> datetime | None:
    found = [
        at for case in situation.service.cases for at in (case.last_activity_at, case.resolved_at) if at is not None
    ]
    return max(found, default=None)


def _asked_already(situation: Situation, step: Step, question: SurveyQuestion) -> Decision:
    """Another survey came first: the rhythm goes on from that one."""
    if question is not RECOMMEND:
        return Decision(JournalLine("Survey not sent: the customer was asked before", kind="skipped"))
    following = next_survey(situation, last_asked(situation))
    if following.name == step.name:
        following = _from(situation, f"{step.name}.", last_asked(situation) + SURVEYS.relationship_every)
    line = JournalLine("Survey not sent: the customer was asked within half a year", kind="skipped")
    return Decision(line, Outcome(plan=[following]))


def _put_off(situation: Situation, step: Step, until: datetime, why: str) -> Decision:
    later = _from(situation, f"{step.name.partition('.')[0]}.", until)
    return Decision(JournalLine(f"Survey put off: {why}"), Outcome(plan=[later]))


def without(situation: Situation, step: Step) -> list[Step]:
    """What follows on a survey that a person leaves out: who is asked twice a year is asked next time."""
    return [next_survey(situation, max(situation.as_of, step.at))] if question_of(step) is RECOMMEND else []


def answer_survey(situation: Situation, request: AnswerSurvey) -> Decision:
    """An answer comes in; whoever is unhappy is called within one business day."""
    found, question = _asked(situation, request)
    if found.answered_at is not None and not answer_counts(found.sent_at, found.answered_at, situation.as_of, SURVEYS):
        said = f"survey {request.survey_id!r} was answered already with {found.score}"
        hours = SURVEYS.edit_within // timedelta(hours=1)
        raise Refusal(NOT_ALLOWED, f"{said}; an answer can be changed for {hours} hours")
    title = question.answered.format(request.score)
    writes: list[Write] = [RecordSurveyAnswer(request.survey_id, request.score, request.comment, situation.as_of)]
    outcome = Outcome(said=[title], answer={"survey_id": request.survey_id})
    decision = Decision(JournalLine(title), outcome, writes)
    if question is RECOMMEND and (asked := references.after_answer(situation, request.score, STAGE)):
        decision += Outcome(plan=asked)
    if calls_for_follow_up(question.kind, request.score, SURVEYS):
        return decision + _to_be_called(situation, request, question, found)
    if found.score is not None and calls_for_follow_up(question.kind, found.score, SURVEYS):
        # they changed their mind for the better
        key, why = f"{low_scores.TASKS}{request.survey_id}", "they answered anew, and better"
        taken_back = CloseStaffTasks(key, situation.as_of, TaskState.TAKEN_BACK, outcome=why)
        return decision + Decision(JournalLine(""), Outcome(plan=holding.after_request(situation)), [taken_back])
    return decision


def _asked(situation: Situation, request: AnswerSurvey) -> tuple[SurveyFacts, SurveyQuestion]:
    """The survey that is answered. Raises `Refusal` for one of somebody else, and for a score that is not on its scale."""
    asked = {RECOMMEND: situation.customer.surveys, EFFORT: situation.customer.efforts}
    sent = {one.survey_id: (one, question) for question, before in asked.items() for one in before}
    if request.survey_id not in sent:
        raise Refusal(
            NOT_ALLOWED,
            f"survey {request.survey_id!r} was not sent to this customer; sent: {', '.join(sent) or 'none'}",
        )
    found, question = sent[request.survey_id]
    if not question.low <= request.score <= question.high:
        problem = Problem(
            field="score", problem=f"{request.score} is not on its scale, {question.low} to {question.high}"
        )
        raise Refusal(INVALID_REQUEST, f"survey {request.survey_id!r} cannot be answered so", [problem])
    return found, question


def _to_be_called(
    situation: Situation, request: AnswerSurvey, question: SurveyQuestion, answered: SurveyFacts
) -> Decision:
    """Somebody talks to them within a business day, which they are told; of a detractor sales has to read it first until then."""
    due_at, due_on = situation.customer.morning(situation.in_days(1))
    call, asked = question.call.format(request.score), question.asked.format(request.score)
    task = OpenStaffTask(f"{low_scores.TASKS}{request.survey_id}", call, "success_manager", due_at, asked)
    again = low_scores.again(situation, request.survey_id)
    caller, next_at = situation.customer.success_manager, situation.customer.morning(due_on + timedelta(days=1))[1]
    lines = [
        OwnWords(request.comment) or "No comment was given.",
        *again,
        f"Please call them by {due_on}.",
        unhappy.otherwise(situation, caller, next_at),
    ]
    if question is RECOMMEND:
        ends = situation.as_of + guard_of(situation).rules.unhappy_for
        lines += [unhappy.what_waits(), unhappy.until_called(situation, ends)]
    else:
        lines.append(unhappy.SETTLED_BY)
    acts = (unhappy.talked(request.survey_id),)
    notice = Notice(question.answered.format(request.score), lines, due=due_at, acts=acts)
    above = situation.customer.manager if again else None
    told = [notice, *([replace(notice, person=above)] if above is not None else [])]
    outcome = Outcome(plan=holding.after_request(situation))
    mails = low_scores.thanks(situation, answered, question.kind, request.score, due_on)
    return Decision(JournalLine(""), outcome, [task], mails, told)
