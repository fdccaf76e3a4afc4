"""What can be wrong with a rule's input about business time: named errors, each with a code and a sentence of advice."""

from __future__ import annotations

from domain.kernel.rule_errors import RuleError


class ServiceRuleError(RuleError):
    """A rule of service refuses its input."""


class NaiveInstantError(ServiceRuleError):
    """An instant came without its offset from UTC."""


class UnknownTimezoneError(ServiceRuleError):
    """A time zone that the IANA database does not have."""

    code = "unknown_timezone"


class PeriodEndBeforeStartError(ServiceRuleError):
    """Opening hours, a pause or a window that end before they start."""

    code = "period_end_before_start"


class ClosureEndBeforeStartError(ServiceRuleError):
    """A closure that, as instants, ends before or when it starts."""

    code = "closure_end_before_start"


class OverlappingHoursError(ServiceRuleError):
    """Opening hours of one day that overlap; reading merges them, saving refuses them."""

    code = "overlapping_hours"


class NoOpenHoursError(ServiceRuleError):
    """A calendar that is never open: no promise can be kept on it."""

    code = "no_open_hours"


class CalendarExhaustedError(ServiceRuleError):
    """No answer inside the years that a calendar looks ahead."""

    code = "calendar_exhausted"


class NegativeTargetError(ServiceRuleError):
    """A target below zero where only going forward is allowed."""

    code = "negative_target"


class UnknownCountryError(ServiceRuleError):
    """A country or subdivision whose public holidays are not known."""

    code = "unknown_country"
