from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.success.retention import (
    CustomerRevenue,
    cohort_retention,
    cohorts,
    quarter_ends,
    retention_rates,
    revenue_retention,
)
from domain.success.surveys import SurveyMethod, survey_score
from tests.oracles.dialects.adoption import adoption_rate
from tests.oracles.dialects.scores import (
    ClosedEnd,
    Grade,
    Outside,
    ScoreBand,
    band_of,
    linear_points,
    rule_grade,
)

BANDS = [ScoreBand(name=name, start=Decimal(start)) for name, start in (("low", 0), ("mid", 40), ("high", 70))]


def test_satisfied_answers_round_half_up_and_none_says_nothing() -> None:
    found = survey_score(SurveyMethod.CSAT_TOP_BOX, {5: 1, 4: 4, 1: 3}, scale=(1, 5), satisfied_from=4)
    assert (found.value, found.rounded, found.positive) == (Decimal("62.5"), 63, 5)
    none = survey_score(SurveyMethod.CES_MEAN, {}, scale=(1, 7))
    assert (none.value, none.rounded, none.responses) == (None, None, 0)


def test_passives_stay_in_the_base_of_the_promoter_score() -> None:
    found = survey_score(SurveyMethod.NPS, {10: 1, 8: 2, 6: 2}, scale=(0, 10))
    assert (found.value, found.positive, found.negative) == (Decimal(-20), 1, 2)


@pytest.mark.parametrize(("counts", "scale"), [({6: 1}, (1, 5)), ({0: 1}, (1, 5)), ({3: -1}, (1, 5))])
def test_answers_off_the_scale_are_refused(counts: dict[int, int], scale: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="correct the answers"):
        survey_score(SurveyMethod.CES_MEAN, counts, scale=scale)
    with pytest.raises(ValueError, match="counts as satisfied"):
        survey_score(SurveyMethod.CSAT_TOP_BOX, {3: 1}, scale=scale)


def test_growth_of_one_customer_never_hides_the_loss_of_another() -> None:
    pairs = [(100, 150), (100, 60), (100, 0), (0, 500)]
    found = cohort_retention(CustomerRevenue(start=Decimal(start), end=Decimal(end)) for start, end in pairs)
    movements = [found.starting, found.expansion, found.contraction, found.churn]
    assert movements == [Decimal(300), Decimal(50), Decimal(40), Decimal(100)]
    assert found.rates.gross_percent == Decimal(160) / 300 * 100
    assert found.rates.net_percent == Decimal(210) / 300 * 100
    assert found.logo_percent == Decimal(2) / 3 * 100
    assert cohort_retention([]).logo_percent is None
    assert retention_rates(*[Decimal(0)] * 4).net_percent is None


def test_adoption_may_exceed_all_seats_and_needs_a_base() -> None:
    assert adoption_rate(Decimal(12), Decimal(10)) == 120
    assert adoption_rate(Decimal(12), Decimal(0)) is None


@pytest.mark.parametrize(
    ("score", "lower", "upper"), [(-5, "low", "low"), (0, "low", "low"), (40, "mid", "low"), (70, "high", "mid")]
)
def test_band_edges(score: int, lower: str, upper: str) -> None:
    assert band_of(Decimal(score), BANDS) == lower
    assert band_of(Decimal(score), BANDS, ClosedEnd.UPPER) == upper
    assert band_of(Decimal(score), []) is None


def test_linear_points_run_either_way_and_end_as_asked() -> None:
    falling = (Decimal(10), Decimal(0)), (Decimal(0), Decimal(100))
    assert linear_points(Decimal(4), *falling) == 60
    assert linear_points(Decimal(-3), *falling) == 100
    assert linear_points(Decimal(-3), *falling, Outside.NONE) == 0
    with pytest.raises(ValueError, match="two different ends"):
        linear_points(Decimal(1), (Decimal(1), Decimal(1)), (Decimal(0), Decimal(1)))


@pytest.mark.parametrize(
    ("attributes", "grade"),
    [
        ([], None),
        ([None], None),
        ([Grade.GOOD, None], Grade.GOOD),
        ([Grade.GOOD, Grade.AVERAGE], Grade.AVERAGE),
        ([Grade.GOOD, Grade.POOR, Grade.AVERAGE], Grade.POOR),
    ],
)
def test_the_rule_of_good_average_and_poor(attributes: list[Grade | None], grade: Grade | None) -> None:
    assert rule_grade(attributes) is grade


def test_revenue_of_an_account_is_new_kept_grown_shrunk_or_lost() -> None:
    start = {"kept": 10, "grew": 10, "shrank": 10, "left": 20, "idle": 0}
    end = {"kept": 10, "grew": 15, "shrank": 4, "new": 29, "idle": 0}
    found = revenue_retention("EUR", {k: Decimal(v) for k, v in start.items()}, {k: Decimal(v) for k, v in end.items()})
    assert {one.account_id: one.kind for one in found.movements} == {
        name: name for name in ("new", "left", "shrank", "grew", "kept")
    }
    assert found.cohort.rates.gross_percent == Decimal(24) / 50 * 100
    assert found.cohort.rates.net_percent == Decimal(29) / 50 * 100
    assert [found.new, found.end, found.from_existing_percent] == [Decimal(29), Decimal(58), Decimal(50)]


def test_cohorts_follow_customers_from_the_quarter_of_their_first_revenue() -> None:
    ends = quarter_ends(date(2026, 2, 1), date(2026, 10, 1))
    assert ends == [date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1)]
    revenue = [
        {"a": Decimal(5), "b": Decimal(5)},
        {"a": Decimal(7), "b": Decimal(0), "c": Decimal(3)},
        {"a": Decimal(7), "b": Decimal(2)},
    ]
    found = cohorts(ends, revenue)
    assert [(one.quarter, one.customers) for one in found] == [("until 2026Q1", (2, 1, 2)), ("2026Q2", (1, 0))]
    assert [[int(amount) for amount in one.revenue] for one in found] == [[10, 7, 9], [3, 0]]
