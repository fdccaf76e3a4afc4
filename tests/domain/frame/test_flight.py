"""Messages on their way out, as a workflow carries them."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.frame.flight import Channel, Delivery, Flying

AT = datetime(2027, 6, 1, tzinfo=UTC)


def test_one_that_is_stuck_is_freed_alone_and_all_of_them_with_their_reasons() -> None:
    ids = ("onboarding/welcome#1", "onboarding/welcome#10", "order#0")
    flight = Flying(in_flight=[Delivery(id=id, channel=Channel.MAIL, since=AT) for id in ids])
    for id in ids:
        flight = flight.stuck(id, "no such address")
    flight = flight.having(attention={**flight.attention, "parked:a": "why", "hold": "why"})
    alone = flight.freed(alone="onboarding/welcome#1")
    assert [one.id for one in alone.in_flight if one.stuck] == ["onboarding/welcome#10", "order#0"]
    assert set(alone.attention) == {"stuck:onboarding/welcome#10", "stuck:order#0", "parked:a", "hold"}
    whole = flight.freed("parked:")
    assert not [one for one in whole.in_flight if one.stuck]
    assert set(whole.attention) == {"hold"}
