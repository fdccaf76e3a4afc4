"""Why a step comes, and who reads it: the rule of the playbook in words, and people by what they are to the customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from domain.billing import dunning
from domain.contracts.renewal_quote import last_day
from domain.frame.customer import ContractFacts, Customer
from domain.frame.keys import StageId
from domain.frame.mail_names import ROLES
from domain.frame.playbook import OnboardingTask, Playbook, TaskOwner
from domain.frame.plays import Play, PlayAnchor, PlayDays
from domain.frame.state import Step
from domain.frame.step_words import plain
from domain.frame.task_steps import task_of
from domain.kernel.shown import counted
from domain.orders.order import ContactRole
from domain.success import asking

MAIN: Final = ROLES[ContactRole.MAIN]
_BILLING = ROLES[ContactRole.BILLING]
_OWNER, _MANAGER = "owner", "success manager"
_PEOPLE = {TaskOwner.OWNER: _OWNER, TaskOwner.SUCCESS_MANAGER: _MANAGER, TaskOwner.CUSTOMER: MAIN}
_READERS: Mapping[str, str] = {
    **dict.fromkeys(
        ("onboarding_mail", "onboarding_invite", "onboarding_touch", "onboarding_provisioned", "relationship_anniversary",
         "adoption_check_in", "adoption_mail", "adoption_survey", "adoption_follow_up", "reorder_check_in",
         "fulfilment_follow_up", "renewal_notice", "renewal_quote", "renewal_grace_end", "relationship_morning"),
        MAIN,
    ),
    **dict.fromkeys(("billing_invoice", "billing_dunning"), _BILLING),
    **dict.fromkeys(
        ("onboarding_escalation", "onboarding_blocked", "quote_reminder", "quote_give_up", "reorder_lapse", "fulfilment_late",
         "service_lead_reminder", "service_lead_overdue"),
        _OWNER,
    ),
}  # fmt: skip
"""Kinds of steps that somebody reads of; of all others nobody does by themselves."""


def reader_of(playbook: Playbook, step: Step) -> str:
    """Who reads what a step says, by what they are to the customer; empty for what happens without a word."""
    if step.kind in ("play", "play_escalation"):
        play = _play(playbook, step)
        return _reader_of_play(play, escalates=step.kind == "play_escalation") if play else ""
    if step.kind in ("onboarding_reminder", "onboarding_overdue"):
        task = _task(playbook, step)
        return _PEOPLE.get(task.owner, _OWNER) if task else MAIN
    return _READERS.get(step.kind, "")


def _reader_of_play(play: Play, *, escalates: bool) -> str:
    if play.mail is not None:
        return "new contact" if play.anchor is PlayAnchor.CONTACT_ADDED else ROLES[play.mail.role]
    if play.task is None:
        return ""
    person = play.task.escalation.to if escalates and play.task.escalation else play.task.owner
    return person.value.replace("_", " ")


def reason_of(playbook: Playbook, customer: Customer, step: Step) -> str:
    """The rule behind a step, in words: such as "60 days before the last day of K-1, 5 Dec 2027"."""
    if step.kind in ("play", "play_escalation"):
        play = _play(playbook, step)
        return reason_of_play(play) if play else "a play that the playbook has no more"
    task = _task(playbook, step) if step.kind.startswith("onboarding_") else None
    if task is not None and step.kind == "onboarding_blocked":
        return f"task {task.title['en']} has waited for more than {counted(playbook.onboarding.blocked_days, 'business day')}"
    if task is not None and (said := _of_task(task, step)):
        return said
    contract = next((one for one in customer.contracts if one.contract_id == step.about), None)
    if step.kind.startswith("renewal_") and contract is not None:
        return _of_contract(playbook, contract, step)
    rule = _RULES.get(step.kind)
    return rule(playbook, step) if rule else "what was asked, ordered or promised before"


def reason_of_play(play: Play) -> str:
    """When a play comes, in words."""
    anchor, days = plain(play.anchor.value), abs(play.days)
    unit = "business day" if play.count is PlayDays.BUSINESS else "day"
    when = f"on {anchor}" if not days else f"{counted(days, unit)} {'before' if play.days < 0 else 'after'} {anchor}"
    again = f", {play.repeat.times} times every {play.repeat.every} days" if play.repeat else ""
    return f"play {play.name}: {when}{again}{f', if {play.when}' if play.when else ''}"


def _play(playbook: Playbook, step: Step) -> Play | None:
    return next((play for play in playbook.every_play if play.name == step.about), None)


def _task(playbook: Playbook, step: Step) -> OnboardingTask | None:
    name = task_of(step.name)
    return playbook.onboarding.task(name)


def _of_task(task: OnboardingTask, step: Step) -> str:
    due = f"task {task.title['en']}, due {counted(task.due_after, 'day')} after the order"
    match step.kind:
        case "onboarding_invite":
            return f"{due}: invited to {counted(task.invite_after or 0, 'day')} after it"
        case "onboarding_reminder":
            return f"{due}: reminded of {counted(task.remind_before, 'day')} before it is due"
        case "onboarding_overdue":
            return f"{due}: reminded of again, as it is still open"
        case "onboarding_escalation":
            return f"{due}: escalated {counted(task.escalate_after, 'day')} after it was due"
        case "onboarding_mail" | "onboarding_provisioning" | "onboarding_provisioned":
            return due
        case _:
            return ""


def _of_contract(playbook: Playbook, contract: ContractFacts, step: Step) -> str:
    end = f"the last day of {contract.contract_id}, {_last_day(contract, step)}"
    days = step.name.removeprefix("notice-").partition(".")[0]
    match step.kind:
        case "renewal_notice" if days.isdigit():
            return f"{counted(int(days), 'day')} before {end}"
        case "renewal_term_end":
            renews = "renews by itself" if contract.auto_renew else f"has {playbook.renewal.grace_days} days of grace"
            return f"{end}; it {renews}"
        case "renewal_grace_end":
            return f"{counted(playbook.renewal.grace_days, 'day')} after {end}"
        case _:
            return f"before {end}"


def _last_day(contract: ContractFacts, step: Step) -> date:
    """Of the term that a step is about, also of one that is still to come."""
    number = int(StageId.parse(step.stage).part or contract.term.number)
    if contract.previous is not None and contract.previous.number == number:
        return last_day(contract.previous)
    return contract.end_after(number) - timedelta(days=1)


def _survey_after(playbook: Playbook, step: Step) -> str:
    """One that comes again says so: which one of them a step is stands only in the facts."""
    if asking.question_of(step) is asking.EFFORT:
        days_after = playbook.adoption.effort_after
        return f"{counted(days_after, 'day')} after go-live, once" if days_after else "at go-live, once"
    days = counted(playbook.adoption.survey_after or 0, "day")
    return (
        f"{days} after go-live, or half a year after they came if that was elsewhere, and every half year from then on"
    )


def _of_ladder(playbook: Playbook, step: Step) -> str:
    """Which step of the ladder a reminder of overdue invoices is."""
    rung = dunning.rung_of(step)
    if rung >= len(playbook.dunning.steps):
        return "a step that the playbook has no more"
    of_ladder = playbook.dunning.steps[rung]
    what = f"a {of_ladder.tone.value} reminder" if of_ladder.tone else "a person takes over"
    return f"{counted(of_ladder.after, 'day')} after an invoice was overdue: {what}"


_RULES: Mapping[str, Callable[[Playbook, Step], str]] = {
    "onboarding_touch": lambda p, s: f"{_touch_days(p, s)} after the order",
    "relationship_anniversary": lambda p, s: "a whole number of years since they came to us",
    "adoption_check_in": lambda p, s: f"every {counted(p.adoption.every_days, 'day')}",
    "adoption_follow_up": lambda p, s: f"{counted(p.adoption.follow_up_days, 'day')} after help was offered",
    "adoption_survey": _survey_after,
    "adoption_usage_review": lambda p, s: f"use fell below {p.adoption.low} or rose from {p.adoption.recovered}",
    "expansion_expiry": lambda p, s: f"an offer ends {counted(p.expansion.expires_after, 'day')} after it was made",
    "fulfilment_follow_up": lambda p, s: f"{counted(p.delivery.follow_up_after or 0, 'day')} after the order",
    "reorder_check_in": lambda p, s: "their usual rhythm of orders has passed",
    "reorder_lapse": lambda p, s: f"{p.reorder.lapse_factor} of their rhythms without an order",
    "quote_reminder": lambda p, s: f"{counted(p.quoting.remind_after, 'day')} without approval",
    "quote_give_up": lambda p, s: f"{counted(p.quoting.give_up_after, 'day')} without approval",
    "quote_expiry": lambda p, s: f"a quote holds for {counted(p.quoting.valid_days, 'day')} unless it says otherwise",
    "billing_dunning": _of_ladder,
    "billing_invoice": lambda p, s: "as the contract is billed, or when what was bought falls due",
}


def _touch_days(playbook: Playbook, step: Step) -> str:
    name = step.name.removeprefix("touch-")
    days = playbook.onboarding.touch_days.get(name)
    return counted(days, "day") if days is not None else name.replace("_", " ")
