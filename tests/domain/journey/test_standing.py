"""How a customer stands, and a journey that shows it otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.frame.state import AccountView, HealthView, JourneyState, Outcome
from domain.journey.agenda import Running
from domain.journey.standing import CustomerStanding, differences, mended, not_its_own

NOW = datetime(2027, 1, 5, 9, tzinfo=UTC)
OWN = ["delivery:welcome#0", "stuck:welcome#0", "parked:adoption/check-in", "unreadable:asset", "unknown_message"]
TOLD = ["late:onboarding:SO-1/kickoff", "low_adoption", "lapsed", "renewal_held:K-1"]
accounts = st.builds(
    AccountView,
    name=st.sampled_from(["Capricorn Coffee", "Capricorn"]),
    time_zone=st.sampled_from(["Asia/Tokyo", "Europe/Berlin"]),
    owner=st.sampled_from(["S-1", "S-2"]),
    playbook=st.sampled_from(["standard 1", "standard 2"]),
)
healths = st.builds(HealthView, score=st.integers(0, 100), band=st.sampled_from(["green", "red"]), why=st.just("so"))
words = st.sampled_from(["is still open", "erased"])


@given(
    st.builds(
        CustomerStanding, accounts, healths, st.dictionaries(st.sampled_from(TOLD), words), st.none() | st.just(["H-2"])
    ),
    st.builds(
        JourneyState,
        account_id=st.just("acme"),
        account=accounts,
        health=st.none() | healths,
        attention=st.dictionaries(st.sampled_from([*TOLD, *OWN]), words),
        holds=st.just(["H-1"]),
    ),
)
def test_what_is_mended_shows_how_the_customer_stands_and_keeps_what_is_its_own(
    standing: CustomerStanding, state: JourneyState
) -> None:
    running = Running.of(state, NOW)
    after = state.after(mended(Outcome(), standing, running), NOW)
    assert list(differences(standing, Running.of(after, NOW))) == []
    assert {key: why for key, why in after.attention.items() if key in OWN} == {
        key: why for key, why in state.attention.items() if key in OWN
    }
    assert after.attention.keys() - set(OWN) == standing.attention.keys()
    assert after.holds == (standing.holds or state.holds)
    kept = standing.attention.keys() & state.attention.keys()
    assert all(after.attention[key] == state.attention[key] for key in kept), "who was erased is not named again"


def test_a_journey_of_a_release_that_does_not_say_is_not_asked() -> None:
    account = AccountView(name="Capricorn Coffee", time_zone="Asia/Tokyo", owner="S-1")
    silent = Running(account_id="acme", now=NOW)
    assert list(differences(CustomerStanding(account, attention={"lapsed": "no order"}), silent)) == []


def test_differences_are_put_in_words() -> None:
    account = AccountView(name="Capricorn Coffee", time_zone="Asia/Tokyo", owner="S-2")
    state = JourneyState(account_id="acme", account=account.having(owner="S-1"), attention={"lapsed": "no order"})
    health = HealthView(score=20, band="red", why="a case is open")
    assert list(
        differences(CustomerStanding(account, health, {"low_adoption": "3 of 10"}), Running.of(state, NOW))
    ) == [
        "the journey shows owner S-1, and ought to show S-2",
        "the journey shows health none, and ought to show red",
        "the journey shows that lapsed needs a person, and nothing on record says so",
        "the journey does not show that low_adoption needs a person: 3 of 10",
    ]


def test_a_playbook_that_cannot_be_read_says_nothing_of_the_account() -> None:
    account = AccountView(name="Capricorn Coffee", time_zone="Asia/Tokyo", owner="S-1")
    running = Running.of(JourneyState(account_id="acme", account=account, attention={"lapsed": "no order"}), NOW)
    standing = CustomerStanding(
        None, attention=not_its_own({"lapsed": "no order", "unreadable:asset A-1": "is broken"})
    )
    assert list(differences(standing, running)) == []
    assert "account" not in mended(Outcome(), standing, running).model_fields_set
