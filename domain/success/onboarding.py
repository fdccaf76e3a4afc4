"""Onboarding: the promised tasks from the order to go-live, their reminders, and the touches of the first weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.frame import standing
from domain.frame.customer import AssetFacts, TaskFacts, days_between
from domain.frame.decision import (
    CloseStaffTasks,
    Decision,
    JournalLine,
    Mail,
    Notice,
    OpenStaffTask,
    RequestProvisioning,
)
from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import TOLERATED_DELAY, Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.step_words import plain
from domain.kernel.base import Write
from domain.kernel.calendar import MONTHS_IN_YEAR, add_months
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.shown import counted
from domain.success import adoption
from domain.success.requests import CompleteTask
from domain.success.writes import CompleteOnboardingTask, OpenOnboardingTask

ANNIVERSARIES = "relationship"


def stage_of(order_id: str) -> str:
    """The id of an order's onboarding."""
    return f"onboarding:{order_id}"


def task_of(name: str) -> str:
    """The task behind a step's name."""
    for ending in ("-invite", "-remind", "-escalate"):
        name = name.removesuffix(ending)
    return name


def starts_on(situation: Situation, start: date) -> date:
    """The local day from which the promises of an order of the day `start` count: one that comes to us late is onboarded from
    the day on which we hear of it, so that nothing promised falls away."""
    late = not situation.imported and start < situation.in_days(-TOLERATED_DELAY.days)
    return situation.today if late else start


def tasks_of(situation: Situation, order_id: str, start: date) -> list[OpenOnboardingTask]:
    """The tasks that the playbook promises for an order activated on the local day `start`."""
    opened = []
    for task in situation.playbook.onboarding.tasks:
        at, on = situation.customer.morning(start + timedelta(days=task.due_after))
        status = "past" if situation.imported and at < situation.as_of else "open"
        opened.append(OpenOnboardingTask(stage_of(order_id), task.name, task.title, task.owner, on, at, status))
    return opened


def first_steps(situation: Situation, order_id: str, start: date) -> Iterator[Step]:
    """The steps with which an order's onboarding begins: the welcome, one per task, and the touches."""
    stage = stage_of(order_id)
    promised = {task.name for task in tasks_of(situation, order_id, start) if task.status == "open"}
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
        kind = "onboarding_provisioning" if task.provisions else "onboarding_mail"
        step = situation.step(kind, stage, task.name, start + timedelta(days=task.due_after))
        at_once = task.due_after == 0 and start <= situation.today
        if at_once or step.at < situation.as_of:
            step = situation.step_now(kind, stage, task.name)
        elif task.due_after == 0:
            step = situation.step(kind, stage, task.name, start, business_day=False)
        yield step
        return
    if task.invite_after is not None:
        invitation = situation.step(
            "onboarding_invite", stage, f"{task.name}-invite", start + timedelta(days=task.invite_after)
        )
        if not situation.is_past(invitation.at):
            yield invitation
            return
    yield reminder(situation, stage, task, start + timedelta(days=task.due_after))


def reminder(situation: Situation, stage: str, task: OnboardingTask, due_on: date) -> Step:
    """The reminder of a task, some days before it is due."""
    day = due_on - timedelta(days=task.remind_before)
    return situation.step("onboarding_reminder", stage, f"{task.name}-remind", max(day, situation.today))


def after_invitation(situation: Situation, stage: str, task: OnboardingTask, due_on: date) -> Step:
    """The reminder that follows an invitation of today; who was invited late has as many days to answer as others."""
    if due_on < situation.today:
        due_on = situation.in_days(2 * task.remind_before)
    return reminder(situation, stage, task, due_on)


def _promise(situation: Situation, stage: str, name: str) -> tuple[OnboardingTask | None, TaskFacts | None]:
    """The playbook's task and the promised one; a step whose task is settled is no longer wanted."""
    task = next((task for task in situation.playbook.onboarding.tasks if task.name == name), None)
    facts = next(
        (t for t in situation.customer.tasks if t.stage == stage and t.name == name and t.status == "open"), None
    )
    return task, facts


def _named(situation: Situation, facts: TaskFacts) -> str:
    """A task by its title, and by its order if it is not the only one that could be meant."""
    return _with_order(situation, facts, facts.title["en"])


def _with_order(situation: Situation, facts: TaskFacts, says: str) -> str:
    alone = all(task.stage == facts.stage for task in situation.customer.tasks)
    return says if alone else f"{says} of order {facts.stage.split(':', 1)[1]}"


def _settled(step: Step) -> Decision:
    return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))


def mail(situation: Situation, step: Step) -> Decision:
    """A task of ours that a mail completes, such as the welcome, once it has left. The template has the task's name."""
    task, facts = _promise(situation, step.stage, step.name)
    if task is None or facts is None:
        return _settled(step)
    contact = situation.customer.contact()
    if contact is not None and contact.unsubscribed:  # nothing leaves that could complete it
        done = _complete(situation, facts, by="system")
        return replace(done, mails=[Mail(task.name), *done.mails])
    order_id = step.stage.split(":", 1)[1]
    context: dict[str, object] = {"products": standing.products_of(situation, order_id), "order_id": order_id}
    if task.name == "welcome":
        waiting = [
            t
            for t in situation.customer.tasks
            if t.stage == step.stage and t.status == "open" and t.owner != "system" and standing.speaks(situation, t)
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
        JournalLine(f"{_named(situation, facts)}: mail on its way"),
        Outcome(plan=late_steps(situation, step.stage, task, facts)),
        mails=[Mail(task.name, context, completes=task.name)],
    )


def mailed(situation: Situation, stage: str, name: str) -> Decision | None:
    """A mail has left that completes a task; null if that is done or not wanted any more. It happens beside the journey's
    loop, so the outcome says what is done, not what is left."""
    _, facts = _promise(situation, stage, name)
    if facts is None:
        return None
    done = _complete(situation, facts, by="system")
    outcome = done.outcome.model_copy(update={"stages": {}, "answer": None, "finished": {stage: name}})
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
    task, facts = _promise(situation, step.stage, step.name)
    if task is None or facts is None:
        return _settled(step)
    order_id = step.stage.split(":", 1)[1]
    items = [
        {"line_id": asset.asset_id, "product": asset.product, "quantity": units}
        for asset, units in _to_provide(situation, order_id)
    ]
    if not items:
        return _complete(situation, facts, by="system")
    late = late_steps(situation, step.stage, task, facts)
    says = _with_order(situation, facts, "Provisioning requested")
    return Decision(
        JournalLine(says),
        Outcome(plan=late, said=[says]),
        provisioning=RequestProvisioning(order_id, items),
    )


def provisioned(situation: Situation, stage: str) -> Decision:
    """The provisioning service has provided everything."""
    names = [task.name for task in situation.playbook.onboarding.tasks if task.provisions]
    _, facts = _promise(situation, stage, names[0]) if names else (None, None)
    if facts is None:
        return Decision(JournalLine("Provisioning confirmed again", kind="skipped"))
    done = _complete(situation, facts, by="system")
    others = standing.together_with(situation, facts)
    if others and situation.today == facts.due_on:
        return done  # theirs is asked for as well: the last one to be ready tells of all
    day_of = situation.customer.day_of
    silent = [  # was ready on the day on which this one was asked for as well
        t.stage
        for t in situation.customer.tasks
        if (t.name, t.due_on, t.status) == (facts.name, facts.due_on, "done")
        and t.completed_at is not None
        and day_of(t.completed_at) == facts.due_on
    ]
    orders = [one.split(":", 1)[1] for one in (*silent, stage)]
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
    says = f"{_named(situation, facts)}: told with another order"
    return Decision(JournalLine(says, kind="skipped"), Outcome(plan=plan))


def invite(situation: Situation, step: Step) -> Decision:
    """The customer is written to about a task; its reminder follows."""
    task, facts = _promise(situation, step.stage, step.name.removesuffix("-invite"))
    if task is None or facts is None:
        return _settled(step)
    following = after_invitation(situation, step.stage, task, facts.due_on)
    if not standing.speaks(situation, facts):
        return _told_by_another(situation, facts, [following])
    late = facts.due_on < situation.today
    context = {"title": facts.title, "due": facts.due_on.isoformat(), "late": late}
    return Decision(
        JournalLine(f"{_named(situation, facts)}: invitation on its way"),
        Outcome(plan=[following]),
        mails=[Mail("onboarding_invite", context)],
    )


def remind(situation: Situation, step: Step) -> Decision:
    """The one who has to do a task is reminded; if it is late by then or later, it escalates."""
    task, facts = _promise(situation, step.stage, step.name.removesuffix("-remind"))
    if task is None or facts is None:
        return _settled(step)
    following = late_steps(situation, step.stage, task, facts)
    if not standing.speaks(situation, facts):
        return _told_by_another(situation, facts, following)
    title = facts.title["en"]
    late = (situation.today - facts.due_on).days
    mails: list[Mail] = []
    notices: list[Notice] = []
    if task.owner is TaskOwner.CUSTOMER:
        mails = [
            Mail("onboarding_reminder", {"title": facts.title, "due": facts.due_on.isoformat(), "days_late": late})
        ]
    else:
        notices = [_due_notice(title, facts, late, task.owner)]
    return Decision(
        JournalLine(f"{_named(situation, facts)}: reminder on its way"),
        Outcome(plan=following),
        mails=mails,
        notices=notices,
    )


def _due_notice(title: str, facts: TaskFacts, late: int, owner: TaskOwner) -> Notice:
    """What whoever has to do a task is told so many days after (negative: before) it was due."""
    if late > 0:
        says = f"It was due on {facts.due_on}, {counted(late, 'day')} ago, and is still open."
        return Notice(f"Overdue: {title}", [says], to=owner.value)
    when = "Due today" if late == 0 else "Due soon"
    return Notice(f"{when}: {title}", [f"It is due on {facts.due_on}."], to=owner.value, due=facts.due_at)


def late_steps(situation: Situation, stage: str, task: OnboardingTask, facts: TaskFacts) -> list[Step]:
    """What comes if a task is still open some days past its due date."""
    day = max(facts.due_on + timedelta(days=task.escalate_after), situation.in_days(1))
    return [situation.step("onboarding_escalation", stage, f"{task.name}-escalate", day)]


def escalate(situation: Situation, step: Step) -> Decision:
    """A task is late: the owner gets a task of their own, and the journey shows it until it is settled."""
    task, facts = _promise(situation, step.stage, step.name.removesuffix("-escalate"))
    if task is None or facts is None:
        return _settled(step)
    late = (situation.today - facts.due_on).days
    title = f"{facts.title['en']} is {counted(late, 'day')} late"
    says = f"{_named(situation, facts)} is {counted(late, 'day')} late"
    order_id = step.stage.split(":", 1)[1]
    open_still = f"{facts.title['en']} of order {order_id} was due on {facts.due_on} and is still open"
    orders = [order_id, *(other.stage.split(":", 1)[1] for other in standing.together_with(situation, facts))]
    of_orders = f"It is of {'order' if len(orders) == 1 else 'orders'} {', '.join(sorted(orders))}."
    _, due = situation.customer.morning(situation.in_days(2))
    due_at, _ = situation.customer.morning(due)
    return Decision(
        JournalLine(f"Escalated: {says}"),
        Outcome(attention={f"late:{step.stage}/{facts.name}": open_still}, said=[says]),
        [OpenStaffTask(f"{step.stage}/{facts.name}", f"Onboarding: {title} (order {order_id})", "owner", due_at)],
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
    return Decision(JournalLine(f"Touch: {says}"), mails=[Mail(template)])


def no_touch(situation: Situation, stage: str) -> str | None:
    """Why nobody is asked how their first days with us are; null if they are."""
    if standing.standing(situation, stage.partition(":")[2]) is not standing.Standing.NEW:
        return "they know us"
    provided = {task.name for task in situation.playbook.onboarding.tasks if task.provisions}
    if any(t.stage == stage and t.status == "open" and t.name in provided for t in situation.customer.tasks):
        return "they have no access yet"
    return None


def complete(situation: Situation, request: CompleteTask) -> Decision:
    """A task is done, by update."""
    stages = {t.stage for t in situation.customer.tasks if t.status == "open"}
    wanted = {stage_of(request.order_id)} if request.order_id else stages
    found = [t for t in situation.customer.tasks if t.stage in wanted and t.name == request.task and t.status == "open"]
    if not found:
        open_now = ", ".join(f"{t.name} ({t.stage})" for t in situation.customer.tasks if t.status == "open") or "none"
        raise Refusal(NOT_ALLOWED, f"task {request.task!r} is not open; open tasks: {open_now}")
    if len(found) > 1:
        orders = ", ".join(t.stage.split(":", 1)[1] for t in found)
        raise Refusal(NOT_ALLOWED, f"task {request.task!r} is open for several orders ({orders}); name one as order_id")
    return _complete(situation, found[0], by=request.by, evidence=request.evidence)


def _complete(situation: Situation, facts: TaskFacts, *, by: str, evidence: str = "") -> Decision:
    """A task is settled: its steps fall away, and the last one closes the stage."""
    terms = situation.playbook.onboarding
    stage, title = facts.stage, _named(situation, facts)
    left = [
        t.name for t in situation.customer.tasks if t.stage == stage and t.status == "open" and t.name != facts.name
    ]
    value = facts.name == terms.value_task
    writes: list[Write] = [
        CompleteOnboardingTask(stage, facts.name, situation.as_of, by, evidence, value=value),
        CloseStaffTasks(f"{stage}/{facts.name}", situation.as_of),
    ]
    stages: dict[str, Stage | None] = {stage: Stage(status="open", tasks=left) if left else None}
    plan, drop, mails, said = (
        [],
        [f"{stage}/{facts.name}-{s}" for s in ("invite", "remind", "escalate")],
        [],
        [f"{title} done"],
    )
    days = days_between(_since(situation, stage), situation.as_of)
    if value:
        said.append(f"First value after {counted(days, 'day')}")
    if facts.name == terms.last_task:
        mails += _live(situation, facts, days if value else None)
        adopting = adoption.after_go_live(situation)
        plan, drop = adopting.plan, drop + adopting.drop
    outcome = Outcome(
        plan=plan,
        drop=drop,
        stages=stages,
        attention={f"late:{stage}/{facts.name}": None},
        said=said,
        answer={"task": facts.name, "completed_at": situation.as_of.isoformat(), "open_tasks": left},
    )
    return Decision(JournalLine(f"{title} done"), outcome, writes, mails)


def _since(situation: Situation, stage: str) -> datetime:
    """Since when the customer waits for what an onboarding is about: its order."""
    order = standing.placed(situation, stage.split(":", 1)[1])
    return order.activated_at if order else situation.customer.account.since


def _live(situation: Situation, facts: TaskFacts, days: int | None) -> list[Mail]:
    """The congratulation to go-live: one for all that went live on a day. `days`: to the first value, if that is of now."""
    of_today = [
        t
        for t in situation.customer.tasks
        if t.name == facts.name and t.completed_at and situation.customer.day_of(t.completed_at) == situation.today
    ]
    if any(other.stage != facts.stage for other in of_today):
        return []
    order_id = facts.stage.split(":", 1)[1]
    first = standing.standing(situation, order_id) is standing.Standing.NEW
    context = {
        "days_to_value": _days_to_value(situation, facts.stage, days),
        "products": [] if first else standing.products_of(situation, order_id),
    }
    return [Mail("go_live", context)]


def _days_to_value(situation: Situation, stage: str, now: int | None) -> int | None:
    if now is not None:
        return now
    value = situation.playbook.onboarding.value_task
    done = [t.completed_at for t in situation.customer.tasks if (t.stage, t.name) == (stage, value) and t.completed_at]
    return days_between(_since(situation, stage), max(done)) if done else None


def anniversary(situation: Situation, step: Step) -> Decision:
    """A yearly word to a customer who still owns something; the next one is planned a year on."""
    since = situation.customer.day_of(situation.customer.account.since)
    years = anniversary_year(step.key) - since.year
    plan = [anniversary_after(situation, step)]
    if (why := no_thanks(situation)) is not None:
        return Decision(JournalLine(f"Anniversary {years} left out: {why}", kind="skipped"), Outcome(plan=plan))
    return Decision(
        JournalLine(f"Anniversary: {years} {'year' if years == 1 else 'years'}"),
        Outcome(plan=plan),
        mails=[Mail("touch_anniversary", {"years": years})],
    )


def no_thanks(situation: Situation) -> str | None:
    """Why nobody is thanked for another year; null if they are."""
    customer = situation.customer
    if "reorder/lapsed" in customer.staff_tasks or not customer.product_names(situation.as_of):
        return "the customer is gone"
    if not customer.owns(situation.as_of):
        return "what they have is kept running, and waits for their answer"
    return None


def anniversaries_of(situation: Situation, since: date) -> Outcome:
    """The next anniversary of somebody who came on the day `since`, in place of any that is planned."""
    return Outcome(plan=[next_anniversary(situation, since)], drop=[f"{ANNIVERSARIES}/anniversary-*"])


def day_of_anniversary(situation: Situation, step: Step) -> date:
    """The day that an anniversary is of, whatever day it was moved to."""
    since = situation.customer.day_of(situation.customer.account.since)
    return add_months(since, (anniversary_year(step.key) - since.year) * MONTHS_IN_YEAR)


def anniversary_year(key: str) -> int:
    """The year that an anniversary is of, whatever day it was moved to."""
    return int(key.rpartition("-")[2])


def anniversary_after(situation: Situation, step: Step) -> Step:
    """The one that follows on an anniversary that is kept or left out today."""
    since = situation.customer.day_of(situation.customer.account.since)
    # In a later year than the step's own: to a customer who has moved west, the same anniversary may be still to come.
    return next_anniversary(situation, since, after=max(date(anniversary_year(step.key), 12, 31), situation.today))


def next_anniversary(situation: Situation, since: date, after: date | None = None) -> Step:
    """The first anniversary after the day `after`, or after today."""
    years = 1
    while (day := add_months(since, years * MONTHS_IN_YEAR)) <= (after or situation.today):
        years += 1
    return situation.step("relationship_anniversary", ANNIVERSARIES, f"anniversary-{day.year}", day, business_day=False)
