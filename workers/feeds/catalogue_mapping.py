"""How documents of price pages become a catalogue and editions of price books. A YAML file says where their fields are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from domain.assets.model import PricingSource, RenewalPricing, SellingModel
from domain.catalogue.catalogue import Catalogue, Option, OptionRule, OptionRuleKind, Product
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.kernel.base import Received
from domain.kernel.money import MINOR_UNITS, half_up
from domain.kernel.refusals import Refusal
from domain.orders.order import ProductKind
from workers.feeds.mapping_file import BUNDLED, filled, load_mapping, pattern
from workers.feeds.rejects import Reason, Reject, RejectedError

CATALOGUE_MAPPINGS = BUNDLED / "catalogues"

_ROUNDING = half_up(6)
_PLAIN = re.compile(r"\s*[+-]?[0-9]{1,18}(\.[0-9]{1,12})?\s*", re.ASCII)
_LONGEST_CODE = 64
_DIGEST = 8

Pattern = Annotated[str, AfterValidator(pattern)]


class Items(Received):
    """Where a document keeps what it sells: a mapping of names to objects, and their fields."""

    at: str
    price: str
    unit: str
    code: Annotated[str, filled("name", "item", all_alike="all products")]
    kind: ProductKind = ProductKind.SUBSCRIPTION


class AddOns(Items):
    """What is sold beside a plan; without `available_for` beside every one."""

    available_for: str | None = None
    requires: str | None = None
    excludes: str | None = None


class UnitRule(Received):
    """What a unit's text means."""

    is_: Annotated[Pattern, Field(alias="is")]
    per: PriceUnit


class Billing(Received):
    """Where factors on the price are: that of the first of these names counts for evergreen sales, or for terms."""

    at: str
    by_month: tuple[str, ...] = ()
    for_a_term: tuple[str, ...] = ()


class CatalogueMapping(Received):
    """A format of price pages. `no_price` fits texts that stand where nobody publishes a price."""

    title: str
    name: str
    valid_from: str
    currency: str
    plans: Items
    add_ons: AddOns | None = None
    units: tuple[UnitRule, ...]
    no_price: Pattern
    billing: Billing | None = None
    term_months: Annotated[int, Field(ge=1, le=240)] = 12
    renewal_pricing: RenewalPricing = RenewalPricing.LIST_PRICE

    def fits(self, document: Any) -> bool:
        """True for a document that has this format's fields."""
        return isinstance(document, dict) and all(
            key in document for key in (self.name, self.valid_from, self.plans.at)
        )

    def unit_of(self, text: str) -> PriceUnit | None:
        """What a unit's text means; null if no rule knows it."""
        return next((rule.per for rule in self.units if re.fullmatch(rule.is_, text, re.IGNORECASE)), None)


@dataclass
class Edition:
    """What a document says: products, their list prices from a day on, and what cannot be read of it, by item."""

    catalogue: Catalogue
    book: PriceBook
    items: int
    rejects: dict[str, Reject] = field(default_factory=dict)


def bundled() -> list[CatalogueMapping]:
    """The formats that are known without a mapping of one's own."""
    return [load_mapping(place, CatalogueMapping) for place in sorted(CATALOGUE_MAPPINGS.glob("*.yaml"))]


def slug(text: str) -> str:
    """A name as part of a code: small letters, digits, dots and dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


def words(text: str) -> str:
    """A name in words: `BUSINESS_PLUS` and `businessPlus` become `business plus`."""
    return slug(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)).replace("-", " ").replace(".", " ")


def code_of(template: str, name: str, item: str) -> str:
    """A product's code; one that is too long is cut, and stays its own by a digest of what was cut."""
    code = template.format(name=slug(name), item=words(item).replace(" ", "-"))
    if len(code) <= _LONGEST_CODE:
        return code
    return f"{code[: _LONGEST_CODE - _DIGEST - 1]}.{hashlib.sha256(code.encode()).hexdigest()[:_DIGEST]}"


@dataclass(frozen=True)
class _Item:
    key: str
    facts: dict[str, Any]
    rules: Items
    code: str
    name: str
    price: Decimal | None
    per: PriceUnit | None
    reject: Reject | None


def read_edition(document: Any, mapping: CatalogueMapping) -> Edition:
    """The catalogue and the price book in a document; a product without a price is in the catalogue alone.

    Raises:
        RejectedError: It has no name, day, currency or plan, or its products contradict each other.
    """
    name, day = _text(document, mapping.name), _day(document, mapping.valid_from)
    currency = document.get(mapping.currency)
    if currency not in MINOR_UNITS:
        said = f"{mapping.currency}: {currency!r} is no currency; prices mean nothing without one, such as USD"
        raise RejectedError(Reason.NO_CURRENCY, said)
    plans = list(_items(document, mapping, mapping.plans, name))
    add_ons = list(_items(document, mapping, mapping.add_ons, name)) if mapping.add_ons else []
    items = [*plans, *add_ons]
    if not items:
        raise RejectedError(Reason.MALFORMED, f"{mapping.plans.at}: names nothing that is sold")
    good = [item for item in items if item.reject is None or item.reject.reason is Reason.NO_PRICE]
    try:
        catalogue = Catalogue(products=tuple(_product(item, name, mapping, plans, good) for item in good))
        book = PriceBook(
            name=slug(name),
            currency=currency,
            valid_from=day,
            entries=tuple(entry for item in good for entry in _entries(item, document, mapping)),
        )
    except ValidationError as error:
        raise RejectedError(
            Reason.MALFORMED, str(Refusal.from_validation("InvalidCatalogue", "contradicts itself", error))
        ) from error
    return Edition(catalogue, book, len(items), {item.key: item.reject for item in items if item.reject})


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not slug(value):
        raise RejectedError(Reason.MALFORMED, f"{key}: {value!r} is no name")
    return value


def _day(document: dict[str, Any], key: str) -> date:
    value = document.get(key)
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise RejectedError(Reason.MALFORMED, f"{key}: {value!r} is no day such as 2025-01-31") from error
    return found.date() if isinstance(found, datetime) else found


def _items(document: dict[str, Any], mapping: CatalogueMapping, rules: Items, name: str) -> Iterator[_Item]:
    found = document.get(rules.at) or {}
    if not isinstance(found, dict):
        raise RejectedError(Reason.MALFORMED, f"{rules.at}: must be a mapping of names to what they cost")
    for key, value in found.items():
        facts = value if isinstance(value, dict) else {}
        price, per, reject = _price(facts, mapping, rules)
        code = code_of(rules.code, name, str(key))
        yield _Item(f"{rules.at}.{key}", facts, rules, code, words(str(key)).capitalize(), price, per, reject)


def _price(
    facts: dict[str, Any], mapping: CatalogueMapping, rules: Items
) -> tuple[Decimal | None, PriceUnit | None, Reject | None]:
    """The price and what it pays for, or why there is none."""
    given, unit = facts.get(rules.price), str(facts.get(rules.unit) or "")
    if isinstance(given, str) and re.fullmatch(mapping.no_price, given, re.IGNORECASE):
        return None, None, Reject(Reason.NO_PRICE, f"{rules.price}: {given!r}; its price is agreed with each customer")
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None, None, Reject(Reason.MALFORMED, f"{rules.price}: {given!r} is no price")
    if isinstance(given, str) and not _PLAIN.fullmatch(given):
        says = f"{rules.price}: {given!r} is no price; write it as a plain decimal number such as 12.50"
        return None, None, Reject(Reason.MALFORMED, says)
    try:
        price = _ROUNDING.apply(Decimal(str(given))).normalize()
    except InvalidOperation:
        return None, None, Reject(Reason.MALFORMED, f"{rules.price}: {given!r} is no price")
    if not 0 <= price <= Decimal("1e12"):
        return None, None, Reject(Reason.MALFORMED, f"{rules.price}: {given!r} is no price")
    per = mapping.unit_of(unit) or (PriceUnit.MONTH if not price else None)
    if per is None:
        return None, None, Reject(Reason.UNKNOWN_UNIT, f"{rules.unit}: {unit!r} is no unit that the mapping knows")
    return price, per, None


_MODELS = {
    PriceUnit.MONTH: (SellingModel.TERMED, SellingModel.EVERGREEN),
    PriceUnit.YEAR: (SellingModel.TERMED, SellingModel.EVERGREEN),
    PriceUnit.ONCE: (SellingModel.ONE_TIME,),
    PriceUnit.USE: (SellingModel.USAGE,),
}


def _product(item: _Item, name: str, mapping: CatalogueMapping, plans: list[_Item], good: list[_Item]) -> Product:
    models = _MODELS[item.per or PriceUnit.MONTH]
    termed = SellingModel.TERMED in models
    options = [other for other in good if _is_option(other, item, plans)] if item.rules is mapping.plans else []
    return Product(
        code=item.code,
        name=f"{name} {item.name}",
        kind=ProductKind.SERVICE if item.per is PriceUnit.ONCE else item.rules.kind,
        selling_models=models,
        term_months=mapping.term_months if termed else None,
        renewal_months=mapping.term_months if termed else None,
        pricing_source=PricingSource.LIST_PRICE,
        renewal_pricing=mapping.renewal_pricing,
        options=tuple(Option(product=option.code) for option in options),
        rules=tuple(_rules(options)),
    )


def _is_option(other: _Item, plan: _Item, plans: list[_Item]) -> bool:
    """True for an add-on that can be bought beside a plan; what is paid by use is measured, not chosen."""
    if other in plans or other.per is PriceUnit.USE or not isinstance(other.rules, AddOns):
        return False
    allowed = other.facts.get(other.rules.available_for) if other.rules.available_for else None
    return not allowed or plan.key.rpartition(".")[2] in allowed


def _rules(options: list[_Item]) -> Iterator[OptionRule]:
    codes = {option.key.partition(".")[2]: option.code for option in options}
    for option in options:
        rules = option.rules
        if isinstance(rules, AddOns):
            for kind, named in ((OptionRuleKind.REQUIRES, rules.requires), (OptionRuleKind.EXCLUDES, rules.excludes)):
                for other in option.facts.get(named) or () if named else ():
                    if other in codes and codes[other] != option.code:
                        yield OptionRule(kind=kind, option=option.code, other=codes[other])


def _entries(item: _Item, document: dict[str, Any], mapping: CatalogueMapping) -> Iterator[PriceEntry]:
    """The list price, for a term at that of paying for all of it where the document has a factor for that."""
    if item.price is None or item.per is None:
        return
    yield _entry(item, item.price, None)
    rules = mapping.billing
    factors = (document.get(rules.at) or {}) if rules and item.per is PriceUnit.MONTH else {}
    by_month = _factor(factors, rules.by_month if rules else ())
    for_a_term = _factor(factors, rules.for_a_term if rules else ())
    if for_a_term is not None and for_a_term != (by_month or Decimal(1)):
        yield _entry(item, _ROUNDING.apply(item.price * for_a_term).normalize(), SellingModel.TERMED)


def _factor(factors: dict[str, Any], names: tuple[str, ...]) -> Decimal | None:
    found = next((factors[name] for name in names if isinstance(factors.get(name), int | float)), None)
    return None if found is None else Decimal(str(found))


def _entry(item: _Item, price: Decimal, model: SellingModel | None) -> PriceEntry:
    if item.per is None:
        raise AssertionError("an entry has a unit")
    return PriceEntry(product=item.code, per=item.per, tiers=(Tier(price=price),), selling_model=model)
