"""Quotes that were withheld while service owed something: they wait for their own term alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.frame.sales_holds import HoldLevel, ManualHold, Purpose
from domain.frame.service_facts import HeldStep, ServiceFacts
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.holds import holding
from domain.holds.writes import ForgetHeldSteps
from domain.journey import mail_anew
from tests.domain.contracts.world import World


def with_held_quote(stage: str | None = None, *, held: bool, status: str = "active") -> tuple[Situation, Step]:
    """A customer whose quote was withheld, for the contract's own term unless another stage is named."""
    world = World(auto_renew=True)
    world.pass_by(320)
    situation, contract = world.situation(), world.contract()
    quote = situation.step_now("renewal_quote", stage or contract.stage, "quote-20270101T090000")
    manual = ManualHold(
        id="H-1", level=HoldLevel.BLOCK, says="a moment", placed_by="S-2", since=world.now - timedelta(days=3)
    )
    service = ServiceFacts(manual=[manual] if held else [], steps=[HeldStep(step=quote, purpose=Purpose.RENEWAL_TALK)])
    customer = situation.customer.having(contracts=[contract.having(status=status)])
    return replace(situation, customer=customer, service=service), quote


def reviewed(situation: Situation) -> tuple[list[str], list[str], list[str]]:
    """What a look at the holds plans of the quote, still shows as waiting, and forgets."""
    decided = mail_anew.review(situation, holding.review_step(situation, "now"))
    stage = decided.outcome.stages.get(holding.STAGE)
    forgotten = [write.key for write in decided.writes if isinstance(write, ForgetHeldSteps)]
    return [s.key for s in decided.outcome.plan if s.kind == "renewal_quote"], stage.tasks if stage else [], forgotten


def test_a_quote_waits_as_long_as_sales_is_held_back_and_goes_out_then() -> None:
    situation, quote = with_held_quote(held=True)
    assert reviewed(situation) == ([], [f"step {quote.name}"], [])
    situation, quote = with_held_quote(held=False)
    assert reviewed(situation) == ([quote.key], [], [quote.key])


@pytest.mark.parametrize("held", [True, False])
def test_a_quote_for_a_term_that_is_over_waits_no_more_and_is_not_planned(held: bool) -> None:
    situation, quote = with_held_quote("renewal:K-1:0", held=held)
    assert reviewed(situation) == ([], [], [quote.key])


@pytest.mark.parametrize("status", ["grace", "declined"])
def test_what_will_not_be_renewed_is_not_quoted_when_the_hold_ends(status: str) -> None:
    situation, quote = with_held_quote(held=False, status=status)
    assert reviewed(situation) == ([], [], [quote.key])
    situation, quote = with_held_quote(held=True, status=status)
    assert reviewed(situation) == ([], [f"step {quote.name}"], [])
