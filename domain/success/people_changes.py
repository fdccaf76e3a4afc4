"""When people change: which changes a play counts from. What is taken back before the play is due has never been. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from domain.frame.customer import ContactFacts
from domain.frame.people_facts import ChangeOf, PeopleChange
from domain.frame.playbook import Playbook
from domain.frame.plays import OF_PEOPLE, Play, PlayAnchor, PlayTemplate
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.success.play_days import day_of

_WHAT: Final[Mapping[PlayAnchor, ChangeOf]] = {
    PlayAnchor.MANAGER_CHANGED: ChangeOf.SUCCESS_MANAGER,
    PlayAnchor.OWNER_CHANGED: ChangeOf.OWNER,
    PlayAnchor.SEGMENT_CHANGED: ChangeOf.SEGMENT,
    PlayAnchor.CONTACT_ADDED: ChangeOf.CONTACT,
    PlayAnchor.SPONSOR_GONE: ChangeOf.SPONSOR,
}


_YEAR = 366
_FREE_DAYS = 60
"""Holidays in a row, and days by which somebody puts off a step."""


@dataclass(frozen=True)
class Occasion:
    """A change of people that a play counts from, or several that came before it was due: `of` names it, `change` is the last one."""

    of: str
    day: date
    change: PeopleChange


def occasions(situation: Situation, play: Play) -> list[Occasion]:
    """All that a play for when people change counts from, as far as it had happened by the situation's instant."""
    what = _WHAT[play.anchor]
    changes = [one for one in situation.customer.changes if one.what is what and one.at <= situation.as_of]
    if what is ChangeOf.CONTACT:
        there = {contact.contact_id for contact in situation.customer.contacts}
        return [_of_contact(situation, one) for one in changes if one.about in there]
    if what is ChangeOf.SPONSOR:
        return [_of_contact(situation, one) for one in changes]
    found = list(_lasting(situation, play, changes))
    return _without_twins(situation, play, found) if what is ChangeOf.OWNER else found


def reach(playbook: Playbook) -> int:
    """So many days after people have changed nothing follows on it any more."""
    return max((_reach(play) for play in playbook.people), default=0)


def _reach(play: Play) -> int:
    again = play.repeat.every * play.repeat.times if play.repeat else 0
    late = play.task.due_in + (play.task.escalation.after if play.task.escalation else 0) if play.task else 0
    quiet = _YEAR if play.quiet else 0
    return 2 * (play.days + late) + again + quiet + _FREE_DAYS


def behind(situation: Situation, play: Play, step: Step) -> Occasion | None:
    """What a step of such a play is about; null if that was taken back."""
    if play.anchor not in OF_PEOPLE:
        return None
    found = occasions(situation, play)
    return next((one for one in found if step.name == one.of or step.name.startswith(f"{one.of}.")), None)


def together(situation: Situation, play: Play, day: date) -> Occasion | None:
    """The change of the success manager that an owner's of the same day comes with."""
    found = occasions(situation, play.having(anchor=PlayAnchor.MANAGER_CHANGED))
    return next((one for one in found if one.day == day), None)


def with_owner(situation: Situation, play: Play, day: date) -> Occasion | None:
    """The change of the owner that a success manager's of the same day comes with."""
    changes = [one for one in situation.customer.changes if one.what is ChangeOf.OWNER and one.at <= situation.as_of]
    return next((one for one in _lasting(situation, play, changes) if one.day == day), None)


def contact_of(situation: Situation, step: Step) -> ContactFacts | None:
    """The contact that a step of a play is about, if it is about one."""
    play = next((one for one in situation.playbook.every_play if one.name == step.about), None)
    found = behind(situation, play, step) if play is not None else None
    about = found.change.about if found is not None else None
    return next((one for one in situation.customer.contacts if one.contact_id == about), None)


def _of_contact(situation: Situation, change: PeopleChange) -> Occasion:
    name = f"{change.about}-{change.at.astimezone(UTC):%Y%m%d}"
    return Occasion(name, situation.customer.day_of(change.at), change)


def _lasting(situation: Situation, play: Play, changes: Sequence[PeopleChange]) -> Iterator[Occasion]:
    """Changes of one thing, those that came before a play was due as one; none that leave it as it was."""
    first: PeopleChange | None = None
    for n, change in enumerate(changes):
        first = first or change
        following = changes[n + 1] if n + 1 < len(changes) else None
        if following is not None and following.at < _due(situation, play, change):
            continue
        if first.before != change.after:
            at: datetime = change.at.astimezone(UTC)
            yield Occasion(f"{at:%Y-%m-%dT%H%M%S}", situation.customer.day_of(at), change)
        first = None


def _due(situation: Situation, play: Play, change: PeopleChange) -> datetime:
    day = day_of(situation, play, situation.customer.day_of(change.at))
    return situation.customer.morning(day, business_day=False)[0]


def _without_twins(situation: Situation, play: Play, found: Sequence[Occasion]) -> list[Occasion]:
    """The changes of the owner that say something which that of the success manager does not: one mail introduces both, and whoever is
    both from now on takes over once."""
    others = [one for one in situation.playbook.every_play if one.anchor is PlayAnchor.MANAGER_CHANGED]
    if not any((one.mail is None) == (play.mail is None) for one in others):
        return list(found)
    introduces = play.mail is not None and play.mail.template is PlayTemplate.INTRODUCTION
    kept = []
    for one in found:
        twin = together(situation, play, one.day)
        if twin is None or not (introduces or twin.change.after == one.change.after):
            kept.append(one)
    return kept
