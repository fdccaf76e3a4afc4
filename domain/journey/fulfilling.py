"""The journey's part in fulfilment: reports are recorded, what is late is told, what goes back is given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.assets.requests import ChangeQuantity
from domain.billing.billing import Credit, CreditLine
from domain.billing.writes import BookCredit
from domain.contracts import changes
from domain.contracts.request_facts import RequestFacts, carry_out
from domain.frame import standing
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.keys import StageId, StageKind
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.kernel.base import Write
from domain.kernel.money import rounding_of
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal, named_refusals
from domain.orders.fulfilments import (
    Fulfilment,
    FulfilmentStep,
    OrderLine,
    RecordFulfilment,
    ReportedStep,
    ReportFulfilment,
    event_of,
    record_step,
)

FOLLOW_UP = "delivery_follow_up"
"""the task of a playbook and the mail that ask whether everything has arrived"""


def stage_of(order_id: str) -> str:
    """The id of an order's fulfilment."""
    return str(StageId(StageKind.FULFILMENT, order_id))


def follow_up_of(situation: Situation, order_id: str, start: date, *, onboards: bool) -> list[Step]:
    """The question whether everything has arrived, some days after an order of the local day `start`; none where its onboarding
    asks it (`onboards`: it began one), or the playbook does not want it."""
    after = situation.playbook.delivery.follow_up_after
    asked = any(task.name == FOLLOW_UP for task in situation.playbook.onboarding.tasks)
    if after is None or (asked and onboards):
        return []
    step = situation.step("fulfilment_follow_up", stage_of(order_id), "follow-up", start + timedelta(days=after))
    return [] if situation.is_past(step.at) else [step]


def follow_up(situation: Situation, step: Step) -> Decision:
    """The customer is asked whether what was sent has arrived."""
    order_id = step.about
    order = standing.placed(situation, order_id)
    if order is None:
        return Decision(JournalLine(f"Delivery of {order_id} was long ago", kind="skipped"))
    context = {"order_id": order_id, "products": standing.sent_with(situation, order_id)}
    return Decision(JournalLine(f"Delivery of order {order_id} asked about"), mails=[Mail(FOLLOW_UP, context)])


def report(situation: Situation, request: ReportFulfilment, event_id: str, line: OrderLine) -> Decision:
    """A step of an order line: recorded, told, and for what goes back the credit."""
    at = request.at or situation.as_of
    if at > situation.as_of:
        problem = Problem(field="at", problem=f"{at.isoformat()} is still to come; report it when it has happened")
        raise Refusal(INVALID_REQUEST, "the report cannot be taken", [problem])
    if request.step is ReportedStep.ORDERED:
        return _ordered(situation, line, request, event_id, at)
    step = FulfilmentStep(request.step.value)
    quantity = request.quantity or line.fulfilment.left(step)
    if quantity < 1:
        raise Refusal(NOT_ALLOWED, f"line {line.fulfilment.line_id} has no unit left to be {step.value}")
    with named_refusals():
        after = record_step(line.fulfilment, event_of(request, event_id, quantity, situation.as_of))
    write = _write(line, request, event_id, quantity, at)
    says = f"{line.product_name}: {quantity} of {after.quantity} {step.value}"
    outcome = Outcome(said=[says], answer=answer_of(line.order_id, after, situation.as_of))
    if after.late(situation.as_of) == 0 and line.fulfilment.promised is not None:
        outcome += Outcome(attention={_attention(line): None})
    decision = Decision(_line(says, line, request), outcome, [write])
    return _returned(situation, line, decision, event_id, quantity) if step is FulfilmentStep.RETURNED else decision


def _ordered(situation: Situation, line: OrderLine, request: ReportFulfilment, event_id: str, at: datetime) -> Decision:
    """Ordered from whoever makes it; with a promised day somebody looks whether it has come."""
    quantity = request.quantity or line.fulfilment.quantity
    if quantity > line.fulfilment.quantity:
        raise Refusal(
            NOT_ALLOWED, f"line {line.fulfilment.line_id} has {line.fulfilment.quantity} units, not {quantity}"
        )
    promised = request.promised_at
    after = line.fulfilment.having(promised=promised or line.fulfilment.promised)
    until = f", promised for {situation.customer.day_of(promised)}" if promised else ""
    says = f"{line.product_name}: {quantity} of {after.quantity} ordered{until}"
    plan = (
        [look_on(situation, line.order_id, line.fulfilment.line_id, promised)]
        if promised and promised > situation.as_of
        else []
    )
    outcome = Outcome(plan=plan, said=[says], answer=answer_of(line.order_id, after, situation.as_of))
    return Decision(_line(says, line, request), outcome, [_write(line, request, event_id, quantity, at)])


def look_on(situation: Situation, order_id: str, line_id: str, promised: datetime) -> Step:
    """The look whether a line has come, in the morning after the promised instant."""
    day = situation.customer.day_of(promised)
    at, on = situation.customer.morning(day)
    while at <= promised:
        at, on = situation.customer.morning(day := day.fromordinal(day.toordinal() + 1))
    name = f"late-{line_id}-{situation.customer.day_of(promised)}"
    return Step(kind="fulfilment_late", stage=stage_of(order_id), name=name, at=at, on=on)


def late(situation: Situation, step: Step, line: OrderLine | None) -> Decision:
    """What was promised by now: the owner hears of it if it has not come."""
    missing = line.fulfilment.late(situation.as_of) if line else 0
    if line is None or not missing:
        return Decision(JournalLine("Delivered as promised", kind="skipped"))
    says = f"{line.product_name}: {missing} of {line.fulfilment.quantity} late"
    lines = [f"Order {line.order_id}, line {line.fulfilment.line_id}. Tell the customer when they will come."]
    return Decision(
        JournalLine(says, detail={"order_id": line.order_id, "line_id": line.fulfilment.line_id}),
        Outcome(said=[says], attention={_attention(line): says}),
        notices=[Notice(says, lines, to="owner")],
    )


def _returned(situation: Situation, line: OrderLine, decision: Decision, event_id: str, quantity: int) -> Decision:
    """What goes back is given back: units of an asset leave the ledger, which credits them; goods get a credit memo."""
    if line.asset_id is None:
        amount = rounding_of(line.currency).apply(Decimal(line.unit_price) * quantity)
        if amount <= 0:
            return decision
        key = f"return:{line.order_id}.{line.fulfilment.line_id}:{event_id}"
        credit = Credit(
            key=key,
            currency=line.currency,
            reason="returned",
            lines=(
                CreditLine(
                    key=key,
                    amount=amount,
                    kind="return",
                    description=line.product_name,
                    order_id=line.order_id,
                    line_id=line.fulfilment.line_id,
                    quantity=quantity,
                ),
            ),
        )
        return replace(decision, writes=[*decision.writes, BookCredit(credit)])
    desk = RequestFacts(situation, f"return:{event_id}")
    less = ChangeQuantity(
        request_id=desk.request_id,
        recorded_at=situation.as_of,
        asset_id=line.asset_id,
        effective=situation.as_of,
        delta=-quantity,
    )
    with named_refusals():
        changed = changes.decide(desk, carry_out(desk, [less], {}), "returned")
    writes: list[Write] = [*decision.writes, *changed.writes]
    own = decision.outcome
    outcome = changed.outcome.having(said=own.said, answer=own.answer, attention=own.attention)
    return replace(
        decision,
        outcome=outcome,
        writes=writes,
        mails=changed.mails,
        notices=changed.notices,
        more_lines=[replace(changed.line, name="asset"), *changed.more_lines],
    )


def _write(line: OrderLine, request: ReportFulfilment, event_id: str, quantity: int, at: datetime) -> RecordFulfilment:
    return RecordFulfilment(
        line.order_id,
        line.fulfilment.line_id,
        event_id,
        request.step.value,
        quantity,
        at,
        request.promised_at,
        request.by,
    )


def _line(says: str, line: OrderLine, request: ReportFulfilment) -> JournalLine:
    detail: dict[str, Any] = {"order_id": line.order_id, "line_id": line.fulfilment.line_id, "step": request.step.value}
    return JournalLine(says, at=request.at, detail=detail | ({"reason": request.reason} if request.reason else {}))


def _attention(line: OrderLine) -> str:
    return f"late:{line.order_id}.{line.fulfilment.line_id}"


def answer_of(order_id: str, fulfilment: Fulfilment, at: datetime) -> dict[str, Any]:
    """Where an order line stands."""
    return {
        "order_id": order_id,
        "line_id": fulfilment.line_id,
        "state": fulfilment.state.value,
        "in_part": fulfilment.in_part,
        "late": fulfilment.late(at),
        **{step.value: fulfilment.count(step) for step in FulfilmentStep},
    }
