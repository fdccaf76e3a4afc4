from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claims.errors import (
    AboveLineError,
    AlreadyClaimedError,
    InvalidAmountError,
    LineReturnedError,
    OtherCurrencyError,
    PriceUnknownError,
    UnpaidInvoiceError,
)
from domain.claims.price_protection import (
    ApprovalLevel,
    Caps,
    GoodwillBudget,
    PriceNow,
    Protection,
    ProtectionClaim,
    ProtectionPolicy,
    ProtectionReason,
    PurchasedLine,
    WindowAnchor,
    claim_key,
    price_protection,
)
from domain.kernel.money import CurrencyMismatchError, Money
from tests.properties import examples


def money(amount: str, currency: str = "JPY") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


def line(**more: Any) -> PurchasedLine:
    return PurchasedLine.model_validate(
        {"line": "L1", "unit_paid": money("1000"), "purchased_on": date(2026, 1, 5), **more}
    )


def now(amount: str = "800", **more: Any) -> PriceNow:
    return PriceNow(unit=money(amount), **{"version": "v2", **more})


def claim(on: str = "2026-01-06", **more: Any) -> ProtectionClaim:
    return ProtectionClaim(claimed_on=date.fromisoformat(on), **more)


def ask(policy: ProtectionPolicy | None = None, bought: PurchasedLine | None = None, **more: Any) -> Protection:
    claimed = more.pop("claimed", claim())
    return price_protection(policy or ProtectionPolicy(), bought or line(), more.pop("price", now()), claimed)


def test_bought_yesterday_cheaper_today() -> None:
    bought = line(quantity=Decimal(12), tax_rates=(Decimal(10),))
    answer = ask(ProtectionPolicy(agent_limit=Decimal(2000), lead_limit=Decimal(5000)), bought)
    assert (answer.unit_difference, answer.gross, answer.tax) == (Decimal(200), Decimal(2400), Decimal(240))
    assert answer.refund == money("2640")
    assert (answer.eligible, answer.reason, answer.approval) == (True, None, ApprovalLevel.LEAD)
    assert answer.window_ends_on == date(2026, 2, 4)
    assert answer.key == claim_key("L1", "v2")


def test_the_last_day_of_the_window_counts_and_the_anchor_may_be_the_delivery() -> None:
    policy = ProtectionPolicy(window_days=14)
    assert ask(policy, claimed=claim("2026-01-19")).eligible
    late = ask(policy, claimed=claim("2026-01-20"))
    assert (late.eligible, late.reason, late.refund) == (False, ProtectionReason.OUT_OF_WINDOW, money("0"))
    delivered = policy.having(anchor=WindowAnchor.DELIVERY)
    assert ask(delivered, line(delivered_on=date(2026, 1, 8)), claimed=claim("2026-01-22")).eligible
    assert not ask(delivered, claimed=claim("2026-01-20")).eligible


def test_a_category_comes_before_a_tier_and_a_class_before_the_policy() -> None:
    policy = ProtectionPolicy(
        window_days=15,
        tier_window_days={"gold": 45},
        category_window_days={"phone": 14},
        caps=Caps(item=Decimal(500)),
        class_caps={"close_out": Caps(item=Decimal(50))},
    )
    on = claim("2026-01-25", tier="gold")
    assert ask(policy, claimed=on).window_days == 45
    assert ask(policy, line(category="phone"), claimed=on).reason is ProtectionReason.OUT_OF_WINDOW
    capped = ask(policy, line(item_class="close_out"), claimed=on)
    assert (capped.refund, capped.reason) == (money("50"), ProtectionReason.CAP_ITEM)


@pytest.mark.parametrize(
    ("policy", "bought", "more", "reason"),
    [
        ({"excluded_classes": {"open_box"}}, {"item_class": "open_box"}, {}, ProtectionReason.EXCLUDED_CLASS),
        ({"channels": {"direct"}}, {"channel": "marketplace"}, {}, ProtectionReason.CHANNEL),
        ({"least_difference": 201}, {}, {}, ProtectionReason.BELOW_MINIMUM),
        ({}, {}, {"price": now("1000")}, ProtectionReason.NO_PRICE_DROP),
        ({}, {}, {"price": now("1200")}, ProtectionReason.NO_PRICE_DROP),
        (
            {"claim_by_days": 7},
            {},
            {"price": now(since=date(2026, 1, 6)), "claimed": claim("2026-01-14")},
            ProtectionReason.CLAIMED_TOO_LATE,
        ),
    ],
)
def test_what_the_policy_does_not_cover(
    policy: dict[str, Any], bought: dict[str, Any], more: dict[str, Any], reason: ProtectionReason
) -> None:
    answer = ask(ProtectionPolicy.model_validate(policy), line(**bought), **more)
    assert (answer.eligible, answer.reason, answer.refund) == (False, reason, money("0"))


@pytest.mark.parametrize(
    ("bought", "price", "error"),
    [
        ({"paid": False}, now(), UnpaidInvoiceError),
        ({"quantity": 2, "returned": 2}, now(), LineReturnedError),
        ({"quantity": 2, "returned": 1, "adjusted": 1}, now(), LineReturnedError),
        ({}, None, PriceUnknownError),
        ({}, now("-1"), InvalidAmountError),
        ({}, PriceNow(unit=money("8", "USD"), version="v2"), OtherCurrencyError),
        ({"claims": (claim_key("L1", "v2"),)}, now(), AlreadyClaimedError),
    ],
)
def test_what_cannot_be_refunded_is_refused(
    bought: dict[str, Any], price: PriceNow | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(bought=line(**bought), price=price)


def test_a_second_claim_names_the_first_and_a_further_drop_pays_only_what_it_adds() -> None:
    first = claim_key("L1", "v2")
    bought = line(quantity=Decimal(2), claims=(first,), protected=Decimal(400))
    with pytest.raises(AlreadyClaimedError) as refusal:
        ask(bought=bought)
    assert refusal.value.earlier == first
    assert ask(bought=bought, price=now("700", version="v3")).refund == money("200")
    assert ask(bought=bought, price=now("900", version="v3")).reason is ProtectionReason.NO_PRICE_DROP
    with pytest.raises(AlreadyClaimedError, match="the policy allows 1"):
        ask(ProtectionPolicy(claims_per_line=1), bought, price=now("700", version="v3"))


@pytest.mark.parametrize(
    ("more", "refund", "reason"),
    [
        ({"used_year": 130}, "20", ProtectionReason.CAP_YEAR),
        ({"used_year": 200}, "0", ProtectionReason.CAP_YEAR),
        ({"used_item": 60}, "40", ProtectionReason.CAP_ITEM),
    ],
)
def test_the_tighter_cap_applies_and_is_named(more: dict[str, Any], refund: str, reason: ProtectionReason) -> None:
    policy = ProtectionPolicy(caps=Caps(item=Decimal(100), year=Decimal(150)))
    answer = ask(policy, claimed=claim(**more))
    assert (answer.eligible, answer.refund, answer.reason) == (True, money(refund), reason)


def test_never_more_than_is_left_of_the_line() -> None:
    answer = ask(bought=line(refundable=Decimal(150)))
    assert (answer.refund, answer.reason) == (money("150"), ProtectionReason.LEFT_OF_LINE)


@examples(100)
@given(
    paid=st.decimals(0, 10_000, places=2),
    current=st.decimals(0, 10_000, places=2),
    quantity=st.integers(1, 20),
    returned=st.integers(0, 19),
    cap=st.none() | st.decimals(0, 5_000, places=2),
    protected=st.decimals(0, 1_000, places=2),
)
def test_a_refund_is_never_above_what_was_paid_nor_above_a_cap(
    paid: Decimal, current: Decimal, quantity: int, returned: int, cap: Decimal | None, protected: Decimal
) -> None:
    kept = max(quantity - returned, 1)
    bought = line(
        unit_paid=Money(amount=paid, currency="EUR"),
        quantity=quantity,
        returned=quantity - kept,
        protected=protected,
        tax_rates=(Decimal(19),),
    )
    price = PriceNow(unit=Money(amount=current, currency="EUR"), version="v2")
    answer = ask(ProtectionPolicy(caps=Caps(item=cap)), bought, price=price)
    assert 0 <= answer.refund.amount <= (paid * kept * Decimal("1.19")).quantize(Decimal("0.01")) + Decimal("0.01")
    assert cap is None or answer.refund.amount <= cap
    if current >= paid:
        assert answer.refund.amount == 0


def test_goodwill_has_a_budget_of_its_own() -> None:
    budget = GoodwillBudget(period="2026-Q1", limit=money("1000"), used=money("900"))
    assert budget.grant(money("100")).used == money("1000")
    with pytest.raises(AboveLineError, match="100 left in 2026-Q1"):
        budget.grant(money("101"))
    with pytest.raises(AboveLineError, match="positive"):
        budget.grant(money("0"))
    with pytest.raises(CurrencyMismatchError):
        budget.grant(money("1", "EUR"))
