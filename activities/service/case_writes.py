"""What a piece of work on a case changes, written once it is decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from activities.claims.claim_rows import save_claims
from activities.frame.staff_rows import STAFF_TASK, find_staff
from activities.frame.telling import AS_TOLD, INTO, telling
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.service.case_events import add_events, new_event
from domain.frame.staff_tasks import task_id
from domain.journey.telling import event_told, promise_told
from domain.service.case import CaseFile, CsatFacts, Happened, MilestoneFacts
from domain.service.case_care import burning_for
from domain.service.case_effects import NewMessage, StaffTask
from domain.service.case_handling import urgency_of
from domain.service.casework import Work

_COLUMNS = tuple(CaseFile.model_fields)


def _values(case: CaseFile) -> list[Any]:
    values = case.model_dump()
    values["contact"] = case.contact.model_dump(
        mode="json", exclude_defaults=True, exclude={"rejected", "unsubscribed"}
    )
    return [values[name] for name in _COLUMNS]


async def save_work(connection: Connection, work: Work, message_ids: dict[str, str]) -> None:
    """Everything that a piece of work changes. `message_ids`: the Message-ID of each of its mails."""
    case_id, as_of = work.case_id, work.as_of
    await _save_row(connection, work)
    names = {id: person.name for id, person in work.before.staff.items()}
    await add_events(connection, case_id, work.events, subject=work.case.subject, names=names)
    await _save_messages(connection, case_id, len(work.before.messages), work.messages, message_ids)
    await save_milestones(connection, case_id, work.case.account_id, work.milestones.values())
    await _ACTION.add(connection, [(key, case_id, at) for key, at in work.fired.items()])
    surveys = [_SURVEY.row(one, case_id=case_id, comment=_comment(work, one.survey_id)) for one in work.surveys]
    await _SURVEY.insert.add(connection, surveys)
    await save_claims(connection, work.claims)
    for key in work.withdrawn:
        await _withdraw(connection, case_id, key, work)
    given = [event.detail.get("owner") for event in work.events if event.kind == "assigned"]
    for owner in filter(None, given):
        await connection.execute("update service_agent set assigned_at = $2 where staff_id = $1", owner, as_of)
    await _save_tasks(connection, work)
    if work.absorbed_into is not None:
        await _absorb(connection, work, work.absorbed_into)


async def _save_tasks(connection: Connection, work: Work) -> None:
    """What our people are to do for the customer, and what is done. While nobody knows whose the case is, a notice has to do."""
    account_id = work.case.account_id
    await connection.executemany(
        "update staff_task set closed_at = $3, ended = 'done', ended_by = 'system', outcome = $4"
        " where account_id = $1 and key = $2 and closed_at is null",
        [(account_id, key, work.as_of, f"case {work.case_id}") for key in work.settled_tasks],
    )
    if account_id:
        await STAFF_TASK.add(connection, [_task_row(account_id, one, work.as_of) for one in work.tasks])


def _task_row(account_id: str, task: StaffTask, as_of: datetime) -> tuple[Any, ...]:
    given = {"account_id": account_id, "opened_at": as_of, "task_id": task_id(account_id, task.key, as_of)}
    return _TASK.row(task, **given, staff_id=task.to.staff_id, due_at=task.due)


async def _save_row(connection: Connection, work: Work) -> None:
    values = _values(work.case)
    if work.fresh:
        await _CASE.add(connection, [(*values, work.as_of)])
        return
    before = _values(work.before.case)
    changes = [(name, new) for name, old, new in zip(_COLUMNS, before, values, strict=True) if old != new]
    if changes:
        sets = ", ".join(f'"{name}" = ${n}' for n, (name, _) in enumerate(changes, start=2))
        await connection.execute(
            f"update service_case set {sets} where case_id = $1", work.case_id, *(new for _, new in changes)
        )
    if work.case.account_id != work.before.case.account_id:
        await _move_timeline(connection, work)


async def _move_timeline(connection: Connection, work: Work) -> None:
    """The case of somebody unknown turned out to be a customer's, or another customer's: its past goes with it."""
    case, before = work.case, work.before
    owners = [str(event.detail["owner"]) for event in before.events if event.detail.get("owner")]
    names = {id: person.name for id, person in (await find_staff(connection, owners)).items()}
    told = [
        *(
            line
            for one in before.events
            for line in event_told(case.account_id, case.case_id, case.subject, one, names)
        ),
        *(line for one in before.milestones for line in promise_told(case.account_id, case.case_id, one) if line["at"]),
    ]
    await connection.execute(_MOVE, before.case.account_id, f"case/{case.case_id}", told)


_MOVE = f"""
with gone as (
       delete from timeline_item where account_id = $1 and link = $2 and (starts_with(key, 'case:') or starts_with(key, 'promise:'))
       and not key in (select l.key from jsonb_populate_recordset(null::timeline_item, $3) l))
{INTO} select l.* from jsonb_populate_recordset(null::timeline_item, $3) l {AS_TOLD}
"""


_TASK = STAFF_TASK.of(StaffTask, "account_id opened_at task_id staff_id due_at")
_ACTION = Insert("case_action", "key case_id at")
_SURVEY = Insert(
    "case_survey",
    "survey_id case_id sent_at score answered_at comment sent_to",
    or_update("survey_id", "score answered_at comment"),
).of(CsatFacts, "case_id comment")
_CASE = Insert("service_case", f"{' '.join(_COLUMNS)} recorded_at")
_MESSAGE = Insert(
    "case_message",
    "case_id number direction channel message_id in_reply_to references sender recipient subject body at automatic template"
    " delivery_id=mail_id",
).of(NewMessage, "case_id number message_id references")
_KEPT = "started_at target due_at warned_at completed_at violated_at violation_target reversed_at elapsed state counted_from"
_MILESTONE = Insert(
    "case_milestone", f"case_id milestone number kind {_KEPT}", or_update("case_id milestone number", _KEPT)
).of(MilestoneFacts, "case_id")
_PROMISE = telling(_MILESTONE.insert.statement, len(_MILESTONE.insert.columns) + 1)


async def _save_messages(
    connection: Connection, case_id: str, known: int, messages: list[NewMessage], message_ids: dict[str, str]
) -> None:
    rows = [
        _MESSAGE.row(
            m,
            case_id=case_id,
            number=number,
            message_id=message_ids.get(m.mail_id, m.message_id) if m.mail_id else m.message_id,
            references=list(m.references),
        )
        for number, m in enumerate(messages, start=known + 1)
    ]
    await _MESSAGE.insert.add(connection, rows)


async def save_milestones(
    connection: Connection, case_id: str, whose: str | None, promises: Iterable[MilestoneFacts]
) -> None:
    """Promises of a case as they stand. `whose`: the account, which is told of them."""
    rows = [(*_MILESTONE.row(one, case_id=case_id), list(promise_told(whose, case_id, one))) for one in promises]
    await connection.executemany(_PROMISE, rows)


async def _withdraw(connection: Connection, case_id: str, key: str, work: Work) -> None:
    """What an action wrote and has not left yet never does."""
    stopped = await connection.fetchval(
        "with stopped as (update outbox set status = 'withdrawn', settled_at = $2, reason = 'not wanted any more'"
        " where starts_with(delivery_id, $1 || '#') and status in ('waiting', 'held') returning 1)"
        " select count(*) from stopped",
        key,
        work.as_of,
    )
    await connection.execute(
        "update case_action set withdrawn_at = $3 where case_id = $1 and key = $2 and withdrawn_at is null",
        case_id,
        key,
        work.as_of,
    )
    if stopped and "/survey/" in key:
        await connection.execute(
            "update case_survey set withdrawn_at = $2 where case_id = $1 and answered_at is null", case_id, work.as_of
        )


async def _absorb(connection: Connection, work: Work, target: str) -> None:
    """The case that another one went up in: it learns of it, and has its followers too."""
    owed, reasons = work.owed_since, burning_for(work) if work.before.case.escalated else []
    detail = {
        "case_id": work.case_id,
        **({"goes_on": True, **urgency_of(work)} if work.goes_on else {}),
        **({"unanswered_since": owed.isoformat()} if owed else {}),
        **({"burning_for": reasons} if reasons else {}),
    }
    absorbed = new_event(work.as_of, Happened.ABSORBED, work.events[-1].by, detail)
    await add_events(connection, target, [absorbed])
    await connection.execute(
        "update service_case set version = version + 1, followers ="
        " array(select distinct unnest(followers || $2::text[] || array[$3])) where case_id = $1",
        target,
        work.case.followers,
        work.case.contact_id or work.case.contact.email or "",
    )


def _comment(work: Work, survey_id: str) -> str | None:
    return next(
        (
            str(event.detail.get("comment") or "")
            for event in work.events
            if event.kind == "rated" and event.detail.get("survey_id") == survey_id
        ),
        None,
    )
