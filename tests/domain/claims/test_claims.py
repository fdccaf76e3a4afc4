from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.claims.claims import BookPrice, BoughtLine, Claim, Claimant, ClaimKind, ClaimStatus
from domain.claims.policy import ClaimPolicy
from domain.claims.preview import preview_of
from domain.claims.price_protection import ApprovalLevel, claim_key
from domain.claims.rules import Assessment, assess, check_goodwill, check_shown
from domain.kernel.money import Money
from domain.kernel.refusals import Refusal
from domain.service.claim_requests import ClaimPriceMatch, GrantGoodwill, Role
from tests.properties import examples


def yen(amount: int) -> Money:
    return Money(amount=Decimal(amount), currency="JPY")


BOUGHT, TODAY = date(2026, 12, 1), date(2026, 12, 2)
POLICY = ClaimPolicy.model_validate(
    {
        "version": 1,
        "price_match": {
            "window_days": 30,
            "tier_window_days": {"enterprise": 45},
            "classes": {"clearance": ["OLD-TERMINAL"], "seasonal": ["OLD-TERMINAL", "GIFT"]},
            "excluded_classes": ["clearance"],
        },
        "amounts": {
            "JPY": {
                "agent": "50000",
                "lead": "500000",
                "least_difference": "100",
                "cap_year": "900000",
                "goodwill_agent": "5000",
                "goodwill_lead": "20000",
                "goodwill_year": "30000",
            }
        },
    }
)


def bought(**more: Any) -> BoughtLine:
    return BoughtLine.model_validate(
        {
            "account_id": "A-1",
            "order_id": "SO-1",
            "line_id": "3",
            "product": "TERMINAL",
            "product_name": "Terminal",
            "kind": "device",
            "currency": "JPY",
            "quantity": 5,
            "unit_price": "80000",
            "per": "once",
            "bought_on": BOUGHT,
            "left": "400000",
            **more,
        }
    )


def price(amount: str = "72000", since: date = TODAY, **more: Any) -> BookPrice:
    return BookPrice.model_validate(
        {"book": "standard", "currency": "JPY", "price": amount, "per": "once", "since": since, **more}
    )


def claimant(today: date = TODAY, **more: Any) -> Claimant:
    return Claimant.model_validate({"segment": "standard", "today": today, **more})


def claimed(amount: str = "40000", now: BookPrice | None = None, **more: Any) -> Claim:
    at = now or price()
    return Claim.model_validate(
        {
            "claim_id": "C-1.r1",
            "key": claim_key("SO-1/3", at.version),
            "kind": "price_match",
            "account_id": "A-1",
            "case_id": "C-1",
            "order_id": "SO-1",
            "line_id": "3",
            "currency": "JPY",
            "amount": amount,
            "gross": amount,
            "unit_paid": "80000",
            "unit_now": at.price,
            "price_version": at.version,
            "policy_version": 1,
            "approval": "agent",
            "status": "refunded",
            "claimed_at": datetime(2026, 12, 2, tzinfo=UTC),
            "claimed_on": TODAY,
            "claimed_by": "S-9",
            **more,
        }
    )


def ask(line: BoughtLine | None = None, now: BookPrice | None = None, **more: Any) -> Assessment:
    who = more.pop("who", claimant())
    return assess(POLICY, line or bought(), now or price(), who, **more)


def test_bought_yesterday_cheaper_today() -> None:
    shown = preview_of(ask(bought(tax_rates=["10"])))
    assert shown.now is not None
    assert [shown.paid.amount, shown.now.amount, shown.difference.amount] == [80_000, 72_000, 8_000]
    assert [shown.net.amount, shown.tax.amount, shown.refund.amount] == [40_000, 4_000, 44_000]
    assert (shown.window_ends_on, shown.paid_on, shown.price_since) == (date(2026, 12, 31), BOUGHT, TODAY)
    assert (shown.approval, shown.refused, shown.left) == (ApprovalLevel.AGENT, None, yen(440_000))


def test_terms_without_tax_give_back_the_difference_and_no_more() -> None:
    terms = {**POLICY.model_dump(), "price_match": {**POLICY.price_match.model_dump(), "include_tax": False}}
    shown = preview_of(assess(ClaimPolicy.model_validate(terms), bought(tax_rates=["10"]), price(), claimant()))
    assert [shown.net.amount, shown.tax.amount, shown.refund.amount] == [36_364, 3_636, 40_000]


def test_more_money_needs_more_of_a_say_and_some_units_cost_less_than_all() -> None:
    assert ask(now=price("60000")).checked().approval is ApprovalLevel.LEAD
    dear = bought(quantity=50, left="4000000")
    found = ask(dear, price("60000"))
    assert found.checked().approval is ApprovalLevel.MANAGER
    assert (preview_of(found).refund, preview_of(found).limited_by) == (yen(900_000), "cap_year")
    assert ask(now=price("60000"), quantity=2).amount == 40_000
    assert ask(now=price("60000"), who=claimant(used_year=Decimal(860_000))).amount == 40_000


def test_a_tier_has_a_longer_window() -> None:
    late = date(2027, 1, 10)
    assert ask(who=claimant(late)).refused == "OutOfWindow"
    assert ask(who=claimant(late, segment="enterprise")).refused is None


@pytest.mark.parametrize(
    ("line", "now", "more", "type"),
    [
        ({"per": "month"}, {}, {}, "PaidOverTime"),
        ({"returned": 5}, {}, {}, "LineReturned"),
        ({"tracked": True}, {}, {}, "NotDelivered"),
        ({"returned": 1}, {}, {"quantity": 5}, "TooManyUnits"),
        ({"currency": "EUR"}, {}, {}, "OtherCurrency"),
        ({}, {"per": "month"}, {}, "PriceUnknown"),
        ({}, {}, {"who": claimant(date(2027, 1, 1))}, "OutOfWindow"),
        ({"product": "OLD-TERMINAL"}, {}, {}, "ExcludedClass"),
        ({}, {"amount": "79901"}, {}, "BelowMinimum"),
        ({}, {"amount": "80000"}, {}, "NoPriceDrop"),
        ({"left": "0"}, {}, {}, "NothingLeft"),
        ({}, {}, {"who": claimant(used_year=Decimal(900_000))}, "NothingLeft"),
        ({"claims": [claimed()]}, {}, {}, "AlreadyClaimed"),
    ],
)
def test_what_is_refused(line: dict[str, Any], now: dict[str, Any], more: dict[str, Any], type: str) -> None:
    found = ask(bought(**line), price(**now), **more)
    assert (found.refused, found.amount) == (type, Decimal(0))
    with pytest.raises(Refusal) as refusal:
        found.checked()
    assert refusal.value.type == type


def test_no_price_and_a_price_in_another_currency_are_told_apart() -> None:
    unknown = assess(POLICY, bought(), None, claimant())
    assert (unknown.refused, "publish its price" in unknown.says) == ("PriceUnknown", True)
    elsewhere = assess(POLICY, bought(), None, claimant(), elsewhere="USD")
    assert (elsewhere.refused, "USD" in elsewhere.says) == ("OtherCurrency", True)


def test_an_earlier_claim_is_shown_a_later_drop_pays_what_it_adds() -> None:
    line = bought(claims=[claimed()], left="360000")
    again = ask(line)
    assert (again.refused, again.earlier) == ("AlreadyClaimed", "C-1.r1")
    assert "C-1.r1 of 2026-12-02, 40000 JPY" in again.says
    assert ask(line, price("70000", date(2026, 12, 5))).amount == 10_000
    # The same price under another date, or a smaller drop, adds nothing: the claim that paid it is shown.
    assert ask(line, price(since=date(2026, 12, 5))).earlier == "C-1.r1"
    assert ask(line, price("75000", date(2026, 12, 5))).earlier == "C-1.r1"


def test_a_claim_that_waits_counts_like_one_that_was_paid() -> None:
    waiting = claimed(status="waiting", approval="lead", amount="100000", gross="100000")
    line = bought(claims=[waiting])
    assert "waits for an approval" in ask(line).says
    assert ask(line, price("50000", date(2026, 12, 5))).amount == 50_000


def test_what_was_returned_is_not_matched_and_never_more_than_is_left() -> None:
    assert ask(bought(returned=3, left="160000")).amount == 16_000
    nearly = preview_of(ask(bought(left="12000")))
    assert (nearly.refund, nearly.limited_by) == (yen(12_000), "left_of_line")


def test_the_agent_confirms_what_they_saw() -> None:
    check_shown(Decimal(40_000), ask())
    with pytest.raises(Refusal, match="40000 JPY now, not 30000") as refusal:
        check_shown(Decimal(30_000), ask())
    assert refusal.value.type == "NotAsShown"


def test_goodwill_has_a_budget_for_the_year_and_ends_with_the_line() -> None:
    def grant(amount: str, used: int = 0, line: BoughtLine | None = None, currency: str = "JPY") -> None:
        money = Money(amount=Decimal(amount), currency=currency)
        check_goodwill(POLICY, line or bought(), money, Decimal(used), 2026)

    grant("30000")
    grant("10000", used=20_000)
    refused: dict[str, dict[str, Any]] = {
        "OverBudget": {"amount": "10001", "used": 20_000},
        "AboveLine": {"amount": "5001", "line": bought(left="5000")},
        "OtherCurrency": {"amount": "1", "currency": "EUR"},
    }
    for type, attempt in refused.items():
        with pytest.raises(Refusal) as refusal:
            grant(**attempt)
        assert refusal.value.type == type
    with pytest.raises(Refusal, match="round it"):
        grant("10.5")
    assert POLICY.goodwill_approval(Decimal(5001), "JPY") is ApprovalLevel.LEAD
    assert POLICY.goodwill_approval(Decimal(1), "EUR") is ApprovalLevel.MANAGER


def test_a_class_that_is_excluded_comes_first() -> None:
    assert POLICY.class_of("OLD-TERMINAL") == "clearance"
    assert (POLICY.class_of("GIFT"), POLICY.class_of("TERMINAL")) == ("seasonal", None)


@pytest.mark.parametrize(
    ("model", "document"),
    [
        (ClaimPriceMatch, {"order_id": "SO-1", "line_id": "3", "quantity": 0}),
        (ClaimPriceMatch, {"order_id": "SO-1", "line_id": "3", "quantity": -1}),
        (GrantGoodwill, {"amount": "-1", "reason": "late"}),
        (GrantGoodwill, {"amount": "10", "reason": ""}),
        (GrantGoodwill, {"amount": "10", "reason": "late", "order_id": "SO-1"}),
    ],
)
def test_what_cannot_be_asked(model: Any, document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(document)


def test_roles_reach_what_lies_below_them() -> None:
    assert [role.reaches(ApprovalLevel.LEAD) for role in Role] == [False, True, True, True]


Happening = st.one_of(
    st.tuples(st.just("price"), st.integers(0, 100_000)),
    st.tuples(st.just("return"), st.integers(1, 3)),
    st.tuples(st.just("claim"), st.none() | st.integers(1, 5)),
)


@examples(150)
@given(events=st.lists(Happening, max_size=14), rates=st.sampled_from([(), (Decimal(10),), (Decimal(8), Decimal(2))]))
def test_no_sequence_of_prices_returns_and_claims_gives_back_more_than_was_paid(
    events: list[tuple[str, Any]], rates: tuple[Decimal, ...]
) -> None:
    free = POLICY.having(amounts={})
    line, now = bought(tax_rates=rates, left="400000"), price("80000")
    paid, factor = Decimal(400_000), 1 + sum(rates, Decimal(0)) / 100
    for number, (what, value) in enumerate(events):
        if what == "price":
            now = price(str(value), date(2026, 12, 2 + number))
        elif what == "return" and line.kept:
            units = min(value, line.kept)
            credit = min(line.left, units * line.unit_price)
            line = line.having(returned=line.returned + units, left=line.left - credit)
        elif what == "claim":
            before = sum((claim.amount for claim in line.matches), Decimal(0))
            found = assess(free, line, now, claimant(date(2026, 12, 20)), quantity=value)
            if found.refused:
                continue
            lowest = min([now.price, *(claim.unit_now for claim in line.matches if claim.unit_now is not None)])
            most = (line.unit_price - lowest) * line.quantity * factor
            net, tax = found.parts
            assert 0 < found.amount <= line.with_tax(line.left)
            # Only what the drop adds to the earlier claims, to a yen for each of them.
            assert before + found.amount <= most + 1 + len(line.matches)
            assert net + tax == found.amount
            assert net <= line.left
            claim = claimed(
                str(found.amount), now, claim_id=f"C-1.r{number}", quantity=found.quantity, gross=net,
                key=found.checked().key,
            )  # fmt: skip
            assert claim.key not in {one.key for one in line.claims}
            line = line.having(claims=(*line.claims, claim), left=line.left - net)
        assert 0 <= line.left <= paid
    assert all(claim.kind is ClaimKind.PRICE_MATCH and claim.status is ClaimStatus.REFUNDED for claim in line.claims)
