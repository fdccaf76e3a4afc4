"""What service joined to sales returns: savings and retained revenue against costs, every figure with its source."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.kernel.base import Carried
from domain.kernel.business_errors import ServiceRuleError

ZERO = Decimal(0)
HUNDRED = Decimal(100)
MINUTES_AN_HOUR = 60
MONTHS_A_YEAR = 12


def cost_per_case(handle_minutes: Decimal, hourly_cost: Decimal) -> Decimal:
    """What a person's work on one case costs: minutes as part of an hour at the loaded hourly cost."""
    return handle_minutes * hourly_cost / MINUTES_AN_HOUR


class Figure(Carried):
    """One input with where it comes from: a report, a contract, or the person who assumes it."""

    value: Decimal
    source: str = Field(min_length=1)


class RoiInputs(Carried):
    """What the model is fed: amounts in one currency, shares in percent, rates per month or per year as named."""

    cases_month: Figure
    handle_minutes_before: Figure
    handle_minutes_after: Figure
    hourly_cost: Figure
    avoided_percent_before: Figure
    avoided_percent_after: Figure
    revenue_at_risk_year: Figure
    churn_percent_before: Figure
    churn_percent_after: Figure
    expansion_year: Figure
    margin_percent: Figure
    penalties_avoided_year: Figure
    onboarding_days_saved_year: Figure
    value_per_onboarding_day: Figure
    licence_month: Figure
    run_month: Figure
    refunds_month: Figure
    set_up_once: Figure
    training_once: Figure
    discount_percent_year: Figure


class Benefit(StrEnum):
    """What a return is made of."""

    HANDLING_TIME = "handling_time"
    CASES_AVOIDED = "cases_avoided"
    RETAINED_REVENUE = "retained_revenue"
    EXPANSION = "expansion"
    PENALTIES_AVOIDED = "penalties_avoided"
    FASTER_ONBOARDING = "faster_onboarding"


class Scenario(Carried):
    """How much of the expected benefits comes true, and what the costs turn out to be, in percent of the inputs."""

    name: str
    benefits_percent: Decimal = HUNDRED
    costs_percent: Decimal = HUNDRED


SCENARIOS = (
    Scenario(name="cautious", benefits_percent=Decimal(60), costs_percent=Decimal(120)),
    Scenario(name="expected"),
    Scenario(name="optimistic", benefits_percent=Decimal(120), costs_percent=Decimal(95)),
)
"""The three that a report shows unless told otherwise; their percentages are assumptions and are shown with it."""


class Roi(Carried):
    """The result of one scenario over its horizon. `roi_percent` is none when nothing is spent.

    `benefits` and `costs` are totals over the horizon, `flow` is the net amount of each month from month 0 (set-up),
    and `payback_month` is the first month whose cumulated net is not negative (none: not reached inside the horizon).
    """

    scenario: Scenario
    months: int
    benefits: dict[Benefit, Decimal]
    costs: dict[str, Decimal]
    net: Decimal
    roi_percent: Decimal | None
    payback_month: int | None
    npv: Decimal
    flow: tuple[Decimal, ...]


def monthly_benefits(inputs: RoiInputs) -> dict[Benefit, Decimal]:
    """What an average month returns. Time is saved only on cases that are still handled, so none counts twice."""
    cases = inputs.cases_month.value
    before, after = inputs.handle_minutes_before.value, inputs.handle_minutes_after.value
    was, becomes = inputs.avoided_percent_before.value, inputs.avoided_percent_after.value
    hourly, margin = inputs.hourly_cost.value, inputs.margin_percent.value / HUNDRED
    churn_drop = (inputs.churn_percent_before.value - inputs.churn_percent_after.value) / HUNDRED
    handled = cases * (HUNDRED - becomes) / HUNDRED
    yearly = {
        Benefit.RETAINED_REVENUE: inputs.revenue_at_risk_year.value * churn_drop * margin,
        Benefit.EXPANSION: inputs.expansion_year.value * margin,
        Benefit.PENALTIES_AVOIDED: inputs.penalties_avoided_year.value,
        Benefit.FASTER_ONBOARDING: inputs.onboarding_days_saved_year.value * inputs.value_per_onboarding_day.value,
    }
    return {
        Benefit.HANDLING_TIME: handled * cost_per_case(before - after, hourly),
        Benefit.CASES_AVOIDED: cases * (becomes - was) / HUNDRED * cost_per_case(before, hourly),
        **{name: amount / MONTHS_A_YEAR for name, amount in yearly.items()},
    }


def roi(inputs: RoiInputs, scenario: Scenario, months: int = 36) -> Roi:
    """The return of one scenario over `months`, set-up and training paid in month 0.

    Raises:
        ServiceRuleError: no month, or a discount rate of -100 percent or less.
    """
    if months < 1:
        raise ServiceRuleError(f"a horizon of {months} months shows nothing; give at least 1")
    yearly_rate = 1 + inputs.discount_percent_year.value / HUNDRED
    if yearly_rate <= 0:
        raise ServiceRuleError(f"a discount rate of {inputs.discount_percent_year.value} percent makes no sense")
    gain = scenario.benefits_percent / HUNDRED
    strain = scenario.costs_percent / HUNDRED
    benefits = {name: amount * gain for name, amount in monthly_benefits(inputs).items()}
    once = {"set_up": inputs.set_up_once.value * strain, "training": inputs.training_once.value * strain}
    monthly = {
        "licence": inputs.licence_month.value * strain,
        "run": inputs.run_month.value * strain,
        "refunds": inputs.refunds_month.value * strain,
    }
    net_month = sum(benefits.values(), ZERO) - sum(monthly.values(), ZERO)
    flow = (-sum(once.values(), ZERO), *([net_month] * months))
    costs = {**once, **{name: amount * months for name, amount in monthly.items()}}
    spent, net = sum(costs.values(), ZERO), sum(flow, ZERO)
    step = yearly_rate ** (Decimal(1) / MONTHS_A_YEAR)
    return Roi(
        scenario=scenario,
        months=months,
        benefits={name: amount * months for name, amount in benefits.items()},
        costs=costs,
        net=net,
        roi_percent=net / spent * HUNDRED if spent else None,
        payback_month=_payback(flow),
        npv=sum((amount / step**month for month, amount in enumerate(flow)), ZERO),
        flow=flow,
    )


def _payback(flow: tuple[Decimal, ...]) -> int | None:
    reached = ZERO
    for month, amount in enumerate(flow):
        reached += amount
        if reached >= 0:
            return month
    return None
