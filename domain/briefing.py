"""The briefing: what an operator reads when they open a customer's journey. Markdown, at most 4,000 characters."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.journey import CaseView, JourneyState, Stage, StageKind, Step, stage_kind
from domain.shown import as_text

LIMIT = 4000
NEXT_STEPS = 3

_WAITS = {
    (StageKind.RENEWAL, "quoted"): "a quote is with the customer; `answer_renewal` takes their answer",
    (StageKind.RENEWAL, "waiting"): "the term runs; notices go out by themselves",
    (StageKind.RENEWAL, "accepted"): "renewed; the next term starts by itself",
    (StageKind.RENEWAL, "declined"): "declined; the contract runs out",
    (StageKind.RENEWAL, "grace"): "**in grace**: the term is over without an answer; call, then `answer_renewal`",
    (StageKind.EXPANSION, "offered"): "an offer is with the customer; `answer_offer` takes their answer",
    (StageKind.ADOPTION, "steady"): "check-ins by cadence",
    (StageKind.ADOPTION, "helping"): "help was offered because too few seats are used; the success manager calls",
    (
        StageKind.SERVICE,
        "block",
    ): "**sales is held back**; what waits goes out by itself afterwards, if it is still of use",
    (StageKind.SERVICE, "warn"): "automatic mails wait; read the cases, then `acknowledge_hold`",
    (StageKind.SERVICE, "open"): "nothing is held back",
    (StageKind.REORDER, "active"): "orders come in their rhythm",
    (StageKind.REORDER, "lapsed"): "**no order for long**; the owner wins the customer back",
}


def render(state: JourneyState, now: datetime) -> str:
    """The briefing for `state` at `now`, dates in the customer's zone. Its first line is the journey's name."""
    if state.account is None:
        return "**No order accepted yet.**"
    zone = ZoneInfo(state.account.time_zone)
    parts = [
        f"### {as_text(state.account.name)} · {_headline(state)}",
        f"Account `{state.account_id}` · owner `{state.account.owner}` · run {state.runs} · as of {_when(now, zone)}",
        *_pause(state, zone),
        *_attention(state),
        *_cases(state, now, zone),
        f"**Health** {_health(state)}",
        _list(
            "Next",
            [f"{_when(step.at, zone)} · {_title(step)}" for step in state.agenda[:NEXT_STEPS]],
            "nothing planned",
        ),
        _list("Stages", [_stage_line(key, stage, zone) for key, stage in state.stages.items()], "none open", most=8),
        *_on_the_way(state, zone),
        _list("Latest", [as_text(line) for line in reversed(state.said)], "nothing yet"),
        "**You can** `complete_task`, `answer_renewal`, `answer_offer`, `answer_survey`, `amend_assets`, `renew_assets`,"
        " `cancel_assets`, `swap_assets`, `transfer_assets`, `rollback`, `request_quote`, `approve`, `accept_quote`,"
        " `place_hold`, `override_hold`, `pause`, `resume`, `close_journey` and more"
        " (updates; what is not possible is refused with the reason). Earlier runs: the journal,"
        f" `perennial journey show {state.account_id}`.",
    ]
    return "\n\n".join(parts)[:LIMIT]


def _headline(state: JourneyState) -> str:
    if state.closed:
        return "closed"
    return ("paused · " if state.paused else "") + (", ".join(state.open_kinds()) or "nothing open")


def _pause(state: JourneyState, zone: ZoneInfo) -> list[str]:
    if state.paused is None:
        return []
    until = f"until {_when(state.paused.until, zone)}" if state.paused.until else "until `resume`"
    return [f"⏸ **Paused** {until}: {as_text(state.paused.reason)}"]


def _attention(state: JourneyState) -> list[str]:
    if not state.attention:
        return []
    lines = [f"{as_text(why)}{_mend(key)}" for key, why in list(state.attention.items())[:6]]
    return [_list("⚠ Needs attention", lines, "")]


def _cases(state: JourneyState, now: datetime, zone: ZoneInfo) -> list[str]:
    """What service is busy with, for whoever wants to talk to the customer."""
    if not state.cases:
        return []
    return [_list("Open cases", [_case_line(case, now, zone) for case in state.cases], "", most=5)]


def _case_line(case: CaseView, now: datetime, zone: ZoneInfo) -> str:
    parts = [
        f"`{case.case_id}` {case.priority}, {case.state.replace('_', ' ')}",
        f"open for {max(0, (now - case.opened_at).days)} days",
        f"owner `{case.owner}`" if case.owner else "no owner yet",
    ]
    if case.next_milestone and case.next_due:
        parts.append(f"next {case.next_milestone.replace('_', ' ')} {_when(case.next_due, zone)}")
    if case.promised_at:
        parts.append(f"promised by {_when(case.promised_at, zone)}")
    if case.said:
        parts.append(f"the customer wrote: “{as_text(case.said)}”")
    return " · ".join(parts)


def _mend(key: str) -> str:
    return " — mend the cause, then `resume`" if key.startswith(("parked:", "stuck:")) else ""


def _health(state: JourneyState) -> str:
    if state.health is None:
        return "not scored yet"
    score = "" if state.health.score is None else f"{state.health.score} "
    return f"{score}{state.health.band}: {as_text(state.health.why)}"


def _stage_line(key: str, stage: Stage, zone: ZoneInfo) -> str:
    kind = stage_kind(key)
    if kind is StageKind.ONBOARDING:
        return f"`{key}`: open tasks {', '.join(stage.tasks)}; `complete_task` when done"
    until = f" (until {_when(stage.until, zone)})" if stage.until else ""
    offers = f" `{', '.join(stage.tasks)}`" if stage.tasks else ""
    return f"`{key}`{offers}: {_WAITS.get((kind, stage.status), stage.status)}{until}"


def _on_the_way(state: JourneyState, zone: ZoneInfo) -> list[str]:
    if not state.in_flight:
        return []
    lines = [f"{delivery.channel.value} since {_when(delivery.since, zone)}" for delivery in state.in_flight[:4]]
    return [_list("On the way out", lines, "")]


def _title(step: Step) -> str:
    subject = step.stage.split(":", 1)[1] if ":" in step.stage else ""
    onboarding = stage_kind(step.stage) is StageKind.ONBOARDING
    words = (f"onboarding {step.name}" if onboarding else step.kind).replace("_", " ").replace("-", " ")
    return f"{words} · `{subject}`" if subject else words


def _list(title: str, lines: list[str], empty: str, most: int = 6) -> str:
    if not lines:
        return f"**{title}** {empty}"
    more = [f"- and {len(lines) - most} more"] if len(lines) > most else []
    return "\n".join([f"**{title}**\n", *(f"- {line}" for line in lines[:most]), *more])


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z")
