"""What was renewed by itself beyond a contract's term: the contract goes on in that, and nothing lives on or ends unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.contracts import changes
from domain.contracts.requests import RenewAssets
from domain.frame.decision import Decision, Mail
from domain.frame.state import Step
from tests.domain.contracts.test_histories import check
from tests.domain.contracts.test_taking_back import answer
from tests.domain.contracts.world import World


class Told(World):
    """A customer whose mails are kept."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        super().__init__(auto_renew=False)

    def apply(self, decision: Decision, done: Step | None = None) -> None:
        self.mails += decision.mails
        super().apply(decision, done)

    def last(self, template: str) -> dict[str, Any]:
        """What the latest mail of a template says."""
        return [mail.context for mail in self.mails if mail.template == template][-1]


def with_care_renewed_alone(months: int = 6) -> Told:
    world = Told()
    world.pass_by(300)
    alone = {"assets": [{"asset_id": world.care}], "months": months}
    world.ask(changes.renew, RenewAssets.model_validate(alone))
    assert world.contract().term.number == 1
    return world


@pytest.mark.parametrize("how", ["no answer", "declined", "declined in grace"])
def test_a_contract_goes_on_in_what_was_renewed_alone_and_ends_with_that(how: str) -> None:
    world = with_care_renewed_alone()
    first = world.contract().term
    if how == "declined":
        answer(world, "decline")
    world.pass_until(first.ends_at + timedelta(days=2))
    if how == "declined in grace":
        answer(world, "decline")
    world.pass_until(first.ends_at + timedelta(days=30))
    term = world.contract().term
    assert (term.number, term.starts_at, term.ends_at) == (2, first.ends_at, world.records[world.care].end)
    assert world.contract().status == ("active" if how == "no answer" else "declined")
    last = (term.until - timedelta(days=1)).isoformat()
    assert world.last("contract_ended")["goes_on"] == [{"product": "Care", "until": last}]
    check(world)
    world.pass_until(term.ends_at + timedelta(days=1))
    if how == "no answer":
        assert world.last("renewal_notice")["contract_id"] == world.contract_id, "its end is talked about"
        assert world.contract().status == "grace"
    else:
        assert world.contract().status == "ended"
        assert "goes_on" not in world.last("contract_ended")
    check(world)


def test_a_contract_ends_with_its_term_where_nothing_lasts_longer() -> None:
    world = Told()
    world.pass_by(420)
    assert world.contract().status == "ended"
    assert "goes_on" not in world.last("contract_ended")
