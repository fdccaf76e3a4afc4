"""What becomes of events: each is asked of the journey or the case that it is for, once; what cannot be done yet waits, and what cannot be
done at all waits for a person.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.frame import event_rows
from activities.frame.event_rows import EventStatus, InboundEvent
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.frame.access import AccessRole, Principal
from domain.journey.registry import BEGINNINGS, CASE, JOURNEY
from domain.kernel.refusals import Refusal
from gateway.acting import Acting
from gateway.attended import ATTEMPTS, PATIENCE, all_of, delay_after, look_again_and_again, passes, raise_if_cancelled
from gateway.doors import Doors
from gateway.events.mapping import USAGE, Asked, EventError, MappingError, kept_mapping
from gateway.events.signatures import Call
from gateway.events.taking import take
from gateway.reading_json import read_value
from gateway.writing import RowStatus, Writing

UNKNOWN_LINK = "UnknownLink"
UNKNOWN_EVENT = "UnknownEvent"
WAITS_FOR = timedelta(days=30)
"""So long an event waits for what it names to be on record; then a person looks at it."""
_LONGEST_DELAY = timedelta(hours=1)
_DOOR = "event"
_ROLES = frozenset({AccessRole.PROGRAM, AccessRole.SERVICE})

_log = logging.getLogger(__name__)


def source_of(name: str) -> Principal:
    """A source, as whoever asks: a program, and of cases what service may."""
    return Principal(f"source:{name}", name, _ROLES)


@dataclass(frozen=True)
class _Came:
    """How an event has ended so far, and whose it is."""

    status: EventStatus
    reason: str = ""
    account_id: str | None = None

    def worst(self, other: _Came) -> _Came:
        order = (EventStatus.IGNORED, EventStatus.DONE, EventStatus.WAITING, EventStatus.FAILED)
        first, second = sorted((self, other), key=lambda one: order.index(one.status), reverse=True)
        return _Came(first.status, first.reason or second.reason, first.account_id or second.account_id)


class EventDesk:
    """Takes events in, and does what they ask."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._kept = asyncio.Event()

    async def receive(self, source: str, call: Call, at: datetime) -> tuple[str, datetime] | None:
        """Keeps an event that its source has signed: its id, and when it came first. Null for one that is not believed."""
        taken = await take(self._doors.pool, source, call, at)
        self._kept.set()
        return taken

    async def run(self) -> None:
        """Does what events ask, those of an earlier process included, until it is cancelled."""
        await look_again_and_again("events", self._kept, self.settle_new)

    async def settle_new(self) -> int:
        """Looks at every event whose turn it is; returns how many there were."""
        return await all_of(self._settle_next)

    async def _settle_next(self) -> bool:
        async with self._doors.pool.acquire() as connection, connection.transaction():
            event = await event_rows.claim_event(connection, present())
            if event is None:
                return False
            try:
                async with connection.transaction():  # whatever is wrong with one, the next ones get their turn
                    await self._settle(connection, event, await self._done(connection, event))
            except Exception as error:
                raise_if_cancelled(error)
                said = f"{type(error).__name__}: {error}"
                if passes(error) or event.attempts < ATTEMPTS:
                    _log.warning("event %s is tried again later: %s", event.event_id, type(error).__name__)
                    await self._later(connection, event, EventStatus.NEW, said, None)
                else:
                    await event_rows.settle_event(
                        connection, event.event_id, EventStatus.FAILED, present(), reason=said[:500]
                    )
            return True

    async def _settle(self, connection: Connection, event: InboundEvent, came: _Came) -> None:
        if came.status is EventStatus.WAITING:
            if present() - event.received_at < WAITS_FOR:
                await self._later(connection, event, came.status, came.reason, came.account_id)
                return
            came = _Came(EventStatus.FAILED, f"waited for {WAITS_FOR.days} days: {came.reason}", came.account_id)
        await event_rows.settle_event(
            connection,
            event.event_id,
            came.status,
            present(),
            reason=came.reason[:500],
            account_id=came.account_id,
        )

    async def _later(
        self, connection: Connection, event: InboundEvent, status: EventStatus, why: str, account_id: str | None
    ) -> None:
        at = present() + delay_after(event.attempts, _LONGEST_DELAY)
        await event_rows.postpone_event(connection, event.event_id, status, at, why[:500], account_id)

    # What an event asks

    async def _done(self, connection: Connection, event: InboundEvent) -> _Came:
        """Does what every event of a delivery asks. What is wrong with one keeps none of the others back."""
        try:
            mapping = kept_mapping(event.mapping, event.source)
            items = mapping.items(read_value(event.body), event.headers)
        except (EventError, MappingError, ValueError) as error:
            return _Came(EventStatus.FAILED, f"it cannot be read: {error}")
        came = _Came(EventStatus.IGNORED, "no rule is for it")
        for number, item in enumerate(items):
            try:
                own = mapping.id_of(item, event.headers)
                asked = mapping.asked_by(item, event.headers)
            except EventError as error:
                came = came.worst(_Came(EventStatus.FAILED, str(error)))
                continue
            item_id = own or (event.foreign_id if len(items) == 1 else f"{event.foreign_id}/{number}")
            came = came.worst(await self._all_of(connection, event, item_id, asked))
        return came if came.status is not EventStatus.DONE else _Came(came.status, "", came.account_id)

    async def _all_of(self, connection: Connection, event: InboundEvent, item_id: str, asked: Sequence[Asked]) -> _Came:
        """One event's rules in their order; what comes after one that cannot be done waits with it."""
        came = _Came(EventStatus.IGNORED)
        for one in asked:
            if await event_rows.was_done(connection, event.source, item_id, one.rule):
                came = came.worst(_Came(EventStatus.DONE))
                continue
            account_id = one.account
            try:
                account_id = account_id or await self._linked(connection, event.source, one)
                request_id = _request_id(event.source, item_id, one.rule)
                async with asyncio.timeout(PATIENCE.total_seconds()):
                    subject = await self._ask(event, one, account_id, request_id)
            except Refusal as refusal:
                waits = refusal.type.startswith("Unknown")
                said = f"{one.rule}: {refusal.type}: {refusal}"
                status = EventStatus.WAITING if waits else EventStatus.FAILED
                return came.worst(_Came(status, said, account_id or _account_in(one)))
            account_id = account_id or _account_in(one)
            await event_rows.note_effect(connection, event, item_id, one.rule, one.operation, subject, present())
            if account_id is not None:
                await event_rows.wake(connection, account_id, present())
            came = came.worst(_Came(EventStatus.DONE, "", account_id))
        return came

    async def _linked(self, connection: Connection, source: str, asked: Asked) -> str | None:
        """The account that a foreign id is linked to, if that is how the rule says whose it is."""
        if asked.linked is None:
            return None
        found = await event_rows.linked_account(connection, source, asked.linked)
        if found is None:
            said = f"{asked.linked!r} of {source} is linked to no account: `perennial events link {source} {asked.linked} ACCOUNT`"
            raise Refusal(UNKNOWN_LINK, said)
        return found

    async def _ask(self, event: InboundEvent, asked: Asked, account_id: str | None, request_id: str) -> str:
        """Asks it under an id that is the same at every try; the subject of which it was asked."""
        who, request = source_of(event.source), dict(asked.request)
        acting = Acting(self._doors, _DOOR, f"event {event.foreign_id}")
        if asked.operation == USAGE:
            return await self._record_usage(who, request, account_id, request_id)
        kind = JOURNEY.get(asked.operation) or CASE[asked.operation]
        if "request_id" in kind.model.model_fields:
            request.setdefault("request_id", request_id)
        if asked.operation in BEGINNINGS:
            if account_id is not None and asked.operation == "open_case":
                request["account_id"] = account_id
            elif account_id is not None:
                request["account"] = {**request.get("account", {}), "account_id": account_id}
            await acting.carry_out(who, asked.operation, "", request)
            named = request.get("case_id") if asked.operation == "open_case" else _account_of(request)
            return f"{'case' if asked.operation == 'open_case' else 'account'}/{named}"
        if asked.operation in JOURNEY:
            await acting.ask(who, str(account_id), asked.operation, request)
            return f"account/{account_id}"
        await acting.ask_case(who, str(asked.case), asked.operation, request)
        return f"case/{asked.case}"

    async def _record_usage(
        self, who: Principal, request: dict[str, Any], account_id: str | None, request_id: str
    ) -> str:
        rows = request.get("rows")
        if not isinstance(rows, list):
            raise Refusal("InvalidUsage", "`rows` must be a list of rows of usage")
        given = {} if account_id is None else {"account_id": account_id}
        answer = await Writing(self._doors, _DOOR).record_usage(who, [{**row, **given} for row in rows], request_id)
        for row in answer.rows:
            if row.status is RowStatus.REFUSED:
                raise Refusal(row.code or "InvalidUsage", f"rows[{row.index}]: {row.detail}", row.problems)
        return f"usage/{len(rows)}"

    # People

    async def replay(self, event_ids: Sequence[str], mended: bytes | None = None) -> None:
        """Events are looked at once more, now; what they have done is not done again. `mended`: the body as a person has corrected it.

        Raises `Refusal`: UnknownEvent.
        """
        async with self._doors.pool.acquire() as connection, connection.transaction():
            for event_id in event_ids:
                await _held(connection, event_id)
            await event_rows.try_again(connection, event_ids, present(), mended)
        self._kept.set()

    async def discard(self, event_id: str, reason: str, by: str) -> None:
        """A person says that an event needs nothing; it is kept. Raises `Refusal`: UnknownEvent."""
        async with self._doors.pool.acquire() as connection, connection.transaction():
            await _held(connection, event_id)
            await event_rows.settle_event(
                connection, event_id, EventStatus.DISCARDED, present(), reason=reason[:500], by=by
            )


async def _held(connection: Connection, event_id: str) -> InboundEvent:
    found = await event_rows.hold_event(connection, event_id)
    if found is None:
        raise Refusal(UNKNOWN_EVENT, f"there is no event {event_id!r}; `perennial events list` shows them")
    return found


def _request_id(source: str, item_id: str, rule: str) -> str:
    return f"ev-{hashlib.sha256(f'{source}/{item_id}/{rule}'.encode()).hexdigest()[:32]}"


def _account_of(request: dict[str, Any]) -> str | None:
    account = request.get("account")
    return str(account["account_id"]) if isinstance(account, dict) and "account_id" in account else None


def _account_in(asked: Asked) -> str | None:
    """The account that a request itself names."""
    named = asked.request.get("account_id")
    return str(named) if named is not None else _account_of(asked.request)
