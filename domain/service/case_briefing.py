"""The briefing of a case: what an operator or an agent reads when they open it. Markdown, at most 4,000 characters."""

from __future__ import annotations

from datetime import datetime

from domain.frame.case_words import RUNNING, WAITING, CaseState, state_in_words
from domain.frame.mail_names import CHANNELS
from domain.kernel.shown import as_text, first_sentence, weekday_and_minute
from domain.service.case_progress import CaseProgress, CaseView, Promise
from domain.service.lifecycle import allowed_after

LIMIT = 4000


def render_case(progress: CaseProgress, now: datetime) -> str:
    """The briefing at `now`, times in the customer's zone. Its first line says which case it is and how it stands."""
    view = progress.view
    if view is None:
        return "**Not opened yet.**"
    zone = view.time_zone
    burning = " · 🔥 escalated" if view.escalated else ""
    whose = f"account `{view.account_id}`" if view.account_id else "**of nobody known yet**: `identify`"
    owner = f"owner `{view.owner}`" if view.owner else "**no owner yet**"
    team = f" · team `{view.team}`" if view.team else ""
    parts = [
        f"### {as_text(view.subject)}",
        f"Case `{progress.case_id}` · **{state_in_words(view.status)}** · {view.priority.value}{burning}",
        f"{as_text(view.company or 'Unknown customer')}, {whose} · {owner}{team} · version {view.version} ·"
        f" unchanged since {weekday_and_minute(now, zone)}",
        *([f"It waits: {as_text(view.reason)}"] if view.reason else []),
        *([f"**Sales** {as_text(view.sales)}"] if view.sales else []),
        *_attention(progress),
        _promises(view, zone),
        f"**Next** {weekday_and_minute(view.next_at, zone)} · {as_text(view.next_what)}"
        if view.next_at
        else "**Next** nothing by itself",
        *_on_the_way(progress, zone),
        "\n".join(["**Latest**\n", *(f"- {as_text(line)}" for line in reversed(progress.said))]),
        _can(progress, view),
    ]
    return "\n\n".join(parts)[:LIMIT]


def _promises(view: CaseView, zone: str) -> str:
    if not view.promises:
        return "**Promises** none"
    rows = [f"| {one.name.replace('_', ' ')} | {_state(one)} | {_due(one, zone)} |" for one in view.promises]
    return "\n".join(["| promise | state | due |", "|---|---|---|", *rows])


def _state(one: Promise) -> str:
    return f"**{one.state}**" if one.state in ("late", "missed") else one.state


def _due(one: Promise, zone: str) -> str:
    return weekday_and_minute(one.due, zone) if one.due else "not while paused" if one.state == "paused" else ""


def _attention(progress: CaseProgress) -> list[str]:
    if not progress.attention:
        return []
    lines = [
        f"- {as_text(first_sentence(why)).rstrip('.')}; mend the cause, then `retry`"
        if key.startswith(("parked", "stuck:"))
        else f"- {as_text(why)}"
        for key, why in list(progress.attention.items())[:6]
    ]
    return ["\n".join(["**⚠ Needs attention**\n", *lines])]


def _on_the_way(progress: CaseProgress, zone: str) -> list[str]:
    if not progress.in_flight:
        return []
    lines = [
        f"- {CHANNELS[one.channel]}, since {weekday_and_minute(one.since, zone)}" for one in progress.in_flight[:4]
    ]
    return ["\n".join(["**On the way out**\n", *lines])]


def _can(progress: CaseProgress, view: CaseView) -> str:
    """What can be asked of the case as it stands."""
    become, running = allowed_after(view.status), view.status in RUNNING
    over = view.status in (CaseState.CLOSED, CaseState.MERGED, CaseState.CANCELLED)
    known = view.account_id is not None
    asks = {
        "respond": not over,
        "note": True,
        "wait": bool(WAITING & set(become)),
        "resume": view.status in WAITING,
        "assign": running,
        "prioritise": running,
        "escalate": not over,
        "de_escalate": view.escalated,
        "resolve": CaseState.RESOLVED in become,
        "reopen": view.status in (CaseState.RESOLVED, CaseState.CLOSED),
        "close": CaseState.CLOSED in become,
        "cancel": CaseState.CANCELLED in become,
        "merge": CaseState.MERGED in become,
        "identify": not known,
        "claim_price_match": known and running,
        "grant_goodwill": known and running,
        "dispute_refund": known and not over,
        "retry": bool(progress.in_flight) or any(key.startswith(("parked", "stuck:")) for key in progress.attention),
    }
    named = ", ".join(f"`{name}`" for name, possible in asks.items() if possible)
    return f"**You can ask** {named}; with `expected_version` {view.version} nothing that changed meanwhile is overwritten."
