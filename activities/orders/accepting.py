"""An order is accepted: what it says is checked against what is on record, then it becomes facts, assets, and an agenda."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from temporalio import activity

from activities.frame import customers
from activities.frame.effects import effect_key
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Performer, Unit, UnitOfWork
from activities.journey.people_rows import Kept
from activities.journey.planning import with_agenda, with_other_business_days, with_the_past
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.playbooks import Playbooks
from domain.frame.calls import RequestCall
from domain.frame.customer import AccountFacts, ContactFacts, Customer, PlacedFacts, PurchaseFacts, StaffFacts
from domain.frame.decision import Decision
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.holds import holding
from domain.journey import activation
from domain.journey.account_changes import changed_by_order, left_by_older
from domain.kernel.limits import MOST_LINES
from domain.kernel.refusals import INVALID_ORDER, ORDER_CONFLICT, Problem, Refusal
from domain.orders.order import Order, OrderedProduct, Staff, read_order


class OrderAcceptance(Activities):
    """Orders as they come in, and those of the past."""

    def __init__(self, performer: Performer, playbooks: Playbooks, *, most_lines: int = MOST_LINES) -> None:
        super().__init__(performer)
        self._playbooks = playbooks
        self._most_lines = most_lines

    @activity.defn
    async def activate_order(self, call: RequestCall) -> Outcome:
        """An order is accepted: facts, assets, and the plan of what follows."""
        async with business_errors():
            return await self._accept(call, imported=False)

    @activity.defn
    async def take_over_order(self, call: RequestCall) -> Outcome:
        """An order of the past is taken over with its true dates; what was due before is never acted on."""
        async with business_errors():
            return await self._accept(call, imported=True)

    async def _accept(self, call: RequestCall, *, imported: bool) -> Outcome:
        size = _lines_in(call.body)
        order = await computed(size, read_order, call.body)
        if size > self._most_lines:
            said = f"the order has {size:,} lines; at most {self._most_lines:,} go into one: split it into several"
            raise Refusal(INVALID_ORDER, "the order cannot be accepted", [Problem(field="lines", problem=said)])
        key = effect_key(call.account_id, f"order:{order.order_id}")
        unit = Unit(call.account_id, key, call.as_of, "relationship", "order_accepted", call.run)
        async with self._performer.begin(unit) as work:
            connection = work.connection
            if found := await order_store.find_order(connection, order.order_id):
                return await _first_answer(work, call, order, found)
            customer = await customers.load_customer(connection, call.account_id, call.as_of)
            playbook = await self._playbook_for(connection, order, customer)
            known, products = await _products(connection, order)
            if taken := await order_store.contracts_elsewhere(connection, order):
                raise _contracts_taken(order, taken)
            sale = await computed(size, activation.sale_of, order, products)
            purchase = activation.purchase_of(order, products)
            await order_store.add_products(connection, [p for p in order.products if p.code not in known])
            older = customer is not None and await _is_older(connection, order)
            kept: Kept | None = None
            if older:
                await order_store.reach_back(connection, call.account_id, order.activated_at)
            else:
                kept = await order_store.save_account(
                    connection, order, playbook, call.as_of, customer.billing_day(call.as_of) if customer else None
                )
            await order_store.save_order(
                connection, order, sale, goods=purchase is not None, imported=imported, as_of=call.as_of
            )
            placed = activation.placed(order, products)
            contacts = await _contacts(connection, order, customer, kept)
            after = _with_order(order, playbook, customer, contacts, sale, purchase, kept, placed)
            situation = Situation(after, playbook, call.as_of, imported=imported)
            # A journey that was closed begins anew; one that is merely lost goes on, as if it had always run.
            new = customer is None or customer.account.closed_at is not None
            decision = await computed(
                size,
                activation.accept,
                situation,
                order,
                sale,
                first=customer is None,
                opening=call.opening and new,
                goods=purchase is not None,
            )
            outcome = await work.carry_out(
                situation, _with_look(_with_people(decision, customer, order, kept), customer, situation)
            )
            if call.opening and customer is not None:
                outcome = await with_agenda(connection, call, outcome)
            elif customer is not None:
                if older or imported:
                    outcome = await with_the_past(connection, call, outcome)
                if customer.account.country != after.account.country:
                    outcome = await with_other_business_days(connection, call, outcome)
            return await work.record(outcome)

    async def _playbook_for(self, connection: Connection, order: Order, customer: Customer | None) -> Playbook:
        """A new customer gets the segment's current playbook, a known one keeps theirs."""
        playbook = self._playbooks.current(order.account.segment)
        if playbook is None:
            known = ", ".join(self._playbooks.segments())
            problem = Problem(
                field="account.segment",
                problem=f"no playbook for segment {order.account.segment!r}; use one of {known}",
            )
            raise Refusal(INVALID_ORDER, "the order cannot be accepted", [problem])
        if customer is not None:
            facts = customer.account
            return await customers.load_playbook(connection, facts.segment, facts.playbook_version)
        await order_store.keep_playbook(connection, playbook)
        return playbook


def _lines_in(body: Mapping[str, Any]) -> int:
    """About how many lines an order has that was not read yet."""
    parts = [body, *(one for one in body.get("contracts") or () if isinstance(one, Mapping))]
    return sum(len(lines) for part in parts if isinstance(lines := part.get("lines"), list))


async def _is_older(connection: Connection, order: Order) -> bool:
    """True for an order from before the latest one: it tells nothing new about the account."""
    newest = await order_store.newest_order_at(connection, order.account.account_id)
    return newest is not None and order.activated_at < newest


async def _first_answer(work: UnitOfWork, call: RequestCall, order: Order, found: tuple[str, str]) -> Outcome:
    """The answer that an accepted order got the first time; another content under the same id is refused."""
    account_id, digest = found
    if account_id != call.account_id or digest != order.digest():
        whose = "with other content" if account_id == call.account_id else f"by account {account_id}"
        raise Refusal(
            ORDER_CONFLICT,
            f"order {order.order_id!r} was placed before {whose}; nothing was changed. Use a new order_id for a new order",
        )
    if work.before is None:
        raise LookupError(f"order {order.order_id} is on record without its effect")
    first = work.before.again() if call.repeated else work.before
    if first.repeated and call.opening:
        # Nobody looks after the customer: what the facts call for begins with this answer.
        begun = await with_agenda(work.connection, call, Outcome(answer=first.answer))
        if begun.plan or begun.stages or begun.deliveries:
            return begun
    return first


async def _products(
    connection: Connection, order: Order
) -> tuple[dict[str, OrderedProduct], dict[str, OrderedProduct]]:
    """The catalogue's entries that the order names, and the product of every line, or a refusal that suggests others."""
    named = {line.product for line in order.all_lines()} | {product.code for product in order.products}
    known = await order_store.known_products(connection, named)
    brought = {product.code for product in order.products} | set(known)
    unknown = any(line.product not in brought for line in order.all_lines())
    suggestions = await order_store.product_codes(connection) if unknown else []
    return known, activation.resolve_products(order, known, suggestions)


def _contracts_taken(order: Order, taken: dict[str, str]) -> Refusal:
    problems = [
        Problem(
            field=f"contracts[{n}].contract_id",
            problem=f"{contract.contract_id!r} belongs to order {taken[contract.contract_id]!r}; give each contract its own id",
        )
        for n, contract in enumerate(order.contracts)
        if contract.contract_id in taken
    ]
    return Refusal(INVALID_ORDER, "the order cannot be accepted", problems)


async def _contacts(
    connection: Connection, order: Order, before: Customer | None, kept: Kept | None
) -> list[ContactFacts]:
    """Whom the customer is written to once the order is written: first those that it names, as they are on record then."""
    zone, language = (kept.time_zone, kept.language) if kept else (order.account.time_zone, order.account.language)
    named = [
        ContactFacts(
            contact_id=contact.contact_id,
            name=contact.name,
            email=contact.email,
            role=contact.role,
            language=contact.language or language,
            time_zone=contact.time_zone or zone,
        )
        for contact in order.contacts
    ]
    if before is None:
        return named
    known = [one.having(rejected=False, unsubscribed=False) for one in before.contacts]
    if kept is None or known[: len(named)] == named:
        return before.contacts
    ids = [one.contact_id for one in named]
    first = await customers.load_contacts(connection, order.account.account_id, ids)
    return [*first, *(one for one in before.contacts if one.contact_id not in ids)]


def _with_order(
    order: Order,
    playbook: Playbook,
    before: Customer | None,
    contacts: list[ContactFacts],
    sale: activation.Sale,
    purchase: PurchaseFacts | None,
    kept: Kept | None,
    placed: PlacedFacts,
) -> Customer:
    """The facts as they are once the order is written, without reading them back; `kept`: null if it said nothing new of the account."""
    account = order.account
    since = order.activated_at if before is None else min(before.account.since, order.activated_at)
    new = Customer(
        account=AccountFacts(
            account_id=account.account_id,
            name=account.name,
            country=account.country,
            time_zone=kept.time_zone if kept else account.time_zone,
            language=kept.language if kept else account.language,
            segment=playbook.segment,
            playbook_version=playbook.version,
            since=since,
            billed_until=kept.billed_until if kept else None,
        ),
        owner=kept.owner if kept else _staff(account.owner),
        success_manager=kept.success_manager if kept else _staff(account.success_manager or account.owner),
        contacts=contacts,
        contracts=sale.contracts,
        assets=sale.assets,
        purchases=[purchase] if purchase else [],
        goods=purchase.names if purchase else [],
        orders=[placed],
    )
    if before is None:
        return new
    about = (
        {"account": before.account.having(since=since)}
        if kept is None
        else {"account": new.account, "owner": new.owner, "success_manager": new.success_manager}
    )
    return before.having(
        **about,
        contacts=contacts,
        contracts=[*before.contracts, *sale.contracts],
        assets=[*before.assets, *sale.assets],
        purchases=[*before.purchases, *new.purchases],
        goods=[*new.goods, *before.goods],
        orders=[*before.orders, placed],
    )


def _with_people(decision: Decision, before: Customer | None, order: Order, kept: Kept | None) -> Decision:
    """The decision whose answer says what the order would have changed of people, and did not; the journal, what it changed."""
    left = kept.left if kept else left_by_older(before.contacts if before else [], order)
    if kept and before is not None and (lines := changed_by_order(before.contacts, order, kept.left)):
        decision = replace(decision, more_lines=[*decision.more_lines, *lines])
    if not left:
        return decision
    return decision + Outcome(answer={"left": left})


def _with_look(decision: Decision, before: Customer | None, situation: Situation) -> Decision:
    """The decision with the look at holds of a customer whom the order has moved elsewhere."""
    return decision + Outcome(plan=holding.after_move(before, situation))


def _staff(person: Staff) -> StaffFacts:
    return StaffFacts.model_validate(person.model_dump())
