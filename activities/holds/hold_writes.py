"""Carrying out what decisions about holds and leads write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.handlers import Handlers, Place, Sql, inserted, on, updated
from activities.frame.telling import AS_TOLD, INTO
from activities.holds.hold_rows import BY_HAND
from activities.kernel.inserts import or_update
from domain.frame.sales_holds import HoldReason
from domain.frame.service_facts import LeadStatus
from domain.holds.holds import Hold
from domain.holds.writes import (
    AddEvidence,
    FileLead,
    ForgetHeldSteps,
    HoldBackStep,
    KeepHolds,
    LiftManualHold,
    NoteChased,
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


async def _keep_holds(place: Place, writes: list[KeepHolds]) -> None:
    """What no longer follows from the facts is lifted; a manual hold ends by its own time."""
    await _LIFT_PAST(place, writes)
    kept = [
        _Held(
            f"{place.account_id}/{hold.source}/{hold.reason}/{place.as_of.isoformat()}",
            hold,
            hold.reason,
            hold.source,
            hold.since,
            hold.review_at,
        )
        for write in writes
        for hold in write.holds
    ]
    await _HOLD(place, kept)


async def _place_manual_holds(place: Place, writes: list[PlaceManualHold]) -> None:
    await _HOLD(place, [_Held(w.hold_id, w, w.reason, w.hold_id, place.as_of, w.until, w.by) for w in writes])


@dataclass(frozen=True)
class _Held:
    """A hold as it is put on record."""

    hold_id: str
    of: Hold | PlaceManualHold
    reason: HoldReason
    source: str
    since: datetime
    review_at: datetime | None
    by: str | None = None

    @property
    def scope(self) -> str:
        return "product" if self.of.product else "customer"

    @property
    def told(self) -> str:
        return f"{telling.HELD[self.of.level]}: {self.of.says}"


_HOLD = Sql(f"""
with kept as (
       insert into sales_hold (hold_id, account_id, scope, product_code, level, reason, source, says, since, review_at, recorded_at,
         placed_by, case_id)
       values (:hold_id, :account_id, :scope, :of.product, :of.level, :reason, :source, :of.says, :since, :review_at, :as_of, :by,
         (select case_id from service_case where case_id = :source))
       on conflict (account_id, source, reason) where lifted_at is null
       do update set level = excluded.level, says = excluded.says, review_at = excluded.review_at
       returning *)
{INTO} select 'hold:' || hold_id || '/Sales held', account_id, since, 'hold', :told, coalesce(placed_by, 'system'), 'case/' || case_id,
       'staff' from kept {AS_TOLD}
""")


def _lifting(which: str, by: str, **more: Callable[[Any, Any], Any]) -> Sql:
    return Sql(
        f"""
with lifted as (
       update sales_hold set lifted_at = :as_of, lifted_by = {by} where account_id = :account_id and lifted_at is null and {which}
       returning *)
{INTO} select 'hold:' || hold_id || '/Hold lifted', account_id, lifted_at, 'hold', :lifted || ': ' || says, lifted_by,
       'case/' || case_id, 'staff' from lifted {AS_TOLD}
""",
        lifted=lambda *_: telling.LIFTED,
        **more,
    )


_LIFT_PAST = _lifting(
    f"case when reason in ({BY_HAND}) then review_at <= :as_of"
    " else (source, reason) not in (select * from unnest(:sources::text[], :reasons::text[])) end",
    "'service'",
    sources=lambda _, write: [hold.source for hold in write.holds],
    reasons=lambda _, write: [hold.reason.value for hold in write.holds],
)
_LEAD = (
    "lead_id account_id contact_id product_code=product motion evidence case_id urgency consent status sourced_by filed_at=as_of"
    " routed_to=owner routed_at due_at offer_id"
)
_SETTLE_LEAD = Sql(
    "update lead set status = :status, reason = :reason, answered_at = coalesce(answered_at, :as_of),"
    " answered_by = coalesce(answered_by, :by), closed_at = case when :closed then :as_of else closed_at end,"
    " closed_by = case when :won then :by else closed_by end, order_id = coalesce(:order_id, order_id) where lead_id = :lead_id",
    won=lambda _, write: write.status == LeadStatus.WON,
)
_ROUTE_LEAD = Sql(
    "update lead set status = 'routed', routed_to = :person, routed_at = :as_of, due_at = :due_at,"
    " rerouted = rerouted + :again::boolean::int where lead_id = :lead_id",
    person=lambda place, write: place.staff_id(write.to),
)
# It has the date of the day on which it leaves.
_RELEASE = Sql(
    "update outbox set status = 'waiting', reason = null, leaves_at = null, body = body || jsonb_build_object('at', :leaves::text)"
    " where delivery_id = any(:delivery_ids::text[]) and status = 'held'",
    leaves=lambda place, _: place.as_of.isoformat(),
)
_WITHDRAW = updated("outbox", "status='withdrawn' settled_at=as_of reason", "delivery_id status='held'")
# A survey, or a question for a reference, that never left has asked nobody.
_UNASKED = Sql(
    "update survey set withdrawn_at = :as_of where account_id = :account_id and score is null and survey_id = ("
    "select body->'context'->>'survey_id' from outbox where delivery_id = :delivery_id and status = 'withdrawn')"
)


_NO_REFERENCE = Sql(
    "update reference_ask set withdrawn_at = :as_of where account_id = :account_id and answer is null and reference_id = ("
    "select body->'context'->>'reference_id' from outbox where delivery_id = :delivery_id and status = 'withdrawn')"
)


async def _withdraw_mails(place: Place, writes: list[WithdrawMail]) -> None:
    await _WITHDRAW(place, writes)
    await _UNASKED(place, writes)
    await _NO_REFERENCE(place, writes)


HANDLERS: Handlers = dict(
    [
        on(KeepHolds, _keep_holds),
        on(PlaceManualHold, _place_manual_holds),
        on(LiftManualHold, _lifting(f"hold_id = :hold_id and reason in ({BY_HAND})", ":by")),
        on(
            RecordOverride,
            inserted(
                "hold_override",
                "override_id=override.id account_id case_ids by=override.by role=override.role reason=override.reason"
                " since=override.since until=override.until",
            ),
        ),
        on(
            RecordAcknowledgement,
            inserted("hold_acknowledgement", "account_id source by at=as_of", or_update("account_id source by", "at")),
        ),
        on(
            RecordRelease, inserted("renewal_release", "release_id account_id case_id by role released reason at=as_of")
        ),
        on(ReleaseMails, _RELEASE),
        on(
            RewriteMail,
            Sql("update outbox set body = body || :body where delivery_id = :delivery_id and status = 'held'"),
        ),
        on(WithdrawMail, _withdraw_mails),
        on(
            HoldBackStep,
            inserted(
                "held_step",
                "account_id key=step.key purpose product_code=product step=as_json held_at=as_of",
                or_update("account_id key", "step"),
                as_json=lambda _, write: write.step.model_dump(mode="json"),
            ),
        ),
        on(
            ForgetHeldSteps,
            Sql(
                "delete from held_step where account_id = :account_id"
                " and (key = :key or right(:key, 1) = '*' and starts_with(key, left(:key, -1)))"
            ),
        ),
        on(RecordTold, updated("case_seen", "told_at=as_of", "case_id staff_id")),
        on(
            NoteChased,
            Sql(
                "update staff_task set escalated_at = case when :escalated then :as_of else escalated_at end,"
                " reminded_at = case when :escalated then reminded_at else :as_of end"
                " where account_id = :account_id and key = 'survey/' || :source and closed_at is null"
            ),
        ),
        on(NoteReminded, updated("sales_hold", "reminded_at=as_of", "account_id source=case_id", "lifted_at is null")),
        on(
            FileLead,
            inserted(
                "lead",
                _LEAD,
                owner=lambda place, write: place.staff_id(write.routed_to),
                routed_at=lambda place, write: place.as_of if write.routed_to else None,
            ),
        ),
        on(
            AddEvidence,
            Sql("update lead set evidence = left(evidence || E'\\n' || :evidence, 4000) where lead_id = :lead_id"),
        ),
        on(RouteLead, _ROUTE_LEAD),
        on(SettleLead, _SETTLE_LEAD),
        on(WarnOfLead, updated("lead", "warned_at=as_of", "lead_id")),
    ]
)
