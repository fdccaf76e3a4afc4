"""The health score: what is missing is left out, what is amiss caps it, and every result says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from activities.channels.staff_words import StaffWords, sentences
from activities.health_profiles import read_score_profiles
from domain.frame.case_words import Priority
from domain.frame.health_facts import (
    BlockSign,
    CaseSign,
    GivenBack,
    HealthEvidence,
    HealthOverride,
    PaymentSign,
    Rated,
    RenewalSign,
    ScoreBefore,
    TaskProgress,
    UseSign,
)
from domain.success.health import Health, News, assess
from domain.success.score_profiles import LifeStage, ScoreProfile, profile_for
from domain.success.score_rules import Band, band_of

NOW = datetime(2027, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PROFILES = read_score_profiles()
JAPANESE = StaffWords(sentences("ja"), {})


def seats(active: str = "32", earlier: str | None = "32", latest: date = date(2027, 5, 31)) -> UseSign:
    """40 seats of one product, and how many are in use."""
    before = None if earlier is None else Decimal(earlier)
    return UseSign(
        product="SEATS",
        name="Workspace",
        seats=40,
        latest_day=latest,
        recent=Decimal(active),
        earlier=before,
        last=Decimal(1),
    )


IDLE = UseSign(product="MORE", name="More", seats=10, latest_day=NOW.date(), recent=Decimal(0), last=Decimal(0))
DONE = TaskProgress(total=6, settled=6, late=0)


def evidence(**known: Any) -> HealthEvidence:
    """A customer of a year whose use is what it should be, but for what is `known` otherwise."""
    usual: dict[str, Any] = {"products": [seats()], "tasks": DONE, "heard_at": NOW - 3 * DAY}
    return HealthEvidence(
        **{
            "account_id": "C",
            "segment": "standard",
            "time_zone": "Europe/Berlin",
            "since": NOW - 365 * DAY,
            "as_of": NOW,
            "today": NOW.date(),
            **usual,
            **known,
        }
    )


def assessed(**known: Any) -> Health:
    """The health of such a customer."""
    return assess(evidence(**known), PROFILES)


def case(**known: Any) -> CaseSign:
    """An urgent case that was opened yesterday."""
    usual = {"case_id": "C-1", "priority": Priority.URGENT, "opened_at": NOW - DAY, "open": True, "at": NOW - DAY}
    return CaseSign(**{**usual, **known})


def renewal(status: str = "active", days: int = 200, **known: Any) -> RenewalSign:
    """A contract that ends in so many days."""
    until = NOW.date() + timedelta(days=days + 1)
    usual = {"contract_id": "K-1", "status": status, "status_at": NOW - DAY, "number": 1, "until": until}
    return RenewalSign(**{**usual, "auto_renew": False, "answer_by": until - DAY, **known})


def before(band: str, score: int | None = 90, days: int = 1) -> ScoreBefore:
    """A score of some days ago."""
    return ScoreBefore(at=NOW - days * DAY, score=score, band=band, since=NOW - days * DAY)


def rules(health: Health) -> set[str]:
    """The names of the rules that bore on it."""
    return {rule.name for rule in health.rules}


def test_what_is_used_as_it_should_be_is_healthy_and_what_is_not_known_counts_for_nothing() -> None:
    health = assessed()
    assert (health.band, health.profile) == (Band.HEALTHY, "standard")
    # (100*5 + 71.4*3) / 8 of 50, with 5 of onboarding and 10 of engagement at 100, over the 65 that are known
    assert health.score == round((50 * (500 + 3 * 500 / 7) / 8 + 15 * 100) / 65)
    states = {part.name: part.state for part in health.parts}
    assert states["recommends"] == states["invoices"] == states["sponsor"] == "missing"
    assert states["breadth"] == states["open_cases"] == states["renewal"] == "absent"
    assert sum(part.brings for part in health.parts) == pytest.approx(health.score, abs=Decimal("0.5"))
    assert sum(part.weight for part in health.parts) == pytest.approx(100, abs=Decimal("0.1"))
    invoices = next(part for part in health.parts if part.name == "invoices")
    assert (invoices.value, invoices.says) == (None, "no payment is on record")


def test_what_is_missing_falls_to_the_others_of_its_group_alone() -> None:
    with_trend, without = assessed(), assessed(products=[seats(earlier=None)])
    voice = {"recommends": Rated(score=0, at=NOW - DAY)}
    weight = {part.name: part.weight for part in with_trend.parts}
    assert {part.name: part.weight for part in without.parts} == weight
    brought = {part.name: part.brings for part in without.parts}
    assert brought["seats"] == pytest.approx(Decimal(5000) / 65)  # all of the group, at 100 points
    assert assessed(**voice).score == round(
        (with_trend.score or 0) * 65 / 80
    )  # ratings are missing: their weight is its own


@pytest.mark.parametrize(
    "known",
    [
        {"products": [seats(latest=date(2027, 4, 1))]},
        {"products": []},
        {"products": [IDLE.having(latest_day=None, recent=None, last=None)]},
    ],
)
def test_less_than_half_of_the_weight_is_unknown_and_old_figures_are_none(known: dict[str, Any]) -> None:
    health = assessed(**known)
    assert (health.score, health.band) == (None, Band.UNKNOWN)
    if known["products"] and known["products"][0].latest_day:
        part = next(part for part in health.parts if part.name == "seats")
        assert (part.state, "too old to count" in part.says) == ("stale", True)


def test_a_quiet_desk_is_not_taken_for_happiness() -> None:
    assert assessed(cases=[]).score == assessed().score
    closed = case(open=False, priority=Priority.LOW)
    assert assessed(cases=[closed]).score != assessed().score
    assert assessed(cases=[closed.having(at=NOW - 200 * DAY)]).score == assessed().score


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"products": [seats(active="8")]}, "seats"),
        ({"products": [seats(earlier="64")]}, "trend"),
        ({"products": [seats(), IDLE]}, "breadth"),
        ({"cases": [case()]}, "open_cases"),
        ({"cases": [case(priority=Priority.LOW, opened_at=NOW - 40 * DAY)]}, "backlog"),
        ({"cases": [case(open=False, resolution_late=True)]}, "broken_promises"),
        ({"cases": [case(open=False, reopened=True)]}, "reopened"),
        ({"claims": [GivenBack(claim_id="1", waiting=True, at=NOW - DAY)]}, "money_back"),
        ({"ratings": [Rated(score=1, at=NOW - DAY)]}, "ratings"),
        ({"recommends": Rated(score=2, at=NOW - DAY)}, "recommends"),
        ({"heard_at": NOW - 100 * DAY}, "silence"),
        ({"sponsor_left_at": NOW - DAY}, "sponsor"),
        ({"renewals": [renewal("declined")]}, "renewal"),
        ({"renewals": [renewal(days=10)]}, "renewal"),
        ({"tasks": TaskProgress(total=6, settled=2, late=3)}, "onboarding"),
        ({"payments": [PaymentSign(invoice="7", status="overdue", day=NOW.date() - 20 * DAY, at=NOW)]}, "invoices"),
    ],
)
def test_each_input_costs_points_and_says_why(known: dict[str, Any], name: str) -> None:
    health = assessed(**known)
    part = next(part for part in health.parts if part.name == name)
    assert part.value is not None
    assert part.value < 100
    assert part.costs > 0
    assert part.says
    assert part.says in health.why or health.rules
    assert JAPANESE.said(health.why) is not None, health.why


def test_silence_counts_from_the_forty_fifth_day() -> None:
    points = {
        days: next(p.value for p in assessed(heard_at=NOW - days * DAY).parts if p.name == "silence")
        for days in (45, 46, 120)
    }
    assert points[45] == 100
    assert Decimal(98) < (points[46] or 0) < 100
    assert points[120] == 0


URGENT_FOR_LONG = case(opened_at=NOW - 8 * DAY)


@pytest.mark.parametrize(
    ("known", "rule", "score", "band"),
    [
        ({"renewals": [renewal("declined")]}, "declined", 69, Band.WATCH),
        ({"renewals": [renewal("grace", days=-5)]}, "grace", 69, Band.WATCH),
        ({"blocks": [BlockSign(says="case C-9 is escalated", since=NOW - DAY)]}, "blocked", 69, Band.WATCH),
        ({"cases": [URGENT_FOR_LONG]}, "pressing_case", 40, Band.WATCH),
        ({"sponsor_left_at": NOW - DAY}, "sponsor_left", 60, Band.WATCH),
        ({"payments": [PaymentSign(invoice="7", status="overdue", day=NOW.date(), at=NOW)]}, "overdue", 69, Band.WATCH),
    ],
)
def test_what_is_amiss_caps_whatever_the_mean_says(known: dict[str, Any], rule: str, score: int, band: Band) -> None:
    health = assessed(**known)
    assert (health.score, health.band) == (score, band)
    assert rule in rules(health)
    assert health.cause == rule
    assert health.why.startswith(health.rules[0].says)
    assert JAPANESE.said(health.why) is not None, health.why


def test_what_is_amiss_does_not_add_up_to_more_than_the_gravest() -> None:
    known = {"renewals": [renewal("declined")], "cases": [URGENT_FOR_LONG], "sponsor_left_at": NOW - DAY}
    health = assessed(**known)
    assert health.score == 40
    assert rules(health) == {"declined", "pressing_case", "sponsor_left"}
    assert not assessed(cases=[case(opened_at=NOW - 7 * DAY)]).rules
    assert not assessed(sponsor="Mia", sponsor_left_at=NOW - DAY).rules


def test_a_person_may_say_otherwise_for_a_while_but_not_that_whoever_leaves_is_healthy() -> None:
    says = HealthOverride(
        band="critical", reason="their budget is cut", by="s-2", since=NOW - DAY, until=NOW + 20 * DAY
    )
    health = assessed(override=says)
    assert (health.band, rules(health)) == (Band.CRITICAL, {"override"})
    assert "s-2 says critical until 2027-06-21: their budget is cut" in health.why
    well = says.having(band="healthy")
    assert assessed(override=well, products=[seats(active="2")]).band is Band.HEALTHY
    assert assessed(override=well, renewals=[renewal("declined")]).band is Band.WATCH
    assert assessed(override=well, products=[]).band is Band.HEALTHY


@pytest.mark.parametrize(
    ("last", "score", "band"),
    [
        ("healthy", 69, Band.HEALTHY),
        ("healthy", 68, Band.HEALTHY),
        ("healthy", 67, Band.WATCH),
        ("watch", 70, Band.WATCH),
        ("watch", 72, Band.WATCH),
        ("watch", 73, Band.HEALTHY),
        ("watch", 38, Band.WATCH),
        ("watch", 37, Band.CRITICAL),
        ("critical", 42, Band.CRITICAL),
        ("critical", 43, Band.WATCH),
        ("healthy", 39, Band.CRITICAL),
        ("unknown", 70, Band.HEALTHY),
        (None, 69, Band.WATCH),
    ],
)
def test_a_score_at_an_edge_does_not_flap(last: str | None, score: int, band: Band) -> None:
    groups = [{"group": "voice", "weight": 1, "inputs": [{"measure": "recommends", "weight": 1, "line": [0, 100]}]}]
    profile = ScoreProfile.model_validate({"profile": "p", "version": 1, "groups": groups})
    earlier = before(last) if last else None
    known = evidence(recommends=Rated(score=score, at=NOW), last=earlier, known=earlier if last != "unknown" else None)
    health = assess(known, [profile])
    assert (health.score, health.band) == (score, band)
    assert ("hysteresis" in rules(health)) is (band_of(profile, score) is not band)


def test_half_a_point_rounds_up_once_at_the_end() -> None:
    inputs = [{"measure": name, "weight": 1, "line": [0, 10]} for name in ("recommends", "ratings")]
    profile = ScoreProfile.model_validate(
        {"profile": "p", "version": 1, "groups": [{"group": "g", "weight": 1, "inputs": inputs}]}
    )
    found = assess(
        evidence(recommends=Rated(score=7, at=NOW), ratings=[Rated(score=4, at=NOW), Rated(score=3, at=NOW)]), [profile]
    )
    assert found.score == 53  # (70 + 35) / 2 = 52.5


def test_it_is_dropping_by_ten_points_or_a_band() -> None:
    score = assessed().score or 0
    for then, dropping in ((score + 10, True), (score + 9, False), (score - 30, False)):
        trend = assessed(month_ago=before("healthy", then, 31)).trend
        assert trend is not None
        assert (trend.points, trend.dropping) == (score - then, dropping)
    fell = assessed(month_ago=before("healthy", 72, 31), sponsor_left_at=NOW - DAY, products=[seats(active="30")]).trend
    assert fell is not None
    assert fell.dropping
    assert assessed().trend is None


def test_what_a_journey_has_to_hear_of() -> None:
    assert assessed().news is None
    assert assessed(last=before("healthy")).news is None
    assert assessed(last=before("watch", 50), known=before("watch", 50)).news is News.ROSE
    assert assessed(last=before("healthy"), known=before("healthy"), sponsor_left_at=NOW).news is News.FELL
    assert (
        assessed(products=[seats(active="0", earlier="30")], heard_at=NOW - 200 * DAY).news is News.FELL
    )  # critical at first sight
    silent = {"products": [IDLE.having(latest_day=None, recent=None, last=None)]}
    assert assessed(**silent, last=before("healthy")).news is News.BECAME
    unknown = {"last": before("unknown", None, 45), "known": before("healthy", 90, 50)}
    assert assessed(**silent, **unknown).news is News.LONG_UNKNOWN
    assert assessed(**silent, last=before("unknown", None, 44)).news is None
    assert assessed(**silent, **unknown, asked_to_look_at=NOW - 10 * DAY).news is None
    assert assessed(**silent, **unknown, asked_to_look_at=NOW - 46 * DAY).news is News.LONG_UNKNOWN
    was = before("unknown", None, 50)
    assert assessed(last=was, known=before("watch", 50, 60), sponsor_left_at=NOW).news is News.BECAME
    assert assessed(last=was, known=before("healthy", 90, 60), sponsor_left_at=NOW).news is News.FELL


@pytest.mark.parametrize(
    ("segment", "days", "settled", "profile"),
    [
        ("standard", 20, 3, "onboarding"),
        ("standard", 20, 6, "standard"),
        ("standard", 120, 3, "standard"),
        ("enterprise", 20, 3, "onboarding"),
        ("enterprise", 200, 6, "enterprise"),
        ("tech_touch", 200, 6, "tech_touch"),
        ("wholesale", 10, 0, "wholesale"),
        ("one_of_your_own", 200, 6, "standard"),
    ],
)
def test_each_segment_and_stage_of_life_has_its_profile(segment: str, days: int, settled: int, profile: str) -> None:
    tasks = TaskProgress(total=6, settled=settled, late=0)
    assert assessed(segment=segment, since=NOW - days * DAY, tasks=tasks).profile == profile


@pytest.mark.parametrize(("days", "band"), [([70, 40, 10], Band.HEALTHY), ([150, 120, 90], Band.CRITICAL)])
def test_who_buys_goods_is_scored_by_their_own_rhythm(days: list[int], band: Band) -> None:
    orders = [NOW.date() - timedelta(days=ago) for ago in days]
    heard = NOW - days[-1] * DAY
    health = assessed(segment="wholesale", products=[], tasks=None, orders=orders, heard_at=heard)
    assert (health.band, health.profile) == (band, "wholesale")


def test_a_renewal_that_is_asked_for_costs_nothing_and_one_without_an_answer_does() -> None:
    def points(sign: RenewalSign) -> Decimal | None:
        return next(part.value for part in assessed(renewals=[sign]).parts if part.name == "renewal")

    assert points(renewal(days=200)) is None
    assert points(renewal(days=60, requested_at=NOW - DAY)) == 100
    assert points(renewal(days=60, renewed=True)) == 100
    quoted, silent = points(renewal(days=60, quoted_at=NOW - DAY)), points(renewal(days=10, quoted_at=NOW - 9 * DAY))
    assert quoted is not None
    assert silent is not None
    assert silent < quoted < 100


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"groups": []}, "groups"),
        ({"healthy": 44}, "too near"),
        ({"version": 0}, "version"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused(change: dict[str, Any], says: str) -> None:
    good = profile_for(PROFILES, "standard", LifeStage.STEADY).model_dump(mode="json", exclude_none=True)
    with pytest.raises(ValidationError, match=says):
        ScoreProfile.model_validate({**good, **change})


@pytest.mark.parametrize(
    ("one", "says"),
    [
        ({"measure": "seats", "weight": 0, "line": [0, 1]}, "greater than 0"),
        ({"measure": "seats", "weight": 1}, "give its `line`"),
        ({"measure": "seats", "weight": 1, "line": [1, 1]}, "two different numbers"),
        ({"measure": "sponsor", "weight": 1, "words": {"known": 100}}, "points for each of known, left"),
        ({"measure": "moods", "weight": 1, "line": [0, 1]}, "Input should be"),
    ],
)
def test_an_input_that_cannot_be_used_is_refused(one: dict[str, Any], says: str) -> None:
    document = {"profile": "p", "version": 1, "groups": [{"group": "g", "weight": 1, "inputs": [one]}]}
    with pytest.raises(ValidationError, match=says):
        ScoreProfile.model_validate(document)


def test_a_fall_names_only_what_has_lowered_the_score() -> None:
    """Use was as low at the best of times, and does not fall; what is new is the silence."""
    use = [seats(active="20", earlier="20")]
    well = assessed(products=use)
    best = before("healthy", well.score, days=50).having(costs={part.name: part.costs for part in well.parts})
    silent = {"products": use, "heard_at": NOW - 110 * DAY, "last": before("healthy"), "best": best}
    fallen = assessed(**silent, known=before("healthy"))
    assert (fallen.news, fallen.why) == (News.FELL, "heard from them 110 days ago")
    assert (
        "seats in use" in assessed(**{**silent, "last": before("watch")}).why
    )  # what it is like now, to whoever looks


def test_use_that_has_not_fallen_is_no_reason_of_a_fall() -> None:
    lower = {
        "last": before("healthy"),
        "known": before("healthy"),
        "best": before("healthy"),
        "heard_at": NOW - 110 * DAY,
    }
    flat, falling = (assessed(**lower, products=[seats(active="6", earlier=earlier)]) for earlier in ("6", "12"))
    assert flat.news is falling.news is News.FELL
    assert "in 28 days" not in flat.why
    assert "use -50 % in 28 days" in falling.why


def test_a_decline_is_said_once() -> None:
    health = assessed(renewals=[renewal("declined")], last=before("healthy"), known=before("healthy"))
    assert health.news is News.FELL
    assert health.why.count("declined") == 1


@pytest.mark.parametrize(("quoted", "says"), [(None, "not offered yet"), (NOW - DAY, "quoted, no answer yet")])
def test_nobody_owes_an_answer_to_an_offer_that_was_not_made(quoted: datetime | None, says: str) -> None:
    part = next(one for one in assessed(renewals=[renewal(days=50, quoted_at=quoted)]).parts if one.name == "renewal")
    assert part.says == f"K-1 ends on 2027-07-21: {says}, 50 days left"
    assert JAPANESE.said(part.says) is not None


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"heard_at": None}, "never heard from them in 365 days"),
        ({"heard_at": None, "ordered_at": NOW - 30 * DAY}, "never heard from them in 365 days, ordered 30 days ago"),
        (
            {"ordered_at": NOW - 30 * DAY, "heard_at": NOW - 60 * DAY},
            "heard from them 60 days ago, ordered 30 days ago",
        ),
        ({"ordered_at": NOW - 60 * DAY, "heard_at": NOW - 30 * DAY}, "heard from them 30 days ago"),
    ],
)
def test_an_order_is_a_sign_of_life_but_no_word_of_theirs(known: dict[str, Any], says: str) -> None:
    part = next(one for one in assessed(**known).parts if one.name == "silence")
    assert part.says == says
    assert JAPANESE.said(says) is not None
