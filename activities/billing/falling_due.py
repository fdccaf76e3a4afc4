"""Billing within a transaction: what a decision means for invoices and credit memos is loaded, decided, and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.assets.ledger import load_records
from activities.billing import credits, invoices, use_rows
from activities.frame.handlers import Place
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from domain.assets.model import AssetRecord
from domain.billing import billing, deciding
from domain.billing.deciding import NOT_OWNED, ToBill
from domain.billing.documents import Document
from domain.frame.customer import Customer
from domain.frame.state import Step
from domain.frame.unreadable import check_contract, unreadable_of
from domain.kernel.base import Write


@dataclass
class Billed:
    """The documents that were written, and the steps by which the journey bills what falls due later in a term."""

    invoices: list[Document] = field(default_factory=list)
    memos: list[Document] = field(default_factory=list)
    steps: Sequence[Step] = ()

    def told(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Invoices and credit memos as other systems are told."""
        return (
            [{"invoice_id": document.id, **document.told()} for document in self.invoices],
            [{"credit_memo_id": document.id, **document.told()} for document in self.memos],
        )


async def bill(place: Place, customer: Customer, key: str, writes: Iterable[Write], *, imported: bool) -> Billed:
    """Invoices and credit memos of one business event, keyed by it. `imported`: the event is of the past, and so are its charges."""
    work = ToBill.of(writes)
    if not work:
        return Billed()
    await place.written()
    connection, account_id, as_of = place.connection, place.account_id, place.as_of
    today = customer.billing_day(as_of)
    contracts = work.sold_under(customer)
    if not contracts and work.contracts:
        contracts = await contracts_billing(connection, account_id, work.contracts)
    records = await _records(connection, work, account_id)
    known = [asset_id for asset_id, record in records.items() if work.before.get(asset_id, record) is not None]
    charged = await invoices.billed_lines(connection, known) if known else {}
    used = await use_rows.metered(connection, account_id, records.values())
    bills = await computed(
        len(records), deciding.decide, customer, as_of, work, records, contracts, charged, used, imported=imported
    )
    await invoices.note_billed_elsewhere(connection, bills.elsewhere, as_of)
    if bills.use:
        await use_rows.note_charged(connection, account_id, bills.use, as_of)
    await invoices.note_forgone(connection, bills.forgone, as_of)
    billed = Billed(steps=bills.steps)
    for currency, lines in bills.invoices.items():
        document = await invoices.write_invoice(
            connection, account_id, f"{key}/{currency}", currency, lines, as_of=as_of, on=today
        )
        billed.invoices.append(document)
    for currency, lines in bills.credits.items():
        memo = await credits.write_schedule_credits(
            connection, account_id, f"{key}/{currency}", currency, lines, reason=NOT_OWNED, as_of=as_of, on=today
        )
        billed.memos.append(memo)
    for write in work.credits:
        booked = await credits.book_credit(connection, account_id, write.credit, as_of=as_of, on=today)
        if booked is not None and not booked.again:
            billed.memos.append(await credits.load_credit_memo(connection, booked.memo_id))
    return billed


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
        held = await load_records(connection, account_id, contracts, single)
        for contract_id in contracts:
            check_contract(unreadable_of(held), contract_id)
        for asset_id in single:
            held.get(asset_id)  # raises if it cannot be read
        for asset_id, record in held.items():
            found.setdefault(asset_id, record)
    return found
