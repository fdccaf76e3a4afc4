"""The installed base that another system leaves behind: one document per asset, with its history and where it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from domain.assets.errors import CurrencyMissingError, HistoryError, PolicyError
from domain.assets.model import Asset, AssetRecord, Attributes, RenewalPricing, SellingModel
from domain.assets.other_histories import KnownPeriod, check_exported, follow, monthly_price
from domain.assets.presets import PRORATION_PRESETS
from domain.assets.proration_policy import ProrationPolicy, read_policy
from domain.assets.writes import AssetChange
from domain.contracts.writes import OpenAsset, OpenContract
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.ownership import POLICY
from domain.frame.term_facts import TermFacts
from domain.kernel.base import Received
from domain.kernel.calendar import MONTHS_IN_YEAR, local_day, start_of_day, within_reach
from domain.kernel.ids import AccountRef, ContractRef, Opaque
from domain.kernel.money import CurrencyCode
from domain.kernel.requests import read_document
from domain.orders.order import (
    Account,
    BillingFrequency,
    Code,
    Contact,
    FirstInvoice,
    OrderedProduct,
    Price,
    PricePer,
    Text,
)
from domain.orders.terms import Term

INVALID_ASSET = "InvalidAsset"
ORIGIN = "imported"
_MONEY = frozenset({"unit_price", "mrr", "amount"})

AssetRef = Annotated[str, Opaque]
Day = Annotated[date, AfterValidator(within_reach)]


class Period(Received):
    """What held from the local day `start` to `end`, its last day (null: no end): units at a price for the time of the asset's `per`.

    `renewal` marks the first period of a new term. `mrr` and `amount`, as the other system shows them, are compared with
    what comes of units, price and proration policy.
    """

    start: Day
    end: Day | None = None
    quantity: Annotated[int, Field(ge=0, le=10_000_000)]
    unit_price: Price | None = None
    renewal: bool = False
    recorded_at: AwareDatetime | None = None
    attributes: dict[Text, Text] = Field(default_factory=dict)
    reference: Text | None = None
    price_book: Text | None = None
    currency: CurrencyCode | None = None
    mrr: Decimal | None = None
    amount: Decimal | None = None


class HeldContract(Received):
    """The contract that an asset belongs to, with the term that runs now or ran last."""

    contract_id: ContractRef
    term: Term
    auto_renew: bool = False
    renewal_months: Annotated[int, Field(ge=1, le=240)] | None = None
    notice_days: Annotated[int, Field(ge=0, le=366)] = 30
    uplift_percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    billing: BillingFrequency = BillingFrequency.YEARLY
    first_invoice: FirstInvoice = FirstInvoice.START


class ImportedAsset(Received):
    """One asset with its history: either `periods`, as another system knows them, or `ledger`, a record that was exported whole.

    `account`, `contacts` and `products` are needed for what is not on record yet; what is stays as it is.
    """

    asset_id: AssetRef
    account_id: AccountRef
    account: Account | None = None
    contacts: Annotated[tuple[Contact, ...], Field(max_length=50)] = ()
    products: Annotated[tuple[OrderedProduct, ...], Field(max_length=1000)] = ()
    contract: HeldContract | None = None
    contract_id: ContractRef | None = None
    product: Code
    name: Text | None = None
    currency: CurrencyCode
    per: PricePer = PricePer.MONTH
    price_book: Text = "standard"
    renewal_months: Annotated[int, Field(ge=1, le=240)] | None = None
    renewal_pricing: RenewalPricing = RenewalPricing.LOT_BY_LOT
    serial_number: Text | None = None
    unit_price: Decimal | None = None
    """of the last sale, if the last period's is another"""
    proration: str | dict[str, Any] | None = None
    periods: Annotated[tuple[Period, ...], Field(max_length=5000)] = ()
    ledger: AssetRecord | None = None

    @model_validator(mode="after")
    def _is_one_history(self) -> Self:
        if bool(self.periods) == (self.ledger is not None):
            raise ValueError("give the history either as periods or as ledger, an exported record")
        if self.account is not None and self.account.account_id != self.account_id:
            raise ValueError(f"account.account_id is {self.account.account_id!r}, account_id is {self.account_id!r}")
        if self.account is not None and not self.contacts:
            raise ValueError("an account that is brought along needs a contact")
        return self

    @property
    def held_under(self) -> str | None:
        """The contract that the asset belongs to."""
        return self.contract.contract_id if self.contract else self.contract_id


@dataclass(frozen=True)
class TakenOver:
    """What an imported asset becomes: its row, its history as one change, and its contract with the term that runs."""

    asset: OpenAsset
    change: AssetChange
    contract: OpenContract | None


def read_asset(document: Any) -> ImportedAsset:
    """The asset in a JSON document.

    Raises:
        Refusal: Fields that are wrong, each by name (`InvalidAsset`).
        CurrencyMissingError: Money without its currency.
    """
    if isinstance(document, dict) and not document.get("currency") and _speaks_of_money(document):
        raise CurrencyMissingError("the prices have no currency; give `currency`, such as EUR")
    return read_document(ImportedAsset, document, INVALID_ASSET, "the asset cannot be imported")


def _speaks_of_money(document: dict[str, Any]) -> bool:
    periods = document.get("periods")
    rows = [row for row in periods if isinstance(row, dict)] if isinstance(periods, list) else []
    return any(row.get(name) is not None for row in rows for name in _MONEY)


def take_over(document: ImportedAsset, name: str, zone: str, as_of: datetime) -> TakenOver:
    """What the ledger makes of a document. name: of the product; zone: the customer's.

    Raises:
        AssetError: The history overlaps, leaves a gap, mixes price books, names an unknown or contradictory proration
            policy, or contradicts itself; `code` says which.
    """
    policy = proration_of(document)
    if document.ledger is not None:
        record = _exported(document, document.ledger)
    else:
        asset = _asset(document, name, zone)
        record = follow(asset, [_known(document, period, zone) for period in document.periods], POLICY, policy)
    price = document.unit_price if document.unit_price is not None else _last_price(document, record)
    opened = OpenAsset(
        record.asset, document.per, price, record.start, record.end, invoiced_from=local_day(as_of, zone)
    )
    contract = (
        OpenContract(_contract(document.contract, document.currency, zone, as_of), ORIGIN, as_of)
        if document.contract
        else None
    )
    return TakenOver(opened, AssetChange(None, record, price), contract)


def proration_of(document: ImportedAsset) -> ProrationPolicy | None:
    """The policy that a document names by a preset or by its parameters.

    Raises:
        PolicyError: It is unknown, or contradicts itself.
    """
    match document.proration:
        case None:
            return None
        case str(name):
            if name not in PRORATION_PRESETS:
                raise PolicyError(f"no proration policy {name!r}; there are {', '.join(PRORATION_PRESETS)}")
            return PRORATION_PRESETS[name]
        case parameters:
            return read_policy(parameters)


def _asset(document: ImportedAsset, name: str, zone: str) -> Asset:
    once, endless = document.per is PricePer.ONCE, document.periods[-1].end is None
    return Asset(
        asset_id=document.asset_id,
        account_id=document.account_id,
        product=document.product,
        name=document.name or name,
        currency=document.currency,
        price_book=document.price_book,
        selling_model=SellingModel.ONE_TIME if once else SellingModel.EVERGREEN if endless else SellingModel.TERMED,
        renewal_pricing=document.renewal_pricing,
        renewal_months=document.renewal_months,
        contract_id=document.held_under,
        time_zone=zone,
    )


def _known(document: ImportedAsset, period: Period, zone: str) -> KnownPeriod:
    price = period.unit_price
    return KnownPeriod(
        start=start_of_day(period.start, zone),
        end=start_of_day(period.end + timedelta(days=1), zone) if period.end else None,
        quantity=period.quantity,
        unit_price=monthly_price(price, MONTHS_IN_YEAR)
        if price is not None and document.per is PricePer.YEAR
        else price,
        renewal=period.renewal,
        recorded_at=period.recorded_at,
        attributes=Attributes(period.attributes),
        reference=period.reference,
        price_book=period.price_book,
        currency=period.currency,
        mrr=period.mrr,
        amount=period.amount,
    )


def _exported(document: ImportedAsset, record: AssetRecord) -> AssetRecord:
    asset = record.asset
    for what, told, held in (
        ("asset_id", document.asset_id, asset.asset_id),
        ("account_id", document.account_id, asset.account_id),
        ("product", document.product, asset.product),
        ("currency", document.currency, asset.currency),
        ("contract_id", document.held_under, asset.contract_id),
    ):
        if told != held:
            raise HistoryError(f"{what} is {told!r} in the document and {held!r} in its ledger")
    check_exported(record, POLICY)
    return record


def _last_price(document: ImportedAsset, record: AssetRecord) -> Decimal:
    """The price of the last sale, for the time of the asset's `per`."""
    known = next((p.unit_price for p in reversed(document.periods) if p.unit_price is not None), None)
    if known is not None:
        return known
    sold = [row.unit_price for action in record.active for row in action.sources if row.quantity > 0]
    price = next((price for price in reversed(sold) if price is not None), Decimal(0))
    return price * MONTHS_IN_YEAR if document.per is PricePer.YEAR else price


def _contract(contract: HeldContract, currency: str, zone: str, as_of: datetime) -> ContractFacts:
    term = contract.term
    ends_at = start_of_day(term.until, zone)
    return ContractFacts(
        contract_id=contract.contract_id,
        order_id=None,
        currency=currency,
        auto_renew=contract.auto_renew,
        renewal_months=contract.renewal_months or term.length,
        notice_days=contract.notice_days,
        uplift_percent=contract.uplift_percent,
        status=ContractStatus.ENDED if ends_at <= as_of else ContractStatus.ACTIVE,
        billing=contract.billing,
        first_invoice=contract.first_invoice,
        evergreen=term.evergreen,
        first_start=term.start,
        first_until=term.until,
        term=TermFacts(
            number=1,
            start_on=term.start,
            until=term.until,
            starts_at=start_of_day(term.start, zone),
            ends_at=ends_at,
        ),
    )
