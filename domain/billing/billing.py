"""Billing in the journey: what a customer's contracts and purchases have to be invoiced for, and what is given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from domain.assets.dates import Span
from domain.assets.model import AssetRecord, Category, SellingModel
from domain.assets.worth import LedgerPolicy
from domain.billing.bill import BillKind, BillLine, Paid, View, bill, charged_as
from domain.billing.line_parts import kept
from domain.billing.periods import BillingTerms
from domain.billing.schedule import Cell, next_due, schedule
from domain.billing.taking_effect import InEffect, counts_from, in_effect
from domain.billing.use import due_use
from domain.frame.customer import ContractFacts, Customer
from domain.frame.keys import StageId, StageKind, Word
from domain.frame.state import Step
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day, month_grids
from domain.kernel.money import CurrencyCode
from domain.kernel.tax import Taxed
from domain.orders.order import BillingFrequency, FirstInvoice

_MONTHS = {
    BillingFrequency.MONTHLY: 1,
    BillingFrequency.QUARTERLY: 3,
    BillingFrequency.YEARLY: 12,
    BillingFrequency.WHOLE_TERM: 12,
}
WITHOUT_CONTRACT = BillingFrequency.MONTHLY
"""What has no contract, as something without an end, is invoiced month by month."""


class CreditLine(Carried):
    """Something given back of one charge: name the asset, or `order_id` and `line_id` of a purchase.

    `key` is its business key, unique for ever; `amount` is what is wanted, above zero: before tax, which comes on top as on
    the invoice, or `with_tax`, which is in it then. `kind` is a word for reports, such as price_protection, return or goodwill.
    """

    key: Annotated[str, Field(min_length=1, max_length=200)]
    amount: Annotated[Decimal, Field(gt=0)]
    description: str
    kind: str = "goodwill"
    asset_id: str | None = None
    order_id: str | None = None
    line_id: str | None = None
    quantity: int | None = None
    with_tax: bool = False


class Credit(Carried):
    """A credit memo to be written: its business key, currency, reason, and lines."""

    key: Annotated[str, Field(min_length=1, max_length=200)]
    currency: CurrencyCode
    reason: str
    lines: Annotated[tuple[CreditLine, ...], Field(min_length=1)]


class Credited(Carried):
    """A credit memo as it was booked: `net` and the tax by rate add up to `total`; amounts before tax by the keys of its lines.

    `told`: its sums and lines as JSON values, as its reader sees them; `again`: it was booked before.
    """

    memo_id: str
    net: Decimal
    taxes: tuple[Taxed, ...] = ()
    total: Decimal
    currency: str
    lines: dict[str, Decimal]
    told: dict[str, Any]
    again: bool = False


class ContractTerm(Carried):
    """A term of a contract by local dates; `until` is the first day after it. `starts_at`: the instant of its beginning, at which
    the term before ends; on the day before `start_on` for a customer who has moved west."""

    start_on: date
    until: date
    starts_at: AwareDatetime | None = None


class ContractBilling(Carried):
    """How a contract is invoiced; `terms` in order. `anchor_day`: by which day its months are counted, `billed_from`: from
    which day its billing periods, if not by and from its first term's start."""

    contract_id: str
    billing: BillingFrequency
    terms: Annotated[tuple[ContractTerm, ...], Field(min_length=1)]
    anchor_day: int | None = None
    billed_from: date | None = None
    first_invoice: FirstInvoice = FirstInvoice.START

    def begins(self, day: date) -> ContractTerm | None:
        """The later term whose first day that is; all assets are looked at as the one before ends."""
        return next((term for before, term in pairwise(self.terms) if before.until == day == term.start_on), None)


def billing_of(contract: ContractFacts) -> ContractBilling:
    """How a contract is invoiced, from its facts."""
    starts = contract.term_starts
    ends = [*starts[1:], contract.term.until]
    return ContractBilling(
        contract_id=contract.contract_id,
        billing=contract.billing,
        terms=tuple(ContractTerm(start_on=start, until=until) for start, until in zip(starts, ends, strict=True)),
        anchor_day=contract.anchor_day,
        billed_from=contract.billed_from,
        first_invoice=contract.first_invoice,
    )


def terms_of(contract: ContractBilling | None, zone: str) -> BillingTerms:
    """The schedule's terms: one calendar for all assets of a contract, anchored at its first day or where that says."""
    if contract is None:
        return BillingTerms(zone, _MONTHS[WITHOUT_CONTRACT])
    starts = [term.start_on for term in contract.terms]
    grids = month_grids(starts, contract.anchor_day or starts[0].day)
    anchors = (contract.billed_from or starts[0], grids[0][1]), *grids[1:]
    whole = contract.billing is BillingFrequency.WHOLE_TERM
    return BillingTerms(zone, _MONTHS[contract.billing], anchors, tuple(starts) if whole else ())


@dataclass(frozen=True)
class Due:
    """An asset to be looked at: how it is, how it was before the business event (null: it is new), and its billed lines.

    `taken_over`: it came from elsewhere, and what fell due before today was charged there.
    """

    after: AssetRecord
    before: AssetRecord | None
    contract: ContractBilling | None
    billed: Sequence[BillLine]
    taken_over: bool = False


@dataclass(frozen=True)
class Settlement:
    """What an asset has to be invoiced for now: lines, what was billed elsewhere before, the months whose use is to be charged, and the
    next day on which more falls due or changes."""

    lines: Sequence[BillLine]
    elsewhere: Sequence[BillLine]
    next_day: date | None
    use: Sequence[Span] = ()

    def look_on(self, contract: ContractBilling | None, after: datetime) -> date | None:
        """The day for which a look is planned; null if there is none, or the end of a term, later than `after`, looks then."""
        begun = contract.begins(self.next_day) if contract and self.next_day else None
        by_its_end = begun is not None and (begun.starts_at is None or begun.starts_at > after)
        return None if by_its_end else self.next_day


def settle(due: Due, today: date, zone: str, policy: LedgerPolicy) -> Settlement:
    """The lines of today. What begins later is invoiced on its first day, and any change of the future is invoiced or credited
    on the day on which it takes effect, as until then it may be taken back. What is bought once is invoiced when it is sold,
    and so is the first period of what is sold under a contract that says so."""
    terms = terms_of(due.contract, zone)
    elsewhere = _elsewhere(due, terms, today)
    billed = [*due.billed, *elsewhere]
    first = local_day(due.after.start, zone)
    through = max(today, first) if _with_its_sale(due) else today
    seen = in_effect(due.after, today, zone, policy, billed=bool(billed))
    as_of = _as_of(due, seen.paid, today, zone)
    paid_by = terms if as_of == due.contract or not billed else terms_of(as_of, zone)
    paid: list[Paid] = []
    if seen.ends or paid_by != terms:
        # What was billed up to an end that was agreed by then stays so; what was billed beyond it waits for that day. What takes
        # effect today may have been settled by now, or not.
        held = due.before or due.after
        seen_before = [in_effect(held, day, zone, policy) for day in (today, today - timedelta(days=1))]
        parts = charged_as(due.after, billed, _views(seen_before, len(seen.earlier), paid_by, terms), through)
        paid = [
            Paid(record, paid_by, keys)
            for record, keys in zip(seen.earlier, parts, strict=False)
            if record is not seen.now or not seen.ends
        ]
    lines = bill(seen.now, terms, billed, through, paid)
    known = {(line.lot, line.period) for line in [*billed, *lines]}
    use, next_use = due_use(due.after, terms, today)
    days = [*seen.days, *([next_use] if next_use else [])]
    return Settlement(lines, elsewhere, _next_day(due, terms, known, today, days), use)


def _views(seen: Sequence[InEffect], ends: int, paid_by: BillingTerms, terms: BillingTerms) -> list[list[View]]:
    """By what may have been billed: the asset with none, one, two … of so many ends, and at last as it is."""
    views: list[list[View]] = [[] for _ in range(ends + 1)]
    for was in seen:
        for number, record in enumerate(was.earlier):
            views[min(number, ends)].append((record, paid_by))
        views[min(was.ends or ends, ends)] += [(was.now, terms), (was.now, paid_by)]
    return views


def _as_of(due: Due, paid: AssetRecord, today: date, zone: str) -> ContractBilling | None:
    """The contract as what was invoiced before goes by it: with the terms that have begun or, after a gap, count from it on, and
    with a start that is yet to move."""
    if due.contract is None:
        return None
    first, *others = due.contract.terms
    started, starts = (local_day(record.start, zone) for record in (paid, due.after))
    if started != starts == first.start_on:
        first = first.having(start_on=started)
    renewed = {local_day(action.effective, zone) for action in paid.active if action.category is Category.RENEWALS}
    begun = [term for term in others if term.start_on <= today or term.start_on in renewed]
    return due.contract.having(terms=(first, *begun))


def settled_on(record: AssetRecord, first_invoice: FirstInvoice, today: date) -> date:
    """The day on which the last change of an asset is invoiced or credited, if it was made on `today`."""
    zone = record.asset.time_zone
    last, begins = record.actions[-1], local_day(record.start, zone)
    with_sale = first_invoice is FirstInvoice.ORDER or record.asset.selling_model is SellingModel.ONE_TIME
    if with_sale and len(record.actions) == 1 and last.category is Category.INITIAL_SALE:
        return today
    day = counts_from(record, today, zone)
    return day if with_sale or not record.periods else max(day, begins)


def _with_its_sale(due: Due) -> bool:
    """True for what is new here by a sale, and invoiced with it even if it begins later."""
    if due.before is not None or due.taken_over or due.after.actions[0].category is not Category.INITIAL_SALE:
        return False
    once = due.after.asset.selling_model is SellingModel.ONE_TIME
    return once or (due.contract is not None and due.contract.first_invoice is FirstInvoice.ORDER)


def _elsewhere(due: Due, terms: BillingTerms, today: date) -> list[BillLine]:
    """What was charged by somebody else: of what is taken over now, and of what came from another system before.

    What was sold here is never among it, however late it is looked at.
    """
    ours_from = today if due.taken_over else due.after.asset.invoiced_from
    if due.billed or ours_from is None or (due.before is None and not due.taken_over):
        return []
    known, ours_from = due.before or due.after, min(ours_from, today)
    return [_charged(known, cell) for cell in schedule(known, terms, ours_from) if cell.due < ours_from and cell.amount]


def _charged(record: AssetRecord, cell: Cell) -> BillLine:
    lot, period = cell.key
    return BillLine(
        asset_id=record.asset.asset_id,
        lot=lot,
        period=period,
        kind=BillKind.CHARGE,
        due=cell.due,
        currency=record.asset.currency,
        amount=cell.amount,
        scheduled=cell.amount,
        stands=kept(cell.parts),
    )


def _next_day(
    due: Due, terms: BillingTerms, known: set[tuple[int, date]], today: date, changes: Sequence[date]
) -> date | None:
    """The first day after today on which something falls due or changes."""
    record = due.after
    if not record.periods:
        return None
    first = local_day(record.periods[0].start, terms.zone)
    ahead = today
    if record.periods[-1].end is None:
        ahead = terms.periods(first).after(max(today, first))
    day = next_due(record, terms, ahead, today, known)
    return min([*changes, *([day] if day else [])], default=None)


def step_on(customer: Customer, what: str, day: date) -> Step:
    """The step that bills `what` (`contract:K-1` or `asset:A-1`) in the morning of the day on which something falls due."""
    kind, name = Word.parse(what)
    at, on = customer.morning(day, business_day=False)
    return Step(
        kind="billing_invoice", stage=str(StageId(StageKind.BILLING, name, kind)), name=f"due-{day}", at=at, on=on
    )
