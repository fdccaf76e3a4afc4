"""The order: the document by which a service tells that something was sold. Its JSON is a pinned contract for every language."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from domain.assets.use_terms import UseTerms
from domain.kernel.base import Carried, Received
from domain.kernel.calendar import ZoneName, within_reach
from domain.kernel.countries import known_country
from domain.kernel.ids import AccountRef, ContactRef, ContractRef, OrderRef, StaffRef
from domain.kernel.limits import MOST_LINES
from domain.kernel.money import CurrencyCode, withdrawn
from domain.kernel.refusals import INVALID_ORDER, Problem
from domain.kernel.requests import read_document
from domain.orders.terms import Evergreen, Term

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Country = Annotated[str, AfterValidator(known_country), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w .:/+-]+$")]
Quantity = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Price = Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), decimal_places=6)]
TaxRate = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]

_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\.]+(\.[^@\s<>,;:\"()\[\]\\.]+)*")


def _mail_address(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise ValueError(f"{value[:80]!r} is no mail address; use one such as name@company.example")
    return value


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class ProductKind(StrEnum):
    """What a product is, and so what its asset lives through."""

    SUBSCRIPTION = "subscription"
    """seats or units for a term; its use is measured"""
    SUPPORT = "support"
    """a service for a term; no use is measured"""
    DEVICE = "device"
    """bought once and owned"""
    GOODS = "goods"
    """bought again and again"""
    SERVICE = "service"
    """work done once"""


TERM_KINDS = frozenset({ProductKind.SUBSCRIPTION, ProductKind.SUPPORT})


class PricePer(StrEnum):
    """The time that a unit price pays for."""

    MONTH = "month"
    YEAR = "year"
    ONCE = "once"


class BillingFrequency(StrEnum):
    """How often a contract is invoiced, always in advance."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    WHOLE_TERM = "whole_term"


class FirstInvoice(StrEnum):
    """When the first period of what is sold under a contract is invoiced: on its first day, or with the order that sells it."""

    START = "start"
    ORDER = "order"


class Staff(Received):
    """One of the seller's people. `staff_id` is opaque; name, address and language are for mails alone."""

    staff_id: StaffRef
    name: Text
    email: MailAddress
    language: Language | None = None


class Account(Received):
    """The business customer. `segment` picks the playbook; `owner` is the sales rep, `success_manager` defaults to the owner."""

    account_id: AccountRef
    name: Text
    country: Country
    time_zone: ZoneName
    language: Language = "en"
    segment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = "standard"
    owner: Staff
    success_manager: Staff | None = None


class ContactRole(StrEnum):
    """What a contact decides or does; mails that suit a role go to it, all others to `main`."""

    MAIN = "main"
    SPONSOR = "sponsor"
    BILLING = "billing"
    ADMIN = "admin"


Phone = Annotated[
    str, StringConstraints(min_length=3, max_length=40, pattern=r"^\+?[0-9(][0-9() ./-]*( ?(x|ext\.?) ?[0-9]{1,8})?$")
]


class Contact(Received):
    """A person at the customer. Language and zone default to the account's; `phone` is read as dialled in their country."""

    contact_id: ContactRef
    name: Text
    email: MailAddress
    role: ContactRole = ContactRole.MAIN
    language: Language | None = None
    time_zone: ZoneName | None = None
    phone: Phone | None = None


class OrderedProduct(Received):
    """A catalogue entry that the order brings along for products not in the catalogue yet."""

    code: Code
    name: Text
    kind: ProductKind


class OrderedLine(Received):
    """`quantity` whole units of a product at `unit_price` (a decimal string) in the order's currency, for the time said by `per`.

    The price is what is paid before tax, discounts and coupons taken off; `tax_rates` in percent, such as ["10"], come on top.
    """

    line_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")]
    product: Code
    quantity: Quantity
    unit_price: Price
    per: PricePer = PricePer.MONTH
    tax_rates: Annotated[tuple[TaxRate, ...], Field(max_length=10)] | None = None


class RampStep(Received):
    """From `start`, a local day within the term, `quantity` units in all, at `unit_price` or at the price before."""

    start: Annotated[date, AfterValidator(within_reach)]
    quantity: Quantity
    unit_price: Price | None = None


class ContractLine(OrderedLine):
    """A line sold for a term. `ramp`: what is held and paid from later days of the first term on, agreed with the order and in order of
    time; until the first of them the line's own quantity and price hold. A renewal goes on from the last. `usage`: how its use is charged
    beside that, month by month in arrears."""

    ramp: Annotated[tuple[RampStep, ...], Field(min_length=1, max_length=11)] | None = None
    usage: UseTerms | None = None

    def stretches(self, start: date) -> list[tuple[date, int, Decimal]]:
        """From which day on how many units cost how much: the line as it is sold, then its ramp."""
        found = [(start, self.quantity, self.unit_price)]
        for step in self.ramp or ():
            found.append((step.start, step.quantity, found[-1][2] if step.unit_price is None else step.unit_price))
        return found


class Purchase(OrderedLine):
    """A line without a term: a device, goods, or work done once. `site` names the office it is for."""

    per: PricePer = PricePer.ONCE
    site: Text | None = None

    @model_validator(mode="after")
    def _is_once(self) -> Self:
        if self.per is not PricePer.ONCE:
            raise ValueError(
                f"a line outside a contract is paid once; put per={self.per.value!r} lines into a contract"
            )
        return self


class Contract(Received):
    """Lines sold for a term. `renewal_months` defaults to the term's length; `uplift_percent` raises prices at each renewal. One that
    is evergreen is not renewed: it goes on until notice is given, `notice_days` before the end of one of its periods.

    `billing` says how often it is invoiced in advance: once a year unless something else is agreed. In advance means on the
    first day of the period billed; with `first_invoice` "order" the first period is invoiced with the order.
    """

    contract_id: ContractRef
    term: Term
    auto_renew: bool = False
    renewal_months: Annotated[int, Field(ge=1, le=240)] | None = None
    notice_days: Annotated[int, Field(ge=0, le=366)] = 30
    uplift_percent: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    billing: BillingFrequency | None = None
    first_invoice: FirstInvoice | None = None
    lines: Annotated[tuple[ContractLine, ...], Field(min_length=1, max_length=MOST_LINES)]

    @model_validator(mode="after")
    def _is_paid_over_time(self) -> Self:
        if any(line.per is PricePer.ONCE for line in self.lines):
            raise ValueError(
                "a contract's lines are paid per month or year; put lines paid once into the order's own lines"
            )
        return self

    @model_validator(mode="after")
    def _goes_on_as_it_is(self) -> Self:
        if self.term.evergreen is None:
            return self
        says = "an evergreen contract goes on as it is until notice is given"
        if self.auto_renew or self.renewal_months is not None or self.uplift_percent:
            raise ValueError(f"{says}, and is never renewed; leave out auto_renew, renewal_months and uplift_percent")
        if self.billing is BillingFrequency.WHOLE_TERM:
            raise ValueError(f"{says}; invoice it monthly, quarterly or yearly, as there is no whole term")
        for line in self.lines:
            if line.ramp is not None:
                raise ValueError(f"line {line.line_id!r}: {says}; a ramp needs a term with an end")
            if line.usage is not None:
                raise ValueError(f"line {line.line_id!r}: {says}; what is charged by its use needs a term with an end")
        return self

    @property
    def frequency(self) -> BillingFrequency:
        """How often it is invoiced: as it says, else by the year, or by the periods of what has no end."""
        by_month = self.term.evergreen is Evergreen.MONTHLY
        return self.billing or (BillingFrequency.MONTHLY if by_month else BillingFrequency.YEARLY)

    @model_validator(mode="after")
    def _ramps_within_its_term(self) -> Self:
        for line in self.lines:
            found = line.stretches(self.term.start)
            for (before, *was), (day, *is_now) in pairwise(found):
                if not before < day < self.term.until:
                    last = self.term.until - timedelta(days=1)
                    raise ValueError(
                        f"line {line.line_id!r}: its ramp has a step on {day}; steps come one after the other, after {before}"
                        f" and up to {last}, the term's last day"
                    )
                if was == is_now:
                    raise ValueError(
                        f"line {line.line_id!r}: the step on {day} changes nothing; give another quantity or unit_price"
                    )
        return self


class Order(Received):
    """An activated order: who bought what, from whom, for how long, at which prices; at most 1,000 lines, contracts included."""

    order_id: OrderRef
    activated_at: Annotated[AwareDatetime, AfterValidator(within_reach)]
    account: Account
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1, max_length=50)]
    currency: CurrencyCode
    contracts: Annotated[tuple[Contract, ...], Field(max_length=200)] = ()
    lines: Annotated[tuple[Purchase, ...], Field(max_length=MOST_LINES)] = ()
    products: Annotated[tuple[OrderedProduct, ...], Field(max_length=1000)] = ()

    @field_validator("currency")
    @classmethod
    def _is_in_use(cls, currency: str, info: ValidationInfo) -> str:
        activated_at = info.data.get("activated_at")
        if activated_at is not None and (says := withdrawn(currency, activated_at.date())):
            raise ValueError(says)
        return currency

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.contracts and not self.lines:
            raise ValueError("the order sells nothing; give contracts with lines, or lines")
        count = sum(len(contract.lines) for contract in self.contracts) + len(self.lines)
        if count > MOST_LINES:
            raise ValueError(
                f"the order has {count:,} lines; at most {MOST_LINES:,} go into one: split it into several"
            )
        _no_twice("contract_id", (contract.contract_id for contract in self.contracts))
        _no_twice("line_id", (line.line_id for line in self.all_lines()))
        _no_twice("contact_id", (contact.contact_id for contact in self.contacts))
        _no_twice("product code", (product.code for product in self.products))
        return self

    def all_lines(self) -> Iterator[OrderedLine]:
        """Every line, those of the contracts first."""
        for contract in self.contracts:
            yield from contract.lines
        yield from self.lines

    def digest(self) -> str:
        """A fingerprint of the content: equal for equal orders, however their JSON was written."""
        canonical = json.dumps(_canonical(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class OrderAnswer(Carried):
    """What the sender of an order is told; a repeated order gets the same answer again."""

    order_id: str
    account_id: str
    accepted_at: AwareDatetime
    assets: list[str]
    contracts: list[str]
    first_invoices: dict[str, date] = {}
    """by contract, the day on which its first period is invoiced"""
    left: list[str] = []
    """what the order says otherwise of people who are known, or of what a request changed: it was left as it is"""


def read_order(document: Any) -> Order:
    """The order in a JSON document. Raises `Refusal` (InvalidOrder) that names each field that is wrong."""
    return read_document(Order, document, INVALID_ORDER, "the order cannot be accepted")


def _no_twice(what: str, values: Iterable[str]) -> None:
    if twice := [value for value, times in Counter(values).items() if times > 1]:
        raise ValueError(f"{what} {twice[0]!r} is used twice; each must be unique in the order")


LATER_FIELDS = frozenset({"billing", "evergreen", "first_invoice", "phone", "ramp", "tax_rates", "usage"})
"""Fields that orders did not have at first: without them the fingerprint is the one of before."""


_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


@cache
def _fields_of(kind: type[Received]) -> tuple[tuple[str, bool], ...]:
    """The names of a model's fields, each with whether it is left out where nothing is said of it."""
    later = LATER_FIELDS | ({"language"} if issubclass(kind, Staff) else set())
    return tuple((name, name in later) for name in kind.model_fields)


def _canonical(value: Any) -> Any:
    """Plain JSON values of a model in which equal content has one spelling only."""
    if type(value) in _AS_THEY_ARE:
        return value
    match value:
        case Received():
            said = value.__dict__
            return {
                name: _canonical(said[name])
                for name, is_later in _fields_of(type(value))
                if not is_later or said[name] is not None
            }
        case tuple() | list():
            return [_canonical(item) for item in value]
        case Decimal():
            return format(value.normalize(), "f")
        case StrEnum():
            return value.value
        case _ if hasattr(value, "astimezone"):
            return str(value.timestamp())
        case date():
            return value.isoformat()
        case _:
            return value


def other_kinds(brought: Sequence[OrderedProduct], known: Mapping[str, OrderedProduct]) -> list[Problem]:
    """What contradicts the catalogue among the products that a document brings along."""
    return [
        Problem(
            field=f"products[{n}].kind",
            problem=f"the catalogue has {product.code!r} as {known[product.code].kind.value}, not as {product.kind.value}",
        )
        for n, product in enumerate(brought)
        if product.code in known and known[product.code].kind is not product.kind
    ]
