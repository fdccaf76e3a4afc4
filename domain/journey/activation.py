"""An order is accepted: what it sells becomes contracts and assets, and the stages that it begins are planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from difflib import get_close_matches

from domain.billing.writes import BillPurchase
from domain.contracts import renewal_notices
from domain.contracts.writes import SetContractStatus
from domain.frame import standing
from domain.frame.customer import (
    ContractFacts,
    ContractStatus,
    Customer,
    PlacedFacts,
    PurchaseFacts,
)
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.ownership import sold
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import OnboardingTaskStatus
from domain.journey import fulfilling
from domain.journey.sale import Sale, asset_id_of
from domain.kernel.base import Write
from domain.kernel.calendar import local_day
from domain.kernel.refusals import INVALID_ORDER, UNKNOWN_PRODUCT, Problem, Refusal
from domain.orders.order import (
    TERM_KINDS,
    Order,
    OrderAnswer,
    OrderedLine,
    OrderedProduct,
    ProductKind,
    other_kinds,
)
from domain.success import adoption, asking, onboarding, onboarding_tasks, reorder, thanks


def resolve_products(
    order: Order, known: Mapping[str, OrderedProduct], codes: Iterable[str]
) -> dict[str, OrderedProduct]:
    """The product of every line. Raises `Refusal` for one that neither the catalogue nor the order knows, or that does not fit its place.

    known: catalogue entries for the codes that the order names; codes: all catalogue codes that may be suggested.
    """
    brought: dict[str, OrderedProduct] = {product.code: product for product in order.products}
    problems = other_kinds(order.products, known)
    catalogue: dict[str, OrderedProduct] = dict(brought) | dict(known)
    missing = False
    for path, line, in_contract in _lines_with_paths(order):
        product = catalogue.get(line.product)
        if product is None:
            missing = True
            near = get_close_matches(line.product, [*codes, *brought], n=3)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else "add it to the order's products with its name and kind"
            )
            problems.append(Problem(field=f"{path}.product", problem=f"unknown product {line.product!r}; {hint}"))
        elif in_contract and product.kind not in TERM_KINDS:
            problems.append(
                Problem(
                    field=f"{path}.product",
                    problem=f"{line.product!r} is {product.kind.value}; put it into the order's own lines",
                )
            )
        elif not in_contract and product.kind in TERM_KINDS:
            problems.append(
                Problem(
                    field=f"{path}.product",
                    problem=f"{line.product!r} is sold for a term; put it into a contract with a term",
                )
            )
    if problems:
        raise Refusal(UNKNOWN_PRODUCT if missing else INVALID_ORDER, "the order cannot be accepted", problems)
    return catalogue


def _lines_with_paths(order: Order) -> Iterable[tuple[str, OrderedLine, bool]]:
    for n, contract in enumerate(order.contracts):
        for m, line in enumerate(contract.lines):
            yield f"contracts[{n}].lines[{m}]", line, True
    for m, purchase in enumerate(order.lines):
        yield f"lines[{m}]", purchase, False


def accept(situation: Situation, order: Order, sale: Sale, *, first: bool, opening: bool, goods: bool) -> Decision:
    """The journey's answer to an order. `situation.customer` holds the facts with the order in them.

    first: the account's first order ever; opening: the journey begins with it, perhaps again after it was closed, so that
    all that the customer still holds is planned; goods: the order sells goods.
    """
    customer = situation.customer
    start = local_day(order.activated_at, customer.account.time_zone)
    outcome, past, writes = begin(situation, order.order_id, start, sale, first=first, opening=opening, goods=goods)
    if not situation.imported and ships(order, sale, goods=goods):
        asked = fulfilling.follow_up_of(situation, order.order_id, start, onboards=first or bool(sale.contracts))
        outcome += Outcome(plan=asked)
    account, now = order.account, situation.as_of
    for asset in sale.assets:
        ramp, usage = sale.prices.get(asset.asset_id, ()), sale.usage.get(asset.asset_id)
        writes.append(sold(asset, account.account_id, order.order_id, now, account.time_zone, ramp=ramp, usage=usage))
    writes += [] if situation.imported else _purchases(order, sale)
    says = f"Order {order.order_id} {'taken over' if situation.imported else 'accepted'}"
    answer = OrderAnswer(
        order_id=order.order_id,
        account_id=order.account.account_id,
        accepted_at=situation.as_of,
        assets=[asset.asset_id for asset in sale.assets],
        contracts=[contract.contract_id for contract in sale.contracts],
        first_invoices={} if situation.imported else first_invoices(sale.contracts, situation.billing_day),
    )
    lines, first_said = told_of_invoices(answer.first_invoices, situation.billing_day)
    outcome = outcome.having(
        account=situation.account_view,
        attention={**outcome.attention, **_mended(order)},
        said=[says, *first_said],
        answer=answer.model_dump(mode="json"),
    )
    at = order.activated_at if situation.imported else None
    first_line = JournalLine(says, at=at, detail={"order_id": order.order_id})
    # Where an onboarding begins, its first mail says what was ordered.
    silent = situation.imported or first or bool(sale.contracts)
    mails = [] if silent else [_confirmed(situation, order.order_id)]
    return Decision(first_line, outcome, writes, mails, more_lines=[*past, *lines])


def _confirmed(situation: Situation, order_id: str) -> Mail:
    """What was ordered, said to whoever ordered it."""
    context = {"order_id": order_id, "products": standing.products_of(situation, order_id)}
    return Mail("order_confirmed", context)


def ships(order: Order, sale: Sale, *, goods: bool) -> bool:
    """True for an order of something that is sent to the customer: goods, or devices."""
    return goods or any(asset.kind is ProductKind.DEVICE for asset in sale.assets)


def first_invoices(contracts: Iterable[ContractFacts], today: date) -> dict[str, date]:
    """By contract that is sold on `today`, the day on which its first period is invoiced."""
    return {contract.contract_id: contract.first_invoice_on(today) for contract in contracts}


def told_of_invoices(days: Mapping[str, date], today: date) -> tuple[list[JournalLine], list[str]]:
    """Of contracts that are invoiced later than on `today`: a line each for the journal, and what the briefing says of the first."""
    later = sorted((day, contract_id) for contract_id, day in days.items() if day > today)
    lines = [
        JournalLine(
            f"First invoice on {day}: contract {contract_id}",
            name=f"first-invoice-{contract_id}",
            detail={"contract_id": contract_id, "first_invoice_on": day.isoformat()},
        )
        for day, contract_id in later
    ]
    return lines, [line.title for line in lines[:1]]


def begin(
    situation: Situation, order_id: str, start: date, sale: Sale, *, first: bool, opening: bool, goods: bool
) -> tuple[Outcome, list[JournalLine], list[Write]]:
    """What a sale of the local day `start` begins: onboarding, check-ins, renewals, the rhythm of orders.

    Returns the plan, the journal's lines for what lies in the past, and what is written beside the assets themselves.
    """
    customer = situation.customer
    outcome = Outcome()
    past: list[JournalLine] = []
    writes: list[Write] = []
    contracts = [_closed_if_over(situation, contract) for contract in sale.contracts]
    living = [contract for contract in contracts if contract.status == ContractStatus.ACTIVE]
    if first or sale.contracts:
        over = situation.imported and bool(sale.contracts) and not living
        begins_on = onboarding_tasks.starts_on(situation, start)
        outcome, past, writes = _with_onboarding(situation, order_id, begins_on, over=over)
    since = customer.day_of(customer.account.since)
    if situation.playbook.onboarding.anniversaries and opening:
        outcome += thanks.anniversaries_of(situation, since)
    held = _held_before(customer, sale)
    if (living or held) and (opening or not held):
        elapsed = (situation.today - start).days
        outcome += adoption.begin(situation, max(1, situation.playbook.adoption.latest_start - elapsed))
        if onboarding_tasks.went_live_before(situation, onboarding_tasks.starts_on(situation, start)):
            outcome += Outcome(plan=asking.taken_over(situation))
    for contract in living:
        outcome += renewal_notices.begin(situation, contract)
    for contract in held if opening else []:
        outcome += renewal_notices.take_up(situation, contract)
        if situation.is_past(contract.term.ends_at):
            writes.append(
                SetContractStatus(
                    contract.contract_id, ContractStatus.ENDED, "over while the journey was closed", situation.as_of
                )
            )
    # A purchase is of the day on which it was one where the customer was; who has moved west since may order on the day before.
    bought = {purchase.order_id: purchase.day for purchase in customer.purchases}
    goods = goods and bought.get(order_id, date.min) >= max(bought.values()) - timedelta(days=1)
    if goods or (opening and customer.purchases):
        outcome += reorder.after_order(situation, [p.day for p in customer.purchases])
        writes += [reorder.came_back(situation)] if goods else []
    writes += [
        SetContractStatus(c.contract_id, ContractStatus.ENDED, "over before it was recorded", situation.as_of)
        for c in contracts
        if c.status == ContractStatus.ENDED
    ]
    return outcome, past, writes


def _purchases(order: Order, sale: Sale) -> list[BillPurchase]:
    """What an order sells that becomes no asset, to be invoiced with it."""
    assets = {asset.asset_id for asset in sale.assets}
    names = {product.code: product.name for product in order.products}
    return [
        BillPurchase(
            order.order_id,
            line.line_id,
            names.get(line.product, line.product),
            line.quantity,
            line.unit_price,
            order.currency,
        )
        for line in order.lines
        if asset_id_of(order, line) not in assets
    ]


def _closed_if_over(situation: Situation, contract: ContractFacts) -> ContractFacts:
    over = situation.is_past(contract.term.ends_at)
    return contract.having(status=ContractStatus.ENDED) if over else contract


def _with_onboarding(
    situation: Situation, order_id: str, start: date, *, over: bool
) -> tuple[Outcome, list[JournalLine], list[Write]]:
    """Onboarding's outcome, the journal lines of what lies in the past, and its tasks. `over`: what was sold has ended by now, so
    that nobody is asked for anything more."""
    tasks = onboarding_tasks.tasks_of(situation, order_id, start)
    steps = list(onboarding.first_steps(situation, order_id, start))
    if over:
        tasks = [task for task in tasks if task.status is OnboardingTaskStatus.PAST]
        steps = [step for step in steps if situation.is_past(step.at)]
    past = [step for step in steps if situation.is_past(step.at)]
    waiting = [task.name for task in tasks if task.status is OnboardingTaskStatus.OPEN]
    stage = onboarding_tasks.stage_of(order_id)
    outcome = Outcome(
        plan=[step for step in steps if not situation.is_past(step.at)],
        stages={stage: found} if (found := onboarding_tasks.waits_for(waiting)) else {},
    )
    settled = [
        JournalLine(f"Past when it was recorded: {t.name}", at=t.due_at, name=f"{stage}/{t.name}", kind="past")
        for t in tasks
        if t.status is OnboardingTaskStatus.PAST
    ]
    return outcome, [*(_past_line(step) for step in past), *settled], list(tasks)


def _past_line(step: Step) -> JournalLine:
    return JournalLine(f"Past when it was recorded: {step.name}", at=step.at, name=step.key, kind="past")


def _held_before(customer: Customer, sale: Sale) -> list[ContractFacts]:
    """The contracts that the customer held already and that have not ended."""
    new = {contract.contract_id for contract in sale.contracts}
    return [c for c in customer.contracts if c.contract_id not in new and c.status != ContractStatus.ENDED]


def _mended(order: Order) -> dict[str, str | None]:
    """An order brings addresses: what was amiss with its contacts is no longer shown."""
    return {"unreachable": None, **{f"address_rejected:{contact.contact_id}": None for contact in order.contacts}}


NAMED = 12
"""So many products of an order are named in mails about it."""
SENT = (ProductKind.GOODS, ProductKind.DEVICE)
"""What is sent to the customer."""


def placed(order: Order, products: Mapping[str, OrderedProduct], recorded_at: datetime) -> PlacedFacts:
    """The order as it is remembered."""
    sold = [products[line.product] for line in order.all_lines()]
    names = list(dict.fromkeys(product.name for product in sold))
    sent = list(dict.fromkeys(product.name for product in sold if product.kind in SENT))
    return PlacedFacts(
        order_id=order.order_id,
        activated_at=order.activated_at,
        recorded_at=recorded_at,
        names=names[:NAMED],
        sent=sent[:NAMED],
    )


def purchase_of(order: Order, products: Mapping[str, OrderedProduct]) -> PurchaseFacts | None:
    """The purchase of goods in an order, or null if it sells none."""
    names = [products[n.product].name for n in order.lines if products[n.product].kind is ProductKind.GOODS]
    if not names:
        return None
    day = local_day(order.activated_at, order.account.time_zone)
    return PurchaseFacts(order_id=order.order_id, day=day, names=names[:8])
