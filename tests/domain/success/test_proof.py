"""A score against what became of accounts: judged pair by pair, whoever was active, whatever is missing."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.success.figures import OfColumn
from domain.success.fitting import LARGEST_SHARE, NothingToFitError, fit
from domain.success.profiles import HealthProfile, Input, band, score
from domain.success.proof import Seen, auc, prove

DAY = date(2027, 4, 1)


def _input(name: str, **more: object) -> Input:
    return Input.model_validate({"name": name, "value": {"column": name}, "weight": 1, **more})


def _profile(*inputs: Input, **more: object) -> HealthProfile:
    return HealthProfile.model_validate({"profile": "ours", "version": 1, "inputs": inputs, **more})


def _seen(account: str, left: bool, day: date = DAY, active: bool | None = None, **values: Any) -> Seen:
    return Seen(account, day, values, left, active)


outcomes = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({left for _, left in rows}) == 2
)


@given(outcomes)
def test_a_figure_of_pairs_is_what_counting_all_pairs_gives(rows: list[tuple[int, bool]]) -> None:
    gone = [its for its, left in rows if left]
    stayed = [its for its, left in rows if not left]
    counted = sum((one < other) + (one == other) / 2 for one in gone for other in stayed) / len(gone) / len(stayed)
    found = auc([(_seen(str(at), left), float(its)) for at, (its, left) in enumerate(rows)])
    assert found is not None
    assert found.value == pytest.approx(counted)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_interval_is_delongs() -> None:
    # Worked by hand: left 1, 3; stayed 2, 4, 5. Placements 1 and 2/3; 1/2, 1, 1. Variances 1/18 / 2 + 1/12 / 3.
    rows = [("a", True, 1.0), ("b", True, 3.0), ("c", False, 2.0), ("d", False, 4.0), ("e", False, 5.0)]
    found = auc([(_seen(who, left), its) for who, left, its in rows])
    assert found is not None
    assert found.value == pytest.approx(5 / 6)
    # By account the sums of squares are divided once for both kinds: 5/4 x (2 x (1/12)^2 + (1/9)^2 + 2 x (1/18)^2).
    squares = 2 * (1 / 12) ** 2 + (1 / 9) ** 2 + 2 * (1 / 18) ** 2
    assert found.low == pytest.approx(5 / 6 - 1.959964 * (5 / 4 * squares) ** 0.5, abs=1e-6)


def test_the_same_accounts_seen_again_are_no_new_evidence() -> None:
    dice = random.Random(5)
    rows = [(_seen(f"A{n}", dice.random() < 0.4), dice.random()) for n in range(80)]
    once, thrice = auc(rows), auc(rows * 3)
    assert once is not None
    assert thrice is not None
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low)


def test_the_lift_of_the_riskiest_tenth_counts_a_share_of_equals() -> None:
    seen = [_seen(f"A{n}", n < 2, use=0 if n < 4 else 50) for n in range(20)]
    proof = prove(_profile(_input("use")), seen)
    # Two places in the riskiest tenth are shared by four equals, of whom two left: one of two, where two of twenty left.
    assert proof.lift == pytest.approx((1 / 2) / (2 / 20))


def test_ranks_are_among_the_accounts_of_the_same_day() -> None:
    later = date(2027, 7, 1)
    alone = [_seen(f"A{n}", n < 3, use=n) for n in range(10)]
    richer = [_seen(f"B{n}", n < 3, later, use=1000 + n) for n in range(10)]
    of_both = prove(_profile(_input("use")), [*alone, *richer])
    assert of_both.auc is not None
    assert of_both.auc.value == prove(_profile(_input("use")), alone).auc.value  # type: ignore[union-attr]
    assert [one.quarter for one in of_both.quarters] == ["2027Q1", "2027Q2"]


def test_what_is_missing_counts_neither_for_nor_against_and_too_little_is_no_score() -> None:
    profile = _profile(
        _input("seats", curve=[[0, 0], [10, 100]]), _input("cases", curve=[[0, 100], [5, 0]], better="less", weight=3)
    )
    both, one, none = score(profile, [{"seats": 5, "cases": 0}, {"seats": 5}, {"cases": 2.5, "seats": None}])
    assert both.score == pytest.approx((50 + 3 * 100) / 4)
    assert one.score is None
    assert none.score == 50
    assert [band(profile, its) for its in (None, 39.9, 40, 69.9, 70)] == [
        "unknown",
        "critical",
        "watch",
        "watch",
        "healthy",
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"curve": [[1, 0], [1, 100]]}, "the values of a curve rise"),
        ({"curve": [[0, 100], [1, 0]]}, "`better: more` and 0 points at 1"),
        ({"curve": [[0, 0]]}, "two points at least"),
        ({"words": {"a": 1}}, "a number has a `curve`"),
        ({"weight": 0}, "greater than 0"),
        ({"value": {"colour": "x"}}, "union_tag_not_found|Unable to extract tag"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _input("use", **wrong)


def _world(count: int, seed: int) -> list[Seen]:
    """Accounts of which the idle and those without answers leave; colour and noise say nothing."""
    dice = random.Random(seed)
    seen = []
    for n in range(count):
        use, answers = dice.randint(0, 30), dice.random()
        risk = 0.7 - 0.02 * use - 0.3 * answers
        values: dict[str, Any] = {
            "use": use,
            "answers": answers if dice.random() < 0.9 else None,
            "noise": dice.random(),
        }
        seen.append(_seen(f"A{n}", dice.random() < risk, active=use > 5, **values, plan=dice.choice("xyz")))
    return seen


def _shape() -> HealthProfile:
    plan = Input.model_validate({"name": "plan", "value": {"category": "plan"}, "weight": 1})
    return _profile(_input("noise", weight=9), _input("use"), _input("answers"), plan)


def test_what_was_fitted_to_one_period_tells_more_of_the_next_and_every_curve_keeps_its_way() -> None:
    fitted = fit(_shape(), _world(900, 1), "the first")
    plain, better = prove(_shape(), _world(900, 2)), prove(fitted, _world(900, 2))
    assert plain.auc is not None
    assert better.auc is not None
    assert better.auc.value > plain.auc.value + 0.1
    assert better.active is not None
    assert better.reliable
    weights = {one.name: one.weight for one in fitted.inputs}
    assert max(weights.values()) <= 100 * LARGEST_SHARE + 0.01
    assert weights["use"] > weights.get("noise", 0)
    for one in fitted.inputs:
        heights = [points for _, points in one.curve or ()]
        assert heights == sorted(heights)
    HealthProfile.model_validate(fitted.model_dump())


def test_chances_of_a_fitted_score_are_near_what_happened_next() -> None:
    proof = prove(fit(_shape(), _world(900, 1), "the first"), _world(900, 2))
    told = [one.foretold for one in proof.tenths if one.foretold is not None]
    assert len(told) == 10
    assert told == sorted(told, reverse=True)
    assert sum(told) / 10 == pytest.approx(proof.left / proof.scored, abs=0.05)


def test_too_few_are_not_fitted_and_a_coin_is_called_one() -> None:
    few = [_seen(f"A{n}", n < 5, use=n) for n in range(200)]
    with pytest.raises(NothingToFitError, match="5 accounts left and 195 stayed"):
        fit(_profile(_input("use")), few, "x")
    dice = random.Random(3)
    coin = [_seen(f"A{n}", dice.random() < 0.3, use=dice.random()) for n in range(600)]
    proof = prove(_profile(_input("use")), coin)
    assert not proof.reliable
    assert "no power" in proof.says
    assert "too few" in prove(_profile(_input("use")), few).says
    assert "nobody left" in prove(_profile(_input("use")), [_seen("A", False, use=1)]).says


def test_a_share_of_few_is_pulled_towards_that_of_all() -> None:
    from domain.success.figures import Record, figures

    records = [Record("A", {"late": "1", "sent": "1"}), Record("B", {"late": "9", "sent": "99"})]
    found = figures({"late": OfColumn(column="late", over="sent", prior=10)}, records, DAY)
    # Of all 100 ten were late: as if ten more had been sent, of which one was.
    assert [one["late"] for one in found] == [pytest.approx(2 / 11), pytest.approx(10 / 109)]
