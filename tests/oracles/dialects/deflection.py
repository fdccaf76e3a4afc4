"""What is saved when more cases solve themselves."""

from __future__ import annotations

from decimal import Decimal

from domain.kernel.base import Carried
from domain.kernel.business_errors import ServiceRuleError
from domain.service.roi import HUNDRED, ZERO


class DeflectionSaving(Carried):
    """The monthly cost of cases before and after more of them solve themselves; amounts in one currency."""

    cost_per_case: Decimal
    baseline_month: Decimal
    new_month: Decimal
    saving_month: Decimal


def deflection_saving(
    cases_month: Decimal,
    each: Decimal,
    *,
    current_percent: Decimal,
    new_percent: Decimal,
    automated_cost: Decimal = ZERO,
) -> DeflectionSaving:
    """What a month saves when the share of cases that need no person changes from `current_percent` to `new_percent`.

    Args:
        each: cost of a case that a person handles.
        automated_cost: cost of a case that needs no person.

    Raises:
        ServiceRuleError: a share outside 0 to 100, or a negative number of cases or cost.
    """
    for name, value in (("current", current_percent), ("new", new_percent)):
        if not ZERO <= value <= HUNDRED:
            raise ServiceRuleError(f"the {name} share is {value} percent; give 0 to 100")
    for name, value in (("cases", cases_month), ("cost of a case", each), ("automated cost", automated_cost)):
        if value < 0:
            raise ServiceRuleError(f"the {name} may not be negative ({value}); give zero or more")

    def month(percent: Decimal) -> Decimal:
        alone = cases_month * percent / HUNDRED
        return (cases_month - alone) * each + alone * automated_cost

    baseline, new = month(current_percent), month(new_percent)
    return DeflectionSaving(cost_per_case=each, baseline_month=baseline, new_month=new, saving_month=baseline - new)
