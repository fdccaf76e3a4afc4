"""Onboarding, check-ins, the rhythm of orders, anniversaries: what was begun, and is not done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.assets.model import active_actions
from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import TOLERATED_DELAY, Situation
from domain.frame.state import Stage, Step
from domain.frame.success_facts import OnboardingTaskStatus, TaskFacts
from domain.frame.task_steps import INVITATION, OVERDUE, REMINDER, task_of
from domain.journey import fulfilling
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import ContractLife, Facts, OrderFacts
from domain.orders.order import TERM_KINDS
from domain.success import (
    adoption,
    asking,
    expansion,
    onboarding,
    onboarding_dates,
    onboarding_steps,
    onboarding_tasks,
    reorder,
    thanks,
)
from domain.success import (
    helping as helping_on,
)


def at_instant(facts: Facts, at: datetime, *, imported: bool = False) -> Situation:
    """The customer as now, with the eyes and in the zone of another instant: what was planned then is planned again."""
    customer, zone = facts.situation.customer, facts.zone_at(at)
    if zone != customer.account.time_zone:
        account = customer.account.having(time_zone=zone)
        customer = customer.having(account=account)
    return replace(facts.situation, customer=customer, as_of=at, imported=imported)


# Onboarding


def onboardings(facts: Facts, agenda: Agenda) -> None:
    """The open onboardings, and the touches of orders whose contracts live."""
    first = min((order.recorded_at for order in facts.record.orders), default=None)
    for order in facts.record.orders:
        if order.over:
            continue
        own = [life for life in facts.record.contracts if life.order_id == order.order_id]
        if own or order.recorded_at == first:
            _onboarding(facts, order, over=bool(own) and all(life.ended_at for life in own), agenda=agenda)


def _onboarding(facts: Facts, order: OrderFacts, *, over: bool, agenda: Agenda) -> None:
    stage = onboarding_tasks.stage_of(order.order_id)
    waiting = {task.name: task for task in facts.situation.customer.tasks if task.stage == stage and task.is_open}
    if found := onboarding_tasks.waits_for(list(waiting)):
        agenda.stages[stage] = found
    if over:
        return
    then = at_instant(facts, order.recorded_at, imported=order.imported)
    start = then.customer.day_of(order.activated_at)
    for step in onboarding.first_steps(then, order.order_id, onboarding_tasks.starts_on(then, start)):
        if then.is_past(step.at) or facts.done(step.key) is not None:
            continue
        task = waiting.get(task_of(step.name))
        if step.kind == "onboarding_touch":
            if not facts.situation.is_past(facts.as_left(step).at):
                agenda.add(step)
        elif task is not None and not task.turn and _goes_on(task):
            agenda.add(step)
    for task in waiting.values():
        agenda.add(*_following(facts, stage, task))


def _goes_on(task: TaskFacts) -> bool:
    """False for a task whose steps wait: its clock stands still, or something else comes first."""
    return task.held_at is None and not onboarding_dates.clock_stands(task)


def _following(facts: Facts, stage: str, task: TaskFacts) -> list[Step]:
    """What follows from the new date, the invitation, the reminders or the request to provision of a task, and from its waiting."""
    promised = facts.situation.playbook.onboarding.task(task.name)
    if promised is None:
        return []
    found: list[Step] = []
    if task.waits_since is not None:
        then = at_instant(facts, task.waits_since)
        found.append(onboarding_steps.too_long(then, stage, task, task.waits_since))
    if _goes_on(task):
        found += _of_turn(facts, stage, promised, task)
    if promised.provisions:
        found += [one.step for one in facts.announced("onboarding_provisioned") if one.step.stage == stage]
    return [step for step in found if facts.done(step.key) is None]


def _of_turn(facts: Facts, stage: str, promised: OnboardingTask, task: TaskFacts) -> list[Step]:
    """What follows from what was done since the task's date was set last."""
    found: list[Step] = []
    if task.turn and task.dated_at is not None:
        # As it was then: whoever was invited since has the invitation of this turn.
        invited_at = task.invited_at if task.invited_at and task.invited_at < task.dated_at else None
        then = task.having(invited_at=invited_at)
        found += onboarding_steps.steps_of_turn(at_instant(facts, task.dated_at), stage, promised, then)
    invited = facts.done(INVITATION.key(stage, task.name, task.turn))
    if invited is not None:
        found.append(
            onboarding_steps.after_invitation(at_instant(facts, invited), stage, promised, task.due_on, task.turn)
        )
    asked = REMINDER.key(stage, task.name, task.turn)
    if promised.owner is TaskOwner.SYSTEM:
        asked = f"{stage}/{task.name}" + (f".{task.turn}" if task.turn else "")
    again = facts.last_done(f"{stage}/{task.name}{OVERDUE.ending}.{task.turn}.")
    looked = max([at for at in (facts.done(asked), again[1] if again else None) if at is not None], default=None)
    if looked is not None:
        found += onboarding_steps.late_steps(at_instant(facts, looked), stage, promised, task)
    return found


def anniversaries(facts: Facts, agenda: Agenda) -> None:
    """The next one after the last that was kept, and after the customer came to us."""
    situation = facts.situation
    if not situation.playbook.onboarding.anniversaries:
        return
    customer = situation.customer
    # It is known since the order by which the customer came to us; one of the past may have been taken over later.
    by_order = [order.recorded_at for order in facts.record.orders if order.activated_at <= customer.account.since]
    known = max([facts.record.reopened_at or facts.record.recorded_at, *by_order[:1]])
    after = max(customer.day_of(known), situation.in_days(-TOLERATED_DELAY.days - 1))
    prefix = f"{thanks.ANNIVERSARIES}/anniversary-"
    seen = known
    if last := facts.last_done(prefix):
        seen = max(seen, last[1])
        after = max(after, date(thanks.anniversary_year(last[0]), 12, 31), customer.day_of(last[1]))
    for at, key in facts.left_out(prefix):  # for good, whatever is known of the day by now
        seen = max(seen, at)
        after = max(after, date(thanks.anniversary_year(key), 12, 31))
    since = at_instant(facts, seen).customer.day_of(customer.account.since)
    agenda.add(thanks.next_anniversary(situation, since, after=after))


# Check-ins


def check_ins(facts: Facts, agenda: Agenda) -> None:
    """Adoption, while a contract lives: the next check-in, the look whether help has helped, the survey."""
    began = _began(facts)
    if began is None:
        return
    situation = facts.situation
    # What was planned before adoption was over is gone, even if a contract of then lives again.
    at = max(began[0], facts.record.adopted_until or began[0])
    helping = adoption.HELP_TASK in situation.customer.staff_tasks
    agenda.stages[adoption.STAGE] = Stage(status=adoption.HELPING if helping else adoption.STEADY)
    every = situation.playbook.adoption.every_days
    counted: list[tuple[datetime, int]] = [began]
    live_at = [done for done in _went_live(facts) if done >= at and _held_term(facts, done)]
    counted += [(done, every) for done in live_at]
    looked = facts.last_done(f"{adoption.STAGE}/check-in-")
    if looked is not None and looked[1] >= at:
        counted.append((looked[1], every))
    latest, days = max(counted)
    # By what was done then, or as adoption began once more.
    since = [one for one in facts.announced("adoption_check_in") if one.by >= latest]
    if since:
        agenda.add(since[-1].step)
    else:
        agenda.add(adoption.check_in_after(at_instant(facts, latest), days))
    if helping and facts.record.help_since is not None:
        followed = facts.last_done(f"{adoption.STAGE}/follow-up-")
        if followed is None or followed[1] < facts.record.help_since:
            _add_undone(facts, agenda, adoption.next_follow_up(at_instant(facts, facts.record.help_since)))
        elif helping_on.goes_on(situation, facts.record.help_steps):
            _add_undone(facts, agenda, adoption.next_follow_up(at_instant(facts, followed[1])))
    # Whether a go-live brought a survey depends on who had been asked by then.
    agenda.add(*(one.step for one in facts.announced(asking.KIND, "adoption_mail") if one.by >= at))
    _first_survey(facts, agenda, at)
    _next_survey(facts, agenda, at)
    agenda.tolerated.add(f"{adoption.STAGE}/usage-*")


def _first_survey(facts: Facts, agenda: Agenda, since: datetime) -> None:
    """The question to a customer who was taken over with what they had, after they went live elsewhere: what follows on it is announced."""
    life = _began_with(facts)
    if (
        life is None
        or _announced_since(facts, since)
        or facts.record.reopened_at is not None
        or not _came_live(facts, life)
    ):
        return
    for step in asking.taken_over(at_instant(facts, life.recorded_at)):
        _add_undone(facts, agenda, step)


def _came_live(facts: Facts, life: ContractLife) -> bool:
    """True for a contract that was taken over by an import, with no go-live of ours before it or to come."""
    last, order = facts.situation.playbook.onboarding.last_task, facts.order(life.order_id) if life.order_id else None
    if order is None:
        return life.origin == "imported"
    stage = onboarding_tasks.stage_of(order.order_id)
    tasks = [task for task in facts.situation.customer.tasks if (task.stage, task.name) == (stage, last)]
    return order.imported and any(task.status == OnboardingTaskStatus.PAST for task in tasks)


def _next_survey(facts: Facts, agenda: Agenda, since: datetime) -> None:
    """The question half a year after the last one, of customers who were asked before it came twice a year: else it was announced, and
    stays on its day wherever they move."""
    if not facts.situation.customer.surveys:
        return
    asked_at = asking.last_asked(facts.situation)
    if asked_at >= since and not _announced_since(facts, asked_at):
        _add_undone(facts, agenda, asking.next_survey(at_instant(facts, asked_at), asked_at))


def _announced_since(facts: Facts, since: datetime) -> bool:
    """Whether the question to recommend us was planned by something of then or later."""
    surveys = (one for one in facts.record.announced if one.by >= since and one.step.kind == asking.KIND)
    return any(asking.question_of(one.step) is asking.RECOMMEND for one in surveys)


def _held_term(facts: Facts, at: datetime) -> bool:
    """`Customer.holds_term` by what was known at `at`: what was sold, renewed or given up later did not count then."""
    sold_for_term = {asset.asset_id for asset in facts.situation.customer.assets if asset.kind in TERM_KINDS}
    if sold_for_term and not facts.situation.records:
        return True  # read without the ledger
    for asset_id, record in facts.situation.records.items():
        by_then = (action for action in record.actions if action.recorded_at is None or action.recorded_at <= at)
        known = active_actions(tuple(by_then))
        if known and asset_id in sold_for_term:
            start, end = known[-1].lifecycle_start, known[-1].lifecycle_end
            if end is None or end > max(start, at):
                return True
    return False


def _add_undone(facts: Facts, agenda: Agenda, step: Step) -> None:
    if facts.done(step.key) is None:
        agenda.add(step)


def _went_live(facts: Facts) -> list[datetime]:
    last = facts.situation.playbook.onboarding.last_task
    return [
        task.completed_at
        for task in facts.situation.customer.tasks
        if task.name == last and task.status == OnboardingTaskStatus.DONE and task.completed_at is not None
    ]


def _began_with(facts: Facts) -> ContractLife | None:
    """The first of the contracts that cover the time without a gap until now; null while none lives."""
    began: ContractLife | None = None
    covered: datetime | None = None
    for life in sorted(facts.record.contracts, key=lambda life: (life.recorded_at, life.contract_id)):
        if life.ended_at is not None and life.ended_at <= life.recorded_at:
            continue  # over before it was recorded
        if began is None or (covered is not None and life.recorded_at > covered):
            began, covered = life, life.ended_at
        elif covered is not None:
            covered = None if life.ended_at is None else max(covered, life.ended_at)
    return began if covered is None else None


def _began(facts: Facts) -> tuple[datetime, int] | None:
    """When check-ins began and after how many days the first one came; null while no contract lives."""
    began = _began_with(facts)
    if began is None:
        return None
    since = facts.situation.customer.account.since
    order = facts.order(began.order_id) if began.order_id else None
    if facts.record.reopened_at is not None and (order.over if order else began.recorded_at < facts.record.reopened_at):
        again = facts.record.reopened_at  # by the order of then, whatever comes to light later
        newer = [o.activated_at for o in facts.record.orders if not o.over and o.recorded_at <= again]
        return again, _first_look(facts, again, min(newer, default=since))
    if order is None and began.origin != "imported":
        return began.recorded_at, facts.situation.playbook.adoption.every_days
    return began.recorded_at, _first_look(facts, began.recorded_at, order.activated_at if order else since)


def _first_look(facts: Facts, at: datetime, since: datetime) -> int:
    """Days from `at` to the first check-in of a customer whose use began with `since`, by the days where they were then."""
    day_of = at_instant(facts, at).customer.day_of
    return max(1, facts.situation.playbook.adoption.latest_start - (day_of(at) - day_of(since)).days)


# Offers


def offers(facts: Facts, agenda: Agenda) -> None:
    """Offers that wait for an answer, until they lapse."""
    for offer in facts.situation.customer.offers:
        if offer.is_open:
            stage = expansion.stage_of(offer.asset_id)
            agenda.stages[stage] = Stage(status=expansion.OFFERED, tasks=[offer.offer_id])
            agenda.add(expansion.expiry_of(at_instant(facts, offer.offered_at), offer))


# Goods


def deliveries(facts: Facts, agenda: Agenda) -> None:
    """The question whether what an order sends has arrived."""
    for order in facts.record.orders:
        if order.over or order.imported or not order.ships:
            continue
        then = at_instant(facts, order.recorded_at)
        onboards = any(
            task.stage == onboarding_tasks.stage_of(order.order_id) for task in facts.situation.customer.tasks
        )
        day = then.customer.day_of(order.activated_at)
        for step in fulfilling.follow_up_of(then, order.order_id, day, onboards=onboards):
            if facts.done(step.key) is None and not facts.situation.is_past(facts.as_left(step).at):
                agenda.add(step)


def reorders(facts: Facts, agenda: Agenda) -> None:
    """The check-in on the customer's own rhythm and the alarm, both counted from the last order of goods."""
    customer = facts.situation.customer
    days = [purchase.day for purchase in customer.purchases]
    if not days:
        return
    # The rhythm is what it is since the order that came to our knowledge last, which may be one of the past.
    orders = [order for purchase in customer.purchases if (order := facts.order(purchase.order_id))]
    order = max(orders, key=lambda order: order.recorded_at, default=None)
    then = at_instant(facts, order.recorded_at, imported=order.imported) if order else facts.situation
    steps = reorder.steps_after(then, days)
    left = [step for step in steps if not then.is_past(step.at) and facts.done(step.key) is None]
    lapsed = facts.done(steps[-1].key) is not None or all(then.is_past(step.at) for step in steps)
    agenda.stages[reorder.STAGE] = Stage(status=reorder.LAPSED if lapsed else reorder.ACTIVE)
    patience = timedelta(days=1)
    agenda.add(
        *(
            step
            for step in left
            if step.kind != "reorder_check_in" or not facts.situation.is_past(facts.as_left(step).at + patience)
        )
    )
