"""The history of an asset as another system knows it, followed action by action, so that our ledger tells the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from domain.assets.errors import HistoryError, MixedPriceBooksError
from domain.assets.invariants import check_periods, violations
from domain.assets.ledger import Ledger, period_at
from domain.assets.model import Asset, AssetRecord, Attributes, StatePeriod
from domain.assets.operations import AnyRequest, apply
from domain.assets.proration import by_the_month
from domain.assets.proration_policy import ProrationPolicy
from domain.assets.requests import ChangeFields, ChangePrice, ChangeQuantity, Generate, Line, Renew
from domain.assets.worth import LedgerPolicy
from domain.kernel.money import Rounding, rounding_of

_LEDGER = Rounding(decimals=12)
"""Of a yearly price by the month: a million units for a century still come to the cent."""


@dataclass(frozen=True, slots=True)
class KnownPeriod:
    """What held from `start` up to `end`: units at a price for one unit and month. Instants are aware.

    renewal: a new term begins with it; mrr, amount: what the other system shows, to be compared; None: nothing is.
    """

    start: datetime
    end: datetime | None
    quantity: int
    unit_price: Decimal | None
    renewal: bool = False
    recorded_at: datetime | None = None
    attributes: Attributes = field(default_factory=dict)
    reference: str | None = None
    price_book: str | None = None
    currency: str | None = None
    mrr: Decimal | None = None
    amount: Decimal | None = None


def monthly_price(price: Decimal, months: int) -> Decimal:
    """A price for `months` months by the month, exact or to twelve decimals."""
    exact = price / months
    return exact if Fraction(exact) * months == Fraction(price) else _LEDGER.apply(Fraction(price) / months)


def follow(
    asset: Asset, known: Sequence[KnownPeriod], policy: LedgerPolicy, proration: ProrationPolicy | None = None
) -> AssetRecord:
    """The record of an asset whose states are `known`: sold with the first, then renewed and changed as they say.

    Raises:
        SegmentError: The periods overlap or leave a gap.
        MixedPriceBooksError: A period has another price book than the asset, or another currency.
        HistoryError: There is none, or what the other system shows is not what comes of its own figures.
        AssetError: An operation that this kind of asset does not allow.
    """
    if not known:
        raise HistoryError(f"{asset.asset_id} has no period; give its initial sale at least")
    check_periods([StatePeriod(start=p.start, end=p.end, quantity=p.quantity, mrr=None, amount=None) for p in known])
    _check_books(asset, known)
    ledger = apply(Ledger(policy=policy), _sale(asset, known))
    for number, (before, period) in enumerate(pairwise(known), 1):
        for request in _changes(asset, known, number, before, period):
            ledger = apply(ledger, request)
    record = ledger.record(asset.asset_id)
    _check_states(record, known)
    for period in known:
        _check_figures(record, period, proration)
    return record


def check_exported(record: AssetRecord, policy: LedgerPolicy) -> None:
    """Raise unless a record that was exported whole keeps every invariant.

    Raises:
        SegmentError: Its periods overlap or leave a gap.
        HistoryError: Its periods do not follow from its actions, or its figures do not add up.
    """
    if not record.actions or not record.active:
        raise HistoryError(f"{record.asset.asset_id} has no action; give its initial sale at least")
    check_periods(record.periods)
    if problems := violations(record, policy):
        raise HistoryError(f"{record.asset.asset_id}: {'; '.join(problems[:3])}")


def _check_books(asset: Asset, known: Sequence[KnownPeriod]) -> None:
    books = {period.price_book or asset.price_book for period in known} | {asset.price_book}
    currencies = {period.currency or asset.currency for period in known} | {asset.currency}
    for what, found in (("price books", books), ("currencies", currencies)):
        if len(found) > 1:
            raise MixedPriceBooksError(
                f"{asset.asset_id} mixes the {what} {', '.join(sorted(found))}; an asset has one"
            )


def _request_id(asset: Asset, number: int, what: str) -> str:
    return f"import:{asset.asset_id}:{number}:{what}"


def _sale(asset: Asset, known: Sequence[KnownPeriod]) -> Generate:
    first = known[0]
    line = Line(
        start=first.start,
        end=_term_end(known, 0),
        quantity=first.quantity,
        unit_price=first.unit_price,
        reference=first.reference,
    )
    return Generate(
        request_id=_request_id(asset, 0, "sale"),
        recorded_at=first.recorded_at,
        asset=asset,
        lines=(line,),
        attributes=first.attributes,
    )


def _term_end(known: Sequence[KnownPeriod], begun: int) -> datetime | None:
    """Where the term that holds period number `begun` ends: with the next renewal, or with the last period."""
    later = (period.start for period in known[begun + 1 :] if period.renewal)
    return next(later, known[-1].end)


def _changes(
    asset: Asset, known: Sequence[KnownPeriod], number: int, before: KnownPeriod, period: KnownPeriod
) -> list[AnyRequest]:
    """What leads from one period to the next: a renewal, another price, other attributes, more units or fewer."""

    def common(what: str) -> dict[str, object]:
        return {
            "request_id": _request_id(asset, number, what),
            "recorded_at": period.recorded_at,
            "asset_id": asset.asset_id,
        }

    found: list[AnyRequest] = []
    held, at_price = before.quantity, before.unit_price
    if period.renewal:
        end = _term_end(known, number)
        if end is None or period.unit_price is None or not held:
            raise HistoryError(
                f"{asset.asset_id} cannot be renewed from {period.start.isoformat()}: a renewal needs units, a price, an end"
            )
        found.append(Renew(**common("renewal"), start=period.start, end=end, unit_price=period.unit_price))
        at_price = period.unit_price
    if period.attributes != before.attributes:
        gone = before.attributes.keys() - period.attributes.keys()
        if gone:
            raise HistoryError(
                f"{asset.asset_id} loses the attribute {min(gone)} on {period.start.isoformat()}; give it another value"
            )
        changed = {name: value for name, value in period.attributes.items() if before.attributes.get(name) != value}
        found.append(ChangeFields(**common("fields"), effective=period.start, attributes=changed))
    if held and period.quantity and period.unit_price != at_price:
        if period.unit_price is None:
            raise HistoryError(f"{asset.asset_id} has no price any more from {period.start.isoformat()}")
        found.append(ChangePrice(**common("price"), effective=period.start, unit_price=period.unit_price))
    if period.quantity != held:
        found.append(
            ChangeQuantity(
                **common("quantity"),
                effective=period.start,
                delta=period.quantity - held,
                unit_price=period.unit_price if period.quantity > held else None,
                reference=period.reference if period.quantity > held else None,
            )
        )
    return found


def _check_states(record: AssetRecord, known: Sequence[KnownPeriod]) -> None:
    """What the ledger made of the history is what was known at the start of every period of either."""
    if record.start != known[0].start or record.end != known[-1].end:
        raise HistoryError(f"{record.asset.asset_id} would live from {record.start} to {record.end}")
    stated = [StatePeriod(start=p.start, end=p.end, quantity=p.quantity, mrr=None, amount=None) for p in known]
    for at in sorted({p.start for p in known} | {p.start for p in record.periods}):
        want, have = period_at(stated, at), period_at(record.periods, at)
        if want is None or have is None or want.quantity != have.quantity:
            raise HistoryError(f"{record.asset.asset_id} would hold {have and have.quantity} units at {at.isoformat()}")


def _check_figures(record: AssetRecord, known: KnownPeriod, proration: ProrationPolicy | None) -> None:
    asset, made = record.asset, period_at(record.periods, known.start)
    money = rounding_of(asset.currency)
    if made is None:
        raise HistoryError(f"{asset.asset_id} has no period at {known.start.isoformat()}")
    if known.mrr is not None and (made.mrr is None or money.apply(made.mrr) != money.apply(known.mrr)):
        said = f"{known.quantity} units at {known.unit_price} make an MRR of {made.mrr}, not {known.mrr}"
        raise HistoryError(f"{asset.asset_id} from {known.start.isoformat()}: {said}")
    if known.amount is None or known.end is None or known.unit_price is None:
        return
    if proration is None:
        raise HistoryError(
            f"{asset.asset_id}: amounts can be compared only by the proration policy that made them; name it"
        )
    rounding = proration.rounding.having(decimals=money.decimals)
    worth = by_the_month(
        known.unit_price * known.quantity,
        asset.day_of(known.start),
        asset.day_of(known.end),
        proration.having(rounding=rounding),
    )
    if worth != money.apply(known.amount):
        said = f"the policy makes {worth} of {known.quantity} units at {known.unit_price}, not {known.amount}"
        raise HistoryError(f"{asset.asset_id} from {known.start.isoformat()}: {said}")
