"""Help with a product that is used too little, step by step: what comes next while it has not helped, until it has or a person takes over.

All low products of a customer are one help: one mail, one task of each step, one conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.frame.decision import Decision, JournalLine, Notice, OpenStaffTask
from domain.frame.keys import about
from domain.frame.playbook import Help
from domain.frame.situation import Situation
from domain.success.health import SeatUse

TASK = "adoption/help"
KEYS = (TASK, f"{TASK}/")
"""What is settled when help ends: its task, and those of its further steps."""
_MOST_OWED = 4
WHY = "They use little of what they pay for; a call finds out what keeps them from it"


@dataclass(frozen=True)
class _Step:
    """Who does a step of help within how many days, and what it is: in a word, as what is asked, and how it is done."""

    to: str
    within: int
    what: str
    title: str
    says: str


_STEPS: Mapping[Help, _Step] = {
    Help.CALL: _Step(
        "success_manager", 3, "call", "Call them", "Find out what keeps them from it, and agree what changes."
    ),
    Help.TRAINING: _Step(
        "success_manager", 5, "training", "Train them", "Offer a training to those who do not use it yet."
    ),
    Help.PLAN: _Step(
        "owner",
        5,
        "plan",
        "Agree a plan with them",
        "Write down with them what they want to reach, by when, and who does what.",
    ),
}


def settled(situation: Situation, uses: Sequence[SeatUse]) -> list[SeatUse]:
    """The products that have been in use for long enough to be helped with, the least used first: not before they are live."""
    return [use for use in uses if use.since is None and not _to_go_live(situation, use)]


def _to_go_live(situation: Situation, use: SeatUse) -> bool:
    """True while go-live is still to come of every order by which they have a product: until check-ins begin without it."""
    last = situation.playbook.onboarding.last_task
    coming = {about(task.stage) for task in situation.customer.tasks if task.name == last and task.is_open}
    limit = situation.in_days(-situation.playbook.adoption.latest_start)
    young = {one.order_id for one in situation.customer.orders if situation.customer.day_of(one.activated_at) > limit}
    by = {one.contract_id: one.order_id for one in situation.customer.contracts}
    sold = [
        by.get(asset.contract_id or "") for asset in situation.customer.assets if asset.product == use.asset.product
    ]
    return all(order in coming & young for order in sold)


def low(situation: Situation, uses: Sequence[SeatUse]) -> list[SeatUse]:
    """The products of which too few seats are in use, the least used first."""
    return [use for use in settled(situation, uses) if use.share < situation.playbook.adoption.low]


def taken(situation: Situation) -> int:
    """How many steps of the help that is under way have followed on its mail."""
    return situation.looks.help_steps if situation.looks else 0


def goes_on(situation: Situation, steps: int) -> bool:
    """True if another step is left once so many have followed on the mail: then it is looked at again."""
    return steps < len(situation.playbook.adoption.help) - 1


def others(uses: Sequence[SeatUse]) -> list[str]:
    """A line of each product but the first, for our people."""
    return [f"{use.asset.product_name}: {use.says}." for use in uses[1:]]


def owed(situation: Situation) -> list[str]:
    """What of the help that is under way nobody has done yet, in sentences for the owner: whose it is, and whether it is late."""
    mine = situation.customer.owner.staff_id
    lines = []
    for one in (situation.looks.help_owed if situation.looks else ())[:_MOST_OWED]:
        what = "first call" if one.key == TASK else _STEPS[Help(one.key.removeprefix(f"{TASK}/"))].what
        day = situation.customer.day_of(one.due_at)
        late = f"was due on {day} and is not done" if one.due_at <= situation.as_of else f"is due on {day}"
        lines.append(f"Your {what} {late}." if one.staff_id == mine else f"The {what} of {one.name} {late}.")
    return lines


def further(situation: Situation, says: str, uses: Sequence[SeatUse]) -> Decision:
    """The next step of help, which is somebody's task until it is settled or use recovers. says: what is low, in a sentence's words.

    Called only while one is left.
    """
    kind = situation.playbook.adoption.help[taken(situation) + 1]
    step = _STEPS[kind]
    due_at, due = situation.customer.morning(situation.in_days(step.within))
    title = f"{step.title}: {says}"
    return Decision(
        JournalLine(""),
        writes=[OpenStaffTask(f"{TASK}/{kind.value}", title, step.to, due_at, says)],
        notices=[Notice(title, [step.says, *others(uses), f"Please do so by {due}."], step.to, due_at)],
    )
