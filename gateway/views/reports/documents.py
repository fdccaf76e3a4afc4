"""The shapes of reports, as programs read them: percentages and sums are texts, days are ISO 8601."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime, Field

from domain.success.retention import Cohort
from gateway.views.shown import Exact, View


class MovedRevenue(View):
    """What became of an account's recurring revenue."""

    account_id: str
    kind: str
    start: Exact
    end: Exact


class KeptRevenue(View):
    """What was kept of recurring revenue and of customers, in one currency; percentages are null where nothing was there at the start."""

    currency: str
    starting: Exact
    churn: Exact
    contraction: Exact
    expansion: Exact
    new: Exact
    end: Exact
    gross_percent: Decimal | None
    net_percent: Decimal | None
    logo_percent: Decimal | None
    from_existing_percent: Decimal | None
    accounts: list[MovedRevenue]
    cohorts: list[Cohort]


class RetentionReport(View):
    """Retention from one day to another."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    currencies: list[KeptRevenue]


class Shares(View):
    """Shares from 0 to 1, or more; null where nothing says so."""

    utilisation: Decimal | None
    activation: Decimal | None
    breadth: Decimal | None
    trend: Decimal | None


class UseOfAccount(Shares):
    """How much an account uses of a product."""

    account_id: str
    segment: str
    seats: int
    reported: str
    latest_day: date | None
    active: Decimal | None
    features: int | list[str] | None


class UseOfProduct(Shares):
    """How much of a product is used, in a segment or, without one, in all."""

    product: str
    segment: str | None
    seats: int
    active: Decimal | None
    spread: dict[str, int]
    accounts: list[UseOfAccount]


class UseWithoutAccount(View):
    """Use that waits for an account's first order."""

    account_id: str
    days: int
    first: date
    last: date


class AdoptionReport(View):
    """How much of what was bought is used, at an instant."""

    at: AwareDatetime
    figures: list[UseOfProduct]
    without_account: list[UseWithoutAccount]


class OrderOnItsWay(View):
    """An order on its way to a milestone. `days`: until it was reached; `target`: those that were promised."""

    order_id: str
    account_id: str
    segment: str
    started_on: date
    days: int | None
    target: int
    open: bool
    evidence: str
    waited_for_customer: int
    waited_for_us: int
    in_time: bool
    waited: str


class WayToValue(View):
    """How long orders took to a milestone: of a group or, without one, of all."""

    milestone: str
    group: str | None
    began: int
    reached: int
    quarter: float | None
    median: float | None
    three_quarters: float | None
    in_time: int
    without_evidence: int
    spread: dict[str, int]
    orders: list[OrderOnItsWay]


class TimeToValueReport(View):
    """How long customers wait for first value and go-live."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    figures: list[WayToValue]


class OneAnswer(View):
    """Somebody who was asked, with what they answered."""

    account_id: str
    account: str
    segment: str
    case_id: str | None
    sent_at: AwareDatetime
    answered_at: AwareDatetime | None
    score: int | None


class SurveyFigure(View):
    """What was answered to a survey: of a segment or, without one, of all. Of few answers only the counts are told."""

    survey: str
    segment: str | None
    method: str
    asked: int
    answered: int
    value: Decimal | None
    rounded: int | Decimal | None
    easy_percent: float | None
    counts: dict[str, int]
    answers: list[OneAnswer]


class SurveysReport(View):
    """What customers answered."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    figures: list[SurveyFigure]


class DueContract(View):
    """A contract that falls due: what it brings in a year, what is likely to stay, and why."""

    contract_id: str
    account_id: str
    account: str
    owner: str
    last_day: date
    currency: str
    arr: Exact
    likely: Exact
    category: str
    why: str
    churn_reason: str | None


class Pace(View):
    """How long renewals took from the customer's first word."""

    renewals: int
    median_hours: float | None
    within: dict[str, int]


class RenewalsReport(View):
    """What falls due within so many days of a first one."""

    first: date = Field(alias="from")
    within: int
    renewals: list[DueContract]
    request_to_renewed: Pace
