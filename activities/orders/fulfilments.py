"""What is reported of an order's lines, and the look whether they came in time."""

from __future__ import annotations

from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.orders import fulfilment_rows as store
from domain.frame.situation import NO_HOLDINGS, Situation
from domain.frame.state import Step
from domain.journey import fulfilling
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.orders.fulfilments import OrderLine, ReportFulfilment


async def _named(work: UnitOfWork, situation: Situation, request: ReportFulfilment) -> tuple[OrderLine]:
    """The order line of a report. Raises `Refusal` (NotAllowed) if it is none of the customer's."""
    account_id = situation.customer.account.account_id
    line = await store.load_line(work.connection, account_id, request.order_id, request.line_id)
    if line is None:
        raise Refusal(NOT_ALLOWED, f"order line {f'{request.order_id}.{request.line_id}'!r} is not this customer's")
    return (line,)


async def _promised(work: UnitOfWork, situation: Situation, step: Step) -> tuple[OrderLine | None]:
    """The order line that a step looks at: its order is in the stage, its own id in the name before the promised day."""
    order_id = step.about
    line_id = step.name.removeprefix("late-")[: -len("-2027-03-01")]
    return (await store.load_line(work.connection, situation.customer.account.account_id, order_id, line_id),)


class Fulfilments(Activities):
    """Order lines on their way to the customer."""

    looks = {"report_fulfilment": _named}
    steps = {
        "fulfilment_follow_up": StepKind(fulfilling.follow_up, NO_HOLDINGS, paced=True),
        "fulfilment_late": StepKind(fulfilling.late, look=_promised),
    }
