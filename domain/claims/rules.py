"""What an order line gives back when its price fell, what it is refused for, and what goodwill may be granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.catalogue.pricebook import PriceUnit
from domain.claims.claims import (
    ABOVE_LINE,
    ALREADY_CLAIMED,
    COUNTING,
    LINE_RETURNED,
    NOT_AS_SHOWN,
    NOT_DELIVERED,
    NOTHING_LEFT,
    OTHER_CURRENCY,
    OVER_BUDGET,
    PAID_OVER_TIME,
    PRICE_UNKNOWN,
    TOO_MANY_UNITS,
    ZERO,
    BookPrice,
    BoughtLine,
    Claim,
    Claimant,
    ClaimStatus,
)
from domain.claims.errors import AlreadyClaimedError, LineReturnedError, OtherCurrencyError, PriceUnknownError
from domain.claims.policy import ClaimPolicy
from domain.claims.price_protection import (
    GoodwillBudget,
    PriceNow,
    Protection,
    ProtectionClaim,
    ProtectionReason,
    PurchasedLine,
    price_protection,
)
from domain.kernel.base import Carried
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.money import Money, rounding_of
from domain.kernel.refusals import Refusal
from domain.kernel.tax import within
from domain.orders.order import PricePer

_REASONS: dict[ProtectionReason, tuple[str, str]] = {
    ProtectionReason.OUT_OF_WINDOW: ("OutOfWindow", "the window ended on {ends}; grant goodwill if there is a reason"),
    ProtectionReason.NO_PRICE_DROP: ("NoPriceDrop", "{now} now is not below the {paid} paid for one"),
    ProtectionReason.CLAIMED_TOO_LATE: ("ClaimedTooLate", "the lower price began on {since}, too long ago to claim it"),
    ProtectionReason.EXCLUDED_CLASS: ("ExcludedClass", "{product} is of a class that is not protected"),
    ProtectionReason.CHANNEL: ("ExcludedClass", "{product} was bought where prices are not protected"),
    ProtectionReason.BELOW_MINIMUM: ("BelowMinimum", "a difference of {difference} is below what is refunded"),
}


class Assessment(Carried):
    """What comes of claiming a line: `refused` is the type of refusal, null if the claim would pass; `says` is for people."""

    line: BoughtLine
    price: BookPrice | None = None
    quantity: int = 0
    protection: Protection | None = None
    refused: str | None = None
    says: str = ""
    earlier: str | None = None

    @property
    def amount(self) -> Decimal:
        """The refund with tax; zero if it is refused."""
        return self.protection.refund.amount if self.protection and not self.refused else ZERO

    @property
    def parts(self) -> tuple[Decimal, Decimal]:
        """The refund without tax, and the tax in it, as the credit memo will have them: they add up to it."""
        line = self.line
        net = within(self.amount, line.taxes_left, line.tax_rates, line.left, rounding_of(line.currency)).net
        return net, self.amount - net

    def checked(self) -> Protection:
        """The protection to be refunded.

        Raises:
            Refusal: the line gives nothing back; the message says why.
        """
        if self.refused is not None or self.protection is None:
            raise Refusal(self.refused or NOTHING_LEFT, self.says)
        return self.protection


def assess(
    policy: ClaimPolicy,
    line: BoughtLine,
    price: BookPrice | None,
    claimant: Claimant,
    *,
    quantity: int | None = None,
    elsewhere: str | None = None,
) -> Assessment:
    """What a claim on a line comes to today. Never raises: what would be refused says so.

    Args:
        price: what one unit costs now in the line's currency; None if no valid book names it.
        quantity: only so many units; None for all that the customer kept.
        elsewhere: another currency in which the product has a price.
    """
    first = Assessment(line=line, price=price, quantity=quantity or line.kept)
    if found := _unfit(line, quantity):
        return first.having(refused=found[0], says=found[1])
    if price is None and elsewhere is not None:
        says = f"{line.name} was paid in {line.currency}; {line.product} has a price in {elsewhere} only"
        return first.having(refused=OTHER_CURRENCY, says=says)
    if price is not None and price.per is not PriceUnit.ONCE:
        says = f"{line.product} is sold per {price.per.value} now, not once; there is no price to compare with"
        return first.having(refused=PRICE_UNKNOWN, says=says)
    units = units_of(line)
    open_units = [unit for unit in units if price is None or _gains(line, unit, price)]
    if quantity is not None and 0 < len(open_units) < quantity:
        says = (
            f"{quantity} units of {line.name} were claimed, {len(units) - len(open_units)} of its {len(units)} were given"
            f" back at this or a lower price before; claim {len(open_units)}"
        )
        return first.having(refused=TOO_MANY_UNITS, says=says)
    chosen = open_units[: quantity or len(open_units)] or units
    first = first.having(quantity=len(chosen))
    purchased = _purchased(policy, line, chosen, price.version if price and open_units else None)
    now = (
        PriceNow(unit=Money(amount=price.price, currency=price.currency), version=price.version, since=price.since)
        if price
        else None
    )
    claim = ProtectionClaim(
        claimed_on=claimant.today,
        tier=claimant.segment,
        used_item=sum((claim.amount for claim in line.matches if claim.status in COUNTING), ZERO),
        used_year=claimant.used_year,
    )
    try:
        answer = price_protection(policy.protection(line.currency), purchased, now, claim)
    except ServiceRuleError as error:
        return first.having(**_rule_refused(line, error))
    answer = answer.having(key=_free_key(line, answer.key))
    return first.having(protection=answer, **_policy_refused(line, price, answer))


def _gains(line: BoughtLine, unit: Unit, price: BookPrice) -> bool:
    """True for a unit that was not claimed at this price, nor at one that gave back as much: the price may have risen since."""
    return price.version not in unit.versions and (not unit.net or unit.net < line.unit_price - price.price)


def _free_key(line: BoughtLine, key: str) -> str:
    """The key of a claim on units of a line: further ones at the same price are numbered."""
    taken = {claim.key for claim in line.matches if claim.status in COUNTING}
    numbered = (f"{key}#{n}" for n in range(2, len(taken) + 2))
    return next(one for one in (key, *numbered) if one not in taken)


@dataclass(frozen=True)
class Unit:
    """What one unit that the customer kept was given back by price matches: with tax, before tax, at which versions of the price."""

    amount: Decimal = ZERO
    net: Decimal = ZERO
    versions: frozenset[str] = frozenset()


def units_of(line: BoughtLine) -> list[Unit]:
    """The units that the customer kept, those that were given back least first. A claim is on units that got least before;
    what came back are units that got least."""
    units = [Unit()] * line.quantity if line.matches else [Unit()] * line.kept
    for claim in line.matches:
        if claim.status not in COUNTING:
            continue
        version = claim.price_version or ""
        order = sorted(units, key=lambda unit: (version in unit.versions, unit.amount))
        count = min(claim.quantity or len(order), len(order))
        net = claim.amount if claim.gross is None else claim.gross
        claimed = [
            Unit(unit.amount + claim.amount / count, unit.net + net / count, unit.versions | {version})
            for unit in order[:count]
        ]
        units = [*claimed, *order[count:]]
    return sorted(units, key=lambda unit: unit.amount)[line.quantity - line.kept :] if line.matches else units


def _unfit(line: BoughtLine, quantity: int | None) -> tuple[str, str] | None:
    """What keeps a line from being compared at all."""
    if line.per is not PricePer.ONCE:
        return PAID_OVER_TIME, (
            f"{line.name} is paid per {line.per.value}; amend its price, and what was charged too much is credited"
        )
    if line.kept == 0:
        return LINE_RETURNED, f"all of {line.name} was returned; there is nothing to match"
    if line.tracked and line.delivered_on is None:
        return NOT_DELIVERED, f"{line.name} is not delivered yet; claim once it is, or correct the order"
    if quantity is not None and quantity > line.kept:
        return TOO_MANY_UNITS, f"{quantity} units of {line.name} were claimed, the customer has {line.kept}"
    return None


def _purchased(policy: ClaimPolicy, line: BoughtLine, units: Sequence[Unit], version: str | None) -> PurchasedLine:
    """The line as far as these units of it are claimed; at `version` of the price others were claimed, not these."""
    counted = [claim for claim in line.matches if claim.status in COUNTING and claim.price_version != version]
    waiting = sum((claim.amount for claim in line.claims if claim.status is ClaimStatus.WAITING), ZERO)
    rounding = rounding_of(line.currency)
    return PurchasedLine(
        line=f"{line.order_id}/{line.line_id}",
        order=line.order_id,
        unit_paid=Money(amount=line.unit_price, currency=line.currency),
        quantity=Decimal(line.quantity),
        returned=Decimal(line.returned),
        adjusted=Decimal(line.kept - len(units)),
        tax_rates=line.tax_rates if policy.price_match.include_tax else (),
        taxes=line.taxes_left if policy.price_match.include_tax else None,
        purchased_on=line.bought_on,
        delivered_on=line.delivered_on,
        refundable=max(ZERO, line.with_tax(min(line.left, cost_of(line, line.kept))) - waiting),
        protected=rounding.apply(sum((unit.amount for unit in units), ZERO)),
        protected_net=rounding.apply(sum((unit.net for unit in units), ZERO)),
        claims=tuple(claim.key for claim in counted),
        category=line.kind.value,
        item_class=policy.class_of(line.product),
    )


def cost_of(line: BoughtLine, units: int) -> Decimal:
    """What so many units were sold for, before tax."""
    return rounding_of(line.currency).apply(line.unit_price * units)


def _rule_refused(line: BoughtLine, error: ServiceRuleError) -> dict[str, Any]:
    match error:
        case AlreadyClaimedError():
            earlier = next((claim for claim in line.matches if claim.key == error.earlier), None)
            return {"refused": ALREADY_CLAIMED, "says": _claimed(line, earlier), "earlier": _id_of(earlier)}
        case LineReturnedError():
            return {"refused": LINE_RETURNED, "says": str(error)}
        case PriceUnknownError():
            says = f"no price book {line.price_book!r} names {line.product} in {line.currency} today; publish its price"
            return {"refused": PRICE_UNKNOWN, "says": says}
        case OtherCurrencyError():
            return {"refused": OTHER_CURRENCY, "says": str(error)}
        case _:
            return {"refused": NOTHING_LEFT, "says": str(error)}


def _id_of(claim: Claim | None) -> str | None:
    return claim.claim_id if claim else None


def _claimed(line: BoughtLine, earlier: Claim | None) -> str:
    if earlier is None:
        return f"{line.name} was claimed before"
    how = "waits for an approval" if earlier.status is ClaimStatus.WAITING else "was refunded"
    return (
        f"{line.name} was claimed before: {earlier.claim_id} of {earlier.claimed_on}, {earlier.amount} {earlier.currency},"
        f" {how} (case {earlier.case_id})"
    )


def _policy_refused(line: BoughtLine, price: BookPrice | None, answer: Protection) -> dict[str, Any]:
    """Why the policy does not cover the claim, or that nothing is left to give back."""
    matches = [claim for claim in line.matches if claim.status in COUNTING]
    if answer.reason is ProtectionReason.NO_PRICE_DROP and answer.unit_difference > 0 and matches:
        # The price is below what was paid, but earlier claims gave back as much.
        return {"refused": ALREADY_CLAIMED, "says": _claimed(line, matches[-1]), "earlier": matches[-1].claim_id}
    if not answer.eligible and answer.reason is not None:
        kind, says = _REASONS[answer.reason]
        words = {
            "ends": answer.window_ends_on,
            "now": f"{price.price} {price.currency}" if price else "the price",
            "paid": f"{line.unit_price} {line.currency}",
            "since": price.since if price else "",
            "product": line.product,
            "difference": f"{answer.unit_difference} {line.currency}",
        }
        return {"refused": kind, "says": f"{line.name}: {says.format(**words)}"}
    if answer.refund.amount <= 0:
        why = answer.reason.value.replace("_", " ") if answer.reason else "nothing"
        return {"refused": NOTHING_LEFT, "says": f"{line.name}: nothing can be given back any more ({why})"}
    return {"refused": None, "says": ""}


def check_shown(shown: Decimal | None, assessment: Assessment) -> None:
    """The agent confirms the amount that they saw.

    Raises:
        Refusal: it is another by now.
    """
    if shown is not None and shown != assessment.amount:
        raise Refusal(
            NOT_AS_SHOWN,
            f"the refund is {assessment.amount} {assessment.line.currency} now, not {shown}; look at the preview again",
        )


def check_goodwill(policy: ClaimPolicy, line: BoughtLine, amount: Money, used: Decimal, year: int) -> None:
    """Whether goodwill can be granted from what is left of the line and of the customer's budget.

    Raises:
        Refusal: another currency, more than is left of the line, or more than the budget has.
    """
    if amount.currency != line.currency:
        raise Refusal(OTHER_CURRENCY, f"{line.name} was paid in {line.currency}; grant goodwill in {line.currency}")
    if amount.rounded() != amount:
        raise Refusal(ABOVE_LINE, f"{amount.amount} is finer than {amount.currency} has coins for; round it")
    waiting = sum((claim.amount for claim in line.claims if claim.status is ClaimStatus.WAITING), ZERO)
    left = max(ZERO, line.with_tax(line.left) - waiting)
    if amount.amount > left:
        tax = ", tax included," if line.taxes_left else ""
        raise Refusal(ABOVE_LINE, f"{amount.amount} is more than the {left} {line.currency}{tax} left of {line.name}")
    limit = policy.amounts_in(line.currency).goodwill_year
    if not limit:
        known = sorted(code for code, amounts in policy.amounts.items() if amounts.goodwill_year)
        others = f"there is one in {', '.join(known)}" if known else "there is none in any currency"
        says = f"goodwill: there is no budget in {line.currency} ({others}); `goodwill_year` of the claims' policy sets one"
        raise Refusal(OVER_BUDGET, says)
    budget = GoodwillBudget(
        period=str(year),
        limit=Money(amount=limit, currency=line.currency),
        used=Money(amount=used, currency=line.currency),
    )
    try:
        budget.grant(amount)
    except ServiceRuleError as error:
        raise Refusal(OVER_BUDGET, f"goodwill: {error}") from None
