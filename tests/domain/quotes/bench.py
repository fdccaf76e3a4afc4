"""How long a preview of 200 lines takes: `python -m tests.domain.quotes.bench`. Prints, without garbage collection; asserts no figure."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

from domain.assets.ledger import Ledger
from domain.quotes.pricing import carry_out, price
from tests.domain.quotes.builders import BOOK, CATALOGUE, NOW, on, owned, percent, request, sale, sold

LINES, ROUNDS = 200, 30
PROMISED_MS = 20


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


def measure(what: str, ledger: Ledger, lines: list[dict[str, Any]]) -> None:
    wanted = request(*lines, quote_id="bench")
    discounts = (percent("10"),)
    made = price(CATALOGUE, BOOK, ledger, wanted, discounts, as_of=NOW)
    assert len(made.lines) == LINES
    whole = best_and_median(lambda: price(CATALOGUE, BOOK, ledger, wanted, discounts, as_of=NOW))
    within = best_and_median(lambda: carry_out(ledger, made.steps))
    print(f"{what}: {whole}, of which the ledger's operations {within} (promised: {PROMISED_MS} ms)")


def best_and_median(action: Callable[[], object]) -> str:
    taken: list[float] = []
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    gc.enable()
    return f"best {min(taken):.1f} ms, median {statistics.median(taken):.1f} ms"


def main() -> None:
    measure("200 lines sold", Ledger(), [sale("seats", 5, f"l{number}") for number in range(LINES)])
    measure("200 lines changed", *changes())


if __name__ == "__main__":
    main()
