"""Who looks after a customer and how they are reached, changed by request: each change once, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import activity

from activities.frame import effects
from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation
from activities.journey import people_rows
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.playbooks import Playbooks
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, RequestCall
from domain.journey import account_changes
from domain.journey.account_changes import ChangeAccount, ChangeContacts
from domain.kernel.fingerprints import asked_by
from domain.kernel.requests import Request, read_request

_Request = TypeVar("_Request", bound=Request)


class CustomerChanges:
    """Accounts and contacts."""

    def __init__(self, performer: Performer, playbooks: Playbooks) -> None:
        self._performer = performer
        self._playbooks = playbooks

    @activity.defn
    async def change_account(self, call: RequestCall) -> Outcome:
        """Another owner, success manager, segment, language or zone."""

        async def decide(
            connection: Connection, situation: Situation, request: ChangeAccount
        ) -> tuple[Situation, Decision]:
            named = {id for id in (request.owner, request.success_manager) if id is not None}
            staff = await people_rows.find_staff(connection, named) if named else {}
            playbook = self._playbooks.current(request.segment) if request.segment else None
            decided = account_changes.change_account(situation, request, staff, playbook)
            if playbook is not None:
                await order_store.keep_playbook(connection, playbook)
            return decided

        return await self._answer(call, ChangeAccount, decide)

    @activity.defn
    async def change_contacts(self, call: RequestCall) -> Outcome:
        """Contacts come, change and go."""

        async def decide(_: Connection, situation: Situation, request: ChangeContacts) -> tuple[Situation, Decision]:
            return account_changes.change_contacts(situation, request)

        return await self._answer(call, ChangeContacts, decide)

    async def _answer(
        self,
        call: RequestCall,
        model: type[_Request],
        decide: Callable[[Connection, Situation, _Request], Awaitable[tuple[Situation, Decision]]],
    ) -> Outcome:
        kind = activity.info().activity_type
        key = effect_key(call.account_id, f"{kind}:{call.request_id}")
        run = call.run if not call.repeated else "again"
        async with business_errors():
            request = read_request(model, call.body)
            asked = asked_by(request, call.request_id)
            async with self._performer.transaction() as connection:
                if done := await effects.find_effect(connection, key, asked):
                    return done.outcome if done.run == run else done.outcome.again()
                before = await load_situation(connection, call.account_id, call.as_of)
                after, decision = await decide(connection, before, request)
                return await self._performer.carry_out(
                    connection,
                    after,
                    decision,
                    key,
                    stage="relationship",
                    kind=kind,
                    run=run,
                    actor=request.by,
                    asked=asked,
                )
