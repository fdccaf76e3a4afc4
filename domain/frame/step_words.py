"""What a workflow does in words, for the rows and bars of the Temporal UI: short, without names or addresses of people."""

from __future__ import annotations

import re
from datetime import date

from domain.frame.keys import StageId, StageKind, stage_kind
from domain.frame.state import JourneyState, Step
from domain.frame.task_steps import TASK_STEPS, task_of
from domain.kernel.calendar import local_day

_SUBJECTS = {
    StageKind.ONBOARDING: "order",
    StageKind.RENEWAL: "contract",
    StageKind.QUOTE: "quote",
    StageKind.FULFILMENT: "order",
    StageKind.EXPANSION: "asset",
}
STEPS = {
    "adoption_check_in": "Check-in on how it is used",
    "adoption_follow_up": "Follow-up on the help that was offered",
    "adoption_mail": "Mail about how it is used, which waited for its hour",
    "adoption_survey": "Survey: would they recommend us?",
    "adoption_usage_review": "Look at use, which crossed a threshold",
    "amendment_effective": "Change that was asked for takes effect",
    "amendment_settled": "Transfer of assets is settled",
    "billing_dunning": "Reminder of overdue invoices",
    "billing_invoice": "Invoice of what has fallen due",
    "fulfilment_follow_up": "Question whether everything has arrived",
    "expansion_expiry": "Offer of more seats ends",
    "fulfilment_late": "Promised day of delivery is over: has everything come?",
    "relationship_morning": "What was decided by night is told",
    "onboarding_mail": "Mail of the task {task}",
    "onboarding_provisioned": "What was bought is ready",
    "onboarding_provisioning": "What was bought is asked of the provisioning service",
    "onboarding_touch": "Short mail: {task}",
    "play": "Step of the playbook's own: {play}",
    "play_escalation": "Is it done, what the playbook asked for: {play}?",
    "quote_expiry": "Quote lapses without an answer",
    "quote_give_up": "Discounts were not approved in time",
    "quote_reminder": "Reminder: discounts wait for approval",
    "relationship_anniversary": "Anniversary",
    "relationship_win_back": "Look whether a customer who left comes back",
    "relationship_health": "Health is in another band",
    "renewal_grace_end": "Grace ends without an answer",
    "renewal_notice": "Renewal notice",
    "renewal_quote": "Renewal quote that service held back",
    "renewal_term_end": "Term ends",
    "reorder_check_in": "Check-in: the usual order has not come",
    "reorder_lapse": "No order for long: the owner is told",
    "service_hold_lift": "What held sales back ends",
    "service_lead_overdue": "Lead without an answer",
    "service_lead_reminder": "Reminder of a lead",
    "service_review": "Look at what holds sales back",
    **{step.kind: step.row for step in TASK_STEPS},
}
"""Every kind of step; {task} is the onboarding task or the day that it is about."""
_OF_A_NAME = {
    ("adoption_mail", "reference"): "Question whether they would be a reference",
    ("adoption_survey", "effort"): "Survey: how easy was it to begin?",
}
"""Of kinds of steps that do something else by their names, what those of such a beginning do."""
_DASH = re.compile(r"_|(?<!\d)-|-(?!\d)")  # those of a day stay
LIMIT = 190
"""Bytes; the server takes 400."""


def in_words(step: Step, ends: date | None = None) -> str:
    """Such as "Renewal notice, 60 days before 6 Dec 2027, contract K-1": what a step does, and for what.

    ends: the first day after the term that the step is about, if it is known.
    """
    own = _OF_A_NAME.get((step.kind, step.name.partition("-")[0]))
    words = (own or STEPS.get(step.kind, step.kind.replace("_", " ").capitalize())).format(
        task=_task(step.name), play=plain(step.about)
    )
    return shortened(", ".join(part for part in (words, _before(step, ends), subject_of(step.stage)) if part))


def within_words(step: Step) -> str:
    """What a step does, to go on a sentence with: such as "short mail: day 1, order SO-1"."""
    words = in_words(step)
    return f"{words[:1].lower()}{words[1:]}"


def term_end(state: JourneyState, step: Step) -> date | None:
    """The first day after the term that a step of `state` is about; null for one that is about none."""
    stage = state.stages.get(step.stage)
    if stage is None or stage.until is None or state.account is None or stage_kind(step.stage) is not StageKind.RENEWAL:
        return None
    return local_day(stage.until, state.account.time_zone)


def shortened(text: str) -> str:
    """`text` in at most 190 bytes of UTF-8, whole characters only."""
    return text.encode()[:LIMIT].decode(errors="ignore")


def plain(name: str) -> str:
    """A name of ours as words; the dashes of a day stay."""
    return _DASH.sub(" ", name)


_ON_A_DAY = re.compile(r"(.+?)-(\d{4}-\d\d-\d\d)(?:\..*)?")
_AT_AN_INSTANT = re.compile(r"(.+?)-\d{8}T\d{6,}(?:\..*)?")


def occurrence(name: str) -> str:
    """The name of a step as words: `check-in of 12 Jan 2028`, `notice, 60 days before the end`, `invitation to training`."""
    for step in TASK_STEPS:
        if name.partition(".")[0].endswith(step.ending):
            return step.named.format(plain(task_of(name)))
    if (found := _ON_A_DAY.fullmatch(name)) is not None:
        day = date.fromisoformat(found[2])
        return f"{_hyphened(found[1])} of {day.day} {day:%b %Y}"
    if (found := _AT_AN_INSTANT.fullmatch(name)) is not None:
        return _hyphened(found[1])
    kind, _, days = name.partition(".")[0].partition("-")
    if kind == "notice" and days.isdigit():
        return f"notice, {days} {'day' if days == '1' else 'days'} before the end"
    if kind == "anniversary" and days.isdigit():
        return f"anniversary of {days}"
    return plain(name.removeprefix("touch-"))


def _hyphened(name: str) -> str:
    words = plain(name)
    return {"check in": "check-in", "follow up": "follow-up"}.get(words, words)


def _task(name: str) -> str:
    return plain(task_of(name.removeprefix("touch-")))


def _before(step: Step, ends: date | None) -> str:
    days = step.name.removeprefix("notice-").partition(".")[0]
    if step.kind == "renewal_notice" and days.isdigit():
        end = f"{ends.day} {ends:%b %Y}" if ends else "the end"
        return f"{days} {'day' if days == '1' else 'days'} before {end}"
    if step.kind == "renewal_term_end" and ends is not None:
        return f"on {ends.day} {ends:%b %Y}"
    return ""


def subject_of(stage: str) -> str:
    """What a stage is about, such as `contract K-1`; nothing for one that is about the whole customer."""
    kind, about, part = StageId.parse(stage)
    if kind is StageKind.PLAY:
        return ""  # it is named by what it does
    word = part if kind is StageKind.BILLING else _SUBJECTS.get(kind, "")
    return f"{word} {about}".strip() if about else ""
