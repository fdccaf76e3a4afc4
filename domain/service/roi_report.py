"""The return of service joined to sales, from the company's own data where there is some and stated assumptions elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from domain.kernel.base import Carried, Received
from domain.kernel.money import CurrencyCode, half_up
from domain.kernel.refusals import Problem, Refusal
from domain.service.roi import HUNDRED, SCENARIOS, Figure, Roi, RoiInputs, Scenario, roi
from domain.service.sla_report import SlaReport

INVALID_INPUTS = "InvalidInputs"
ZERO = Decimal(0)

HOURLY_COST: dict[str, Decimal] = {
    "EUR": Decimal(40),
    "GBP": Decimal(35),
    "JPY": Decimal(4500),
    "USD": Decimal(45),
}
"""Assumed loaded cost of an hour of service work; for other currencies it has to be given."""

SET_UP_HOURS, TRAINING_HOURS, RUN_HOURS_A_MONTH = Decimal(120), Decimal(40), Decimal(8)


class OwnRevenue(Carried):
    """What the facts say of revenue in one currency: yearly amounts, and what happened from `since` up to `until`.

    `renewed` and `lost` are the ARR of terms that began by renewal and of contracts that ended; `expanded` is the ARR of
    accepted offers; `refunded` was given back on cases; `arr` and `at_risk` (health critical or watch, or sales held)
    are those of the end.
    """

    currency: str
    since: AwareDatetime
    until: AwareDatetime
    arr: Decimal = ZERO
    at_risk: Decimal = ZERO
    renewed: Decimal = ZERO
    renewals: int = 0
    lost: Decimal = ZERO
    losses: int = 0
    expanded: Decimal = ZERO
    refunded: Decimal = ZERO

    @property
    def months(self) -> Decimal:
        """The length of the period in twelfths of a year."""
        return max(Decimal((self.until - self.since).days), Decimal(1)) * 12 / Decimal("365.25")

    @property
    def kept_percent(self) -> Decimal | None:
        """The share of the revenue that was up for renewal that was renewed; none when nothing was."""
        due = self.renewed + self.lost
        return self.renewed / due * HUNDRED if due else None


class OwnData(Carried):
    """What the company's own data says of one period."""

    revenue: OwnRevenue
    service: SlaReport


class GivenInputs(Received):
    """A file of inputs: whatever is known better than the assumptions, each with where it comes from."""

    currency: CurrencyCode | None = None
    months: int = Field(default=36, ge=1, le=240)
    inputs: dict[str, Figure] = {}
    scenarios: tuple[Scenario, ...] = SCENARIOS

    @field_validator("inputs", mode="before")
    @classmethod
    def _plain_numbers_too(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            name: given if isinstance(given, dict) else {"value": given, "source": "given in the inputs file"}
            for name, given in value.items()
        }

    @field_validator("inputs")
    @classmethod
    def _known(cls, value: dict[str, Figure]) -> dict[str, Figure]:
        if unknown := sorted(set(value) - set(RoiInputs.model_fields)):
            raise ValueError(f"{unknown[0]!r} is no input; there are {', '.join(RoiInputs.model_fields)}")
        return value


class RoiReport(Carried):
    """The whole report: inputs with sources, the scenarios' results, and what the own data says, now and before."""

    currency: str
    months: int
    inputs: RoiInputs
    results: tuple[Roi, ...]
    now: OwnData
    before: OwnData


def read_inputs(document: Any) -> GivenInputs:
    """The inputs in a YAML or JSON document. Raises Refusal (InvalidInputs) that names each field that is wrong."""
    try:
        return GivenInputs.model_validate(document or {})
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_INPUTS, "the inputs cannot be used", error) from None


def roi_report(given: GivenInputs, now: OwnData, before: OwnData) -> RoiReport:
    """The report: each input is given, else from `now`, else assumed; nothing is taken from anywhere else.

    Raises:
        Refusal: the hourly cost is neither given nor assumed for the currency.
    """
    inputs = _inputs(given.inputs, now)
    return RoiReport(
        currency=now.revenue.currency,
        months=given.months,
        inputs=inputs,
        results=tuple(roi(inputs, scenario, given.months) for scenario in given.scenarios),
        now=now,
        before=before,
    )


def _inputs(given: Mapping[str, Figure], own: OwnData) -> RoiInputs:
    currency = own.revenue.currency
    if "hourly_cost" not in given and currency not in HOURLY_COST:
        problem = Problem(
            field="inputs.hourly_cost",
            problem=f"no hourly cost is assumed in {currency}; give one, or a currency of {', '.join(HOURLY_COST)}",
        )
        raise Refusal(INVALID_INPUTS, "the return cannot be computed", [problem])
    hourly = given.get("hourly_cost") or _assumed(HOURLY_COST[currency], f"loaded cost of an hour in {currency}")
    found = {**_own(own), **_assumptions(hourly.value)}
    churn = {**found, **given}["churn_percent_before"]
    found["churn_percent_after"] = _assumed(
        half_up(2).apply(churn.value * Decimal("0.9")), "a tenth less churn of revenue at risk"
    )
    return RoiInputs(**{**found, "hourly_cost": hourly, **given})


def _assumed(value: Decimal | str, what: str) -> Figure:
    return Figure(value=Decimal(value), source=f"assumed: {what}")


def _own(own: OwnData) -> dict[str, Figure]:
    """The inputs that the facts can tell; with nothing on record they are zero, and say so."""
    revenue = own.revenue
    span = f"{revenue.since:%Y-%m-%d} to {revenue.until:%Y-%m-%d}"
    yearly = 12 / revenue.months
    kept = revenue.kept_percent
    return {
        "cases_month": _from_facts(own.service.cases / revenue.months, f"{own.service.cases} cases opened {span}", 1),
        "revenue_at_risk_year": _from_facts(
            revenue.at_risk,
            f"ARR of customers in health critical or watch, or with a hold, on {revenue.until:%Y-%m-%d}",
        ),
        "churn_percent_before": _assumed("10", "churn of revenue at risk, as no contract was up for renewal")
        if kept is None
        else _from_facts(
            HUNDRED - kept, f"ARR of {revenue.losses} contracts lost and {revenue.renewals} renewed {span}"
        ),
        "expansion_year": _from_facts(revenue.expanded * yearly, f"ARR of offers accepted {span}, for a year"),
        "refunds_month": _from_facts(revenue.refunded / revenue.months, f"refunds on cases {span}, per month"),
    }


def _from_facts(value: Decimal, what: str, decimals: int = 2) -> Figure:
    return Figure(value=half_up(decimals).apply(value), source=f"own data: {what}")


def _assumptions(hourly: Decimal) -> dict[str, Figure]:
    return {
        "handle_minutes_before": _assumed("30", "work on a case while its agent looks for what was bought"),
        "handle_minutes_after": _assumed("25", "work on a case with purchases and promises beside it"),
        "avoided_percent_before": _assumed("0", "cases that needed no person before"),
        "avoided_percent_after": _assumed("3", "cases avoided by mails that say when they are answered"),
        "margin_percent": _assumed("70", "margin of recurring revenue"),
        "penalties_avoided_year": _assumed("0", "no contract with penalties is on record"),
        "onboarding_days_saved_year": _assumed("0", "nothing is known of onboarding before"),
        "value_per_onboarding_day": _assumed("0", "nothing is known of what a day is worth"),
        "licence_month": _assumed("0", "the software is free"),
        "run_month": _assumed(hourly * RUN_HOURS_A_MONTH, f"{RUN_HOURS_A_MONTH} hours a month to run it"),
        "set_up_once": _assumed(hourly * SET_UP_HOURS, f"{SET_UP_HOURS} hours to set it up"),
        "training_once": _assumed(hourly * TRAINING_HOURS, f"{TRAINING_HOURS} hours of training"),
        "discount_percent_year": _assumed("8", "cost of money"),
    }
