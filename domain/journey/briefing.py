"""The briefing: what an operator reads when they open a customer's journey. Markdown, at most 4,000 characters.

It stands until something happens, perhaps for weeks: so it says when things were and will be, never how long ago or ahead.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from domain.frame.case_words import state_in_words
from domain.frame.keys import StageKind, Word, stage_kind
from domain.frame.mail_names import CHANNELS, mail_in_words, role_in_words
from domain.frame.state import JourneyState, OpenCaseView, Stage, Step
from domain.frame.step_words import in_words, term_end
from domain.journey.possible import possible
from domain.kernel.shown import as_text, first_sentence, weekday_and_minute

LIMIT = 4000
NEXT_STEPS = 3
STAGES = 8
_WAITS = {
    (StageKind.RENEWAL, "evergreen"): "it runs until further notice",
    (StageKind.RENEWAL, "quoted"): "a quote is with the customer",
    (StageKind.RENEWAL, "waiting"): "the term runs; notices go out by themselves",
    (StageKind.RENEWAL, "accepted"): "renewed; the next term starts by itself",
    (StageKind.RENEWAL, "declined"): "declined; the contract runs out",
    (StageKind.RENEWAL, "grace"): "**in grace**: the term is over without an answer; call the customer",
    (StageKind.EXPANSION, "offered"): "an offer is with the customer",
    (StageKind.ADOPTION, "steady"): "check-ins by cadence",
    (StageKind.ADOPTION, "helping"): "too few seats are used; the success manager has a task to help",
    (
        StageKind.SERVICE,
        "block",
    ): "**sales is held back**; what waits goes out by itself afterwards, if it is still of use",
    (StageKind.SERVICE, "warn"): "automatic mails wait; read the cases, then `acknowledge_hold`",
    (StageKind.SERVICE, "open"): "nothing is held back",
    (StageKind.REORDER, "active"): "orders come in their rhythm",
    (StageKind.REORDER, "lapsed"): "**no order for long**; the owner wins the customer back",
    (StageKind.QUOTE, "in_approval"): "waits for the approval of its discounts",
    (StageKind.QUOTE, "presented"): "is with the customer",
    (StageKind.AMENDMENT, "scheduled"): "a change that takes effect by itself",
    (StageKind.AMENDMENT, "under_way"): "assets are on their way to another account",
}


def render(state: JourneyState, now: datetime) -> str:
    """The briefing for `state` at `now`, which is when something changed last. Dates are in the customer's zone, the first line
    is the journey's name."""
    if state.account is None:
        return "**No order accepted yet.**"
    zone = state.account.time_zone
    parts = [
        f"### {as_text(state.account.name)} · {_headline(state)}",
        f"Account `{state.account_id}` · owner `{state.account.owner}`{_playbook(state)} · run {state.runs}"
        f" · unchanged since {weekday_and_minute(now, zone)}",
        *_pause(state, zone),
        *_attention(state),
        *_cases(state, zone),
        f"**Health** {_health(state)}",
        _next(state, zone),
        _stages(state, zone),
        *_last_sent(state, zone),
        *_on_the_way(state, zone),
        _list("Latest", [as_text(line) for line in reversed(state.said)], "nothing yet"),
        _list("You can ask", possible(state), "", most=12),
        f"Earlier runs: the journal, `perennial journey show {state.account_id}`.",
    ]
    return "\n\n".join(parts)[:LIMIT]


def _headline(state: JourneyState) -> str:
    if state.closed:
        return "closed"
    return ("paused · " if state.paused else "") + (", ".join(state.open_kinds()) or "nothing open")


def _playbook(state: JourneyState) -> str:
    if state.account is None or not state.account.playbook:
        return ""
    segment, _, version = state.account.playbook.rpartition(" ")
    return f" · playbook `{segment}`, version {version}"


def _pause(state: JourneyState, zone: str) -> list[str]:
    pause = state.paused
    if pause is None:
        return []
    until = f"until {weekday_and_minute(pause.until, zone)}" if pause.until else "until somebody asks it to `resume`"
    by = f" by `{pause.by}`" if pause.by else ""
    return [f"⏸ **Paused**{by} since {weekday_and_minute(pause.since, zone)}, {until}: {as_text(pause.reason)}"]


def _attention(state: JourneyState) -> list[str]:
    if not state.attention:
        return []
    lines = [*_set_aside(state)]
    for key, why in state.attention.items():
        kind, about = Word.parse(key)
        if kind == "stuck":
            lines.append(f"{_stuck(state, about)}: {_said(why)}; mend the cause, then `resume`")
        elif kind != "parked":
            lines.append(as_text(why))
    return [_list("⚠ Needs attention", lines, "")]


def _set_aside(state: JourneyState) -> list[str]:
    """The steps that could not be done, those that failed alike on one line."""
    alike: dict[str, list[str]] = {}
    for key, why in state.attention.items():
        if key.startswith("parked:"):
            alike.setdefault(_said(why), []).append(_named(state, key.removeprefix("parked:")))
    return [
        f"{' and '.join(names[:2])}{f' and {len(names) - 2} more' if len(names) > 2 else ''} could not be done: {why};"
        " mend the cause, then `resume`"
        for why, names in alike.items()
    ]


def _named(state: JourneyState, key: str) -> str:
    step = state.step(key)
    return f"{as_text(in_words(step, term_end(state, step)))} [`{key}`]" if step else f"`{key}`"


def _said(error: str) -> str:
    return as_text(first_sentence(error)).rstrip(".")


def _stuck(state: JourneyState, delivery_id: str) -> str:
    channel = next((delivery.channel for delivery in state.in_flight if delivery.id == delivery_id), None)
    return f"{(CHANNELS[channel] if channel else 'a message').capitalize()} cannot leave"


def _cases(state: JourneyState, zone: str) -> list[str]:
    """What service is busy with, for whoever wants to talk to the customer."""
    if not state.cases:
        return []
    return [_list("Open cases", [_case_line(case, zone) for case in state.cases], "", most=5)]


def _case_line(case: OpenCaseView, zone: str) -> str:
    parts = [
        f"`{case.case_id}` {case.priority}, {state_in_words(case.state)}",
        f"open since {weekday_and_minute(case.opened_at, zone)}",
        f"owner `{case.owner}`" if case.owner else "no owner yet",
    ]
    if case.next_milestone and case.next_due:
        parts.append(f"{case.next_milestone.replace('_', ' ')} due {weekday_and_minute(case.next_due, zone)}")
    if case.promised_at:
        parts.append(f"promised by {weekday_and_minute(case.promised_at, zone)}")
    if case.said:
        parts.append(f"the customer wrote: “{as_text(case.said)}”")
    return " · ".join(parts)


def _health(state: JourneyState) -> str:
    if state.health is None:
        return "not scored yet"
    score = "" if state.health.score is None else f"{state.health.score} "
    return f"{score}{state.health.band}: {as_text(state.health.why)}"


def _next(state: JourneyState, zone: str) -> str:
    """What happens by itself. While it is paused nothing does but what the pause lets through."""
    lets = None if state.paused is None else set(state.paused.lets)
    goes_on = state.agenda if lets is None else [step for step in state.agenda if step.kind in lets]
    waits = [] if lets is None else [step for step in state.agenda if step.kind not in lets]
    parts = [
        _list(
            "Next",
            [f"{weekday_and_minute(step.at, zone)} · {_step(state, step)}" for step in goes_on[:NEXT_STEPS]],
            "nothing planned" if lets is None else "nothing by itself while it is paused",
        )
    ]
    if waits:
        lines = [
            f"planned for {weekday_and_minute(step.at, zone)} · {_step(state, step)}" for step in waits[:NEXT_STEPS]
        ]
        parts.append(_list("Waits for the end of the pause", lines, ""))
    return "\n\n".join(parts)


def _step(state: JourneyState, step: Step) -> str:
    return f"{as_text(in_words(step, term_end(state, step)))} [`{step.key}`]"


def _stages(state: JourneyState, zone: str) -> str:
    """The first of the open stages: there are as many as contracts, and most of them nobody reads here."""
    first = [_stage_line(key, stage, zone) for key, stage in islice(state.stages.items(), STAGES)]
    return _list("Stages", first, "none open", most=STAGES, beside=len(state.stages) - len(first))


def _stage_line(key: str, stage: Stage, zone: str) -> str:
    kind = stage_kind(key)
    if kind is StageKind.ONBOARDING:
        return f"`{key}`: open tasks {', '.join(task.replace('_', ' ') for task in stage.tasks)}"
    until = f" (until {weekday_and_minute(stage.until, zone)})" if stage.until else ""
    waiting = f" `{', '.join(stage.tasks)}`" if stage.tasks else ""
    return f"`{key}`{waiting}: {_WAITS.get((kind, stage.status), stage.status.replace('_', ' '))}{until}"


def _last_sent(state: JourneyState, zone: str) -> list[str]:
    if state.sent is None:
        return []
    whom = f" to the {role_in_words(state.sent.role)}" if state.sent.role else ""
    return [f"**Sent last** {mail_in_words(state.sent.template)}{whom}, {weekday_and_minute(state.sent.at, zone)}"]


def _on_the_way(state: JourneyState, zone: str) -> list[str]:
    if not state.in_flight:
        return []
    lines = [
        f"{CHANNELS[delivery.channel]}, since {weekday_and_minute(delivery.since, zone)}"
        f"{', set aside' if delivery.stuck else ', late' if delivery.late else ''}"
        for delivery in state.in_flight
    ]
    return [_list("On the way out", lines, "", most=4)]


def _list(title: str, lines: list[str], empty: str, most: int = 6, beside: int = 0) -> str:
    if not lines:
        return f"**{title}** {empty}"
    left = max(len(lines) - most, 0) + beside
    more = [f"- and {left} more"] if left else []
    return "\n".join([f"**{title}**\n", *(f"- {line}" for line in lines[:most]), *more])
