"""Adapters of the asset operations: proration, changes, billing, renewals, refunds, usage and metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from domain.assets.dates import Span
from domain.assets.proration_policy import DayCount, ProrationPolicy, RemainderTo
from domain.assets.uplift import Combination
from domain.kernel.money import Rounding
from tests.oracles import Adapter, Unsupported
from tests.oracles.dialects.ending_early import DiscountRule, OnTermination, Termination, shorten_term, split_refund
from tests.oracles.dialects.invoicing import InvoiceLine, allocate, apply_invoice, charge_prepaid_units
from tests.oracles.dialects.metered import Bucket, Drawdown, RatePack, Usage, select_rate, settle_grants
from tests.oracles.dialects.metrics import ChargeSegment, OrderKind, delta_metrics
from tests.oracles.dialects.moments import EndStyle, as_instant, next_moment, write_end, write_moment
from tests.oracles.dialects.periods import Boundary, PeriodLength, billing_periods
from tests.oracles.dialects.prepaid_changes import Change, Effective, NewCharge, Side, prorate_change
from tests.oracles.dialects.proration import UnitPrice, prorate_fraction, prorate_in_period, prorate_interval
from tests.oracles.dialects.ramps import ramp_segments
from tests.oracles.dialects.uplift import renewal_price

Input = dict[str, Any]
T = TypeVar("T")
UTC_ZONE = ZoneInfo("UTC")


def understood(adapter: Adapter) -> Adapter:
    """An input that the models do not know (a parameter with a new value, say) is unsupported, not wrong."""

    @wraps(adapter)
    def run(given: Input) -> Any:
        try:
            return adapter(given)
        except ValidationError as error:
            raise Unsupported(f"input not understood: {error}") from error

    return run


def choice(kind: Callable[[Any], T], value: Any) -> T:
    """`value` as a member of an enumeration; one that it does not have is unsupported."""
    try:
        return kind(value)
    except ValueError as error:
        raise Unsupported(str(error)) from error


def policy(given: Input) -> ProrationPolicy:
    """The proration policy that the input's parameters make; what the operation does not have keeps its default."""
    return ProrationPolicy.model_validate({key: given[key] for key in ProrationPolicy.model_fields if key in given})


def rounding(given: Input) -> Rounding:
    return Rounding.model_validate(given["rounding"])


def grid(given: Input) -> tuple[PeriodLength, Boundary]:
    boundary = given["boundary"] | {"month_end_rule": given["month_end_rule"]}
    return PeriodLength.model_validate(given["period"]), Boundary.model_validate(boundary)


def optional(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def moment(text: str) -> date:
    """A written date, or an instant."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def half_open(given: Input, inclusive_end: bool) -> tuple[date, date]:
    start, end = moment(given["start"]), moment(given["end"])
    return start, next_moment(end) if inclusive_end else end


def span(given: Input, inclusive_end: bool) -> Span:
    return Span(*half_open(given, inclusive_end))


def unit_price(given: Input, key: str) -> UnitPrice | None:
    price = optional(given[key])
    return None if price is None else UnitPrice(price, given["quantity"], given.get("price_periods", 1))


def multiplier(given: Input) -> Any:
    end = None if given["to"] is None else moment(given["to"])
    if end is not None and given["inclusive_end"]:
        end = next_moment(end)
    return prorate_interval(
        moment(given["from"]),
        end,
        *grid(given),
        policy(given),
        price=unit_price(given, "unit_price"),
        billed_through=None if given["billed_through"] is None else moment(given["billed_through"]),
    )


def amount(given: Input) -> Any:
    inclusive = given["inclusive_end"]
    return prorate_in_period(
        UnitPrice(Decimal(given["price"]), given["quantity"]),
        half_open(given["service"], inclusive),
        half_open(given["period"], inclusive),
        policy(given),
        Decimal(given["tax_percent"]),
    )


def fraction(given: Input) -> Any:
    parts = given["whole_periods"], given["used_units"], given["period_units"]
    # Here `whole_periods` is a count, not the policy's parameter of that name.
    rules = policy({key: value for key, value in given.items() if key != "whole_periods"})
    return prorate_fraction(*parts, rules, unit_price(given, "price"))


def change(given: Input) -> Any:
    inclusive = given["inclusive_end"]
    return prorate_change(
        Change(
            old=Side.model_validate(given["old"]),
            new=Side.model_validate(given["new"]),
            period=half_open(given["period"], inclusive),
            moment=moment(given["change"]),
            new_period=None if given["new_period"] is None else half_open(given["new_period"], inclusive),
            effective=choice(Effective, given["effective"]),
            new_charge=choice(NewCharge, given["new_charge"]),
            already_adjusted=Decimal(given["already_adjusted"]),
        ),
        policy(given),
        Decimal(given["tax_percent"]),
    )


def written(start: date, end: date, style: EndStyle) -> Input:
    first, last = as_instant(start, UTC_ZONE), as_instant(end, UTC_ZONE)
    return {"start": write_moment(first, style), "end": write_end(last, style)}


def periods(given: Input) -> Any:
    style = choice(EndStyle, given["end_style"])
    found = billing_periods(moment(given["start"]), given["count"], *grid(given))
    return {
        "periods": [written(period.start, period.end, style) for period in found],
        "next_start": found[-1].end,
    }


def ramp(given: Input) -> Any:
    style = choice(EndStyle, given["end_style"])
    segments = ramp_segments(
        moment(given["start"]),
        given["total_months"],
        given["segment_months"],
        trial_days=given["trial_days"],
        remainder=choice(RemainderTo, given["remainder"]),
        most=None,
    )
    return {
        "segments": [
            {"kind": segment.kind, "months": segment.months} | written(segment.start, segment.end, style)
            for segment in segments
        ]
    }


def renewal(given: Input) -> Any:
    return renewal_price(
        Decimal(given["last_unit_price"]),
        Decimal(given["cpi_percent"] or 0),
        Decimal(given["spread_percent"] or 0),
        choice(Combination, given["combination"]),
        rounding(given),
    )


def refund(given: Input) -> Any:
    chargeable = given["chargeable_from"]
    return split_refund(
        Termination(
            price=Decimal(given["price"]),
            period=span(given["period"], given["inclusive_end"]),
            terminated=moment(given["terminated"]),
            invoice_total=Decimal(given["invoice_total"]),
            paid=Decimal(given["paid"]),
            chargeable_from=None if chargeable is None else moment(chargeable),
            tax_percent=Decimal(given["tax_percent"]),
            fee_coupon=Decimal(given["fee_coupon"]),
            prior_credit_net=Decimal(given["prior_credit_net"]),
        ),
        policy(given),
        choice(OnTermination, given["on_termination"]),
    )


def invoice(given: Input) -> Any:
    lines = [InvoiceLine.model_validate(line) for line in given["lines"]]
    return apply_invoice(lines, Decimal(given["open_balance"]), Decimal(given["account_credit"]), rounding(given))


def units(given: Input) -> Any:
    if given["charge_above"] != "highest_paid":
        raise Unsupported(f"prepaid units are charged above the highest count paid, not {given['charge_above']}")
    return {"charges": charge_prepaid_units(Decimal(given["unit_price"]), given["units"], rounding(given))}


def remainder(given: Input) -> Any:
    weights = [Decimal(weight) for weight in given["weights"]]
    where = choice(RemainderTo, given["remainder_to"])
    return allocate(Decimal(given["total"]), weights, Decimal(given["weight_total"]), rounding(given), where)


def shorten(given: Input) -> Any:
    return shorten_term(
        Decimal(given["charge"]),
        Decimal(given["fixed_discount"]),
        given["original_months"],
        given["new_months"],
        choice(DiscountRule, given["discount_rule"]),
        rounding(given),
    )


def grants(given: Input) -> Any:
    return settle_grants(
        [Bucket.model_validate(bucket) for bucket in given["buckets"]],
        [Usage.model_validate(usage) for usage in given["usage"]],
        choice(Drawdown, given["drawdown"]),
        rounding(given),
        optional(given["overage_rate"]),
    )


def rate(given: Input) -> Any:
    if given["overlap"] != "latest_start_then_lowest_rate":
        raise Unsupported(f"of overlapping packs the latest, then the lowest holds, not {given['overlap']}")
    packs = [RatePack.model_validate(pack) for pack in given["packs"]]
    return select_rate(date.fromisoformat(given["on"]), Decimal(given["base_rate"]), packs)


def delta(given: Input) -> Any:
    def segments(key: str) -> list[ChargeSegment]:
        return [
            ChargeSegment(
                span=span(segment, given["inclusive_end"]),
                quantity=segment["quantity"],
                unit_price=Decimal(segment["unit_price"]),
                list_price=Decimal(segment["list_price"]),
                discount_percent=Decimal(segment["discount_percent"]),
            )
            for segment in given[key]
        ]

    return delta_metrics(
        choice(OrderKind, given["kind"]),
        moment(given["effective"]),
        segments("before"),
        segments("after"),
        choice(DayCount, given["tcb_day_count"]),
        rounding(given),
    )


ADAPTERS: dict[str, Adapter] = {
    op: understood(adapter)
    for op, adapter in {
        "proration.multiplier": multiplier,
        "proration.amount": amount,
        "proration.fraction": fraction,
        "change.prorate": change,
        "billing.periods": periods,
        "ramp.segments": ramp,
        "renew.price": renewal,
        "refund.split": refund,
        "invoice.apply": invoice,
        "units.charge": units,
        "allocate.remainder": remainder,
        "term.shorten": shorten,
        "usage.grants": grants,
        "rate.select": rate,
        "metrics.delta": delta,
    }.items()
}
