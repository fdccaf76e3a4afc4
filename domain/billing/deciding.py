"""What a decision has to be invoiced for and given back: which documents are written, of what parts, and what falls due later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from domain.assets.dates import Span
from domain.assets.model import AssetRecord
from domain.assets.writes import AssetChange
from domain.billing import billing
from domain.billing.bill import BillKind, BillLine
from domain.billing.documents import DocumentLine, covered
from domain.billing.line_parts import kept, read_parts, stated
from domain.billing.use import Metered, UseCharge, charges_of
from domain.billing.writes import BillDue, BillPurchase, BookCredit
from domain.frame.customer import Customer
from domain.frame.ownership import POLICY
from domain.frame.state import Step
from domain.kernel.base import Write
from domain.kernel.money import rounding_of

ZERO = Decimal(0)
NOT_OWNED = "what was charged for is not owned any more"


@dataclass
class ToBill:
    """What the writes of a decision mean for billing, in order."""

    before: dict[str, AssetRecord | None] = field(default_factory=dict)
    after: dict[str, AssetRecord] = field(default_factory=dict)
    due: list[BillDue] = field(default_factory=list)
    purchases: list[BillPurchase] = field(default_factory=list)
    credits: list[BookCredit] = field(default_factory=list)

    @classmethod
    def of(cls, writes: Iterable[Write]) -> ToBill:
        """What has to be billed of these; assets before the first and after the last of their changes."""
        found = cls()
        for write in writes:
            match write:
                case AssetChange():
                    asset_id = write.after.asset.asset_id
                    found.before.setdefault(asset_id, write.before)
                    found.after[asset_id] = write.after
                case BillDue():
                    found.due.append(write)
                case BillPurchase():
                    found.purchases.append(write)
                case BookCredit():
                    found.credits.append(write)
        return found

    def __bool__(self) -> bool:
        return bool(self.after or self.due or self.purchases or self.credits)

    @property
    def contracts(self) -> list[str]:
        """The contracts concerned."""
        wanted = {record.asset.contract_id for record in self.after.values()} | {due.contract_id for due in self.due}
        return sorted(contract_id for contract_id in wanted if contract_id)

    def sold_under(self, customer: Customer) -> dict[str, billing.ContractBilling]:
        """The contracts of new assets as a sale has made them, which the customer's facts show without asking; else nothing."""
        if self.due or any(before is not None for before in self.before.values()):
            return {}
        known = {one.contract_id: one for one in customer.contracts if one.term.number == 1 and not one.term.moves}
        if not known.keys() >= set(self.contracts):
            return {}
        return {name: billing.billing_of(known[name]) for name in self.contracts}


@dataclass(frozen=True)
class Bills:
    """What is written: lines of one invoice and of one credit memo for each currency; what was charged elsewhere before; credits of
    charges of which other credits have left nothing, which are in no document; the steps that bill what falls due later; and the use
    that is charged, with what costs nothing."""

    invoices: Mapping[str, Sequence[DocumentLine]]
    credits: Mapping[str, Sequence[DocumentLine]]
    elsewhere: Sequence[BillLine]
    forgone: Sequence[BillLine]
    steps: Sequence[Step]
    use: Sequence[UseCharge] = ()


def decide(
    customer: Customer,
    as_of: datetime,
    work: ToBill,
    records: Mapping[str, AssetRecord],
    contracts: Mapping[str, billing.ContractBilling],
    charged: Mapping[str, Sequence[BillLine]],
    metered: Mapping[str, Metered],
    *,
    imported: bool,
) -> Bills:
    """The documents of one business event.

    Args:
        customer: as they are with it.
        as_of: the instant of the event.
        work: what its decision writes.
        records: the assets to look at: those that changed, and all that a due contract covers.
        contracts: how their contracts are billed.
        charged: all that was charged and credited of each asset so far.
        metered: what was used of those whose use is charged.
        imported: the event is of the past, and so are its charges.
    """
    today = customer.billing_day(as_of)
    lines: list[tuple[AssetRecord, BillLine]] = []
    elsewhere: list[BillLine] = []
    days: dict[str, list[date | None]] = {}
    used: list[tuple[AssetRecord, UseCharge]] = []
    for asset_id, record in records.items():
        contract = contracts.get(record.asset.contract_id or "")
        before = work.before.get(asset_id, record)
        due = billing.Due(record, before, contract, charged.get(asset_id, ()), taken_over=imported)
        settlement = billing.settle(due, today, record.asset.time_zone, POLICY)
        lines += [(record, line) for line in settlement.lines]
        elsewhere += settlement.elsewhere
        for charge in _use(record, settlement.use, contract, metered.get(asset_id, Metered())):
            used.append((record, charge.having(amount=ZERO) if imported else charge))
        what = f"contract:{contract.contract_id}" if contract else f"asset:{asset_id}"
        days.setdefault(what, []).append(settlement.look_on(contract, as_of))
    documents = _documents(lines)
    invoices = documents.get(BillKind.CHARGE, {})
    for purchase in work.purchases:
        if (bought := _purchase_line(purchase, today)).amount > 0:
            invoices.setdefault(purchase.currency, []).append(bought)
    for record, charge in used:
        if charge.amount:
            invoices.setdefault(record.asset.currency, []).append(_use_line(record, charge, today))
    return Bills(
        invoices,
        documents.get(BillKind.CREDIT, {}),
        elsewhere,
        [line for _, line in lines if not line.amount],
        [
            billing.step_on(customer, what, day)
            for what, found in days.items()
            if (day := min(filter(None, found), default=None)) is not None
        ],
        [charge for _, charge in used],
    )


def _documents(lines: Iterable[tuple[AssetRecord, BillLine]]) -> dict[BillKind, dict[str, list[DocumentLine]]]:
    """Invoices and credit memos by currency. Of a charge of which other credits have left nothing there is no document."""
    found: dict[BillKind, dict[str, list[DocumentLine]]] = {}
    for record, line in lines:
        if line.amount:
            kind = BillKind.CHARGE if line.kind is BillKind.CHARGE else BillKind.CREDIT
            found.setdefault(kind, {}).setdefault(line.currency, []).append(_document_line(record, line))
    return found


def _document_line(record: AssetRecord, line: BillLine) -> DocumentLine:
    asset = record.asset
    said = stated(abs(line.amount), line.currency, line.parts, line.why)
    return DocumentLine(
        kind=line.kind.value,
        description=asset.name or asset.product,
        due=line.due,
        amount=abs(line.amount),
        scheduled=line.scheduled,
        asset_id=asset.asset_id,
        lot=line.lot,
        period=line.period,
        stands=None if line.kind is BillKind.CHARGE and line.stands == kept(line.parts) else line.stands,
        **covered(said, read_parts(line.stands) if line.stands else ()),
    )


def _use(
    record: AssetRecord, months: Sequence[Span], contract: billing.ContractBilling | None, metered: Metered
) -> list[UseCharge]:
    """The charges of an asset's use that are due."""
    terms = billing.terms_of(contract, record.asset.time_zone)
    starts = [term.start_on for term in contract.terms] if contract else []
    return charges_of(record, months, terms, starts, metered)


def _use_line(record: AssetRecord, charge: UseCharge, today: date) -> DocumentLine:
    """The line of a month's use, which is of the order's line, as the asset's own lines are of its lots."""
    asset, terms = record.asset, record.asset.use_terms
    order_id = record.actions[0].order_id
    if terms is None or order_id is None:
        raise ValueError(f"{asset.asset_id} was sold by no order that charges its use")
    told = charge.told(terms)
    alone = charge.priced[0][1] if len(charge.priced) == 1 and not told["minimum"] else None
    return DocumentLine(
        kind="usage",
        description=asset.name or asset.product,
        due=today,
        amount=charge.amount,
        scheduled=charge.amount,
        order_id=order_id,
        line_id=asset.asset_id.removeprefix(f"{order_id}."),
        period=charge.start,
        quantity=charge.over,
        unit_price=alone,
        start=charge.start,
        until=charge.until,
        usage=told,
    )


def _purchase_line(purchase: BillPurchase, today: date) -> DocumentLine:
    amount = rounding_of(purchase.currency).apply(purchase.quantity * purchase.unit_price)
    return DocumentLine(
        kind="purchase",
        description=purchase.description,
        due=today,
        amount=amount,
        scheduled=amount,
        order_id=purchase.order_id,
        line_id=purchase.line_id,
        quantity=purchase.quantity,
        unit_price=purchase.unit_price,
        start=today,
        until=today,
    )
