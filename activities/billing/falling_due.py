"""Billing within a transaction: whatever changes assets is invoiced or credited with it, and what falls due later is planned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from activities.assets.ledger import load_records
from activities.billing import credits, invoices
from activities.billing.invoices import Document, DocumentLine
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from domain.assets.model import AssetRecord
from domain.assets.writes import AssetChange
from domain.billing import billing
from domain.billing.bill import BillKind, BillLine
from domain.billing.line_parts import kept, read_parts, stated
from domain.billing.writes import BillDue, BillPurchase, BookCredit
from domain.frame.customer import Customer
from domain.frame.ownership import POLICY
from domain.frame.state import Step
from domain.frame.unreadable import check_contract, unreadable_of
from domain.kernel.money import rounding_of


@dataclass
class ToBill:
    """What the writes of a decision mean for billing, gathered in order."""

    before: dict[str, AssetRecord | None] = field(default_factory=dict)
    after: dict[str, AssetRecord] = field(default_factory=dict)
    due: list[BillDue] = field(default_factory=list)
    purchases: list[BillPurchase] = field(default_factory=list)
    credits: list[BookCredit] = field(default_factory=list)

    def changed(self, changes: Iterable[AssetChange]) -> None:
        """Assets before the first and after the last of their changes."""
        for change in changes:
            asset_id = change.after.asset.asset_id
            self.before.setdefault(asset_id, change.before)
            self.after[asset_id] = change.after

    def __bool__(self) -> bool:
        return bool(self.after or self.due or self.purchases or self.credits)


@dataclass
class Billed:
    """The documents that were written, and the steps by which the journey bills what falls due later in a term."""

    invoices: list[Document] = field(default_factory=list)
    memos: list[Document] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def told(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Invoices and credit memos as other systems are told."""
        return (
            [{"invoice_id": document.id, **document.told()} for document in self.invoices],
            [{"credit_memo_id": document.id, **document.told()} for document in self.memos],
        )


async def bill(
    connection: Connection, customer: Customer, key: str, as_of: datetime, work: ToBill, *, imported: bool
) -> Billed:
    """Invoices and credit memos of one business event, keyed by it. `imported`: the event is of the past, and so are its charges."""
    today = customer.billing_day(as_of)
    contracts = _sold(customer, work) or await _contracts(connection, work, customer.account.account_id)
    records = await _records(connection, work, customer.account.account_id)
    known = [asset_id for asset_id, record in records.items() if work.before.get(asset_id, record) is not None]
    charged = await invoices.billed_lines(connection, known) if known else {}
    dues = [
        billing.Due(
            after=record,
            before=work.before.get(asset_id, record),
            contract=contracts.get(record.asset.contract_id or ""),
            billed=charged.get(asset_id, ()),
            taken_over=imported,
        )
        for asset_id, record in records.items()
    ]
    settlements = await computed(
        len(dues), lambda: [billing.settle(due, today, due.after.asset.time_zone, POLICY) for due in dues]
    )
    lines: list[tuple[AssetRecord, BillLine]] = []
    elsewhere: list[BillLine] = []
    days: dict[str, list[date | None]] = {}
    for due, settlement in zip(dues, settlements, strict=True):
        lines += [(due.after, line) for line in settlement.lines]
        elsewhere += settlement.elsewhere
        what = f"contract:{due.contract.contract_id}" if due.contract else f"asset:{due.after.asset.asset_id}"
        days.setdefault(what, []).append(settlement.look_on(due.contract, as_of))
    if elsewhere:
        await invoices.note_billed_elsewhere(connection, elsewhere, as_of)
    billed = await _write(connection, customer, key, as_of, today, lines, work.purchases)
    billed.steps = [
        billing.step_on(customer, what, day)
        for what, found in days.items()
        if (day := min((day for day in found if day is not None), default=None)) is not None
    ]
    for write in work.credits:
        memo = await credits.book_credit(connection, customer.account.account_id, write.credit, as_of=as_of, on=today)
        if memo is not None and not memo.again:
            billed.memos.append(await credits.load_credit_memo(connection, memo.memo_id))
    return billed


async def _write(
    connection: Connection,
    customer: Customer,
    key: str,
    as_of: datetime,
    today: date,
    lines: Sequence[tuple[AssetRecord, BillLine]],
    purchases: Sequence[BillPurchase],
) -> Billed:
    """One invoice and one credit memo for each currency."""
    account_id = customer.account.account_id
    charges: dict[str, list[DocumentLine]] = {}
    given_back: dict[str, list[DocumentLine]] = {}
    forgone = [line for _, line in lines if not line.amount]
    if forgone:
        await invoices.note_forgone(connection, forgone, as_of)
    for record, line in lines:
        if not line.amount:
            continue  # other credits have left nothing of the charge: there is no document over nothing
        into = charges if line.kind is BillKind.CHARGE else given_back
        into.setdefault(line.currency, []).append(_document_line(record, line))
    for purchase in purchases:
        amount = rounding_of(purchase.currency).apply(purchase.quantity * purchase.unit_price)
        if amount > 0:
            charges.setdefault(purchase.currency, []).append(_purchase_line(purchase, amount, today))
    billed = Billed()
    for currency, found in charges.items():
        document = await invoices.write_invoice(
            connection, account_id, f"{key}/{currency}", currency, found, as_of=as_of, on=today
        )
        billed.invoices.append(document)
    for currency, found in given_back.items():
        document = await credits.write_schedule_credits(
            connection,
            account_id,
            f"{key}/{currency}",
            currency,
            found,
            reason="what was charged for is not owned any more",
            as_of=as_of,
            on=today,
        )
        billed.memos.append(document)
    return billed


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
        **invoices.covered(said, read_parts(line.stands) if line.stands else ()),
    )


def _purchase_line(purchase: BillPurchase, amount: Decimal, today: date) -> DocumentLine:
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


def _sold(customer: Customer, work: ToBill) -> dict[str, billing.ContractBilling]:
    """The contracts of new assets as a sale has made them, which the customer's facts show without asking; else nothing."""
    if work.due or any(before is not None for before in work.before.values()):
        return {}
    known = {contract.contract_id: contract for contract in customer.contracts}
    found = {record.asset.contract_id for record in work.after.values() if record.asset.contract_id}
    if not all(name in known and known[name].term.number == 1 and not known[name].term.moves for name in found):
        return {}
    return {
        name: billing.ContractBilling(
            contract_id=name,
            billing=known[name].billing,
            first_invoice=known[name].first_invoice,
            terms=(billing.ContractTerm(start_on=known[name].term.start_on, until=known[name].term.until),),
        )
        for name in found
    }


async def _contracts(connection: Connection, work: ToBill, account_id: str) -> dict[str, billing.ContractBilling]:
    """How the contracts concerned are billed, with all their terms as this transaction has left them."""
    wanted = {record.asset.contract_id for record in work.after.values()} | {due.contract_id for due in work.due}
    ids = sorted(contract_id for contract_id in wanted if contract_id)
    return await contracts_billing(connection, account_id, ids) if ids else {}


_BILLED_BY = ("billing", "first_invoice", "anchor_day", "billed_from")


async def contracts_billing(
    connection: Connection, account_id: str, contracts: Sequence[str] | None = None
) -> dict[str, billing.ContractBilling]:
    """How an account's contracts are billed, all of them or those of these ids, each with all its terms."""
    rows = await connection.fetch(
        "select c.contract_id, c.billing, c.first_invoice, c.anchor_day, c.billed_from, t.start_on, t.until, t.starts_at"
        " from contract c join contract_term t using (contract_id)"
        " where c.account_id = $2 and ($1::text[] is null or c.contract_id = any($1)) order by c.contract_id, t.number",
        contracts,
        account_id,
    )
    terms: dict[str, list[billing.ContractTerm]] = {}
    agreed: dict[str, dict[str, Any]] = {}
    for row in rows:
        agreed[row["contract_id"]] = {name: row[name] for name in _BILLED_BY}
        terms.setdefault(row["contract_id"], []).append(
            billing.ContractTerm(start_on=row["start_on"], until=row["until"], starts_at=row["starts_at"])
        )
    return {
        contract_id: billing.ContractBilling.model_validate(
            {"contract_id": contract_id, "terms": found, **agreed[contract_id]}
        )
        for contract_id, found in terms.items()
    }


async def _records(connection: Connection, work: ToBill, account_id: str) -> dict[str, AssetRecord]:
    """The assets to look at: those that changed, and all that a due contract covers."""
    found = dict(work.after)
    contracts = {due.contract_id for due in work.due if due.contract_id}
    single = {due.asset_id for due in work.due if due.asset_id}
    if contracts or single:
        held = await load_records(connection, account_id)
        for contract_id in contracts:
            check_contract(unreadable_of(held), contract_id)
        for asset_id in single:
            held.get(asset_id)  # raises if it cannot be read
        for asset_id, record in held.items():
            if record.asset.contract_id in contracts or asset_id in single:
                found.setdefault(asset_id, record)
    return found
