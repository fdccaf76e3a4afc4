"""What goes on record when people change, and what ends with it: plays count from the one, the search for a sponsor is the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from domain.frame.customer import ContactFacts, Customer
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine
from domain.frame.people_facts import ChangeOf, NoteChange
from domain.frame.playbook import Playbook
from domain.frame.plays import PlayAnchor
from domain.frame.situation import Situation
from domain.orders.order import ContactRole
from domain.success.introducing import has_sponsor
from domain.success.plays import stage_of

_NOTHING = Decision(JournalLine(""))


def between(before: Customer, after: Customer, at: datetime) -> list[NoteChange]:
    """Who looks after a customer from now on, and their segment, where that is otherwise; contacts who came, and sponsors who are gone."""
    pairs = {
        ChangeOf.OWNER: (before.owner.staff_id, after.owner.staff_id),
        ChangeOf.SUCCESS_MANAGER: (before.success_manager.staff_id, after.success_manager.staff_id),
        ChangeOf.SEGMENT: (before.account.segment, after.account.segment),
    }
    ours = [NoteChange(what, at, before=was, after=now) for what, (was, now) in pairs.items() if was != now]
    return [*ours, *_of_contacts(before.contacts, after.contacts, at)]


def _of_contacts(before: Sequence[ContactFacts], after: Sequence[ContactFacts], at: datetime) -> Iterator[NoteChange]:
    known, now = ({one.contact_id: one for one in contacts} for contacts in (before, after))
    for contact_id, contact in now.items():
        if contact_id not in known:
            yield NoteChange(ChangeOf.CONTACT, at, contact_id, after=contact.role.value)
    for contact_id in _sponsors(known.values()) - _sponsors(now.values()):
        yield NoteChange(ChangeOf.SPONSOR, at, contact_id)


def _sponsors(contacts: Iterable[ContactFacts]) -> set[str]:
    return {one.contact_id for one in contacts if one.role is ContactRole.SPONSOR}


def search_over(before: Customer, situation: Situation) -> Decision:
    """Whoever looks for a sponsor need not any more, once one is named who can be reached."""
    stages = _searches(situation.playbook)
    open_ones = [key for key in before.staff_tasks if key.startswith(stages)]
    if not open_ones or not has_sponsor(situation.customer.contacts):
        return _NOTHING
    says = "A sponsor is named"
    return Decision(
        JournalLine(f"Task over: {says.lower()}", name="sponsor-named", kind="staff_task_over"),
        writes=[CloseStaffTasks(key, situation.as_of, outcome=says) for key in open_ones],
    )


def _searches(playbook: Playbook) -> tuple[str, ...]:
    return tuple(f"{stage_of(play)}/" for play in playbook.people if play.anchor is PlayAnchor.SPONSOR_GONE)
