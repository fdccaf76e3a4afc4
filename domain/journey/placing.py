"""An order meets what is on record: whom it changes, what it opens, and the customer as they are with it. Nothing is written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from domain.frame.customer import AccountFacts, ContactFacts, Customer, PlacedFacts, PurchaseFacts, StaffFacts
from domain.frame.decision import Decision
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.holds import holding
from domain.journey import activation, changed_people
from domain.journey.account_changes import changed_by_order, left_by_older
from domain.journey.sale import Sale, sale_of
from domain.journey.writes import KeepPlaybook, PlaceAccount, PlaceOrder, ReachBack
from domain.kernel.base import Write
from domain.kernel.refusals import ACCOUNT_MERGED, INVALID_ORDER, Problem, Refusal
from domain.orders.order import Order, OrderedProduct, Staff
from domain.orders.writes import AddProducts


@dataclass(frozen=True)
class OrderOnRecord:
    """What is on record of what an order names.

    `newest_at`: when the account's latest order was activated; `contracts`: whose the contract ids are; `staff`: our people by id;
    `fields`, `contacts`: of the account and its contacts, what a request has set; `gone`: contacts with the address (lower case) with
    which they were taken off; `unsubscribed`: addresses that want no optional mails.
    """

    newest_at: datetime | None = None
    products: Mapping[str, OrderedProduct] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    staff: Mapping[str, StaffFacts] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    contacts: frozenset[str] = frozenset()
    gone: frozenset[tuple[str, str]] = frozenset()
    unsubscribed: frozenset[str] = frozenset()

    def with_order(self, order: Order) -> OrderOnRecord:
        """The same once the order is accepted."""
        newest = order.activated_at if self.newest_at is None else max(self.newest_at, order.activated_at)
        staff = {one.staff_id: StaffFacts.model_validate(one.model_dump()) for one in _staff_of(order)}
        return replace(
            self,
            newest_at=newest,
            products={**{one.code: one for one in order.products}, **self.products},
            contracts={**self.contracts, **{one.contract_id: order.order_id for one in order.contracts}},
            staff={**staff, **self.staff},
        )


@dataclass(frozen=True)
class _People:
    """An account's people as they are once an order is accepted; `left`: what it would have changed, and did not."""

    account: AccountFacts
    owner: StaffFacts
    success_manager: StaffFacts
    contacts: list[ContactFacts]
    left: Sequence[str]


def check_contracts(order: Order, record: OrderOnRecord) -> None:
    """Raises `Refusal` (InvalidOrder) for contract ids that other orders have."""
    problems = [
        Problem(
            field=f"contracts[{n}].contract_id",
            problem=f"{contract.contract_id!r} belongs to order {taken!r}; give each contract its own id",
        )
        for n, contract in enumerate(order.contracts)
        if (taken := record.contracts.get(contract.contract_id)) is not None
    ]
    if problems:
        raise Refusal(INVALID_ORDER, "the order cannot be accepted", problems)


def place(
    before: Customer | None,
    order: Order,
    playbook: Playbook,
    record: OrderOnRecord,
    as_of: datetime,
    *,
    codes: Iterable[str] = (),
    imported: bool = False,
    opening: bool = False,
    same_people: bool = False,
) -> tuple[Situation, Decision]:
    """The customer with the order, and all that it means.

    before: the customer without it; null for the account's first order ever.
    codes: of the catalogue, to suggest from where the order names a product that nobody knows.
    opening: the journey has no agenda yet.
    same_people: an order that was accepted just before said the same of the account and its people.

    Raises `Refusal` (InvalidOrder, UnknownProduct, AccountMerged).
    """
    if before is not None and (other := before.account.merged_into) is not None:
        said = f"account {before.account.account_id!r} is part of {other!r} now; place the order for that one"
        raise Refusal(ACCOUNT_MERGED, said)
    products = activation.resolve_products(order, record.products, codes)
    check_contracts(order, record)
    sale, purchase = sale_of(order, products), activation.purchase_of(order, products)
    older = is_older(before, order, record)
    people = _as_known(before, order) if before and older else _brought(before, order, playbook, record, as_of)
    customer = _with_order(before, people, sale, purchase, activation.placed(order, products, as_of))
    situation = Situation(customer, playbook, as_of, imported=imported)
    # A journey that was closed begins anew; one that is merely lost goes on, as if it had always run.
    new = before is None or before.account.closed_at is not None
    decision = activation.accept(
        situation, order, sale, first=before is None, opening=opening and new, goods=purchase is not None
    )
    decision = _with_people(decision, before, order, people.left, older=older)
    plan = [*decision.outcome.plan, *holding.after_move(before, situation)]
    written: list[Write] = [
        *([KeepPlaybook(playbook)] if before is None else []),
        AddProducts(tuple(product for product in order.products if product.code not in record.products)),
        *(
            []
            if same_people and not older
            else [_people_of(before, order, playbook, record, people, as_of, older=older)]
        ),
        PlaceOrder(order, sale.contracts, sale.assets, goods=purchase is not None, imported=imported),
    ]
    outcome = decision.outcome.having(plan=plan)
    decision = replace(decision, outcome=outcome, writes=[*written, *decision.writes])
    if before is None or imported:
        return situation, decision
    noted = changed_people.between(before, customer, as_of)
    return situation, replace(decision, writes=[*decision.writes, *noted]) + changed_people.search_over(
        before, situation
    )


def _with_order(
    before: Customer | None, people: _People, sale: Sale, purchase: PurchaseFacts | None, placed: PlacedFacts
) -> Customer:
    """The customer as they are once the order is accepted."""
    about: dict[str, Any] = {one.name: getattr(people, one.name) for one in fields(people) if one.name != "left"}
    bought, names = ([purchase], purchase.names) if purchase else ([], [])
    sold: dict[str, Any] = {
        "contracts": sale.contracts,
        "assets": sale.assets,
        "purchases": bought,
        "orders": [placed],
    }
    if before is None:
        return Customer(**about, **sold, goods=names)
    more = {name: [*getattr(before, name), *new] for name, new in sold.items()}
    return before.having(**about, **more, goods=[*names, *before.goods])


def is_older(before: Customer | None, order: Order, record: OrderOnRecord) -> bool:
    """True for an order from before the latest one: it tells nothing new about the account."""
    return before is not None and record.newest_at is not None and order.activated_at < record.newest_at


def _as_known(before: Customer, order: Order) -> _People:
    """The people as they are: an older order changes none of them."""
    since = min(before.account.since, order.activated_at)
    account = before.account.having(since=since)
    left = left_by_older(before.contacts, order)
    return _People(account, before.owner, before.success_manager, before.contacts, left)


def _brought(
    before: Customer | None, order: Order, playbook: Playbook, record: OrderOnRecord, as_of: datetime
) -> _People:
    """The account and its people as the order says, but for what a request has set."""
    account, was = order.account, before.account if before else None
    said = {
        "time_zone": account.time_zone,
        "language": account.language,
        "owner": account.owner.staff_id,
        "success_manager": (account.success_manager or account.owner).staff_id,
    }
    known = before and {
        "time_zone": before.account.time_zone,
        "language": before.account.language,
        "owner": before.owner.staff_id,
        "success_manager": before.success_manager.staff_id,
    }
    settled = {name: known[name] for name in said if name in record.fields} if known else {}
    left = [
        f"{name}: {person.staff_id} is known with another name or address; change them with `perennial staff change`"
        for name, person in (("account.owner", account.owner), ("account.success_manager", account.success_manager))
        if person is not None and _differs(record.staff.get(person.staff_id), person)
    ]
    left += [
        f"account.{name}: stays {kept!r}, as a request set it; ask for change_account"
        for name, kept in settled.items()
        if kept != said[name]
    ]
    now = {**said, **settled}
    staff = {one.staff_id: one for one in ((before.owner, before.success_manager) if before else ())}
    staff |= {one.staff_id: StaffFacts.model_validate(one.model_dump()) for one in _staff_of(order)}
    staff |= record.staff
    moved = was is not None and now["time_zone"] != was.time_zone
    contacts, refused = _contacts(before, order, record, now["time_zone"], now["language"])
    facts = AccountFacts(
        account_id=account.account_id,
        name=account.name,
        country=account.country,
        time_zone=now["time_zone"],
        language=now["language"],
        segment=playbook.segment,
        playbook_version=playbook.version,
        since=min(was.since, order.activated_at) if was else order.activated_at,
        billed_until=before.billing_day(as_of) if before and moved else was.billed_until if was else None,
    )
    return _People(facts, staff[now["owner"]], staff[now["success_manager"]], contacts, [*left, *refused])


def _contacts(
    before: Customer | None, order: Order, record: OrderOnRecord, zone: str, language: str
) -> tuple[list[ContactFacts], list[str]]:
    """Whom the customer is written to: first those that the order names, then the others; and what of the order's is left aside."""
    known = {one.contact_id: one for one in before.contacts} if before else {}
    named: list[ContactFacts] = []
    stays, gone = [], []
    for n, said in enumerate(order.contacts):
        one = known.get(said.contact_id)
        if one is not None and one.contact_id in record.contacts:
            named.append(one)
            if (one.name, one.email.lower(), one.role) != (said.name, said.email.lower(), said.role):
                stays.append(f"contacts[{n}]: {one.contact_id} stays as a request set it; ask for change_contacts")
        elif one is None and (said.contact_id, said.email.lower()) in record.gone:
            gone.append(f"contacts[{n}]: {said.contact_id} was taken off by a request; ask for change_contacts")
        else:
            same = one is not None and one.email.lower() == said.email.lower()
            named.append(
                ContactFacts(
                    contact_id=said.contact_id,
                    name=said.name,
                    email=said.email,
                    role=said.role,
                    language=said.language or language,
                    time_zone=said.time_zone or zone,
                    rejected=one.rejected if one and same else False,
                    unsubscribed=one.unsubscribed if one and same else said.email.lower() in record.unsubscribed,
                    declined=one.declined if one and same else (),
                    every_days=one.every_days if one and same else None,
                )
            )
    ids = {one.contact_id for one in named}
    return [*named, *(one for id, one in known.items() if id not in ids)], [*stays, *gone]


def _people_of(
    before: Customer | None,
    order: Order,
    playbook: Playbook,
    record: OrderOnRecord,
    people: _People,
    as_of: datetime,
    *,
    older: bool,
) -> Write:
    """What is written of the account: all that the order says of it, or that it began earlier."""
    if older:
        return ReachBack(order.activated_at)
    return _account_of(before, order, playbook, record, people, as_of)


def _account_of(
    before: Customer | None, order: Order, playbook: Playbook, record: OrderOnRecord, people: _People, as_of: datetime
) -> PlaceAccount:
    """The account as it is written, with the contacts that the order brings."""
    ids = {one.contact_id for one in people.contacts}
    contacts = {n: said for n, said in enumerate(order.contacts) if said.contact_id in ids}
    return PlaceAccount(
        account=order.account,
        playbook=playbook,
        since=order.activated_at,
        time_zone=people.account.time_zone,
        language=people.account.language,
        billing_day=before.billing_day(as_of) if before else None,
        contacts=contacts,
        settled=record.contacts,
    )


def _staff_of(order: Order) -> tuple[Staff, Staff]:
    return order.account.owner, order.account.success_manager or order.account.owner


def _differs(known: StaffFacts | None, given: Staff) -> bool:
    """Whether a document says something else of a person who is known. Addresses are the same in any case."""
    return known is not None and (known.name, known.email.lower()) != (given.name, given.email.lower())


def _with_people(
    decision: Decision, before: Customer | None, order: Order, left: Sequence[str], *, older: bool
) -> Decision:
    """The decision whose answer says what the order would have changed of people, and did not; the journal, what it changed."""
    if before is not None and not older and (lines := changed_by_order(before.contacts, order, left)):
        decision = replace(decision, more_lines=[*decision.more_lines, *lines])
    if not left:
        return decision
    answer = {**(decision.outcome.answer or {}), "left": list(left)}
    return replace(decision, outcome=decision.outcome.having(answer=answer))
