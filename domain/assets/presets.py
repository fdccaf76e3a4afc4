"""Ready-made proration conventions. They are data: any other set of parameters works as well."""

from __future__ import annotations

from types import MappingProxyType

from domain.assets.proration_policy import (
    AmountFrom,
    ChangeDay,
    DayCount,
    Partial,
    Precision,
    ProrationPolicy,
    RoundOn,
    StubDenominator,
    WholePeriods,
)
from domain.kernel.money import Rounding, RoundingMode

_NINE = Rounding(decimals=9)

PRORATION_PRESETS = MappingProxyType(
    {
        "actual_days": ProrationPolicy(multiplier_rounding=Rounding(decimals=6)),
        "touched_periods": ProrationPolicy(partial=Partial.COUNT_WHOLE, multiplier_rounding=Rounding(decimals=6)),
        "full_price": ProrationPolicy(partial=Partial.CHARGE_FULL),
        "actual_over_30": ProrationPolicy(
            day_count=DayCount.ACTUAL_30, whole_periods=WholePeriods.BY_DAYS, multiplier_rounding=_NINE
        ),
        "thirty_over_360": ProrationPolicy(
            day_count=DayCount.THIRTY_MONTH_END, whole_periods=WholePeriods.BY_DAYS, multiplier_rounding=_NINE
        ),
        "nine_decimals": ProrationPolicy(
            stub_denominator=StubDenominator.BOUNDARY_MINUS_PERIOD,
            multiplier_rounding=_NINE,
            amount_from=AmountFrom.ROUNDED_MULTIPLIER,
        ),
        "nine_decimals_thirty_days": ProrationPolicy(
            day_count=DayCount.THIRTY,
            stub_denominator=StubDenominator.BOUNDARY_MINUS_PERIOD,
            multiplier_rounding=_NINE,
            amount_from=AmountFrom.ROUNDED_MULTIPLIER,
        ),
        "whole_months": ProrationPolicy(precision=Precision.MONTH),
        "change_day_used": ProrationPolicy(change_day_belongs_to=ChangeDay.OLD),
        "seconds": ProrationPolicy(precision=Precision.SECOND),
        "seconds_net": ProrationPolicy(
            precision=Precision.SECOND, round_on=RoundOn.NET, rounding=Rounding(mode=RoundingMode.DOWN)
        ),
    }
)
"""By name; the rounding is that of a currency with two decimals and is replaced for others."""
