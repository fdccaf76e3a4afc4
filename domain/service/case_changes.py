"""What each request does to a case: one function per kind, pure. All raise what forbids it and change nothing then."""

from __future__ import annotations

from datetime import datetime

from domain.frame.case_words import WAITING, CaseState
from domain.frame.keys import case_key
from domain.frame.step_words import plain
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal
from domain.service import case_care, case_mails, case_surveys
from domain.service.case import CaseAccount, CaseContact, Happened
from domain.service.case_effects import NewMessage, digest_of
from domain.service.case_requests import (
    AddNote,
    Cancel,
    Close,
    CustomerMessage,
    Identify,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Wait,
)
from domain.service.casework import Work
from domain.service.errors import TransitionNotAllowedError
from domain.service.lifecycle import (
    AfterMessage,
    CaseFacts,
    ChangeRequest,
    after_message,
    allowed_after,
    check_change,
)
from domain.service.opening import CaseChannel, OpenCase

_TURNS = frozenset(
    {
        Happened.CREATED,
        Happened.WAITING,
        Happened.RESUMED,
        Happened.RESOLVED,
        Happened.CLOSED,
        Happened.REOPENED,
        Happened.CANCELLED,
        Happened.MERGED,
    }
)


def open_case(work: Work, document: OpenCase) -> None:
    """A new case: somebody takes it, the customer hears that we have it, sales hears that it is there."""
    case = work.case
    detail = {"channel": case.channel, "priority": case.priority.value, "category": case.category}
    work.happened(Happened.CREATED, case.opened_at, document.by, detail)
    if document.body or document.message_id:
        work.keep_message(
            NewMessage(
                direction="inbound",
                channel=case.channel,
                at=case.opened_at,
                body=document.body,
                subject=document.subject,
                sender=case.contact.email or "",
                message_id=document.message_id,
                references=document.references,
                automatic=document.automatic,
            )
        )
    if document.owner is not None:
        case_care.give_to(work, document.owner, document.team or case.team, document.by)
    work.line("opened", f"Case {case.case_id} opened: {case.subject}", case.opened_at, document.by)
    work.report("opened", work.as_of)
    case_care.look_after(work)
    if not document.automatic and document.channel is not CaseChannel.IMPORT:
        case_mails.acknowledge(work)


def respond(work: Work, request: Respond) -> None:
    """An agent writes to the customer, or has spoken with them. Whoever answers a new case takes it."""
    case = work.case
    if case.status in (CaseState.CLOSED, CaseState.MERGED, CaseState.CANCELLED):
        where = f"write to {case.merged_into!r}" if case.merged_into else "reopen it first"
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} is {case.status.value}; {where}")
    at = work.moment(request.at)
    by_mail = request.channel is CaseChannel.MAIL and not request.sent
    if by_mail and not work.reachable:
        said = "the customer has no working mail address; tell them otherwise, and say by which channel"
        raise Refusal(NOT_ALLOWED, "this cannot be mailed", [Problem(field="channel", problem=said)])
    if case.status is CaseState.NEW and (owner := case.owner_id or _taker(work, request.by)):
        case_care.give_to(work, owner, case.team, request.by)
    # A mail leaves now, whenever it is said to have been written.
    work.happened(Happened.AGENT_MESSAGE, work.as_of if by_mail else at, request.by, {"channel": request.channel.value})
    mailed = by_mail and case_mails.reply(work, request.body, request.by, request.files_from)
    if not mailed:
        known = {one.message_id for one in work.before.messages}
        work.keep_message(
            NewMessage(
                direction="outbound",
                channel=request.channel.value,
                at=at,
                body=request.body,
                sender=request.by,
                message_id=None if request.message_id in known else request.message_id,
            )
        )
    work.answer["mailed"] = mailed
    case_surveys.followed_up(work)


def _taker(work: Work, by: str) -> str | None:
    """Whoever answers takes the case, if they are one of our people. Where nobody is known to serve, any id will do."""
    return by if by in work.before.staff or not work.before.agents else None


def note(work: Work, request: AddNote) -> None:
    """A note among ourselves."""
    at = work.moment(request.at)
    work.happened(Happened.NOTE, at, request.by, {"body": request.body}, internal=not request.shared)
    case_surveys.followed_up(work)


def wait(work: Work, request: Wait) -> None:
    """The case waits for somebody."""
    to = CaseState(f"waiting_{request.waiting_for.value}")
    at = turn(work, to, request.at, reason=request.reason)
    if request.until is not None and request.until <= work.as_of:
        said = f"{request.until.isoformat()} has passed; give a later instant"
        raise Refusal(NOT_ALLOWED, "the case cannot wait until then", [Problem(field="until", problem=said)])
    work.happened(Happened.WAITING, at, request.by, {"status": to.value, "reason": request.reason})
    if to is CaseState.WAITING_CUSTOMER:
        work.report("waiting", at)  # a customer's silence ends a hold in time
    work.change(status=to, status_at=at, status_reason=request.reason, resume_at=request.until)


def resume(work: Work, request: Resume) -> None:
    """The case is worked on again."""
    if work.case.status not in WAITING:
        _refuse_turn(work, "it does not wait")
    at = turn(work, CaseState.OPEN, request.at)
    work.happened(Happened.RESUMED, at, request.by, {"status": CaseState.OPEN})
    work.change(status=CaseState.OPEN, status_at=at, status_reason="", resume_at=None)


def resolve(work: Work, request: Resolve) -> None:
    """The work is done: the customer hears what, and is asked later how it was."""
    at = turn(work, CaseState.RESOLVED, request.at, code=request.code, text=request.text)
    detail = {"status": CaseState.RESOLVED, "code": request.code}
    work.happened(Happened.RESOLVED, at, request.by, detail)
    work.change(
        status=CaseState.RESOLVED,
        status_at=at,
        status_reason="",
        resume_at=None,
        resolved_at=at,
        resolution_code=request.code,
        resolution_text=request.text,
        escalated=False,
        escalated_at=None,
    )
    case_mails.resolved(work, request.by)
    work.line("resolved", f"Case {work.case_id} resolved: {plain(request.code)}", at, request.by)
    work.report("resolved", at)


def reopen(work: Work, request: Reopen) -> None:
    """A case that was thought done goes on."""
    if work.case.status not in (CaseState.RESOLVED, CaseState.CLOSED):
        _refuse_turn(work, "it has not ended")
    at = turn(work, CaseState.OPEN, request.at)
    reopen_at(work, at, request.by, request.reason)


def reopen_at(work: Work, at: datetime, by: str, reason: str) -> None:
    case = work.case
    work.happened(Happened.REOPENED, at, by, {"status": CaseState.OPEN, "reason": reason})
    if case.resolved_at is not None:
        work.withdrawn.append(case_key(case.case_id, f"survey/{case.resolved_at.isoformat()}"))
    status = CaseState.OPEN if case.owner_id else CaseState.NEW
    work.change(
        status=status,
        status_at=at,
        status_reason="",
        resolved_at=None,
        closed_at=None,
        resolution_code=None,
        resolution_text=None,
        reopen_count=case.reopen_count + 1,
    )
    case_care.burn_again(work, at)
    work.line("reopened", f"Case {case.case_id} reopened: {reason}", at, by)
    work.report("reopened", at)


def close(work: Work, request: Close) -> None:
    """A resolved case is final. Sales heard of the resolution; that nothing more came changes nothing for them."""
    at = turn(work, CaseState.CLOSED, request.at)
    work.happened(Happened.CLOSED, at, request.by, {"status": CaseState.CLOSED, "reason": request.reason})
    work.change(status=CaseState.CLOSED, status_at=at, status_reason=request.reason, closed_at=at)
    work.change(escalated=False, escalated_at=None)
    work.line("closed", f"Case {work.case_id} closed", at, request.by)


def cancel(work: Work, request: Cancel) -> None:
    """Nobody needs it any more."""
    at = turn(work, CaseState.CANCELLED, request.at, reason=request.reason, by_customer=request.by_customer)
    work.happened(Happened.CANCELLED, at, request.by, {"status": CaseState.CANCELLED, "reason": request.reason})
    work.change(
        status=CaseState.CANCELLED,
        status_at=at,
        status_reason=request.reason,
        closed_at=at,
        resume_at=None,
        escalated=False,
        escalated_at=None,
    )
    work.line("cancelled", f"Case {work.case_id} cancelled", at, request.by)
    work.report("closed", at)


def customer_message(work: Work, request: CustomerMessage) -> None:
    """The customer wrote or called. What it does depends on where the case stands; it is kept whatever it does."""
    case = work.case
    namesakes = [one for one in work.before.messages if one.message_id and one.message_id == request.message_id]
    heard = {one.digest for one in work.before.messages if one.direction == "inbound"}
    if namesakes and digest_of(request.body) in heard:
        work.answer.update(known=True)
        return
    # Where a case was opened after its customer wrote, the message counts from its opening.
    at = work.moment(max(request.at, case.opened_at) if request.at else None)
    effect = after_message(facts_of(work), at, work.before.desk.rules)
    if effect is AfterMessage.GOES_TO_MERGE_TARGET:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} was merged; write to {case.merged_into!r}")
    if effect is AfterMessage.NEW_LINKED_CASE and not request.automatic:
        work.answer.update(new_case=True)
        return
    if not request.automatic:
        if effect in (AfterMessage.REOPENS, AfterMessage.RESUMES):
            at = max(at, case.status_at)  # written before the case ended or waited, and heard of only now
        if effect is AfterMessage.REOPENS:
            reopen_at(work, at, request.by, "the customer wrote again")
        elif effect is AfterMessage.RESUMES:
            work.happened(Happened.RESUMED, at, request.by, {"status": CaseState.OPEN})
            work.change(status=CaseState.OPEN, status_at=at, status_reason="", resume_at=None)
    detail = {"channel": request.channel.value, **({"automatic": True} if request.automatic else {})}
    work.happened(Happened.CUSTOMER_MESSAGE, at, request.by, detail)
    work.keep_message(
        NewMessage(
            direction="inbound",
            channel=request.channel.value,
            at=at,
            body=request.body,
            subject=request.subject,
            sender=request.sender or case.contact.email or "",
            message_id=None if namesakes else request.message_id,  # another text under an id that is taken
            in_reply_to=request.in_reply_to,
            references=request.references,
            automatic=request.automatic,
        )
    )
    if not request.automatic:
        case_mails.pass_on(work, request)
    work.answer.update(effect=effect.value if not request.automatic else "kept")


def identify(work: Work, request: Identify, account: CaseAccount, contact: CaseContact | None) -> None:
    """Whose the case is comes to light. How they can be reached stays as they wrote it."""
    case = work.case
    if case.account_id is not None:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} belongs to {case.account_id!r}; open a new case instead")
    if request.contact_id is not None and (contact is None or contact.contact_id != request.contact_id):
        problem = Problem(field="contact_id", problem=f"{request.contact_id!r} is no contact of {account.account_id!r}")
        raise Refusal(NOT_ALLOWED, "the case cannot be identified", [problem])
    known = (
        contact if contact is not None and (contact.email or "").lower() == (case.contact.email or "").lower() else None
    )
    contact_id = request.contact_id or (known.contact_id if known else None)
    work.change(account_id=account.account_id, contact_id=contact_id)
    work.happened(Happened.IDENTIFIED, work.as_of, request.by, {"account_id": account.account_id})
    work.line("opened", f"Case {case.case_id} is this customer's: {case.subject}", work.as_of, request.by)
    work.report("opened", work.as_of)


def facts_of(work: Work) -> CaseFacts:
    case = work.case
    return CaseFacts(
        state=case.status,
        version=case.version,
        owner=case.owner_id,
        open_children=work.before.open_children,
        ended_at=case.ended_at,
    )


def turn(
    work: Work,
    to: CaseState,
    at: datetime | None,
    *,
    reason: str = "",
    code: str = "",
    text: str = "",
    by_customer: bool = False,
) -> datetime:
    """When the case becomes `to`, once that is allowed: not before what it last became."""
    last = max((event.at for event in work.all_events() if event.kind in _TURNS), default=work.case.opened_at)
    moment = max(work.moment(at, after=last), last)
    change = ChangeRequest(
        to=to,
        at=moment,
        reason=reason,
        resolution_code=code,
        resolution_text=text,
        by_customer=by_customer,
    )
    check_change(facts_of(work), change, work.before.desk.rules)
    return moment


def _refuse_turn(work: Work, why: str) -> None:
    allowed = tuple(state.value for state in allowed_after(work.case.status))
    raise TransitionNotAllowedError(
        f"the case is {work.case.status.value}: {why}; it can become {', '.join(allowed) or 'nothing else'}", allowed
    )
