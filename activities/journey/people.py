"""What is looked up for a change of who looks after a customer, and how, and for what becomes of their tasks."""

from __future__ import annotations

from activities.frame import customers, staff_rows
from activities.frame.unit_of_work import Activities, Performer, UnitOfWork
from activities.journey import staff_task_rows
from activities.playbooks import Playbooks
from domain.frame.customer import StaffFacts
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.journey.account_changes import ChangeAccount
from domain.journey.entries import TASKS
from domain.journey.task_requests import TaskRequest

_OF_TASKS = tuple(kind.answered_by for kind in TASKS)


class CustomerChanges(Activities):
    """Accounts and contacts, and what our people have to do for them."""

    def __init__(self, performer: Performer, playbooks: Playbooks) -> None:
        super().__init__(performer)
        self._playbooks = playbooks
        self.looks = {"change_account": self._named, **dict.fromkeys(_OF_TASKS, self._task)}

    async def _named(
        self, work: UnitOfWork, situation: Situation, request: ChangeAccount
    ) -> tuple[dict[str, StaffFacts], Playbook | None, list[StaffTaskFacts]]:
        """The people and the playbook that a change names, and what is to be done for the customer."""
        named = {id for id in (request.owner, request.success_manager) if id is not None}
        staff = await staff_rows.find_staff(work.connection, named) if named else {}
        playbook = self._playbooks.current(request.segment) if request.segment else None
        if request.playbook_version is not None:
            segment = request.segment or situation.customer.account.segment
            playbook = await customers.find_playbook(work.connection, segment, request.playbook_version)
        return staff, playbook, await staff_rows.open_tasks(work.connection, work.unit.account_id)

    async def _task(
        self, work: UnitOfWork, _: Situation, request: TaskRequest
    ) -> tuple[StaffTaskFacts | None, dict[str, StaffFacts]]:
        """The task that somebody acts on, and the people that the act names."""
        task = await staff_task_rows.find_task(work.connection, work.unit.account_id, request.task_id)
        named = {request.by, getattr(request, "to", request.by)}
        return task, await staff_rows.find_staff(work.connection, named)
