"""Quotes that are taken for a later day: what waits for that day is called for by the facts, comes on it, and can be taken back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.agendas import apart
from tests.asset_life import Life
from tests.conftest import Servers
from tests.workflows.journey.test_agendas import running

LINES = ("more", "fewer", "price", "end", "renew", "cancel", "swap", "part swapped", "sale")


def line(life: Life, name: str) -> dict[str, Any]:
    seats, day = {"line_id": "1", "asset_id": life.seats}, life.month(6)
    match name:
        case "more":
            return {**seats, "kind": "quantity", "delta": 5, "effective": day}
        case "fewer":
            return {**seats, "kind": "quantity", "delta": -5, "effective": day}
        case "price":
            return {**seats, "kind": "price", "effective": day}
        case "end":
            return {**seats, "kind": "end", "effective": day, "new_end": life.month(10)}
        case "renew":
            return {**seats, "kind": "renew", "months": 12}
        case "cancel":
            return {**seats, "kind": "cancel", "effective": day}
        case "sale":
            return {"line_id": "1", "kind": "sale", "product": "SEATS", "quantity": 2, "start": day, "months": 12}
        case _:
            part = {"quantity": 10} if name == "part swapped" else {}
            return {**seats, "kind": "swap", "to_product": "CARE", "effective": day, **part}


async def taken(life: Life, name: str) -> str:
    quote = f"Q-{uuid4().hex[:8]}"
    discounts = [{"name": "friend", "value": "5"}] if name == "price" else []
    await life.ask("request_quote", quote_id=quote, lines=[line(life, name)], discounts=discounts, by="s-1")
    assert (await life.ask("accept_quote", quote_id=quote))["state"] == "accepted"
    return quote


@pytest.mark.parametrize("name", LINES)
async def test_what_a_quote_changes_on_a_later_day_is_on_the_agenda_until_then(servers: Servers, name: str) -> None:
    life = await Life.begin(servers, days=40)
    await taken(life, name)
    assert await apart(servers, life.account) == []
    told = {"renew", "cancel", "sale"}  # by the end of a term, or as something new
    waits = [step for step in (await running(servers, life.account)).steps if step.kind == "amendment_effective"]
    assert len(waits) == (name not in told)
    await life.reach(life.day(7))
    assert await apart(servers, life.account) == []
    said = [title for title in await life.titles() if title.startswith("Takes effect")]
    lines = {"swap": 2, "part swapped": 2, "end": len(said), **dict.fromkeys(told, 0)}  # an end says nothing of its own
    assert len(said) == lines.get(name, 1), said
    await life.check()


@pytest.mark.engine
async def test_what_a_quote_changes_on_a_later_day_is_taken_back(servers: Servers) -> None:
    life = await Life.begin(servers, days=40)
    await taken(life, "more")
    await life.ask("rollback", asset_id=life.seats)
    assert await apart(servers, life.account) == []
    await life.reach(life.day(7))
    assert not [title for title in await life.titles() if title.startswith("Takes effect")]
    assert await apart(servers, life.account) == []
