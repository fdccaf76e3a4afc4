"""What an operator reads of a journey: what is so now, in words, with the ids that a request needs, and only what can be asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from domain.frame.flight import Channel, Delivery
from domain.frame.state import AccountView, JourneyState, OpenCaseView, Outcome, Pause, Sent, Stage, Step
from domain.journey.briefing import LIMIT, render
from domain.journey.possible import possible
from domain.journey.registry import JOURNEY
from domain.kernel.shown import at_work, counted, first_sentence, shorten

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PYDANTIC = (
    "StepFailed: 2 validation errors for AssetRecord\nassets.0.periods\n  Field required [type=missing, input_value=None]\n"
    "    For further information visit https://errors.pydantic.dev/2/v/missing\nassets.1.periods\n  Field required"
)


def step(kind: str, stage: str, name: str, days: int = 10) -> Step:
    at = NOW + timedelta(days=days)
    return Step(kind=kind, stage=stage, name=name, at=at, on=at.date())


NOTICE = step("renewal_notice", "renewal:K-1:1", "notice-60")
CHECK_IN = step("adoption_check_in", "adoption", "check-in-2027-03-20", 19)
INVOICE = step("billing_invoice", "billing:contract:K-1", "2027-12-01", 275)


def journey(**more: object) -> JourneyState:
    known = {
        "account_id": "A-1",
        "account": AccountView(name="Tea", time_zone="Europe/Berlin", owner="s-1", playbook="standard 3"),
        "opened_at": NOW,
        "stages": {
            "renewal:K-1:1": Stage(status="waiting", until=datetime(2027, 5, 9, 22, tzinfo=UTC)),
            "adoption": Stage(status="steady"),
        },
        "agenda": [NOTICE, CHECK_IN, INVOICE],
    }
    return JourneyState.model_validate({**known, **more})


def test_it_says_what_comes_by_name_with_the_key_that_a_request_needs() -> None:
    said = render(journey(), NOW)
    assert "Account `A-1` · owner `s-1` · playbook `standard`, version 3" in said
    words = "Renewal notice, 60 days before 10 May 2027, contract K-1 [`renewal:K-1:1/notice-60`]"
    assert f"**Next**\n\n- Thu 2027-03-11 10:00 CET · {words}" in said
    assert "`skip_step`, `reschedule_step`" in said
    assert "`answer_renewal`, `request_renewal` contract_id=`K-1`" in said


def test_each_of_many_steps_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def equal(self: Step, other: object) -> bool:
        nonlocal compared
        compared += 1
        return self is other

    many = [step("amendment_effective", f"amendment:r-{number}", "effective") for number in range(1000)]
    monkeypatch.setattr(Step, "__eq__", equal)
    assert "[`amendment:r-0/effective`]" in render(journey(agenda=many), NOW)
    assert "nothing by itself" in render(journey(agenda=many, paused=Pause(reason="Dispute", since=NOW)), NOW)
    assert compared < len(many)


def test_a_paused_journey_does_nothing_next() -> None:
    pause = Pause(reason="Dispute", since=NOW - timedelta(days=3), by="s-7")
    said = render(journey(paused=pause), NOW)
    assert "⏸ **Paused** by `s-7` since Fri 2027-02-26 10:00 CET, until somebody asks it to `resume`: Dispute" in said
    assert "**Next** nothing by itself while it is paused" in said
    assert "**Waits for the end of the pause**\n\n- planned for Thu 2027-03-11 10:00 CET" in said
    asked = said.split("**You can ask**")[1]
    assert "`resume`" in asked
    assert "`pause`" not in asked
    settles = step("amendment_settled", "amendment:T-1", "settled", 1)
    lets = Pause(reason="Dispute", since=NOW, lets=["amendment_settled"], until=NOW + timedelta(days=2))
    said = render(journey(paused=lets, agenda=[settles, NOTICE]), NOW)
    assert "**Next**\n\n- Tue 2027-03-02 10:00 CET · Transfer of assets is settled" in said
    assert "until Wed 2027-03-03 10:00 CET: Dispute" in said


def test_only_what_can_be_asked_now_is_offered() -> None:
    idle = render(journey(), NOW).split("**You can ask**")[1]
    for request in ("resume", "complete_task", "answer_offer", "accept_quote", "approve", "lift_hold", "rollback"):
        assert f"`{request}`" not in idle
    busy = journey(
        stages={
            "onboarding:SO-1": Stage(status="open", tasks=["kickoff", "go_live"]),
            "renewal:K-1:1": Stage(status="declined"),
            "expansion:SO-1.1": Stage(status="offered", tasks=["O-1"]),
            "quote:Q-1": Stage(status="presented"),
            "quote:Q-2": Stage(status="in_approval"),
            "service": Stage(status="block", tasks=["check-in", "lead L-1"]),
            "amendment:r-1": Stage(status="scheduled"),
        },
        holds=["H-1", "H-2"],
        in_flight=[Delivery(id="x#0", channel=Channel.MAIL, since=NOW)],
        attention={"renewal:K-1": "Renewal declined: price"},
    )
    # What runs out because nothing of it is left has nobody's no to take back.
    assert "answer_renewal" not in render(busy.having(attention={}), NOW)
    asked = render(busy, NOW).split("**You can ask**")[1]
    for line in (
        "`complete_task` order_id=`SO-1`, task=`kickoff` or `go_live`",
        "`answer_renewal` contract_id=`K-1`, decision=`accept`, which takes the decline back",
        "`answer_offer` offer_id=`O-1`",
        "`accept_quote`, `decline_quote` quote_id=`Q-1`",
        "`approve` quote_id=`Q-2`",
        "`acknowledge_hold`, `override_hold`",
        "`lift_hold` hold_id=`H-1` or `H-2`",
        "`answer_lead` lead_id=`L-1`",
        "`retry_deliveries`",
        "`rollback`",
    ):
        assert line in asked
    lines = (re.split(r" \w+=|:", line)[0] for line in possible(busy))
    named = {name for line in lines for name in re.findall(r"`(\w+)`", line)} - {"step"}
    assert {"accept_quote", "amend_assets", "close_journey", "skip_step"} <= named <= set(JOURNEY)
    closed = render(journey(closed=True, stages={}, agenda=[]), NOW).split("**You can ask**")[1]
    assert "`place_order` begins a new journey" in closed
    assert "`pause`" not in closed


def test_what_failed_is_said_by_name_once_and_in_a_sentence() -> None:
    state = journey(agenda=[])
    for one in (NOTICE, CHECK_IN, INVOICE):
        state = state.parking(one, PYDANTIC)
    said = render(state, NOW)
    assert said.count("Field required") == 1
    assert "errors.pydantic.dev" not in said
    assert "Renewal notice, 60 days before 10 May 2027, contract K-1 [`renewal:K-1:1/notice-60`] and Check-in" in said
    assert "and 1 more could not be done: assets.0.periods cannot be used: Field required; mend the cause" in said
    assert "`resume`" in said.split("**You can ask**")[1]


def test_what_was_sent_last_is_said_with_the_role_and_not_the_name() -> None:
    state = journey().after(Outcome(sent=Sent(template="check_in", role="admin", at=NOW)), NOW)
    assert "**Sent last** check-in to the administrator, Mon 2027-03-01 10:00 CET" in render(state, NOW)
    kept = state.after(Outcome(), NOW)
    assert kept.sent == state.sent
    assert journey(holds=["H-1"]).after(Outcome(holds=[]), NOW).holds == []


def test_nothing_in_it_grows_old() -> None:
    case = OpenCaseView(case_id="C-1", priority="urgent", state="open", opened_at=NOW - timedelta(days=1))
    state = journey(cases=[case])
    assert "open since Sun 2027-02-28 10:00 CET" in render(state, NOW)
    first, second = (re.sub(r"unchanged since .*", "", render(state, at)) for at in (NOW, NOW + timedelta(days=30)))
    assert first == second


def test_it_ends_within_its_length() -> None:
    many = {f"onboarding:SO-{n}": Stage(status="open", tasks=["kickoff"] * 20) for n in range(60)}
    assert len(render(journey(stages=many), NOW)) <= LIMIT


def test_numbers_and_spans_are_for_people() -> None:
    assert [counted(1, "day"), counted(2, "day"), counted(1200, "unit")] == ["1 day", "2 days", "1,200 units"]
    assert at_work(timedelta(hours=27)) == "27 working hours"
    assert at_work(timedelta(minutes=61)) == "1 working hour 1 minute"
    assert at_work(timedelta(minutes=45)) == "45 working minutes"
    assert at_work(timedelta(seconds=20)) == "less than a minute"
    assert first_sentence("ValueError: no such plan. Choose another one.") == "no such plan."
    assert len(first_sentence("x" * 900)) == 200
    assert shorten("abcdef", 4) == "abc…"
