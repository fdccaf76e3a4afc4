"""Onboarding: the promised tasks from the order to go-live, their reminders, and the touches of the first weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.frame import standing
from domain.frame.customer import AssetFacts
from domain.frame.decision import Decision, JournalLine, Mail, Notice, OpenStaffTask, RequestProvisioning
from domain.frame.keys import about
from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.step_words import plain
from domain.frame.success_facts import OnboardingTaskStatus, TaskFacts
from domain.frame.task_steps import INVITATION, task_of
from domain.kernel.shown import counted
from domain.success.onboarding_dates import held
from domain.success.onboarding_steps import after_invitation, kind_of_own, late_steps, reminder
from domain.success.onboarding_tasks import (
    completion,
    named,
    not_needed,
    promise,
    stage_of,
    tasks_of,
    with_order,
)
from domain.success.writes import InviteToTask

ABOUT_A_MONTH = 27


def first_steps(situation: Situation, order_id: str, start: date) -> Iterator[Step]:
    """The steps with which an order's onboarding begins: the welcome, one per task, and the touches."""
    stage = stage_of(order_id)
    promised = {task.name for task in tasks_of(situation, order_id, start) if task.status is OnboardingTaskStatus.OPEN}
    for task in situation.playbook.onboarding.tasks:
        if task.name in promised:
            yield from _first_step_of(situation, stage, task, start)
    provided = [task.due_after for task in situation.playbook.onboarding.tasks if task.provisions]
    for name, days in situation.playbook.onboarding.touch_days.items():
        day = start + timedelta(days=max(days, 1 + max(provided, default=0)))  # not before there is access
        yield situation.step("onboarding_touch", stage, f"touch-{name}", day)


def _first_step_of(situation: Situation, stage: str, task: OnboardingTask, start: date) -> Iterator[Step]:
    """The next step of a task that still makes sense: an order that comes late loses none of its promises.

    What the system does itself happens at activation or at once; an invitation whose day has passed gives way to the reminder.
    """
    if task.owner is TaskOwner.SYSTEM:
        kind = kind_of_own(task)
        step = situation.step(kind, stage, task.name, start + timedelta(days=task.due_after))
        at_once = task.due_after == 0 and start <= situation.today
        if at_once or step.at < situation.as_of:
            step = situation.step_now(kind, stage, task.name)
        elif task.due_after == 0:
            step = situation.step(kind, stage, task.name, start, business_day=False)
        yield step
        return
    if task.invite_after is not None:
        invitation = INVITATION.on(situation, stage, task.name, start + timedelta(days=task.invite_after))
        if not situation.is_past(invitation.at):
            yield invitation
            return
    yield reminder(situation, stage, task, start + timedelta(days=task.due_after))


def mail(situation: Situation, step: Step) -> Decision:
    """A task of ours that a mail completes, such as the welcome, once it has left. The template has the task's name."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None:
        return not_needed(step)
    if (waits := held(situation, step, task, facts, named(situation, facts))) is not None:
        return waits
    contact = situation.customer.contact()
    order_id = step.about
    if contact is not None and not contact.wants(task.name):  # nothing leaves that could complete it
        done = completion(situation, facts, by="system")
        confirmed = {"products": standing.products_of(situation, order_id), "order_id": order_id}
        # Whoever wants no optional mails is told all the same that we have their order.
        instead = [Mail("order_confirmed", confirmed)] if task.name == "welcome" else []
        return replace(done, mails=[Mail(task.name), *instead, *done.mails])
    context: dict[str, object] = {"products": standing.products_of(situation, order_id), "order_id": order_id}
    if task.name == "welcome":
        waiting = [
            t
            for t in situation.customer.tasks
            if t.stage == step.stage and t.is_open and t.owner != "system" and standing.speaks(situation, t)
        ]
        context["standing"] = standing.standing(situation, order_id).value
        today = situation.today  # a welcome that had to wait names no day that is gone
        context["tasks"] = [
            {"title": t.title, "due": t.due_on.isoformat() if t.due_on >= today else None} for t in waiting
        ]
        context["success_manager_name"] = situation.customer.success_manager.name
    elif task.name == "delivery_follow_up":
        context["products"] = standing.sent_with(situation, order_id)
    return Decision(
        JournalLine(f"{named(situation, facts)}: mail on its way"),
        Outcome(plan=late_steps(situation, step.stage, task, facts)),
        mails=[Mail(task.name, context, completes=task.name)],
    )


def mailed(situation: Situation, stage: str, name: str) -> Decision | None:
    """A mail has left that completes a task; null if that is done or not wanted any more. It happens beside the journey's
    loop, so the outcome says what is done, not what is left."""
    _, facts = promise(situation, stage, name)
    if facts is None:
        return None
    done = completion(situation, facts, by="system")
    outcome = done.outcome.having(stages={}, answer=None, finished={stage: name})
    return replace(done, outcome=outcome)


def _to_provide(situation: Situation, order_id: str) -> list[tuple[AssetFacts, int]]:
    """What an order sold for a term, with the units that the provisioning service is asked for."""
    contracts = {c.contract_id for c in situation.customer.contracts if c.order_id == order_id}
    return [
        (asset, units)
        for asset in situation.customer.assets
        if asset.contract_id in contracts and (units := _units_to_provide(asset, situation.as_of))
    ]


def _units_to_provide(asset: AssetFacts, at: datetime) -> int:
    """The units that are held now, or once the asset begins; none if it was given up, swapped or handed over before."""
    return next((p.quantity for p in asset.periods if p.quantity and (p.ends_at is None or p.ends_at > at)), 0)


def provisioning(situation: Situation, step: Step) -> Decision:
    """What was sold for a term is asked of the provisioning service; its answer completes the task."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None:
        return not_needed(step)
    if (waits := held(situation, step, task, facts, named(situation, facts))) is not None:
        return waits
    order_id = step.about
    items = [
        {"line_id": asset.asset_id, "product": asset.product, "quantity": units}
        for asset, units in _to_provide(situation, order_id)
    ]
    if not items:
        return completion(situation, facts, by="system")
    late = late_steps(situation, step.stage, task, facts)
    says = with_order(situation, facts, "Provisioning requested")
    return Decision(
        JournalLine(says),
        Outcome(plan=late, said=[says]),
        provisioning=RequestProvisioning(order_id, items),
    )


def provisioned(situation: Situation, step: Step) -> Decision:
    """The provisioning service has provided everything."""
    names = [task.name for task in situation.playbook.onboarding.tasks if task.provisions]
    _, facts = promise(situation, step.stage, names[0]) if names else (None, None)
    if facts is None:
        return Decision(JournalLine("Provisioning confirmed again", kind="skipped"))
    done = completion(situation, facts, by="system")
    others = standing.together_with(situation, facts)
    if others and situation.today == facts.due_on:
        return done  # theirs is asked for as well: the last one to be ready tells of all
    day_of = situation.customer.day_of
    silent = [  # was ready on the day on which this one was asked for as well
        t.stage
        for t in situation.customer.tasks
        if (t.name, t.due_on, t.status) == (facts.name, facts.due_on, OnboardingTaskStatus.DONE)
        and t.completed_at is not None
        and day_of(t.completed_at) == facts.due_on
    ]
    orders = [about(one) for one in (*silent, step.stage)]
    mail = Mail("provisioning_done", _ready(situation, orders))
    return replace(done, mails=[mail, *done.mails])


def _ready(situation: Situation, order_ids: list[str]) -> dict[str, object]:
    """What the provisioning service answered for: what can be used now, and what begins on a later day."""
    assets = [asset for order_id in order_ids for asset, _ in _to_provide(situation, order_id)]
    begins = [(a.product_name, at) for a in assets if (at := a.units_from(situation.as_of)) is not None]
    now = [name for name, at in begins if at <= situation.as_of]
    later: dict[str, str] = {}
    for at, name in sorted((at, name) for name, at in begins if name not in now):
        later.setdefault(name, situation.customer.day_of(at).isoformat())
    return {
        "products": list(dict.fromkeys(now)),
        "later": [{"product": name, "from": day} for name, day in later.items()],
    }


def _told_by_another(situation: Situation, facts: TaskFacts, plan: list[Step]) -> Decision:
    """Another onboarding with the same task for the same day says it for both."""
    says = f"{named(situation, facts)}: told with another order"
    return Decision(JournalLine(says, kind="skipped"), Outcome(plan=plan))


def invite(situation: Situation, step: Step) -> Decision:
    """The customer is written to about a task; its reminder follows."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None:
        return not_needed(step)
    if (waits := held(situation, step, task, facts, named(situation, facts))) is not None:
        return waits
    following = after_invitation(situation, step.stage, task, facts.due_on, facts.turn)
    invited = InviteToTask(step.stage, task.name, situation.as_of)
    if not standing.speaks(situation, facts):
        return replace(_told_by_another(situation, facts, [following]), writes=[invited])
    late = facts.due_on < situation.today
    result = task.name == situation.playbook.onboarding.value_task and task.owner is TaskOwner.CUSTOMER
    context = {"title": facts.title, "due": facts.due_on.isoformat(), "late": late, "asks_outcome": result}
    return Decision(
        JournalLine(f"{named(situation, facts)}: invitation on its way"),
        Outcome(plan=[following]),
        [invited],
        mails=[Mail("onboarding_invite", context)],
    )


def remind(situation: Situation, step: Step) -> Decision:
    """The one who has to do a task is reminded, before its date and after it; once that was often enough, it escalates."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None:
        return not_needed(step)
    if (waits := held(situation, step, task, facts, named(situation, facts))) is not None:
        return waits
    following = late_steps(situation, step.stage, task, facts)
    if not standing.speaks(situation, facts):
        return _told_by_another(situation, facts, following)
    late = (situation.today - facts.due_on).days
    mails: list[Mail] = []
    notices: list[Notice] = []
    brings_value = task.name == situation.playbook.onboarding.value_task
    if task.owner is TaskOwner.CUSTOMER:
        context = {
            "title": facts.title,
            "due": facts.due_on.isoformat(),
            "days_late": late,
            "asks_outcome": brings_value,
        }
        mails = [Mail("onboarding_reminder", context)]
    else:
        notice = _due_notice(situation, facts, late, task.owner)
        asks = ["Please note what was reached, in a word or a figure, once it is done."] if brings_value else []
        notices = [replace(notice, lines=[*notice.lines, *asks])]
    return Decision(
        JournalLine(f"{named(situation, facts)}: reminder on its way"),
        Outcome(plan=following),
        mails=mails,
        notices=notices,
    )


def _due_notice(situation: Situation, facts: TaskFacts, late: int, owner: TaskOwner) -> Notice:
    """What whoever has to do a task is told so many days after (negative: before) it was due: what is late is asked for by the next
    business day."""
    title = facts.title["en"]
    if late > 0:
        says = f"It was due on {facts.due_on}, {counted(late, 'day')} ago, and is still open."
        due_at, _ = situation.customer.morning(situation.in_days(1))
        return Notice(f"Overdue: {title}", [says], to=owner.value, due=due_at)
    when = "Due today" if late == 0 else "Due soon"
    return Notice(f"{when}: {title}", [f"It is due on {facts.due_on}."], to=owner.value, due=facts.due_at)


def escalate(situation: Situation, step: Step) -> Decision:
    """A task is late: the owner gets a task of their own, and the journey shows it until it is settled."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None:
        return not_needed(step)
    if (waits := held(situation, step, task, facts, named(situation, facts))) is not None:
        return waits
    late = (situation.today - facts.due_on).days
    title = f"{facts.title['en']} is {counted(late, 'day')} late"
    says = f"{named(situation, facts)} is {counted(late, 'day')} late"
    order_id = step.about
    open_still = f"{facts.title['en']} of order {order_id} was due on {facts.due_on} and is still open"
    orders = [order_id, *(about(other.stage) for other in standing.together_with(situation, facts))]
    of_orders = f"It is of {'order' if len(orders) == 1 else 'orders'} {', '.join(sorted(orders))}."
    _, due = situation.customer.morning(situation.in_days(2))
    due_at, _ = situation.customer.morning(due)
    return Decision(
        JournalLine(f"Escalated: {says}"),
        Outcome(attention={f"late:{step.stage}/{facts.name}": open_still}, said=[says]),
        [
            OpenStaffTask(
                f"{step.stage}/{facts.name}",
                f"Onboarding: {title} (order {order_id})",
                "owner",
                due_at,
                f"{open_still}; it is up to: {plain(facts.owner)}",
            )
        ],
        notices=[
            Notice(
                f"Late: {title}",
                [of_orders, f"It was due on {facts.due_on}.", f"It is up to: {plain(facts.owner)}."],
                "owner",
                due_at,
            )
        ]
        if standing.speaks(situation, facts)
        else [],
    )


def touch(situation: Situation, step: Step) -> Decision:
    """A short mail on a fixed day after the sale by which a customer came to us; not before they can use what they bought."""
    says = step.name.removeprefix("touch-").replace("_", " ")
    if (why := no_touch(situation, step.stage)) is not None:
        return Decision(JournalLine(f"No touch {says}: {why}", kind="skipped"))
    template = step.name.replace("-", "_")
    return Decision(JournalLine(f"Touch: {says}"), mails=[Mail(template, touched(situation, step.stage))])


def touched(situation: Situation, stage: str) -> dict[str, object]:
    """What a touch says of the time since what was sold began: whether that is about a month."""
    return {"month": _begins_on(situation, about(stage)) <= situation.in_days(-ABOUT_A_MONTH)}


def _begins_on(situation: Situation, order_id: str) -> date:
    """The first day of what an order sold for a term, or the day of the order if it sold nothing of the kind."""
    contracts = {one.contract_id for one in situation.customer.contracts if one.order_id == order_id}
    starts = [
        one.periods[0].starts_at for one in situation.customer.assets if one.periods and one.contract_id in contracts
    ]
    order = standing.placed(situation, order_id)
    at = min(starts, default=order.activated_at if order else situation.customer.account.since)
    return situation.customer.day_of(at)


def no_touch(situation: Situation, stage: str) -> str | None:
    """Why nobody is asked how their first days with us are; null if they are."""
    if standing.standing(situation, about(stage)) is not standing.Standing.NEW:
        return "they know us"
    provided = {task.name for task in situation.playbook.onboarding.tasks if task.provisions}
    if any(t.stage == stage and t.is_open and t.name in provided for t in situation.customer.tasks):
        return "they have no access yet"
    if (begins := _begins_on(situation, about(stage))) >= situation.today:
        return f"what they bought begins on {begins}"
    return None
