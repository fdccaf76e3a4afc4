"""A mail that could not leave on the day on which it was written: what it says is looked at again for the day on which it does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from domain.kernel.calendar import written_day

Context = dict[str, Any]

LATEST_ONLY = frozenset({"renewal_notice"})
"""Of these about one contract that wait together only the last is sent."""
_OVER = "the day that it is about is over"
_GOOD_FOR: Mapping[str, int] = {
    "touch_day_1": 5,
    "touch_month_1": 10,
    "touch_anniversary": 3,
    "check_in": 14,
    "outreach": 14,
    "recovered": 14,
    "play_note": 10,
    "reorder_check_in": 14,
}
"""Mails about how things stand, with the days for which they do."""
_ENDS: Mapping[str, str] = {
    "renewal_notice": "term_end",
    "renewal_grace": "grace_until",
    "upsell_offer": "expires",
    "quote_presented": "valid_until",
}
"""The day after which a mail of that template asks for what cannot be done any more."""


def on_day(template: str, context: Context, written_on: date, today: date) -> Context | str:
    """What a mail that was written on one day says if it leaves on `today`, or why it is dropped: nothing that it asks for is
    over by then, and what it counts is counted to that day."""
    if today <= written_on:
        return context
    if (today - written_on).days > _GOOD_FOR.get(template, 10_000):
        return _OVER
    last = _ENDS.get(template)
    if last is not None and _day(context.get(last), today) < today:
        return _OVER
    retell = _RETOLD.get(template)
    return retell(context, today) if retell else context


def _day(value: Any, otherwise: date) -> date:
    return (written_day(value[:10]) if isinstance(value, str) else None) or otherwise


def _renewal_notice(context: Context, today: date) -> Context:
    left = (_day(context["term_end"], today) - today).days
    over = bool(context["auto_renew"]) and _day(context["notice_by"], today) < today
    return {**context, "days_left": left, "notice_over": over}


def _task(context: Context, today: date) -> Context | str:
    due = _day(context.get("due"), today)
    if context.get("days_late"):
        return {**context, "days_late": (today - due).days}
    return context if due >= today else _OVER


def _welcome(context: Context, today: date) -> Context:
    tasks = [
        {**task, "due": task["due"] if _day(task["due"], today) >= today else None}
        for task in context.get("tasks") or []
    ]
    return {**context, "tasks": tasks}


def _check_in(context: Context, today: date) -> Context:
    return {**context, "next_on": context.get("next_on") if _day(context.get("next_on"), today) > today else None}


def _case_opened(context: Context, today: date) -> Context:
    """An answer that was promised for a day that is over is apologised for by another mail."""
    return {**context, "answer_by": context["answer_by"] if _day(context.get("answer_by"), today) >= today else None}


_RETOLD: Mapping[str, Callable[[Context, date], Context | str]] = {
    "renewal_notice": _renewal_notice,
    "onboarding_invite": _task,
    "onboarding_reminder": _task,
    "welcome": _welcome,
    "check_in": _check_in,
    "case_opened": _case_opened,
}
