"""Customers who buy goods: a check-in on their own order rhythm, and an alarm when they seem to have left."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.kernel.shown import counted
from domain.success import health_plays
from domain.success.health import Health
from domain.success.rhythm import lapse_days, order_rhythm

STAGE = "reorder"
ACTIVE = "active"
LAPSED = "lapsed"
LAPSE_TASK = "reorder/lapsed"


def after_order(situation: Situation, days: list[date]) -> Outcome:
    """An order of goods came in: the check-in and the alarm move to the rhythm of all order `days`."""
    steps = [step for step in steps_after(situation, days) if not situation.is_past(step.at)]
    return Outcome(
        plan=steps,
        drop=[STAGE],
        stages={STAGE: Stage(status=ACTIVE if steps else LAPSED)},
        attention={"lapsed": None},
    )


def steps_after(situation: Situation, days: list[date]) -> list[Step]:
    """The check-in and the alarm that follow on orders of these days, past or to come."""
    rhythm = order_rhythm(days, situation.playbook.reorder)
    last = max(days)
    lapse = last + timedelta(days=lapse_days(rhythm, situation.playbook.reorder))
    return [
        situation.step("reorder_check_in", STAGE, f"check-in-{last}", last + timedelta(days=rhythm)),
        situation.step("reorder_lapse", STAGE, f"lapse-{last}", lapse),
    ]


def check_in(situation: Situation, step: Step, health: Health) -> Decision:
    """The customer's own rhythm has passed without an order: a friendly word."""
    days = [purchase.day for purchase in situation.customer.purchases]
    if not days or step.name != f"check-in-{max(days)}":
        return Decision(JournalLine("Check-in: an order came meanwhile", kind="skipped"))
    rhythm = order_rhythm(days, situation.playbook.reorder)
    context = asked(situation) or {}
    return Decision(
        JournalLine(f"Check-in: last order on {max(days)}, usual rhythm {rhythm} days"),
        mails=[Mail("reorder_check_in", context)],
    ) + health_plays.scored(situation, health)


def asked(situation: Situation) -> dict[str, Any] | None:
    """What the friendly word says; null for somebody who has ordered nothing."""
    days = [purchase.day for purchase in situation.customer.purchases]
    if not days:
        return None
    return {
        "last_order": max(days).isoformat(),
        "rhythm_days": order_rhythm(days, situation.playbook.reorder) if len(set(days)) > 1 else None,
        "products": situation.customer.product_names()[:10],
        "variant": len(set(days)) % 2,
    }


def lapse(situation: Situation, step: Step, health: Health) -> Decision:
    """Long past their rhythm: the owner is alarmed, until an order comes again."""
    days = [purchase.day for purchase in situation.customer.purchases]
    if not days or step.name != f"lapse-{max(days)}":
        return Decision(JournalLine("Lapse alarm: an order came meanwhile", kind="skipped"))
    silent = (situation.today - max(days)).days
    says = f"No order for {counted(silent, 'day')}; usual rhythm {order_rhythm(days, situation.playbook.reorder)} days"
    due_at, _ = situation.customer.morning(situation.in_days(2))
    return Decision(
        JournalLine(f"Lapsed: {says}"),
        Outcome(stages={STAGE: Stage(status=LAPSED)}, attention={"lapsed": says}, said=[says]),
        [OpenStaffTask(LAPSE_TASK, f"Win back: {says}", "owner", due_at, f"Their last order was on {max(days)}")],
        notices=[Notice("Customer seems to have left", [says], to="owner", due=due_at)],
    ) + health_plays.scored(situation, health)


def came_back(situation: Situation) -> CloseStaffTasks:
    """An order settles the alarm."""
    return CloseStaffTasks(LAPSE_TASK, situation.as_of, outcome="they have ordered again")
