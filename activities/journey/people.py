"""Who looks after a customer and how they are reached, changed by request: each change once, in one transaction."""

from __future__ import annotations

from temporalio import activity

from activities.frame.unit_of_work import Activities, Performer
from activities.journey import people_rows
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.playbooks import Playbooks
from domain.frame.calls import RequestCall
from domain.frame.customer import StaffFacts
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.journey import account_changes
from domain.journey.account_changes import ChangeAccount, ChangeContacts


class CustomerChanges(Activities):
    """Accounts and contacts."""

    def __init__(self, performer: Performer, playbooks: Playbooks) -> None:
        super().__init__(performer)
        self._playbooks = playbooks

    @activity.defn
    async def change_account(self, call: RequestCall) -> Outcome:
        """Another owner, success manager, segment, language or zone."""

        return await self._performer.answer(call, ChangeAccount, account_changes.change_account, look=self._named)

    @activity.defn
    async def change_contacts(self, call: RequestCall) -> Outcome:
        """Contacts come, change and go."""
        return await self._performer.answer(call, ChangeContacts, account_changes.change_contacts)

    async def _named(
        self, connection: Connection, _: Situation, request: ChangeAccount
    ) -> tuple[dict[str, StaffFacts], Playbook | None]:
        """The people and the present playbook that a change names."""
        named = {id for id in (request.owner, request.success_manager) if id is not None}
        staff = await people_rows.find_staff(connection, named) if named else {}
        playbook = self._playbooks.current(request.segment) if request.segment else None
        if playbook is not None:
            await order_store.keep_playbook(connection, playbook)
        return staff, playbook
