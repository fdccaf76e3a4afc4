"""How long the preview of a quote takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from domain.assets.ledger import Ledger
from domain.quotes.pricing import carry_out, price
from tests.bench.meter import best
from tests.bench.rows import Row, Size
from tests.domain.quotes.builders import BOOK, CATALOGUE, NOW, on, owned, percent, request, sale, sold

LINES, ROUNDS, PROMISED_MS = 200, 20, 20


def changes() -> tuple[Ledger, list[dict[str, Any]]]:
    """A customer with 200 assets that have changed before, and a change for each: more, fewer, renewed, cancelled."""
    names = [f"l{number}" for number in range(LINES)]
    ledger = sold(*(sale("seats", 20, name) for name in names), quote_id="s")
    for number, month in enumerate(("04", "05", "06")):
        more = [change("quantity", name, effective=on(f"2026-{month}-01"), delta=3) for name in names]
        ledger = sold(*more, assets=ledger, quote_id=f"m{number}")
    at = on("2026-08-15")
    kinds: list[dict[str, Any]] = [
        {"kind": "quantity", "effective": at, "delta": 5},
        {"kind": "quantity", "effective": at, "delta": -7},
        {"kind": "renew"},
        {"kind": "cancel", "effective": at},
    ]
    return ledger, [change(asset=name, **kinds[place % 4]) for place, name in enumerate(names)]


def change(kind: str, asset: str, **fields: Any) -> dict[str, Any]:
    return {"line_id": f"c{asset}", "kind": kind, "asset_id": owned(asset, "s")} | fields


async def rows(_: Size) -> AsyncIterator[Row]:
    """200 lines: sales, then changes of assets that have changed before; and the ledger's part of each."""
    changed, lines = changes()
    sales = [sale("seats", 20, f"l{number}") for number in range(LINES)]
    for what, ledger, wanted in (("sales", Ledger(), sales), ("changes", changed, lines)):
        asked, discounts = request(*wanted, quote_id="bench"), (percent("10"),)
        made = price(CATALOGUE, BOOK, ledger, asked, discounts, as_of=NOW)
        assert len(made.lines) == LINES
        whole = best(partial(price, CATALOGUE, BOOK, ledger, asked, discounts, as_of=NOW), ROUNDS)
        within = best(partial(carry_out, ledger, made.steps), ROUNDS)
        how = f"CPU in process, best of {ROUNDS}; the ledger's operations of it {within:.1f} ms"
        yield Row(f"preview of a quote: {LINES} {what}", whole, "ms", PROMISED_MS, how=how)
