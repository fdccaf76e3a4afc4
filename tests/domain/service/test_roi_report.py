"""The return, from own data where there is some: every input says where it comes from."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from domain.service.roi import Benefit, RoiInputs
from domain.service.roi_report import OwnData, OwnRevenue, RoiReport, read_inputs, roi_report
from domain.service.sla_report import SlaReport, total

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def own(cases: int = 1200, **revenue: Any) -> OwnData:
    facts = OwnRevenue.model_validate({"currency": "EUR", "since": SINCE, "until": UNTIL, **revenue})
    service = SlaReport(
        since=SINCE,
        until=UNTIL,
        cases=cases,
        total=total([], []),
        by_priority=(),
        by_product=(),
        by_week=(),
        waited_longest=(),
    )
    return OwnData(revenue=facts, service=service)


def report(document: Any = None, **revenue: Any) -> RoiReport:
    return roi_report(read_inputs(document), own(**revenue), own())


def test_every_input_says_whether_it_is_data_assumed_or_given() -> None:
    inputs = report({"inputs": {"margin_percent": 55, "hourly_cost": {"value": "52", "source": "payroll"}}}).inputs
    sources = {name: getattr(inputs, name).source for name in RoiInputs.model_fields}
    assert all(
        source.startswith(("own data: ", "assumed: ")) or source in ("payroll", "given in the inputs file")
        for source in sources.values()
    )
    assert sources["cases_month"].startswith("own data: 1200 cases opened 2025-01-01 to 2026-01-01")
    assert [inputs.margin_percent.value, inputs.hourly_cost.value] == [55, 52]


def test_what_follows_from_the_hourly_cost_follows_the_given_one() -> None:
    inputs = report({"inputs": {"hourly_cost": 100}}).inputs
    assert [inputs.set_up_once.value, inputs.training_once.value, inputs.run_month.value] == [12000, 4000, 800]


def test_own_data_is_brought_to_a_month_or_a_year() -> None:
    inputs = report(expanded=Decimal(500), refunded=Decimal(1200), renewed=Decimal(800), lost=Decimal(200)).inputs
    assert inputs.cases_month.value == Decimal("100.1")
    assert inputs.refunds_month.value == Decimal("100.07")
    assert inputs.expansion_year.value == Decimal("500.34")
    assert inputs.churn_percent_before.value == Decimal("20.00")
    assert inputs.churn_percent_after.value == Decimal("18.00")


def test_churn_is_assumed_while_no_contract_was_up_for_renewal() -> None:
    inputs = report().inputs
    assert inputs.churn_percent_before.source.startswith("assumed")
    assert inputs.churn_percent_before.value == 10


def test_three_scenarios_come_out_in_the_currency_of_the_data() -> None:
    found = report(at_risk=Decimal(100_000))
    assert [one.scenario.name for one in found.results] == ["cautious", "expected", "optimistic"]
    cautious, expected, optimistic = found.results
    assert cautious.net < expected.net < optimistic.net
    # A tenth of ten percent of what is at risk, at 70 percent margin, over three years.
    assert expected.benefits[Benefit.RETAINED_REVENUE] == Decimal(2100)
    assert found.currency == "EUR"


def test_an_amount_is_never_assumed_in_a_currency_without_one() -> None:
    with pytest.raises(Refusal, match="no hourly cost is assumed in CHF") as refused:
        report(currency="CHF")
    assert refused.value.problems[0].field == "inputs.hourly_cost"
    assert report({"inputs": {"hourly_cost": 90}}, currency="CHF").currency == "CHF"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"inputs": {"hourly_costs": 1}}, "'hourly_costs' is no input"),
        ({"inputs": {"hourly_cost": "many"}}, "decimal number"),
        ({"inputs": {"hourly_cost": {"value": 1, "source": ""}}}, "at least 1"),
        ({"months": 0}, "at least 1"),
        ({"currency": "euro"}, "currency"),
        ({"horizon": 12}, "not a field"),
    ],
)
def test_inputs_that_cannot_be_used_are_named(document: Any, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        read_inputs(document)
