"""Orders of the past that come together: each is accepted or refused by itself, all in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio import activity

from activities.frame import customers, effects
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Performer, Unit, UnitOfWork
from activities.journey.accepting import check_same, check_size, lines_in, playbook_for, suggested
from activities.journey.planning import with_agenda, with_other_business_days, with_the_past
from activities.journey.staying_erased import check_orders, forgotten_again
from activities.kernel.computing import computed
from activities.kernel.gathering import Gathered
from activities.orders import order_rows
from activities.playbooks import Playbooks
from domain.frame.calls import Barred, RequestCall
from domain.frame.decision import CloseStaffTasks, Decision
from domain.frame.keys import effect_key, within_account
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.journey import placing
from domain.journey.taking_over import ImportOrders, OrdersTaken, OrderTaken, as_known, goes_on, instant_of, read_import
from domain.kernel.limits import MOST_LINES
from domain.kernel.refusals import INVALID_ORDER, Refusal
from domain.orders.order import Order, OrderAnswer, read_order


class OrderImports(Activities):
    """Orders of the past as files bring them."""

    def __init__(self, performer: Performer, playbooks: Playbooks, *, most_lines: int = MOST_LINES) -> None:
        super().__init__(performer)
        self._playbooks = playbooks
        self._most_lines = most_lines

    @activity.defn
    async def take_over_orders(self, call: RequestCall) -> Outcome:
        """Orders of the past are taken over with their true dates, one agenda for all; each has its own answer."""
        async with business_errors(), forgotten_again(self._performer, call.account_id):
            request = read_import(call.body)
            size = sum(map(lines_in, request.orders))
            read = await computed(size, _read, request, self._most_lines)
            orders = [one for one in read if isinstance(one, Order)]
            if not orders:
                raise _none_of(read)
            # An effect of this very request is told from those of all others, so that a retry gets all that came of it.
            run = "again" if call.repeated else f"{call.run}/{call.request_id}"
            units = {one.order_id: _unit_of(call, one, run, n) for n, one in enumerate(read) if isinstance(one, Order)}
            reads = {"record": order_rows.on_record(7)}
            async with self._performer.begin(units[orders[0].order_id], reads, *order_rows.named_by(*orders)) as work:
                taking = _Taking(self._playbooks, call, work, units)
                await taking.begin(orders)
                await check_orders(work.connection, taking.customer, orders, opening=call.opening)
                taken = [
                    await taking.take(one) if isinstance(one, Order) else OrderTaken(order_id=order_id, refused=one)
                    for order_id, one in zip(map(_id_of, request.orders), read, strict=True)
                ]
                if all(one.refused is not None for one in taken):
                    raise _none_of([one.refused for one in taken if one.refused is not None])
                outcome = await taking.end()
            answer = OrdersTaken(account_id=call.account_id, orders=taken).model_dump(mode="json", exclude_unset=True)
            return outcome.having(answer=answer)


@dataclass
class _Taking:
    """The orders of one request in their transaction. What each one changes is known to the next, and waits to be written with it."""

    playbooks: Playbooks
    call: RequestCall
    work: UnitOfWork
    units: Mapping[str, Unit]
    done: list[tuple[Unit, Outcome]] = field(default_factory=list)
    closed: list[CloseStaffTasks] = field(default_factory=list)
    again: list[Outcome] = field(default_factory=list)
    accepted: dict[str, Order] = field(default_factory=dict)
    last: Order | None = None
    situation: Situation | None = None
    elsewhere: bool = False

    async def begin(self, orders: list[Order]) -> None:
        """What there is to know of the account and of what the orders name."""
        connection, seen, call = self.work.connection, self.work.seen, self.call
        self.waiting = Gathered(connection)
        if seen is not None:
            self.record, self.placed = order_rows.read_on_record(seen.row["record"])
        else:
            self.record, self.placed = await order_rows.load_on_record(connection, *orders)
        self.customer, _ = await customers.load_customer_and(connection, call.account_id, call.as_of, {}, seen)

    async def take(self, order: Order) -> OrderTaken:
        """What becomes of the next order."""
        await asyncio.sleep(0)  # whoever has less to do need not wait for all orders
        try:
            if order.order_id in self.accepted or order.order_id in self.placed:
                return await self._as_before(order)
            situation, decision = await self._decide(order)
        except Refusal as refusal:
            return OrderTaken(order_id=order.order_id, refused=_barred(refusal))
        return OrderTaken(order_id=order.order_id, answer=await self._carry_out(order, situation, decision))

    async def _as_before(self, order: Order) -> OrderTaken:
        """The first answer of an order that is on record."""
        first = self.accepted.get(order.order_id)
        one = self.placed[order.order_id] if first is None else (self.call.account_id, first.digest())
        check_same(order, self.call.account_id, one)
        unit = self.units[order.order_id]
        outcome = next((its for done, its in self.done if done.key == unit.key), None)
        if outcome is None:
            found = await effects.find_effect(self.work.connection, unit.key)
            if found is None:
                raise LookupError(f"order {order.order_id} is on record without its effect")
            outcome = found.answer_to_request(unit.run)
            self.again.append(outcome)
        return OrderTaken(order_id=order.order_id, answer=OrderAnswer.model_validate(outcome.answer), before=True)

    async def _decide(self, order: Order) -> tuple[Situation, Decision]:
        """What a new order means, after those before. Raises `Refusal` with nothing written of it."""
        same_people = self.last is not None and goes_on(self.last, order)
        if not same_people and self.done:
            await self._look_again(order)
        before, connection = self.customer, self.work.connection
        return await computed(
            sum(1 for _ in order.all_lines()),
            placing.place,
            before,
            order,
            await playbook_for(self.playbooks, connection, order, before),
            self.record,
            self.units[order.order_id].as_of,
            codes=await suggested(connection, order, self.record),
            imported=True,
            opening=self.call.opening and not self.done,
            same_people=same_people,
        )

    async def _carry_out(self, order: Order, situation: Situation, decision: Decision) -> OrderAnswer:
        before, unit = self.customer, self.units[order.order_id]
        outcome = await self.work.along(self.waiting, situation, self._news_of(decision), unit)
        self.done.append((unit, outcome))
        self.elsewhere |= before is not None and before.account.country != situation.customer.account.country
        self.last, self.situation, self.customer = order, situation, as_known(situation.customer)
        self.record = self.record.with_order(order)
        self.accepted[order.order_id] = order
        return OrderAnswer.model_validate(outcome.answer)

    async def _look_again(self, order: Order) -> None:
        """The customer as the orders before have left them on record."""
        await self.waiting.write()
        connection, call = self.work.connection, self.call
        self.record, _ = await order_rows.load_on_record(connection, order)
        self.customer, _ = await customers.load_customer_and(connection, call.account_id, call.as_of, {})

    def _news_of(self, decision: Decision) -> Decision:
        """The decision without the tasks that one before has ended already."""
        closes = [write for write in decision.writes if isinstance(write, CloseStaffTasks)]
        new = [write for write in decision.writes if write not in self.closed]
        self.closed += closes
        return replace(decision, writes=new)

    async def end(self) -> Outcome:
        """All that came of the orders, with the agenda that follows from them; it is on record with the last one."""
        connection, call = self.work.connection, self.call
        total = Outcome()
        for outcome in (*self.again, *(its for _, its in self.done)):
            total = total if outcome.repeated else total.then(outcome)
        if not self.done or self.situation is None:
            return await self._again(total)
        await self.waiting.write()
        *earlier, (unit, its) = self.done
        call = call.having(as_of=unit.as_of)
        if call.opening:
            total = await with_agenda(connection, call, total)
        else:
            total = total.then(await with_the_past(connection, call, Outcome()))
            if self.elsewhere:
                total = await with_other_business_days(connection, call, total)
        on_record = [(one, Outcome(answer=came.answer)) for one, came in earlier]
        key = within_account(call.account_id, unit.key)
        last = total.having(answer=its.answer, done_as=key)
        return await self.work.record_with(self.waiting, [*on_record, (unit, last)], self.situation)

    async def _again(self, total: Outcome) -> Outcome:
        """What follows if all orders were on record: of a retry all that came of them; of orders that are sent again nothing, but what
        the facts call for if nobody looks after the customer."""
        if not all(one.repeated for one in self.again):
            return total
        begun = await with_agenda(self.work.connection, self.call, Outcome()) if self.call.opening else Outcome()
        if begun.plan or begun.stages or begun.deliveries:
            known = next(unit.key for id, unit in self.units.items() if id in self.placed)
            return begun.having(done_as=within_account(self.call.account_id, known))
        forgotten = any(one.forgotten for one in self.again)
        return Outcome(repeated=True, forgotten=True) if forgotten else Outcome(repeated=True)


def _unit_of(call: RequestCall, order: Order, run: str, place: int) -> Unit:
    key = effect_key(call.account_id, f"order:{order.order_id}")
    return Unit(call.account_id, key, instant_of(call.as_of, place), "relationship", "order_accepted", run)


def _id_of(document: Mapping[str, Any]) -> str:
    return str(document.get("order_id"))


def _read(request: ImportOrders, most_lines: int) -> list[Order | Barred]:
    """The orders, those that cannot be read as why."""
    found: list[Order | Barred] = []
    for document in request.orders:
        try:
            check_size(lines_in(document), most_lines)
            found.append(read_order(document))
        except Refusal as refusal:
            found.append(_barred(refusal))
    return found


def _barred(refusal: Refusal) -> Barred:
    return Barred(type=refusal.type, says=str(refusal), problems=list(refusal.problems))


def _none_of(refused: list[Any]) -> Refusal:
    return Refusal(INVALID_ORDER, f"none of the {len(refused)} orders can be accepted; the first: {refused[0].says}")
