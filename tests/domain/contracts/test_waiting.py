"""A term that ends while an asset is on its way to another customer ends as soon as it has arrived."""

from __future__ import annotations

from datetime import timedelta

from tests.domain.contracts.world import World


def test_a_renewal_waits_for_a_locked_asset_and_then_happens_once() -> None:
    world = World(auto_renew=True)
    world.pass_by((world.contract().term.ends_at - world.now) // timedelta(days=1) - 1)
    record = world.records[world.seats]
    world.records[world.seats] = record.having(lock="transfer")
    world.pass_by(3)
    looks = [key for key in world.done if key.endswith(tuple(f"term-end~{n}" for n in range(1, 100)))]
    assert len(looks) >= 24
    assert world.contract().term.number == 1
    world.records[world.seats] = record
    world.pass_by(1)
    assert world.contract().term.number == 2
    assert [period.quantity for period in world.records[world.seats].periods] == [40, 40]
    assert world.records[world.seats].periods[1].start == record.end
