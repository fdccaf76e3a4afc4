"""What the database has lost and the engine's histories still know: named, and done once more as it was done."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import Client

from activities.contracts import holdings
from activities.frame import effects, outbox
from activities.kernel.pool import TRANSPORT_ERRORS, Pool
from domain.frame.flight import Channel
from domain.frame.keys import EffectKey, settled_message
from domain.journey.comparing import Difference, DifferenceKind
from gateway.histories import Act, Remembered, remember, remember_cases

_log = logging.getLogger(__name__)
Redo = Callable[[str, dict[str, Any], str, timedelta], Awaitable[None]]
"""Does an activity once more: its name, what it was given, the business key under which it was done, how long after it was asked for."""
_FROM_OUTSIDE = {"take_up_holdings": "what a file has brought is in no history: import it again"}


@dataclass(frozen=True)
class Restored:
    """How much was done once more and is on record now; what is in its way.

    stopped: the next in turn, which could not be done yet, and why (empty: there is none). waits: for another customer, and for nothing
    that somebody could bring. paused: an order is on record again, and more would follow.
    """

    done: int
    stopped: str = ""
    waits: bool = False
    paused: bool = False


class NotTakenError(LookupError):
    """The other account of a transfer has not taken it, or has refused it."""


class Restorer:
    """Every act has a business key, so that what is on record stays as it is, and what is not is done at its own instant.

    What could not be done once more is kept with its reason, and left to a person.
    """

    def __init__(self, temporal: Client, pool: Pool, redo: Redo) -> None:
        self._temporal = temporal
        self._pool = pool
        self._redo = redo
        self._given_up: dict[str, str] = {}
        self._seen: set[tuple[str, datetime]] = set()
        self.left: set[str | None] = set()
        """accounts of which something could not be done once more"""

    async def lost(self, account_id: str | None, case_ids: Sequence[str] = ()) -> list[Difference]:
        """What the histories of a customer (or of cases of nobody known) say was done, and the database does not know."""
        return [self._said(act) for act in await self._missing(await self._remember(account_id, case_ids))]

    async def restore(
        self,
        account_id: str | None,
        case_ids: Sequence[str] = (),
        *,
        give_up: bool = False,
        pausing: bool = False,
        from_before: bool = False,
    ) -> Restored:
        """Books as sent what was sent, and does what was lost once more, in its order, up to what cannot be done yet.

        give_up: the first that cannot be done is left out, as nothing else is waited for any more. pausing: no more than the next order:
        prices and usage of what it sells are taken from then on. from_before: the database does not know either which messages had
        begun to leave: of those whose end no history knows it is on record that they may have arrived.
        """
        remembered = await self._remember(account_id, case_ids)
        if from_before:  # each in its turn
            async with self._pool.acquire() as connection:
                await outbox.forget_sent_before(connection, account_id or "", list(remembered.sending))
        else:  # its journey is at work, and may carry any of them
            await self._note_sent(account_id, remembered.sent)
        missing = await self._missing(remembered)
        stopped, waits, paused = "", False, False
        for act in missing:
            if act.activity in _FROM_OUTSIDE:
                self._given_up[act.key] = _FROM_OUTSIDE[act.activity]
            if act.key in self._given_up:
                self.left.add(account_id)
                continue
            try:
                if from_before:
                    await self._messages(account_id, remembered, act.as_of)
                await self._check(act)
                await self._redo(act.activity, act.given, act.key, timedelta(0))
            except TRANSPORT_ERRORS:
                raise
            except Exception as error:  # whatever stands in its way may be what another customer has lost
                if not give_up:
                    stopped, waits = (
                        f"{_what(act)}, and cannot be done again yet: {error}",
                        isinstance(error, NotTakenError),
                    )
                    break
                self._given_up[act.key], give_up = f"it could not be done again: {error}", False
                self.left.add(account_id)
            else:
                if pausing and act.is_order and act is not missing[-1]:
                    paused = True
                    break
        if from_before:
            if not (stopped or paused):
                await self._messages(account_id, remembered)
            await self._note_sent(account_id, remembered.sent)
            async with self._pool.acquire() as connection:
                await outbox.note_begun_before(connection, remembered.begun)
        # What was decided otherwise this time, such as to be put off, was done and is not on record under its key.
        done = len(missing) - len(await self._missing(remembered)) if missing else 0
        return Restored(done, stopped, waits, paused)

    async def _messages(self, account_id: str | None, remembered: Remembered, until: datetime | None = None) -> None:
        """What became of messages (up to an instant) becomes of them again, with all that follows: what was sent is booked as sent, what was
        held back is held. Whatever comes next was decided after it."""
        known = [*remembered.sending.items(), *remembered.held]
        due = sorted((one for one in known if until is None or one[1].as_of <= until), key=lambda one: one[1].as_of)
        due = [(id, act) for id, act in due if (id, act.as_of) not in self._seen]
        await self._note_sent(account_id, {id: act.as_of for id, act in due if remembered.sending.get(id) is act})
        async with self._pool.acquire() as connection:
            waiting = await outbox.still_waiting(connection, [id for id, _ in due])
        for id, act in due:
            if id not in waiting:
                continue
            self._seen.add((id, act.as_of))
            try:
                later = max(act.as_of - datetime.fromisoformat(act.given["as_of"]), timedelta(0))
                await self._redo(act.activity, act.given, act.key, later)
            except TRANSPORT_ERRORS:
                raise
            except Exception as error:  # its journey carries it, once it runs
                _log.warning("%s is left as it is: %s", id, error)

    async def _note_sent(self, account_id: str | None, sent: Mapping[str, datetime]) -> None:
        """So that nobody sends them again."""
        async with self._pool.acquire() as connection, connection.transaction():
            await outbox.note_sent_before(connection, account_id or "", sent)

    async def _check(self, act: Act) -> None:
        """Raises NotTakenError for a transfer whose target has not taken it yet: done now, it would be asked at another instant."""
        if act.activity == Channel.CONVEYANCE.value:
            async with self._pool.acquire() as connection:
                row = await outbox.find_outbox(connection, settled_message(act.key))
                if row is None or not await holdings.is_answered(connection, row.body["transfer_id"]):
                    raise NotTakenError("the other account has not taken it")

    async def _remember(self, account_id: str | None, case_ids: Sequence[str]) -> Remembered:
        if account_id is not None:
            return await remember(self._temporal, account_id)
        return await remember_cases(self._temporal, case_ids)

    async def _missing(self, remembered: Remembered) -> list[Act]:
        known = {act.key: act for act in remembered.done}
        async with self._pool.acquire() as connection:
            return [known[key] for key in await effects.missing_effects(connection, list(known))]

    def _said(self, act: Act) -> Difference:
        given, said = act.given, f"{_what(act)}, and is not on record"
        kind = DifferenceKind.REQUEST_LOST if act.is_request else DifferenceKind.STEP_LOST
        if act.is_order:
            kind = DifferenceKind.ORDER_LOST
        if why := self._given_up.get(act.key):
            said += f"; {why}"
            if act.is_request:
                said += f". It was: {json.dumps(given['body'], ensure_ascii=False, sort_keys=True)}"
        return Difference(kind, act.key, said)


def _what(act: Act) -> str:
    """An act in words: what was done, and when."""
    day = f"{act.as_of:%Y-%m-%d}"
    if act.is_order:
        return f"order {act.given['request_id']} was accepted on {day}"
    if act.is_request:
        return f"{act.activity} {act.given['request_id']} was done on {day}"
    return f"step {EffectKey.parse(act.key).what} was done on {day}"
