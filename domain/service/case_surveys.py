"""How it was: whether the customer of a resolved case is asked, what their answer counts for, and who calls the unhappy ones. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.frame.case_words import CaseState
from domain.frame.messages import OwnWords
from domain.frame.sales_holds import AskedBefore, SurveyKind
from domain.kernel.calendar import local_day
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service import case_mails
from domain.service.case import CsatFacts, Happened
from domain.service.case_effects import StaffTask
from domain.service.case_requests import AnswerCsat
from domain.service.casework import SYSTEM, Work
from domain.success.throttling import (
    CaseToAskAbout,
    SurveyRules,
    Withheld,
    answer_counts,
    asked_last,
    calls_for_follow_up,
    case_survey_withheld,
)

RULES = SurveyRules()


def would_be_asked(work: Work) -> bool:
    """Whether the survey of a resolution is to go out as soon as one more mail is not too much."""
    return work.reachable and _withheld(work, _asked_before(work)) is None


def is_too_soon(work: Work, at: datetime) -> bool:
    """Whether a survey at the instant `at` would follow too soon on another one that the customer has by now."""
    return _withheld(work, _asked_before(work), at) is Withheld.ASKED_RECENTLY


def ask(work: Work, key: str) -> None:
    """The survey of a resolution goes out, or a line says why it does not. It is decided once: nobody is asked later instead."""
    case = work.case
    address = (case.contact.email or "").lower()
    asked = _asked_before(work)
    withheld = _withheld(work, asked)
    if withheld is not None:
        last = asked_last(address, SurveyKind.CSAT, asked, RULES)
        why = _says(work, withheld, last.until if last is not None else None)
        detail = {"template": "case_survey", "why": why}
        work.happened(Happened.MAIL_HELD, work.as_of, SYSTEM, detail, internal=True)
        work.line("survey_withheld", f"Case {case.case_id}: no survey, {why}", work.as_of, SYSTEM)
        return
    number = 1 + sum(event.kind is Happened.SURVEYED for event in work.all_events())
    survey_id = f"{case.case_id}-{number}"
    if case_mails.survey(work, key, survey_id):
        work.surveys.append(CsatFacts(survey_id=survey_id, sent_at=work.as_of, sent_to=address))
        work.happened(Happened.SURVEYED, work.as_of, SYSTEM, {"survey_id": survey_id}, internal=True)


def _asked_before(work: Work) -> list[AskedBefore]:
    return [*work.before.asked, *(_asked(work, one) for one in work.before.surveys)]


def _withheld(work: Work, asked: list[AskedBefore], at: datetime | None = None) -> Withheld | None:
    case = work.case
    about = CaseToAskAbout(
        case_id=case.case_id,
        contact_id=(case.contact.email or "").lower(),
        resolved=case.resolved_at is not None and case.status in (CaseState.RESOLVED, CaseState.CLOSED),
        unsubscribed=case.contact.unsubscribed,
    )
    return case_survey_withheld(about, asked, at or work.as_of, RULES)


def _asked(work: Work, survey: CsatFacts) -> AskedBefore:
    return AskedBefore(
        kind=SurveyKind.CSAT, contact_id=survey.sent_to or "", sent_at=survey.sent_at, case_id=work.case_id
    )


def _says(work: Work, withheld: Withheld, again_at: datetime | None) -> str:
    match withheld:
        case Withheld.ALREADY_ASKED:
            return "the customer was asked about this case before"
        case Withheld.ASKED_RECENTLY if again_at is not None:
            account = work.before.account
            zone = account.time_zone if account else work.case.contact.time_zone
            return f"they were asked lately, not again before {local_day(again_at, zone)}"
        case Withheld.UNSUBSCRIBED:
            return "the customer wants no optional mails"
        case _:
            return "it was not resolved"


def answer(work: Work, request: AnswerCsat) -> None:
    """How satisfied the customer is. The latest answer of a survey counts; after a low one somebody talks to them."""
    asked = [one for one in work.before.surveys if request.survey_id in (None, one.survey_id)]
    if not asked:
        which = f"no survey {request.survey_id!r}" if request.survey_id else "no survey"
        raise Refusal(NOT_ALLOWED, f"{which} was sent for case {work.case_id!r}")
    survey = asked[-1]
    _check_in_time(work, survey)
    work.surveys.append(survey.having(score=request.score, answered_at=work.as_of))
    detail = {"survey_id": survey.survey_id, "score": request.score}
    work.happened(Happened.RATED, work.as_of, request.by, {**detail, "comment": request.comment})
    work.line("rated", f"Case {work.case_id} was rated {request.score} of 5", work.as_of, request.by, **detail)
    work.report("rated", work.as_of)  # a bad answer holds sales back, a good one ends the time to cool down
    if _unhappy(request.score):
        _call_back(work, survey.survey_id, request)
    elif _unhappy(survey.score):
        work.settled_tasks.append(_task_key(survey.survey_id))
    work.answer.update(survey_id=survey.survey_id, score=request.score)


def _check_in_time(work: Work, survey: CsatFacts) -> None:
    rated = [
        event.at
        for event in work.before.events
        if event.kind is Happened.RATED and event.detail.get("survey_id") == survey.survey_id
    ]
    if answer_counts(survey.sent_at, min(rated, default=None), work.as_of, RULES):
        return
    said = f"survey {survey.survey_id!r} was sent on {survey.sent_at.date()} and answered for {RULES.answer_within.days} days"
    if rated:
        hours = RULES.edit_within // timedelta(hours=1)
        said = f"survey {survey.survey_id!r} was answered already; an answer can be changed for {hours} hours"
    raise Refusal(NOT_ALLOWED, said)


def _call_back(work: Work, survey_id: str, request: AnswerCsat) -> None:
    """Somebody talks to them within a business day of the case's calendar: the owner, or who stands in."""
    days = RULES.follow_up_business_days
    due = work.as_of + timedelta(days=days)
    if work.clock is not None:
        due = work.clock.add_days(work.as_of, days)
    title = f"Case {work.case_id} was rated {request.score} of 5"
    lines = [
        work.case.subject,
        OwnWords(request.comment) or "No comment.",
        "Please talk to the customer, and note it in the case.",
    ]
    work.notify(f"{work.key}/rated", ("owner", "lead"), title, lines, due=due)
    person = work.person("owner")
    if person is not None:
        reason = f"They rated case {work.case_id} {request.score} of 5; automatic mails wait until somebody has talked to them"
        work.tasks.append(StaffTask(_task_key(survey_id), f"Call back: {title}", person, due, reason))


def followed_up(work: Work) -> None:
    """Somebody wrote, called or noted something: with that, a low answer has been followed up."""
    work.settled_tasks += [_task_key(one.survey_id) for one in work.before.surveys if _unhappy(one.score)]


def _unhappy(score: int | None) -> bool:
    return score is not None and calls_for_follow_up(SurveyKind.CSAT, score, RULES)


def _task_key(survey_id: str) -> str:
    return f"survey/{survey_id}"
