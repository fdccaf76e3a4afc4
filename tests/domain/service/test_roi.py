from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.kernel.business_errors import ServiceRuleError
from domain.service.roi import SCENARIOS, Benefit, Figure, RoiInputs, Scenario, monthly_benefits, roi
from tests.oracles.dialects.deflection import deflection_saving

NUMBERS = {
    "cases_month": 1000,
    "handle_minutes_before": 30,
    "handle_minutes_after": 24,
    "hourly_cost": 40,
    "avoided_percent_before": 10,
    "avoided_percent_after": 30,
    "revenue_at_risk_year": 1_200_000,
    "churn_percent_before": 8,
    "churn_percent_after": 6,
    "expansion_year": 60_000,
    "margin_percent": 50,
    "penalties_avoided_year": 12_000,
    "onboarding_days_saved_year": 60,
    "value_per_onboarding_day": 100,
    "licence_month": 2_000,
    "run_month": 1_000,
    "refunds_month": 500,
    "set_up_once": 20_000,
    "training_once": 5_000,
    "discount_percent_year": 10,
}


def inputs(**changed: int) -> RoiInputs:
    return RoiInputs(
        **{name: Figure(value=Decimal(value), source="a test") for name, value in (NUMBERS | changed).items()}
    )


EXPECTED = Scenario(name="expected")


def test_each_benefit_follows_its_formula_and_no_case_counts_twice() -> None:
    assert monthly_benefits(inputs()) == {
        Benefit.HANDLING_TIME: Decimal(2800),  # 700 cases still handled, 6 minutes of 40 an hour each
        Benefit.CASES_AVOIDED: Decimal(4000),  # 200 cases at 20
        Benefit.RETAINED_REVENUE: Decimal(1000),
        Benefit.EXPANSION: Decimal(2500),
        Benefit.PENALTIES_AVOIDED: Decimal(1000),
        Benefit.FASTER_ONBOARDING: Decimal(500),
    }
    before = 1000 * Decimal("0.9") * 20
    after = 1000 * Decimal("0.7") * 16
    saved = monthly_benefits(inputs())
    assert saved[Benefit.HANDLING_TIME] + saved[Benefit.CASES_AVOIDED] == before - after


def test_net_payback_and_percent_over_a_year() -> None:
    found = roi(inputs(), EXPECTED, months=12)
    assert found.net == 12 * (11_800 - 3_500) - 25_000
    assert sum(found.benefits.values()) - sum(found.costs.values()) == found.net
    assert found.roi_percent == found.net / 67_000 * 100
    assert found.payback_month == 4  # 8,300 a month against 25,000
    assert found.flow[:2] == (Decimal(-25_000), Decimal(8_300))


def test_npv_discounts_each_month_at_the_monthly_rate() -> None:
    found = roi(inputs(), EXPECTED, months=12)
    by_hand = -25_000 + sum(8_300 / 1.10 ** (month / 12) for month in range(1, 13))
    assert float(found.npv) == pytest.approx(by_hand, abs=0.01)
    assert roi(inputs(discount_percent_year=0), EXPECTED, months=12).npv == found.net


def test_payback_may_not_be_reached_and_nothing_spent_has_no_percentage() -> None:
    assert roi(inputs(set_up_once=500_000), EXPECTED, months=12).payback_month is None
    free = inputs(licence_month=0, run_month=0, refunds_month=0, set_up_once=0, training_once=0)
    found = roi(free, EXPECTED, months=12)
    assert (found.roi_percent, found.payback_month) == (None, 0)


def test_scenarios_are_ordered() -> None:
    nets = [roi(inputs(), scenario, months=24).net for scenario in SCENARIOS]
    assert nets == sorted(nets)
    assert len(set(nets)) == 3


def test_bad_figures_are_refused() -> None:
    with pytest.raises(ValidationError, match="source"):
        Figure(value=Decimal(1), source="")
    with pytest.raises(ServiceRuleError, match="at least 1"):
        roi(inputs(), EXPECTED, months=0)
    with pytest.raises(ServiceRuleError, match="discount rate"):
        roi(inputs(discount_percent_year=-100), EXPECTED)
    with pytest.raises(ServiceRuleError, match="0 to 100"):
        deflection_saving(Decimal(1), Decimal(1), current_percent=Decimal(0), new_percent=Decimal(101))
    with pytest.raises(ServiceRuleError, match="zero or more"):
        deflection_saving(Decimal(-1), Decimal(1), current_percent=Decimal(0), new_percent=Decimal(10))
