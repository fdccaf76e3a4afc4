"""What somebody new is told: a customer whose people with us change, a contact who is new, and whoever takes a customer over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.frame.customer import ContactFacts, StaffFacts
from domain.frame.plays import Play, PlayAnchor
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.kernel.shown import counted
from domain.orders.order import ContactRole
from domain.success.conversation import next_term_end
from domain.success.people_changes import Occasion, with_owner

_SHOWN = 3


def introduction(situation: Situation, play: Play, occasion: Occasion) -> dict[str, Any]:
    """Who looks after them from now on, since when, how they are reached, and what is under way."""
    customer = situation.customer
    manager = customer.success_manager if play.anchor is PlayAnchor.MANAGER_CHANGED else None
    owner = customer.owner if manager is None or with_owner(situation, play, occasion.day) is not None else None
    return {
        "success_manager": _person(manager),
        "owner": _person(owner),
        "both": manager is not None and owner is not None and manager.staff_id == owner.staff_id,
        "known": manager is not None and owner is None and manager.staff_id == customer.owner.staff_id,
        "since": occasion.day.isoformat(),
        **under_way(situation),
    }


def introduced_now(situation: Situation, said: dict[str, Any]) -> dict[str, Any] | None:
    """What an introduction that has waited says by now; null if somebody else looks after them meanwhile."""
    customer = situation.customer
    now = {"success_manager": _person(customer.success_manager), "owner": _person(customer.owner)}
    if any(said.get(role) is not None and said[role] != person for role, person in now.items()):
        return None
    return {**said, **under_way(situation)}


def welcome(situation: Situation, contact: ContactFacts) -> dict[str, Any]:
    """What we do for their company, what is under way, and whom they ask."""
    customer = situation.customer
    return {
        "role": contact.role.value,
        "products": customer.product_names(situation.as_of),
        "success_manager": _person(customer.success_manager),
        "owner": _person(customer.owner),
        "both": customer.owner.staff_id == customer.success_manager.staff_id,
        **under_way(situation),
    }


def _person(person: StaffFacts | None) -> dict[str, str] | None:
    return {"name": person.name, "email": person.email} if person is not None else None


def under_way(situation: Situation) -> dict[str, Any]:
    """What a customer waits for from us or has to do, and when their term ends."""
    tasks = sorted(
        (one for one in situation.customer.tasks if one.is_open and one.owner != "system"), key=lambda one: one.due_on
    )
    due = [one for one in tasks if one.due_on >= situation.today]
    return {
        "cases": [case.case_id for case in situation.service.running()[:_SHOWN]],
        "tasks": [{"title": one.title, "due": one.due_on.isoformat()} for one in due[:_SHOWN]],
        "term_ends": next_term_end(situation),
    }


def briefing(situation: Situation, tasks: Sequence[StaffTaskFacts]) -> list[str]:
    """How a customer stands, for whoever takes them over: health, cases, what is to be done, what comes next."""
    customer = situation.customer
    return [
        _health(situation),
        *_cases(situation),
        *(f"What is to be done: {task.title}, by {customer.day_of(task.counts_from)}." for task in tasks),
        *(
            f"Onboarding: “{one.title['en']}” is open until {one.due_on}."
            for one in customer.tasks
            if one.is_open and one.owner != "system"
        ),
        *_terms(situation),
        *([] if has_sponsor(customer.contacts) else ["No sponsor is known."]),
    ]


def has_sponsor(contacts: Sequence[ContactFacts]) -> bool:
    """Whether a sponsor who can be reached is among the contacts."""
    return any(one.role is ContactRole.SPONSOR and not one.rejected for one in contacts)


def _health(situation: Situation) -> str:
    if not situation.customer.health:
        return "Health was never scored."
    latest = situation.customer.health[-1]
    return f"Health is {latest.band}, {latest.score}." if latest.score is not None else f"Health is {latest.band}."


def _cases(situation: Situation) -> list[str]:
    running = situation.service.running()
    if not running:
        return ["No case is open."]
    return [f"{counted(len(running), 'case')} open: {', '.join(case.case_id for case in running[:5])}."]


def _terms(situation: Situation) -> list[str]:
    coming = next_term_end(situation)
    return [f"The term of {coming['contract_id']} ends on {coming['day']}."] if coming else []
