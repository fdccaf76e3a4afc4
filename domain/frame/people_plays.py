"""What every playbook does when people change, unless it says otherwise: who is new is introduced, what they take over is handed to
them, and nobody is left without a sponsor unseen."""

from __future__ import annotations

from typing import Final

from domain.frame.plays import (
    Play,
    PlayAnchor,
    PlayDays,
    PlayEscalation,
    PlayMail,
    PlayPerson,
    PlayTask,
    PlayTemplate,
)


def _next_day(
    name: str,
    title: str,
    anchor: PlayAnchor,
    *,
    when: str | None = None,
    mail: PlayMail | None = None,
    task: PlayTask | None = None,
) -> Play:
    """On the next business day: what is taken back by then has never been."""
    return Play(name=name, title=title, anchor=anchor, days=1, count=PlayDays.BUSINESS, when=when, mail=mail, task=task)


_INTRODUCTION: Final = PlayMail(template=PlayTemplate.INTRODUCTION)
_WELCOME: Final = PlayMail(template=PlayTemplate.CONTACT_WELCOME)


def _taking_over(owner: PlayPerson) -> PlayTask:
    return PlayTask(title="Take over the customer: read the briefing, then talk with them", owner=owner, briefing=True)


PEOPLE: Final = (
    _next_day("introduction", "Introduction", PlayAnchor.MANAGER_CHANGED, mail=_INTRODUCTION),
    _next_day("owner_introduction", "Introduction", PlayAnchor.OWNER_CHANGED, mail=_INTRODUCTION),
    _next_day("hand_over", "Hand-over", PlayAnchor.MANAGER_CHANGED, task=_taking_over(PlayPerson.SUCCESS_MANAGER)),
    _next_day("owner_hand_over", "Hand-over", PlayAnchor.OWNER_CHANGED, task=_taking_over(PlayPerson.OWNER)),
    _next_day(
        "contact_welcome",
        "Welcome of somebody new",
        PlayAnchor.CONTACT_ADDED,
        when="contact_role in ['admin', 'sponsor']",
        mail=_WELCOME,
    ),
    _next_day(
        "find_sponsor",
        "The sponsor is gone",
        PlayAnchor.SPONSOR_GONE,
        when="!has_sponsor",
        task=PlayTask(title="Find the new sponsor", due_in=5, escalation=PlayEscalation(after=5), briefing=True),
    ),
    _next_day(
        "new_segment",
        "Another segment",
        PlayAnchor.SEGMENT_CHANGED,
        task=PlayTask(title="Tell them how they are looked after from now on", due_in=5),
    ),
)
