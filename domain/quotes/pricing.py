"""Price a request: carry it out on a copy of the ledger and tell what that comes to. Preview and acceptance do the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from domain.assets.bundles import Relationship, change_bundle
from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger
from domain.assets.model import AssetAction, AssetRecord, SellingModel
from domain.assets.operations import apply, target_of
from domain.assets.requests import CancelAsset, ChangeQuantity, Renew, Swap
from domain.assets.worth import Anchor, LedgerPolicy, anchor_at, month_anchors
from domain.catalogue.catalogue import Catalogue
from domain.catalogue.errors import (
    DiscountError,
    DuplicateLineError,
    OtherAccountError,
    PriceBookMismatchError,
    PriceBookNotValidError,
    QuoteExpiredError,
    QuoteStaleError,
    TooManyLinesError,
    one_of,
)
from domain.catalogue.pricebook import PriceBook, ledger_price
from domain.kernel.base import unchecked
from domain.kernel.calendar import local_day
from domain.kernel.money import Rounding, rounding_of
from domain.quotes.change_lines import plan_change
from domain.quotes.discounts import Discount
from domain.quotes.quote import LedgerStep, LotPart, PriceSource, Quote, QuoteLine, UnitPricing, total_of
from domain.quotes.request_lines import MOST_LINES, QuoteRequest
from domain.quotes.sales import plan_sale
from domain.quotes.sources import Planned, QuoteSources

ZERO = Decimal(0)
_ledger, _quote_line, _lot_part = unchecked(Ledger), unchecked(QuoteLine), unchecked(LotPart)


def price(
    catalogue: Catalogue,
    price_book: PriceBook,
    assets: Ledger,
    request: QuoteRequest,
    discounts: Sequence[Discount] = (),
    *,
    as_of: datetime,
    relationships: Sequence[Relationship] = (),
) -> Quote:
    """The quote for a request, made for the instant `as_of`; nothing is written.

    `assets` holds those that the request names and the bundles below them, whose edges are `relationships`. Changes
    recorded before `as_of` are backdated. PeriodAmounts are those that the ledger books, rounded to the currency's minor unit.

    Raises:
        QuoteError: The request does not fit catalogue, price book, account or discounts; the subclass says why.
        AssetError: The ledger refuses a line; a note on the error names it.
    """
    as_of = as_of.astimezone(UTC)
    _check(price_book, assets, request, as_of)
    desk = QuoteSources(catalogue, price_book, assets, request, discounts, as_of)
    planned, edges = _planned(desk, request, relationships)
    _check_discounts(discounts, planned)
    steps = [plan.step for plan in planned]
    touched = _check_touched(steps)
    sandbox = _ledger(policy=assets.policy, assets={key: assets.assets[key] for key in touched if key in assets.assets})
    after = carry_out(sandbox, steps)
    lines = tuple(line for plan in planned for line in _lines(plan, after))
    return Quote(
        quote_id=request.quote_id,
        version=request.version,
        account_id=request.account_id,
        role=request.role,
        price_book=price_book.name,
        currency=price_book.currency,
        as_of=as_of,
        valid_until=as_of + timedelta(days=request.valid_days),
        proration=assets.policy.counted,
        contract=request.contract,
        lines=lines,
        totals=total_of(lines, price_book.currency),
        steps=tuple(steps),
        relationships=tuple(edges),
    )


def _planned(
    desk: QuoteSources, request: QuoteRequest, relationships: Sequence[Relationship]
) -> tuple[list[Planned], list[Relationship]]:
    """What each line does, those of bundles too, and the edges of the bundles that are sold."""
    by_parent: dict[str, list[Relationship]] = defaultdict(list)
    for edge in relationships:
        by_parent[edge.parent_id].append(edge)
    planned: list[Planned] = []
    edges: list[Relationship] = []
    for line in request.lines:
        if line.kind == "sale":
            parts, below = plan_sale(desk, line)
            planned += parts
            edges += below
        else:
            planned.append(plan_change(desk, line, by_parent))
    return planned, edges


def _check_touched(steps: Sequence[LedgerStep]) -> list[str]:
    """The assets that steps change. Raises `QuoteError` for too many lines, and for two of one asset."""
    if len(steps) > MOST_LINES:
        raise TooManyLinesError(f"{len(steps)} lines with those of bundles; a quote has at most {MOST_LINES}: split it")
    touched = [asset_id for step in steps for asset_id in _touched(step)]
    twice = [asset_id for asset_id, count in Counter(touched).items() if count > 1]
    if twice:
        raise DuplicateLineError(f"two lines change {twice[0]}; a quote has one line for an asset")
    return touched


def carry_out(ledger: Ledger, steps: Sequence[LedgerStep]) -> Ledger:
    """The ledger after all steps, in order; a step that was done before has no effect.

    Raises:
        AssetError: A step is refused; nothing has changed, and a note names the line.
    """
    draft = ledger.draft()
    for step in steps:
        try:
            if step.edges and isinstance(step.request, ChangeQuantity | CancelAsset | Renew):
                change_bundle(draft, step.request, step.edges)
            else:
                apply(draft, step.request)
        except AssetError as error:
            error.add_note(f"line {step.line_id} of the quote")
            raise
    return draft.settled()


def confirm(assets: Ledger, quote: Quote, at: datetime) -> Ledger:
    """The ledger after an accepted quote, with the instant that it was made for; twice is as once.

    Raises:
        QuoteExpiredError: `at` is not before the end of its validity.
        QuoteStaleError: An asset is not what it was, and the amounts would not be those that were quoted.
        AssetError: The ledger refuses a step, as when an asset was changed meanwhile.
    """
    check_not_expired(quote, at)
    after = carry_out(assets, quote.steps)
    booked = {step.line_id: dict(_actions(step, after)) for step in quote.steps}
    for line in quote.lines:
        action = booked[_request_line(line, booked)].get(line.asset_id)
        if action is None or action.amount_change != line.exact_amount or action.quantity_change != line.quantity:
            raise QuoteStaleError(f"line {line.line_id} would not come to {line.amount} any more; make another version")
    return after


def check_not_expired(quote: Quote, at: datetime) -> None:
    """Raise `QuoteExpiredError` unless `at` is before the quote's end."""
    if at >= quote.valid_until:
        raise QuoteExpiredError(
            f"{quote.quote_id} was valid until {quote.valid_until.isoformat()}; make another version"
        )


def _request_line(line: QuoteLine, booked: dict[str, dict[str, AssetAction]]) -> str:
    """The step that a line belongs to: its own, or that of the line whose asset is its bundle's root."""
    return line.line_id if line.line_id in booked else line.line_id.rpartition(".")[0]


def _check(book: PriceBook, ledger: Ledger, request: QuoteRequest, as_of: datetime) -> None:
    today = local_day(as_of, request.time_zone)
    if not book.valid_on(today):
        until = book.valid_to or "open"
        raise PriceBookNotValidError(
            f"price book {book.name} is valid from {book.valid_from} to {until}, not on {today}"
        )
    if request.price_book not in (None, book.name) or request.currency not in (None, book.currency):
        raise PriceBookMismatchError(
            f"the request is for price book {request.price_book or book.name} in {request.currency or book.currency}, "
            f"this one is {book.name} in {book.currency}; a quote has one of each"
        )
    twice = [line_id for line_id, count in Counter(line.line_id for line in request.lines).items() if count > 1]
    if twice:
        raise DuplicateLineError(f"line {twice[0]!r} is there twice; give every line an id of its own")
    for line in request.lines:
        if line.kind == "sale":
            continue
        asset = ledger.record(line.asset_id).asset
        if asset.account_id != request.account_id:
            raise OtherAccountError(f"{asset.asset_id} belongs to another account than {request.account_id}")
        if (asset.price_book, asset.currency) != (book.name, book.currency):
            raise PriceBookMismatchError(
                f"{asset.asset_id} was sold from price book {asset.price_book} in {asset.currency}, not {book.name} in "
                f"{book.currency}; quote it apart, from its own"
            )


def _check_discounts(discounts: Sequence[Discount], planned: Sequence[Planned]) -> None:
    """Every discount has a name of its own and takes effect on each line that it names."""
    twice = [name for name, count in Counter(discount.name for discount in discounts).items() if count > 1]
    if twice:
        raise DiscountError(f"two discounts are called {twice[0]!r}; give each a name of its own")
    given = {
        plan.step.line_id: {step.name for step in plan.pricing.discounts} if plan.pricing else set() for plan in planned
    }
    for discount in discounts:
        for line_id in discount.lines:
            if line_id not in given:
                raise DiscountError(f"discount {discount.name}: no line {line_id!r}; {one_of(line_id, given)}")
            if discount.name not in given[line_id]:
                raise DiscountError(f"discount {discount.name}: line {line_id} has no new price; name another line")
        if not any(discount.name in names for names in given.values()):
            raise DiscountError(f"discount {discount.name} takes effect on no line; name lines that have a new price")


def _touched(step: LedgerStep) -> Iterator[str]:
    """Every asset that a step makes or changes."""
    yield target_of(step.request)
    yield from (edge.child_id for edge in step.edges)
    if type(step.request) is Swap:
        yield step.request.to_asset.asset_id


def _actions(step: LedgerStep, after: Ledger) -> Iterator[tuple[str, AssetAction]]:
    """What a step did to each asset; a bundle's child may have been left alone."""
    for asset_id in _touched(step):
        for action in reversed(after.assets[asset_id].actions):
            if action.request_id == step.request.request_id:
                yield asset_id, action
                break


def _lines(plan: Planned, after: Ledger) -> Iterator[QuoteLine]:
    for number, (asset_id, action) in enumerate(_actions(plan.step, after)):
        root = number == 0
        line_id = plan.step.line_id if root else f"{plan.step.line_id}.{number}"
        # A swap's price is that of the asset that comes in.
        priced = (plan.kind == "swap") != root
        yield _line(
            line_id,
            plan.parent_id if root else plan.step.line_id,
            plan,
            after.assets[asset_id],
            action,
            plan.pricing if priced else None,
            after.policy,
        )


def _line(
    line_id: str,
    parent_id: str | None,
    plan: Planned,
    record: AssetRecord,
    action: AssetAction,
    pricing: UnitPricing | None,
    policy: LedgerPolicy,
) -> QuoteLine:
    asset = record.asset
    parts = parts_of(record, action, policy)
    product, rounding = plan.product, rounding_of(asset.currency)
    return _quote_line(
        line_id=line_id,
        parent_id=parent_id,
        kind=plan.kind,
        category=action.category,
        asset_id=asset.asset_id,
        product=asset.product,
        name=asset.name,
        product_kind=product.kind if product is not None and product.code == asset.product else None,
        selling_model=asset.selling_model,
        attributes=record.periods[0].attributes if plan.kind == "sale" else {},
        effective=action.effective,
        end=action.lifecycle_end,
        quantity=action.quantity_change,
        pricing=pricing,
        parts=parts,
        adjustment=action.adjustment_amount_change,
        exact_amount=action.amount_change,
        amount=_rounded(action.amount_change, rounding),
        monthly=_rounded(action.mrr_change, rounding),
        discount=_discount(pricing, parts, rounding),
    )


def parts_of(record: AssetRecord, action: AssetAction, policy: LedgerPolicy) -> tuple[LotPart, ...]:
    """What the amount of an action is made of: units of each lot, at their price, for their months."""
    asset, anchors = record.asset, month_anchors(record.asset, record.active)
    counts = asset.selling_model is not SellingModel.ONE_TIME
    parts: list[LotPart] = []
    for row in action.sources:
        start, end = row.start, row.end
        part = _lot_part(
            lot=row.lot,
            quantity=row.quantity,
            unit_price=row.unit_price,
            start=start,
            end=end,
            months=_months(start, end, asset.time_zone, policy, anchors) if counts and end is not None else None,
            amount=row.product_amount,
        )
        parts.append(part)
    return tuple(parts)


def _months(start: datetime, end: datetime, zone: str, policy: LedgerPolicy, anchors: Sequence[Anchor]) -> Decimal:
    """The months from `start` up to `end`; each term counts its own."""
    if len(anchors) == 1:  # an asset that was never renewed
        months, of = policy.months(start, end, zone, anchor_at(anchors, start)).as_integer_ratio()
        return Decimal(months) / of
    cuts = [start, *(each.start for each in anchors if start < each.start < end), end]
    total = ZERO
    for first, until in pairwise(cuts):
        months, of = policy.months(first, until, zone, anchor_at(anchors, first)).as_integer_ratio()
        total += Decimal(months) / of
    return total


def _rounded(value: Decimal | None, rounding: Rounding) -> Decimal | None:
    return None if value is None else rounding.apply(value)


def _discount(pricing: UnitPricing | None, parts: Sequence[LotPart], rounding: Rounding) -> Decimal | None:
    """What the discounts of the quote take off the units that it sells; None if that has no end or no price to go by."""
    if pricing is None or not pricing.discounts:
        return ZERO
    base, net = pricing.base_price, pricing.net_price
    each_lot = pricing.source is PriceSource.EACH_LOT
    listed = ledger_price(base, pricing.per)
    taken = ZERO
    for part in parts:
        if part.quantity <= 0:
            continue
        if part.amount is None or (each_lot and net == 0):
            return None
        if each_lot:
            taken += part.amount * base / net - part.amount
        else:
            months = Decimal(1) if part.months is None else part.months
            taken += listed * part.quantity * months - part.amount
    return rounding.apply(taken)
