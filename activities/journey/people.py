"""What is looked up for a change of who looks after a customer, and how."""

from __future__ import annotations

from activities.frame import customers
from activities.frame.unit_of_work import Activities, Performer, UnitOfWork
from activities.journey import people_rows
from activities.playbooks import Playbooks
from domain.frame.customer import StaffFacts
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.journey.account_changes import ChangeAccount


class CustomerChanges(Activities):
    """Accounts and contacts."""

    def __init__(self, performer: Performer, playbooks: Playbooks) -> None:
        super().__init__(performer)
        self._playbooks = playbooks
        self.looks = {"change_account": self._named}

    async def _named(
        self, work: UnitOfWork, situation: Situation, request: ChangeAccount
    ) -> tuple[dict[str, StaffFacts], Playbook | None]:
        """The people and the playbook that a change names."""
        named = {id for id in (request.owner, request.success_manager) if id is not None}
        staff = await people_rows.find_staff(work.connection, named) if named else {}
        playbook = self._playbooks.current(request.segment) if request.segment else None
        if request.playbook_version is not None:
            segment = request.segment or situation.customer.account.segment
            playbook = await customers.find_playbook(work.connection, segment, request.playbook_version)
        return staff, playbook
