"""The mails of a case to its customer, and what our own people are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.frame.case_words import state_in_words
from domain.service.case_effects import CaseMail
from domain.service.case_requests import CustomerMessage
from domain.service.casework import Work
from domain.service.closings import ends_of
from domain.service.definitions import ActionClass
from domain.service.milestone_actions import PlannedAction

_DESK = {"ja": "サポート窓口"}
_DESK_NAME = "Customer service"


def acknowledge(work: Work) -> None:
    """The customer hears that we have it, and by when they hear from us."""
    promised = next(
        (row.due_at for row in work.milestones.values() if row.kind == "first_response" and row.due_at), None
    )
    answer_by = promised.isoformat() if promised else None
    _mail(work, f"{work.key}#opened", "case_opened", {"answer_by": answer_by})


def reply(work: Work, body: str, by: str, files_from: str | None = None) -> bool:
    """An agent's message, in the agent's own words and name, with the files of the mail that it came by."""
    names = [person.name for person in work.before.staff.values()]
    content = {"paragraphs": _paragraphs(body), "ends": ends_of(body, names).value}
    id = f"{work.key}#reply"
    return _mail(work, id, "case_reply", content, by=by, automatic=False, body=body, files_from=files_from)


def pass_on(work: Work, request: CustomerMessage) -> None:
    """The agent who has the case gets a copy of what the customer wrote in answer, unless they have it already."""
    agent = work.before.staff.get(work.case.owner_id or "")
    if agent is None or request.sender is None or not request.body:
        return
    if agent.email.lower() in {address.lower() for address in (*request.recipients, request.sender)}:
        return
    who = work.case.contact.name or request.sender
    title = f"{who} wrote in case {work.case_id}"
    lines = [work.case.subject, f"All that was written is in case {work.case_id}."]
    work.copy(f"{work.key}/copy#{agent.staff_id}", agent, title, lines, request.body)


def nudge(work: Work, key: str, *, again: bool) -> None:
    """The customer is reminded that we wait for them; `again`: not for the first time."""
    since = work.case.status_at.isoformat()
    _mail(work, f"{key}#mail", "case_nudge", {"since": since, "reason": work.case.status_reason, "again": again})


def resolved(work: Work, by: str) -> None:
    """What was done, in the words and the name of whoever did it."""
    text, id = work.case.resolution_text or "", f"{work.key}#resolved"
    _mail(work, id, "case_resolved", {"paragraphs": _paragraphs(text)}, by=by, body=text, asked_for=True)


def survey(work: Work, key: str, survey_id: str) -> bool:
    """One question about the resolution. False without an address: there is nobody to ask."""
    return _mail(work, f"{key}#mail", "case_survey", {"survey_id": survey_id})


def about_claim(work: Work, id: str, template: str, context: dict[str, Any], body: str) -> bool:
    """What came of money that was asked back. It is owed, so it is not counted among the automatic mails of a day."""
    return _mail(work, id, template, context, automatic=False, body=body)


def about_milestone(work: Work, planned: PlannedAction) -> None:
    """A milestone's mail to the customer: an apology unless the policy names another template."""
    template = planned.action.template or work.before.desk.apology
    if planned.action.when is ActionClass.VIOLATION and any(mail.template == template for mail in work.mails):
        return  # two promises that break in the same moment are one apology
    _mail(work, f"{planned.key}#mail", template, {"milestone": planned.milestone})


def tell_staff(work: Work, planned: PlannedAction, roles: Sequence[str]) -> None:
    """A warning or a violation for our own people."""
    case = work.case
    row = work.milestones.get(planned.occurrence) or next(
        (row for row in work.before.milestones if row.key == planned.occurrence), None
    )
    name = planned.milestone.replace("_", " ")
    match planned.action.when:
        case ActionClass.WARNING:
            title = f"Case {case.case_id}: {name} is due soon"
        case ActionClass.VIOLATION:
            title = f"Case {case.case_id}: {name} is late"
        case _:
            title = f"Case {case.case_id}: {name} was done in time"
    lines = [
        case.subject,
        f"Priority {case.priority.value}, {state_in_words(case.status)}, owner {work.named(case.owner_id)}.",
    ]
    work.notify(planned.key, roles, title, lines, due=row.due_at if row else None)


def _mail(
    work: Work,
    id: str,
    template: str,
    context: dict[str, Any],
    *,
    by: str = "",
    automatic: bool = True,
    asked_for: bool = False,
    body: str = "",
    files_from: str | None = None,
) -> bool:
    case, staff = work.case, work.before.staff
    agent = staff.get(by) or staff.get(case.owner_id or "")
    language = case.contact.language.split("-")[0]
    account = work.before.account
    common = {
        "case_id": case.case_id,
        "subject": case.subject,
        "company": account.name if account else "",
        "contact_name": case.contact.name,
        "seller": work.before.seller,
        "sender_name": agent.name if agent else _DESK.get(language, _DESK_NAME),
    }
    content = {**common, **context}
    mail = CaseMail(
        id,
        template,
        content,
        automatic=automatic,
        body=body,
        asked_for=asked_for,
        files_from=files_from,
    )
    return work.mail(mail, case.subject)


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
