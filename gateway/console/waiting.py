"""What came in and waits for a person: a mail of which no rule knows whose it is, an event of another system that could not be done."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from activities.frame import event_rows
from activities.frame.event_rows import FOR_PEOPLE
from activities.mail import inbox as inbox_rows
from domain.frame.access import WriteAct, require_act
from domain.kernel.refusals import UNKNOWN_MAIL, Problem, Refusal
from domain.mail.reading import InboundMail, read_mail
from gateway.acting import Subject, of_account, of_case
from gateway.api.problems import status_of
from gateway.calling import NoAnswerError
from gateway.console.acts import new_request_id
from gateway.console.visit import Visit
from gateway.events.desk import UNKNOWN_EVENT, EventDesk
from gateway.reading_json import read_value

LONGEST_TEXT = 60_000
"""Letters of a mail or an event that a page shows."""
_AWAY = Refusal("NoDesk", "this console takes nothing in: ask whoever runs it, or use the command line")


async def one_mail(visit: Visit) -> Response:
    """A mail, who wrote it, and what can be done about it."""
    return await _mail_page(visit)


async def settle_mail(visit: Visit) -> Response:
    """Takes a mail to a customer or a case, or says that it needs nothing."""
    try:
        await _settle_mail(visit, await _mail(visit))
    except NoAnswerError as error:
        return await _mail_page(visit, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except Refusal as refusal:
        return await _mail_page(visit, status_of(refusal), str(refusal))
    return visit.to("/", done="mail")


async def _settle_mail(visit: Visit, row: dict[str, Any]) -> None:
    inbox, acting = visit.place.inbox, visit.place.acting
    if inbox is None:
        raise _AWAY
    said = {name: visit.form.get(name, "").strip() for name in ("do", "account", "case", "reason")}
    inbox_id, by = row["inbox_id"], visit.who.by
    about, reason = Subject("mail", inbox_id), said["reason"][:400]
    if said["do"] == "discard":
        if not reason:
            raise Refusal("InvalidDecision", "the mail waits on", [Problem(field="reason", problem="say why")])
        async with acting.noted(visit.who, about, "discard_mail", new_request_id(), reason):
            await inbox.discard(inbox_id, reason, by=by)
        return
    account, case = (said["account"], "") if said["do"] == "account" else ("", said["case"])
    if not account and not case:
        named = "account" if said["do"] == "account" else "case"
        raise Refusal(
            "InvalidDecision", "the mail waits on", [Problem(field=named, problem="say whose it is, by its id")]
        )
    await (acting.sees(visit.who, account) if account else acting.sees_case(visit.who, case))
    subject = of_account(account) if account else of_case(case)
    async with acting.noted(visit.who, subject, "assign_mail", new_request_id(), f"mail {inbox_id}"):
        await inbox.assign(inbox_id, account_id=account or None, case_id=case or None, by=by)


async def _mail(visit: Visit) -> dict[str, Any]:
    """The mail of the path. Raises `Refusal` for what is none, or is not for the reader."""
    require_act(visit.who, WriteAct.SETTLE_MAIL)
    async with visit.place.doors.pool.acquire() as connection:
        row = await inbox_rows.find_mail(connection, visit.id("inbox_id", UNKNOWN_MAIL))
    if row is None:
        raise Refusal(UNKNOWN_MAIL, "there is no such mail, or more than one")
    if row["case_id"]:
        await visit.place.acting.sees_case(visit.who, row["case_id"])
    elif row["account_id"]:
        await visit.place.acting.sees(visit.who, row["account_id"])
    return row


async def _mail_page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, wrong: str = "") -> Response:
    row = await _mail(visit)
    read: InboundMail = await asyncio.to_thread(
        read_mail, row["raw"], recipients=row["recipients"], return_path=row["return_path"]
    )
    return visit.page(
        "mail.html",
        status,
        row=row,
        mail=read,
        text=read.text[:LONGEST_TEXT],
        quoted=read.quoted[:LONGEST_TEXT],
        waits=row["status"] in inbox_rows.WAITING,
        wrong=wrong,
        typed=visit.form,
    )


async def one_event(visit: Visit) -> Response:
    """An event of another system: what it says, why it waits, and what can be done about it."""
    return await _event_page(visit)


async def settle_event(visit: Visit) -> Response:
    """Looks at an event once more, as it came or as a person corrects it; or says that it needs nothing."""
    try:
        await _settle_event(visit, await _event(visit))
    except Refusal as refusal:
        return await _event_page(visit, status_of(refusal), str(refusal))
    return visit.to("/", done="event_discarded" if visit.form.get("do") == "discard" else "event")


async def _settle_event(visit: Visit, row: dict[str, Any]) -> None:
    desk = EventDesk(visit.place.doors)
    event_id, do, reason = row["event_id"], visit.form.get("do", ""), visit.form.get("reason", "").strip()[:400]
    about, mended = Subject("event", event_id), None
    if row["status"] not in FOR_PEOPLE:
        raise Refusal("EventSettled", "the event does not wait any more")
    if do == "discard" and not reason:
        raise Refusal("InvalidDecision", "the event waits on", [Problem(field="reason", problem="say why")])
    if do == "mend":
        mended = visit.form.get("body", "").encode()
        try:
            read_value(mended)
        except ValueError as error:
            problem = Problem(field="body", problem=str(error)[:300])
            raise Refusal("InvalidEvent", "what was typed cannot be read as JSON", [problem]) from error
    operation = {"discard": "discard_event", "mend": "mend_event"}.get(do, "replay_event")
    async with visit.place.acting.noted(visit.who, about, operation, new_request_id(), reason):
        if do == "discard":
            await desk.discard(event_id, reason, visit.who.name)
        else:
            await desk.replay([event_id], mended)


async def _event(visit: Visit) -> dict[str, Any]:
    require_act(visit.who, WriteAct.SETTLE_EVENT)
    async with visit.place.doors.pool.acquire() as connection:
        row = await event_rows.find_event(connection, visit.id("event_id", UNKNOWN_EVENT))
    if row is None:
        raise Refusal(UNKNOWN_EVENT, "there is no such event, or more than one")
    if row["account_id"]:
        await visit.place.acting.sees(visit.who, row["account_id"])
    return row


async def _event_page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, wrong: str = "") -> Response:
    row = await _event(visit)
    body = visit.form.get("body") or _pretty(row["body"])
    return visit.page(
        "event.html",
        status,
        row=row,
        body=body if len(body) <= LONGEST_TEXT else "",
        shown=body[:LONGEST_TEXT],
        waits=row["status"] in FOR_PEOPLE,
        wrong=wrong,
        typed=visit.form,
    )


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")
