"""Carrying out what decisions about holds and leads write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.pool import Connection
from activities.service.case_events import add_events, new_event
from domain.frame.customer import Customer
from domain.frame.sales_holds import HoldReason
from domain.holds.holds import Hold
from domain.holds.writes import (
    AddEvidence,
    FileLead,
    ForgetHeldSteps,
    HoldBackStep,
    KeepHolds,
    LiftManualHold,
    NoteChased,
    NoteOnCase,
    NoteReminded,
    PlaceManualHold,
    RecordAcknowledgement,
    RecordOverride,
    RecordRelease,
    RecordTold,
    ReleaseMails,
    RewriteMail,
    RouteLead,
    SettleLead,
    WarnOfLead,
    WithdrawMail,
)
from domain.journey import telling
from domain.service.case import Happened


@dataclass(frozen=True)
class Place:
    """Where and when is written: the transaction, the customer, the instant."""

    connection: Connection
    customer: Customer
    as_of: datetime

    @property
    def account_id(self) -> str:
        """The customer's account."""
        return self.customer.account.account_id

    def staff_id(self, who: str) -> str:
        """The staff id behind `owner` or `success_manager`."""
        return (self.customer.owner if who == "owner" else self.customer.success_manager).staff_id


async def carry_out_hold_writes(place: Place, writes: Iterable[Any]) -> None:
    """Each write, in order."""
    for write in writes:
        await _HANDLERS[type(write)](place, write)


async def _keep_holds(place: Place, write: KeepHolds) -> None:
    """What no longer follows from the facts is lifted; a manual hold ends by its own time."""
    holds = write.holds
    await place.connection.execute(
        _LIFT_PAST,
        place.account_id,
        place.as_of,
        telling.LIFTED,
        [hold.source for hold in holds],
        [hold.reason.value for hold in holds],
    )
    ids = [f"{place.account_id}/{hold.source}/{hold.reason}/{place.as_of.isoformat()}" for hold in holds]
    rows = [
        _hold_row(place, id, hold, hold.reason, hold.source, hold.since, hold.review_at)
        for id, hold in zip(ids, holds, strict=True)
    ]
    await place.connection.executemany(_HOLD, rows)


def _hold_row(
    place: Place,
    hold_id: str,
    hold: Hold | PlaceManualHold,
    reason: str,
    source: str,
    since: datetime,
    review_at: datetime | None,
    by: str | None = None,
) -> tuple[Any, ...]:
    scope = "product" if hold.product else "customer"
    told = f"{telling.HELD[hold.level]}: {hold.says}"
    what = (scope, hold.product, hold.level, reason, source, hold.says)
    return (hold_id, place.account_id, *what, since, review_at, place.as_of, by, told)


_HOLD = f"""
with kept as (
       insert into sales_hold (hold_id, account_id, scope, product_code, level, reason, source, says, since, review_at, recorded_at,
         placed_by, case_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, (select case_id from service_case where case_id = $7))
       on conflict (account_id, source, reason) where lifted_at is null
       do update set level = excluded.level, says = excluded.says, review_at = excluded.review_at
       returning *)
{INTO} select 'hold:' || hold_id || '/Sales held', account_id, since, 'hold', $13, coalesce(placed_by, 'system'), 'case/' || case_id,
       'staff' from kept {AS_TOLD}
"""
_LIFT = """
with lifted as (
       update sales_hold set lifted_at = $2, lifted_by = {by} where account_id = $1 and lifted_at is null and {which} returning *)
{INTO} select 'hold:' || hold_id || '/Hold lifted', account_id, lifted_at, 'hold', $3 || ': ' || says, lifted_by, 'case/' || case_id,
       'staff' from lifted {AS_TOLD}
"""
_LIFT_PAST = _LIFT.format(
    INTO=INTO,
    AS_TOLD=AS_TOLD,
    by="'service'",
    which="case when reason = 'manual' then review_at <= $2"
    " else (source, reason) not in (select * from unnest($4::text[], $5::text[])) end",
)
_LIFT_MANUAL = _LIFT.format(INTO=INTO, AS_TOLD=AS_TOLD, by="$4", which="hold_id = $5 and reason = 'manual'")


async def _place_manual_hold(place: Place, write: PlaceManualHold) -> None:
    row = _hold_row(place, write.hold_id, write, HoldReason.MANUAL, write.hold_id, place.as_of, write.until, write.by)
    await place.connection.execute(_HOLD, *row)


async def _lift_manual_hold(place: Place, write: LiftManualHold) -> None:
    given = (place.account_id, place.as_of, telling.LIFTED, write.by, write.hold_id)
    await place.connection.execute(_LIFT_MANUAL, *given)


async def _record_override(place: Place, write: RecordOverride) -> None:
    override = write.override
    await place.connection.execute(
        "insert into hold_override (override_id, account_id, case_ids, by, role, reason, since, until)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        override.id,
        place.account_id,
        list(write.case_ids),
        override.by,
        override.role,
        override.reason,
        override.since,
        override.until,
    )


async def _record_acknowledgement(place: Place, write: RecordAcknowledgement) -> None:
    await place.connection.execute(
        "insert into hold_acknowledgement (account_id, source, by, at) values ($1, $2, $3, $4)"
        " on conflict (account_id, source, by) do update set at = excluded.at",
        place.account_id,
        write.source,
        write.by,
        place.as_of,
    )


async def _record_release(place: Place, write: RecordRelease) -> None:
    await place.connection.execute(
        "insert into renewal_release (release_id, account_id, case_id, by, role, released, reason, at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        write.release_id,
        place.account_id,
        write.case_id,
        write.by,
        write.role,
        write.released,
        write.reason,
        place.as_of,
    )


async def _release_mails(place: Place, write: ReleaseMails) -> None:
    await place.connection.execute(
        # It has the date of the day on which it leaves.
        "update outbox set status = 'waiting', reason = null, leaves_at = null, body = body || jsonb_build_object('at', $2::text)"
        " where delivery_id = any($1::text[]) and status = 'held'",
        list(write.delivery_ids),
        place.as_of.isoformat(),
    )


async def _rewrite_mail(place: Place, write: RewriteMail) -> None:
    await place.connection.execute(
        "update outbox set body = body || $2 where delivery_id = $1 and status = 'held'", write.delivery_id, write.body
    )


async def _withdraw_mail(place: Place, write: WithdrawMail) -> None:
    await place.connection.execute(
        "update outbox set status = 'withdrawn', settled_at = $2, reason = $3 where delivery_id = $1 and status = 'held'",
        write.delivery_id,
        place.as_of,
        write.reason,
    )
    await place.connection.execute(  # a survey that never left has asked nobody
        "update survey set withdrawn_at = $3 where account_id = $1 and score is null and survey_id = ("
        "select body->'context'->>'survey_id' from outbox where delivery_id = $2 and status = 'withdrawn')",
        place.account_id,
        write.delivery_id,
        place.as_of,
    )


async def _hold_back_step(place: Place, write: HoldBackStep) -> None:
    await place.connection.execute(
        "insert into held_step (account_id, key, purpose, product_code, step, held_at) values ($1, $2, $3, $4, $5, $6)"
        " on conflict (account_id, key) do update set step = excluded.step",
        place.account_id,
        write.step.key,
        write.purpose.value,
        write.product,
        write.step.model_dump(mode="json"),
        place.as_of,
    )


async def _forget_held_steps(place: Place, write: ForgetHeldSteps) -> None:
    exact = not write.key.endswith("*")
    await place.connection.execute(
        f"delete from held_step where account_id = $1 and {'key = $2' if exact else 'starts_with(key, $2)'}",
        place.account_id,
        write.key.removesuffix("*"),
    )


async def _note_on_case(place: Place, write: NoteOnCase) -> None:
    # The case's row is locked, so that the number is free still when the line is written.
    await place.connection.execute("select 1 from service_case where case_id = $1 for update", write.case_id)
    detail = {"name": write.name, **write.detail}
    noted = new_event(place.as_of, Happened.CUSTOM, write.by, detail, visibility="internal")
    await add_events(place.connection, write.case_id, [noted])


async def _record_told(place: Place, write: RecordTold) -> None:
    await place.connection.execute(
        "update case_seen set told_at = $3 where case_id = $1 and staff_id = $2",
        write.case_id,
        write.staff_id,
        place.as_of,
    )


async def _note_chased(place: Place, write: NoteChased) -> None:
    column = "escalated_at" if write.escalated else "reminded_at"
    await place.connection.execute(
        f"update staff_task set {column} = $3 where account_id = $1 and key = 'survey/' || $2 and closed_at is null",
        place.account_id,
        write.source,
        place.as_of,
    )


async def _note_reminded(place: Place, write: NoteReminded) -> None:
    await place.connection.execute(
        "update sales_hold set reminded_at = $3 where account_id = $1 and source = $2 and lifted_at is null",
        place.account_id,
        write.case_id,
        place.as_of,
    )


async def _file_lead(place: Place, write: FileLead) -> None:
    await place.connection.execute(
        "insert into lead (lead_id, account_id, contact_id, product_code, motion, evidence, case_id, urgency, consent, status,"
        " sourced_by, filed_at, routed_to, routed_at, due_at, offer_id)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $16, $9, $10, $11, $12, $13, $14, $15)",
        write.lead_id,
        place.account_id,
        write.contact_id,
        write.product,
        write.motion,
        write.evidence,
        write.case_id,
        write.urgency,
        write.status,
        write.sourced_by,
        place.as_of,
        place.staff_id(write.routed_to) if write.routed_to else None,
        place.as_of if write.routed_to else None,
        write.due_at,
        write.offer_id,
        write.consent,
    )


async def _add_evidence(place: Place, write: AddEvidence) -> None:
    await place.connection.execute(
        "update lead set evidence = left(evidence || E'\\n' || $2, 4000) where lead_id = $1",
        write.lead_id,
        write.evidence,
    )


async def _route_lead(place: Place, write: RouteLead) -> None:
    await place.connection.execute(
        "update lead set status = 'routed', routed_to = $2, routed_at = $3, due_at = $4, rerouted = rerouted + $5"
        " where lead_id = $1",
        write.lead_id,
        place.staff_id(write.to),
        place.as_of,
        write.due_at,
        int(write.again),
    )


async def _settle_lead(place: Place, write: SettleLead) -> None:
    sold = write.status == "won"
    await place.connection.execute(
        "update lead set status = $2, reason = $4, answered_at = coalesce(answered_at, $5),"
        " answered_by = coalesce(answered_by, $3), closed_at = case when $6 then $5 else closed_at end,"
        " closed_by = case when $7 then $3 else closed_by end, order_id = coalesce($8, order_id) where lead_id = $1",
        write.lead_id,
        write.status,
        write.by,
        write.reason,
        place.as_of,
        write.closed,
        sold,
        write.order_id,
    )


async def _warn_of_lead(place: Place, write: WarnOfLead) -> None:
    await place.connection.execute("update lead set warned_at = $2 where lead_id = $1", write.lead_id, place.as_of)


_HANDLERS: dict[type[Any], Callable[[Place, Any], Awaitable[None]]] = {
    KeepHolds: _keep_holds,
    PlaceManualHold: _place_manual_hold,
    LiftManualHold: _lift_manual_hold,
    RecordOverride: _record_override,
    RecordAcknowledgement: _record_acknowledgement,
    RecordRelease: _record_release,
    RewriteMail: _rewrite_mail,
    ReleaseMails: _release_mails,
    WithdrawMail: _withdraw_mail,
    HoldBackStep: _hold_back_step,
    ForgetHeldSteps: _forget_held_steps,
    NoteOnCase: _note_on_case,
    RecordTold: _record_told,
    NoteChased: _note_chased,
    NoteReminded: _note_reminded,
    FileLead: _file_lead,
    AddEvidence: _add_evidence,
    RouteLead: _route_lead,
    SettleLead: _settle_lead,
    WarnOfLead: _warn_of_lead,
}

HOLD_WRITES = tuple(_HANDLERS)
