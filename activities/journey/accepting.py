"""An order is accepted: what it says is checked against what is on record, then it becomes facts, assets, and an agenda."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import activity

from activities.frame import customers
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Performer, Unit, UnitOfWork
from activities.journey.planning import with_agenda, with_other_business_days, with_the_past
from activities.journey.staying_erased import check_orders, forgotten_again
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.playbooks import Playbooks
from domain.frame.calls import RequestCall
from domain.frame.customer import Customer
from domain.frame.keys import effect_key
from domain.frame.playbook import Playbook
from domain.frame.state import Outcome
from domain.journey import placing
from domain.kernel.limits import MOST_LINES
from domain.kernel.refusals import INVALID_ORDER, ORDER_CONFLICT, Problem, Refusal
from domain.orders.order import Order, read_order


class OrderAcceptance(Activities):
    """Orders as they come in, and those of the past."""

    def __init__(self, performer: Performer, playbooks: Playbooks, *, most_lines: int = MOST_LINES) -> None:
        super().__init__(performer)
        self._playbooks = playbooks
        self._most_lines = most_lines

    @activity.defn
    async def activate_order(self, call: RequestCall) -> Outcome:
        """An order is accepted: facts, assets, and the plan of what follows."""
        async with business_errors(), forgotten_again(self._performer, call.account_id):
            return await self._accept(call, imported=False)

    @activity.defn
    async def take_over_order(self, call: RequestCall) -> Outcome:
        """An order of the past is taken over with its true dates; what was due before is never acted on."""
        async with business_errors(), forgotten_again(self._performer, call.account_id):
            return await self._accept(call, imported=True)

    async def _accept(self, call: RequestCall, *, imported: bool) -> Outcome:
        size = lines_in(call.body)
        order = await computed(size, read_order, call.body)
        check_size(size, self._most_lines)
        key = effect_key(call.account_id, f"order:{order.order_id}")
        unit = Unit(call.account_id, key, call.as_of, "relationship", "order_accepted", call.run)
        reads = {"record": order_store.on_record(7)}
        async with self._performer.begin(unit, reads, *order_store.named_by(order)) as work:
            connection, seen = work.connection, work.seen
            if seen is not None:
                record, placed = order_store.read_on_record(seen.row["record"])
            else:
                record, placed = await order_store.load_on_record(connection, order)
            customer, _ = await customers.load_customer_and(connection, call.account_id, call.as_of, {}, seen)
            await check_orders(connection, customer, [order], opening=call.opening)
            if order.order_id in placed:
                return await _first_answer(work, call, order, placed[order.order_id])
            situation, decision = await computed(
                size,
                placing.place,
                customer,
                order,
                await playbook_for(self._playbooks, connection, order, customer),
                record,
                call.as_of,
                codes=await suggested(connection, order, record),
                imported=imported,
                opening=call.opening,
            )
            if customer is None:
                return await work.done(situation, decision)
            outcome = await work.carry_out(situation, decision)
            if call.opening:
                outcome = await with_agenda(connection, call, outcome)
            else:
                if imported or placing.is_older(customer, order, record):
                    outcome = await with_the_past(connection, call, outcome)
                if customer.account.country != situation.customer.account.country:
                    outcome = await with_other_business_days(connection, call, outcome)
            return await work.record(outcome, situation)


async def playbook_for(
    playbooks: Playbooks, connection: Connection, order: Order, customer: Customer | None
) -> Playbook:
    """A new customer gets the segment's current playbook, a known one keeps theirs."""
    playbook = playbooks.current(order.account.segment)
    if playbook is None:
        known = ", ".join(playbooks.segments())
        problem = Problem(
            field="account.segment",
            problem=f"no playbook for segment {order.account.segment!r}; use one of {known}",
        )
        raise Refusal(INVALID_ORDER, "the order cannot be accepted", [problem])
    if customer is None:
        return playbook
    facts = customer.account
    return await customers.load_playbook(connection, facts.segment, facts.playbook_version)


def lines_in(body: Mapping[str, Any]) -> int:
    """About how many lines an order has that was not read yet."""
    parts = [body, *(one for one in body.get("contracts") or () if isinstance(one, Mapping))]
    return sum(len(lines) for part in parts if isinstance(lines := part.get("lines"), list))


def check_size(lines: int, most: int) -> None:
    """Raises `Refusal` (InvalidOrder) for an order of more lines than are taken."""
    if lines > most:
        said = f"the order has {lines:,} lines; at most {most:,} go into one: split it into several"
        raise Refusal(INVALID_ORDER, "the order cannot be accepted", [Problem(field="lines", problem=said)])


def check_same(order: Order, account_id: str, found: tuple[str, str]) -> None:
    """Raises `Refusal` (OrderConflict) for another order than the one that was accepted under its id: `found` has account and digest."""
    of, digest = found
    if of != account_id or digest != order.digest():
        whose = "with other content" if of == account_id else f"by account {of}"
        raise Refusal(
            ORDER_CONFLICT,
            f"order {order.order_id!r} was placed before {whose}; nothing was changed. Use a new order_id for a new order",
        )


async def _first_answer(work: UnitOfWork, call: RequestCall, order: Order, found: tuple[str, str]) -> Outcome:
    """The answer that an accepted order got the first time; another content under the same id is refused."""
    check_same(order, call.account_id, found)
    if work.before is None:
        raise LookupError(f"order {order.order_id} is on record without its effect")
    first = work.before.again() if call.repeated else work.before
    if first.repeated and call.opening:
        # Nobody looks after the customer: what the facts call for begins with this answer.
        begun = await with_agenda(work.connection, call, Outcome(answer=first.answer))
        if begun.plan or begun.stages or begun.deliveries:
            return begun
    return first


async def suggested(connection: Connection, order: Order, record: placing.OrderOnRecord) -> list[str]:
    """The catalogue's codes, for an order that names a product which nobody knows."""
    brought = {product.code for product in order.products} | record.products.keys()
    known = all(line.product in brought for line in order.all_lines())
    return [] if known else await order_store.product_codes(connection)
