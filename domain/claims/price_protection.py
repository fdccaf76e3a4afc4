"""Price protection: what a customer gets back when the price falls soon after the purchase, and who may approve it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.claims.errors import (
    AboveLineError,
    AlreadyClaimedError,
    InvalidAmountError,
    LineReturnedError,
    OtherCurrencyError,
    PriceUnknownError,
    UnpaidInvoiceError,
)
from domain.kernel.base import Carried
from domain.kernel.money import Money, rounding_of
from domain.kernel.tax import Taxed, all_of

ZERO = Decimal(0)


class WindowAnchor(StrEnum):
    """The day from which the window counts."""

    PURCHASE = "purchase"
    DELIVERY = "delivery"


class ApprovalLevel(StrEnum):
    """Who has to approve a refund."""

    AGENT = "agent"
    LEAD = "lead"
    MANAGER = "manager"


class ProtectionReason(StrEnum):
    """Why a claim is refused, or what kept its refund down."""

    OUT_OF_WINDOW = "out_of_window"
    NO_PRICE_DROP = "no_price_drop"
    CLAIMED_TOO_LATE = "claimed_too_late"
    EXCLUDED_CLASS = "excluded_class"
    CHANNEL = "channel"
    BELOW_MINIMUM = "below_minimum"
    CAP_ITEM = "cap_item"
    CAP_YEAR = "cap_year"
    LEFT_OF_LINE = "left_of_line"


class Caps(Carried):
    """The most that is refunded for one item and for one customer in a year; none means no cap."""

    item: Decimal | None = None
    year: Decimal | None = None


class ProtectionPolicy(Carried):
    """The terms of price protection. Amounts are in the currency of the purchase.

    The window of a category comes before that of a tier, which comes before `window_days`; its last day counts. The
    caps of a class come before the policy's. `claim_by_days` counts from the day on which the lower price began.
    """

    window_days: int = 30
    tier_window_days: dict[str, int] = Field(default_factory=dict)
    category_window_days: dict[str, int] = Field(default_factory=dict)
    anchor: WindowAnchor = WindowAnchor.PURCHASE
    claim_by_days: int | None = None
    channels: frozenset[str] | None = None
    excluded_classes: frozenset[str] = frozenset()
    least_difference: Decimal = ZERO
    caps: Caps = Caps()
    class_caps: dict[str, Caps] = Field(default_factory=dict)
    claims_per_line: int | None = None
    include_tax: bool = True
    agent_limit: Decimal | None = None
    lead_limit: Decimal | None = None

    def window_for(self, category: str | None, tier: str | None) -> int:
        """Days after the anchor in which a claim counts."""
        if category in self.category_window_days:
            return self.category_window_days[category]
        return self.tier_window_days.get(tier or "", self.window_days)

    def approval_of(self, amount: Decimal) -> ApprovalLevel:
        """Who has to approve a refund of `amount`; a limit that is not set allows any amount."""
        if self.agent_limit is None or amount <= self.agent_limit:
            return ApprovalLevel.AGENT
        if self.lead_limit is None or amount <= self.lead_limit:
            return ApprovalLevel.LEAD
        return ApprovalLevel.MANAGER


class PurchasedLine(Carried):
    """An order line as bought. `unit_paid` is before tax and after the line's share of every discount.

    `adjusted` counts units whose whole price was given back otherwise; `refundable` is what can still be paid back with
    tax (none: not limited here); `protected` is what earlier claims, whose keys are `claims`, refunded with tax, of which
    `protected_net` before tax. `taxes` are what is left of the tax of its invoice; without them each refund's tax is its own.
    """

    line: str
    order: str | None = None
    unit_paid: Money
    quantity: Decimal = Decimal(1)
    returned: Decimal = ZERO
    adjusted: Decimal = ZERO
    tax_rates: tuple[Decimal, ...] = ()
    purchased_on: date
    delivered_on: date | None = None
    paid: bool = True
    refundable: Decimal | None = None
    protected: Decimal = ZERO
    protected_net: Decimal = ZERO
    taxes: tuple[Taxed, ...] | None = None
    claims: tuple[str, ...] = ()
    channel: str | None = None
    category: str | None = None
    item_class: str | None = None


class PriceNow(Carried):
    """The price that the same buyer would pay now without a personal coupon, and the version that names it."""

    unit: Money
    version: str
    since: date | None = None


class ProtectionClaim(Carried):
    """A claim on the customer's local date, with what their caps have used up before."""

    claimed_on: date
    tier: str | None = None
    used_item: Decimal = ZERO
    used_year: Decimal = ZERO


class Protection(Carried):
    """The answer to a claim, with everything that an agent shows before confirming; amounts in `refund`'s currency."""

    eligible: bool
    reason: ProtectionReason | None = None
    window_days: int
    window_ends_on: date
    unit_difference: Decimal = ZERO
    quantity: Decimal = ZERO
    gross: Decimal = ZERO
    tax: Decimal = ZERO
    refund: Money
    approval: ApprovalLevel = ApprovalLevel.AGENT
    key: str


def claim_key(line: str, price_version: str) -> str:
    """Names the one refund of a line for one version of the price."""
    return f"price-protection:{line}:{price_version}"


def price_protection(
    policy: ProtectionPolicy, line: PurchasedLine, now: PriceNow | None, claim: ProtectionClaim
) -> Protection:
    """What a customer gets back for a line whose price fell, at most what was paid and what is left of it.

    Several drops pay the difference to the lowest price once: a later claim refunds only what it adds.

    Raises:
        UnpaidInvoiceError: the line is not paid.
        LineReturnedError: no unit is left with the customer.
        PriceUnknownError, OtherCurrencyError: no price now, or in another currency.
        AlreadyClaimedError: this version of the price, or as many claims as the policy allows, were refunded before.
    """
    now = _comparable(line, now)
    quantity = line.quantity - line.returned - line.adjusted
    _check_line(policy, line, quantity, claim_key(line.line, now.version))
    window = policy.window_for(line.category, claim.tier)
    anchor = line.purchased_on
    if policy.anchor is WindowAnchor.DELIVERY and line.delivered_on is not None:
        anchor = line.delivered_on
    difference = max(ZERO, line.unit_paid.amount - now.unit.amount)
    gross = difference * quantity
    rate = sum(line.tax_rates, ZERO) / 100 if policy.include_tax else ZERO
    answer = Protection(
        eligible=False,
        window_days=window,
        window_ends_on=anchor + timedelta(days=window),
        unit_difference=difference,
        quantity=quantity,
        gross=gross,
        tax=_tax(line, gross, rate),
        refund=Money(amount=ZERO, currency=line.unit_paid.currency),
        key=claim_key(line.line, now.version),
    )
    wanted = _wanted(line, gross, rate)
    refusal = _refusal(policy, line, now, claim, answer)
    if refusal is None and wanted <= 0:
        refusal = ProtectionReason.NO_PRICE_DROP
    if refusal is not None:
        return answer.having(reason=refusal)
    amount, reason = _capped(policy, line, claim, wanted)
    return answer.having(
        eligible=True,
        reason=reason,
        refund=Money(amount=amount, currency=line.unit_paid.currency),
        approval=policy.approval_of(amount),
    )


def _tax(line: PurchasedLine, net: Decimal, rate: Decimal) -> Decimal:
    rounding = rounding_of(line.unit_paid.currency)
    if line.taxes is None:
        return rounding.apply(net * rate)
    split = all_of(line.taxes, line.tax_rates, max(ZERO, rounding.apply(net)), rounding)
    return split.gross - split.net


def _wanted(line: PurchasedLine, gross: Decimal, rate: Decimal) -> Decimal:
    """The refund with tax, less what was refunded before: its tax as the credit memo will have it, where an invoice is known."""
    rounding = rounding_of(line.unit_paid.currency)
    if line.taxes is None:
        return rounding.apply(gross * (1 + rate) - line.protected)
    net = rounding.apply(gross - line.protected_net)
    return net + _tax(line, net, rate)


class GoodwillBudget(Carried):
    """Money set apart for credits that no policy owes, in one period; `used` is what was granted."""

    period: str
    limit: Money
    used: Money

    def grant(self, amount: Money) -> GoodwillBudget:
        """The budget after granting `amount`.

        Raises:
            AboveLineError: more than what is left.
            CurrencyMismatchError: another currency.
        """
        left = self.limit - self.used
        after = left - amount
        if amount.amount <= 0 or after.amount < 0:
            raise AboveLineError(
                f"{amount.amount} {amount.currency} cannot be granted from the {left.amount} left in {self.period}; "
                "give a positive amount up to that, or ask for a larger budget"
            )
        return self.having(used=self.used + amount)


def _comparable(line: PurchasedLine, now: PriceNow | None) -> PriceNow:
    if now is None:
        raise PriceUnknownError(
            f"no price now is known for line {line.line!r}; look it up in the customer's price book"
        )
    if now.unit.amount < 0:
        raise InvalidAmountError(f"a price of {now.unit.amount} cannot be; give zero or more")
    if now.unit.currency != line.unit_paid.currency:
        raise OtherCurrencyError(
            f"line {line.line!r} was paid in {line.unit_paid.currency}, the price now is in {now.unit.currency}; "
            f"compare with a price in {line.unit_paid.currency}"
        )
    return now


def _check_line(policy: ProtectionPolicy, line: PurchasedLine, quantity: Decimal, key: str) -> None:
    if not line.paid:
        raise UnpaidInvoiceError(f"line {line.line!r} is not paid; correct its invoice instead of refunding it")
    if quantity <= 0:
        raise LineReturnedError(f"nothing of line {line.line!r} is left with the customer; there is nothing to match")
    if key in line.claims:
        raise AlreadyClaimedError(f"this price was refunded before as {key}; show that claim", key)
    if policy.claims_per_line is not None and len(line.claims) >= policy.claims_per_line:
        earlier = line.claims[-1]
        raise AlreadyClaimedError(
            f"line {line.line!r} was claimed {len(line.claims)} times, the policy allows {policy.claims_per_line}; "
            f"show the last claim, {earlier}",
            earlier,
        )


def _refusal(
    policy: ProtectionPolicy, line: PurchasedLine, now: PriceNow, claim: ProtectionClaim, answer: Protection
) -> ProtectionReason | None:
    """Why the policy does not cover a claim."""
    if claim.claimed_on > answer.window_ends_on:
        return ProtectionReason.OUT_OF_WINDOW
    if line.item_class is not None and line.item_class in policy.excluded_classes:
        return ProtectionReason.EXCLUDED_CLASS
    if policy.channels is not None and line.channel not in policy.channels:
        return ProtectionReason.CHANNEL
    if answer.unit_difference <= 0:
        return ProtectionReason.NO_PRICE_DROP
    if answer.unit_difference < policy.least_difference:
        return ProtectionReason.BELOW_MINIMUM
    late_by = policy.claim_by_days
    if late_by is not None and now.since is not None and claim.claimed_on > now.since + timedelta(days=late_by):
        return ProtectionReason.CLAIMED_TOO_LATE
    return None


def _capped(
    policy: ProtectionPolicy, line: PurchasedLine, claim: ProtectionClaim, wanted: Decimal
) -> tuple[Decimal, ProtectionReason | None]:
    """What is left of the refund under the caps, and the tightest of them that held it down."""
    caps = policy.class_caps.get(line.item_class or "", policy.caps)
    limits = [
        (caps.item, claim.used_item, ProtectionReason.CAP_ITEM),
        (caps.year, claim.used_year, ProtectionReason.CAP_YEAR),
        (line.refundable, ZERO, ProtectionReason.LEFT_OF_LINE),
    ]
    amount, reason = wanted, None
    for cap, used, name in limits:
        if cap is not None and max(ZERO, cap - used) < amount:
            amount, reason = max(ZERO, cap - used), name
    return amount, reason
