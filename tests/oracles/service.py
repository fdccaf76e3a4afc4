"""Adapters from the worked cases of service and success to the library: one per operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

from domain.claims.price_protection import (
    Caps,
    PriceNow,
    ProtectionClaim,
    ProtectionPolicy,
    PurchasedLine,
    price_protection,
)
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import Span
from domain.kernel.localtime import at_minute, minute_of
from domain.kernel.money import Money, half_up
from domain.kernel.zones import known_zone
from domain.service.definitions import Milestone, MilestoneKind
from domain.service.history import CaseEvent, history_of
from domain.service.milestones import occurrences
from domain.service.roi import cost_per_case
from domain.success.retention import retention_rates
from domain.success.score_profiles import ScoredBy, ScoreProfile, shares_of
from domain.success.score_rules import Band
from domain.success.score_rules import band_of as score_band
from domain.success.surveys import SurveyMethod, survey_score
from tests.oracles.dialects.adoption import adoption_rate
from tests.oracles.dialects.clock import DEFAULTS, ClockOptions, DayMethod, OtherClock, TargetBoundary, TimePrecision
from tests.oracles.dialects.deflection import deflection_saving
from tests.oracles.dialects.errors import code_of
from tests.oracles.dialects.milestones import MilestoneSummary, next_due, summary
from tests.oracles.dialects.refunds import CreditableInvoice, CreditItem, CreditKind, RefundLine, credit_breakdown
from tests.oracles.dialects.scores import (
    ClosedEnd,
    Grade,
    Outside,
    ScoreBand,
    band_of,
    linear_points,
    rule_grade,
)

PRODUCT_BANDS = (Band.CRITICAL, Band.WATCH, Band.HEALTHY)
Json = dict[str, Any]
Adapter = Callable[[Json], Any]

# Amounts of these cases carry no currency: two decimals stand for prices, none for amounts in minor units.
PRICES, MINOR_UNITS = "EUR", "JPY"

MILESTONES = {
    "first_response": MilestoneKind.FIRST_RESPONSE,
    "update": MilestoneKind.NEXT_RESPONSE,
    "resolution": MilestoneKind.RESOLUTION,
}


def refusing(adapter: Adapter) -> Adapter:
    """The adapter with a refusal of the library answered as its code."""

    @wraps(adapter)
    def answer(given: Json) -> Any:
        try:
            return adapter(given)
        except ValueError as refusal:
            return {"error": code_of(refusal)}

    return answer


def calendar_of(given: Json) -> BusinessCalendar:
    """The calendar object of a case."""
    holidays = [{"on": on} for on in given["holidays"]]
    return BusinessCalendar.model_validate(
        {
            "timezone": given["timezone"],
            "week": given["hours"],
            "date_hours": [{"on": on, "intervals": hours} for on, hours in given["overrides"].items()],
            "holidays": holidays + [{"on": on, "active": False} for on in given["inactive_holidays"]],
            "closures": [{"starts_at": begin, "ends_at": end} for begin, end in given["closures"]],
        }
    )


def clock_of_case(given: Json, options: ClockOptions = DEFAULTS) -> OtherClock:
    """The clock of a case's calendar."""
    return OtherClock(calendar_of(given["calendar"]), options)


def instant(text: str) -> datetime:
    """An instant of a case."""
    return datetime.fromisoformat(text)


def spans(given: Iterable[tuple[str, str]]) -> list[Span]:
    """Pairs of instants of a case."""
    return [(instant(begin), instant(end)) for begin, end in given]


def shown(at: datetime | None) -> str | None:
    """An instant as a case writes it."""
    return None if at is None else at.isoformat()


def seconds(span: timedelta | None) -> int | float | None:
    """A time span as a case counts it."""
    if span is None:
        return None
    return int(span.total_seconds()) if not span.microseconds else span.total_seconds()


def number(value: Decimal | None) -> int | float | None:
    """An amount as a case writes it."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def decimal(value: float | str) -> Decimal:
    """A number of a case, as written."""
    return Decimal(str(value))


def sla_due(given: Json) -> Json:
    due = clock_of_case(given).due(
        instant(given["start"]),
        timedelta(seconds=given["target_seconds"]),
        spans(given["pauses"]),
        ClockOptions.model_validate(given["options"]),
    )
    return {"due": shown(due)}


def sla_elapsed(given: Json) -> Json:
    measured = clock_of_case(given).measure(
        instant(given["start"]),
        instant(given["end"]),
        spans(given["pauses"]),
        window=None if given["window"] is None else spans([given["window"]])[0],
        precision=TimePrecision(given["options"]["precision"]),
    )
    return {f"{name}_seconds": seconds(span) for name, span in measured._asdict().items()}


def sla_timeline(given: Json) -> Json:
    options = ClockOptions(
        boundary=TargetBoundary(given["options"]["boundary"]), precision=TimePrecision(given["options"]["precision"])
    )
    clock = clock_of_case(given, options)
    history = history_of(CaseEvent.model_validate(event) for event in given["events"])
    found = {}
    for name, kind in MILESTONES.items():
        milestone = Milestone(name=name, kind=kind, pausable=name in given["options"]["pausable"])
        target = given["targets"][name]
        found[name] = occurrences(milestone, None if target is None else timedelta(seconds=target), history, clock)
    answer: Json = {name: _milestone(summary(name, each)) for name, each in found.items()}
    update = summary("update", found["update"])
    answer["update"] |= {
        "count": update.count,
        "longest_seconds": seconds(update.longest),
        "mean_seconds": seconds(update.mean),
        "total_seconds": seconds(update.total),
    }
    first = next_due(one for each in found.values() for one in each)
    return answer | {"next_due": None if first is None else shown(first.due)}


def _milestone(found: MilestoneSummary) -> Json:
    return {
        "due": shown(found.due),
        "elapsed_seconds": seconds(found.elapsed),
        "headroom_seconds": seconds(found.headroom),
        "state": found.state.value,
    }


def calendar_add_days(given: Json) -> Json:
    moved = clock_of_case(given).add_days(instant(given["start"]), given["days"], DayMethod(given["method"]))
    return {"instant": shown(moved)}


def calendar_periods(given: Json) -> Json:
    first, last = date.fromisoformat(given["from_date"]), date.fromisoformat(given["to_date"])
    return {"periods": [[shown(begin), shown(end)] for begin, end in clock_of_case(given).periods(first, last)]}


def calendar_resolve_local(given: Json) -> Json:
    on = date.fromisoformat(given["date"])
    return {"instant": shown(at_minute(known_zone(given["timezone"]), on, minute_of(given["clock"])))}


def _caps(given: Mapping[str, Any]) -> Caps:
    amounts = {"item": given["cap_item"], "year": given["cap_year"]}
    return Caps(**{name: None if amount is None else decimal(amount) for name, amount in amounts.items()})


def price_protection_refund(given: Json) -> Json:
    terms = given["policy"]
    policy = ProtectionPolicy(
        window_days=terms["window_days"],
        tier_window_days=terms["tier_window_days"],
        category_window_days=terms["category_window_days"],
        caps=_caps(terms),
        class_caps={name: _caps(caps) for name, caps in terms["class_caps"].items()},
    )
    line = PurchasedLine(
        line="line",
        unit_paid=Money(amount=decimal(given["paid"]), currency=PRICES),
        quantity=decimal(given["quantity"]),
        purchased_on=date.fromisoformat(given["purchase_date"]),
        category=given["category"],
        item_class=given["item_class"],
    )
    now = PriceNow(unit=Money(amount=decimal(given["current_price"]), currency=PRICES), version="now")
    claim = ProtectionClaim(
        claimed_on=date.fromisoformat(given["claim_date"]),
        tier=given["customer_tier"],
        used_item=decimal(given["used_item"]),
        used_year=decimal(given["used_year"]),
    )
    answer = price_protection(policy, line, now, claim)
    return {
        "eligible": answer.eligible,
        "window_days": answer.window_days,
        "refund": number(answer.refund.amount),
        "reason": None if answer.reason is None else answer.reason.value,
    }


def refund_partial(given: Json) -> Json:
    lines = [
        RefundLine(
            id=line["id"],
            amount=decimal(line["amount"]),
            credited=decimal(line["credited"]),
            tax_rates=tuple(decimal(rate) for rate in line["taxes_pct"]),
        )
        for line in given["lines"]
    ]
    invoice = CreditableInvoice(
        currency=MINOR_UNITS,
        lines=tuple(lines),
        coupons=decimal(given["invoice"]["coupons"]),
        credited=decimal(given["invoice"]["credited"]),
        paid=given["invoice"]["paid"],
    )
    items = [CreditItem(line=item["line"], amount=decimal(item["amount"])) for item in given["items"]]
    requested = given["requested_total"]
    answer = credit_breakdown(
        invoice, items, CreditKind(given["kind"]), None if requested is None else decimal(requested)
    )
    return {
        "coupons_adjustment": number(answer.coupons_adjustment),
        "subtotal": number(answer.subtotal),
        "total": number(answer.total),
        "tax_residual": number(answer.tax_residual),
        "tax_rounded": number(answer.tax_rounded),
        "taxes_by_rate": {_rate(tax.rate): number(tax.amount) for tax in answer.taxes},
        "blended_rate_pct": number(answer.blended_rate),
    }


def _rate(rate: Decimal) -> str:
    return str(number(rate))


def roi_saving(given: Json) -> Json:
    each = given["cost_per_ticket"]
    handled = [decimal(given[name] or 0) for name in ("handle_minutes", "hourly_cost")]
    cost = cost_per_case(*handled) if each is None else decimal(each)
    saving = deflection_saving(
        decimal(given["tickets_month"]),
        cost,
        current_percent=decimal(given["current_deflection_pct"]),
        new_percent=decimal(given["new_deflection_pct"]),
        automated_cost=decimal(given["automated_cost"] or 0),
    )
    return {
        "cost_per_ticket": number(saving.cost_per_case),
        "baseline_month": number(saving.baseline_month),
        "new_month": number(saving.new_month),
        "saving_month": number(saving.saving_month),
    }


def survey(given: Json) -> Json:
    low, high = given["scale"]
    counts = {int(score): count for score, count in given["counts"].items()}
    method = SurveyMethod(given["method"])
    found = survey_score(method, counts, scale=(low, high), satisfied_from=given["satisfied_from"])
    return found.model_dump(exclude={"value", "method"}) | {"value": number(found.value)}


def retention(given: Json) -> Json:
    names = ("starting", "expansion", "contraction", "churn")
    found = retention_rates(*(decimal(given[name]) for name in names))
    return {"grr_pct": number(found.gross_percent), "nrr_pct": number(found.net_percent)}


def _bands(given: Json) -> list[ScoreBand]:
    return [ScoreBand(name=band["name"], start=decimal(band["from"])) for band in given["bands"]]


def health_score(given: Json) -> Json:
    groups = [(decimal(group["weight"]), [_metric(one) for one in group["metrics"]]) for group in given["groups"]]
    means = {named["name"]: _mean([group]) for named, group in zip(given["groups"], groups, strict=True)}
    score = _mean(groups)
    return {
        "score": score,
        "band": None if score is None else _band(score, given),
        "groups": means,
    }


def _metric(value: Any) -> Decimal | None:
    return None if value is None else decimal(value)


def _mean(groups: list[tuple[Decimal, list[Decimal | None]]]) -> int | None:
    """By the shares of the product, each metric of a group weighing the same."""
    alike = [(weight, [None if one is None else Decimal(1) for one in metrics]) for weight, metrics in groups]
    shares = shares_of(alike)
    if not any(any(group) for group in shares):
        return None
    pairs = [pair for (_, metrics), of in zip(groups, shares, strict=True) for pair in zip(metrics, of, strict=True)]
    return int(half_up().apply(sum((one * share for one, share in pairs if one is not None), Decimal(0))))


def _band(score: int, given: Json) -> str | None:
    """Three bands are those of a profile; other numbers of bands are a dialect."""
    bands = _bands(given)
    if len(bands) != len(PRODUCT_BANDS):
        return band_of(Decimal(score), bands)
    group = {"group": "g", "weight": 1, "inputs": [{"measure": "recommends", "weight": 1, "line": [0, 100]}]}
    edges = {"watch": int(bands[1].start), "healthy": int(bands[2].start)}
    profile = ScoreProfile.model_validate({"profile": "p", "version": 1, "groups": [group], "hysteresis": 0, **edges})
    return bands[PRODUCT_BANDS.index(score_band(profile, score))].name


def health_band(given: Json) -> Json:
    closed = ClosedEnd(given["closed"])
    return {"bands": [band_of(decimal(score), _bands(given), closed) for score in given["scores"]]}


def health_linear(given: Json) -> Json:
    values, points = ([decimal(end) for end in given[name]] for name in ("value_range", "impact_range"))
    outside = Outside(given["outside"])
    if outside is Outside.CLAMP:  # as the product has it, from 0 to 100
        by = ScoredBy.model_validate({"measure": "recommends", "weight": 1, "line": values})
        shares = [by.points_of(decimal(value)) / 100 for value in given["values"]]
        return {"points": [number(points[0] + (points[1] - points[0]) * share) for share in shares]}
    found = [
        linear_points(decimal(value), (values[0], values[1]), (points[0], points[1]), outside)
        for value in given["values"]
    ]
    return {"points": [number(each) for each in found]}


def health_rule(given: Json) -> Json:
    grade = rule_grade([None if name is None else Grade(name) for name in given["attributes"]])
    return {"band": None if grade is None else grade.value}


def adoption(given: Json) -> Json:
    return {"pct": number(adoption_rate(decimal(given["active"]), decimal(given["base"])))}


ADAPTERS: dict[str, Adapter] = {
    name: refusing(adapter)
    for name, adapter in {
        "sla.due": sla_due,
        "sla.elapsed": sla_elapsed,
        "sla.timeline": sla_timeline,
        "calendar.add_days": calendar_add_days,
        "calendar.periods": calendar_periods,
        "calendar.resolve_local": calendar_resolve_local,
        "price.protection": price_protection_refund,
        "refund.partial": refund_partial,
        "roi.saving": roi_saving,
        "survey.score": survey,
        "retention.rates": retention,
        "health.score": health_score,
        "health.band": health_band,
        "health.linear": health_linear,
        "health.rule": health_rule,
        "adoption.rate": adoption,
    }.items()
}
