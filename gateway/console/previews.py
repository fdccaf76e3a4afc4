"""What an act would come to, before it is asked: changes of what a customer owns and quotes, tried by the code that does them; a price
match with what was paid, what it costs now, and what is given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from activities.journey.trying import TRIED, try_request
from domain.frame.access import signed
from domain.frame.request_kinds import RequestKind
from domain.kernel.money import Money
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from gateway.console import tried
from gateway.console.visit import Visit
from gateway.views.whose import Whose

PREVIEWED = TRIED | {"claim_price_match"}
"""The acts whose forms can be looked at first."""


@dataclass(frozen=True)
class Preview:
    """What it would come to: of a price match line by line, of the rest for each account that it concerns.

    refused: what a rule has against it. fills: what the form is filled with, so that what was seen is asked. seen: another one for
    everything that would come to something else; changed: it has, since somebody looked.
    """

    rows: list[tuple[str, str]] = field(default_factory=list)
    refused: str = ""
    fills: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[tried.Shown, ...] = ()
    seen: str = ""
    changed: bool = False


async def preview_of(visit: Visit, of: Whose, kind: RequestKind[Any], request: Mapping[str, Any]) -> Preview:
    """What is asked of a customer, before it is. Raises `Refusal` for what would be refused; nothing is written."""
    if kind.update in TRIED:
        return await _tried(visit, of, kind, request)
    return await _price_match(visit, of, request)


async def _tried(visit: Visit, of: Whose, kind: RequestKind[Any], request: Mapping[str, Any]) -> Preview:
    doors, asked = visit.place.doors, signed(visit.who, kind, request)
    of = of.model_copy(update={"now": await doors.client.now(of.account_id)})
    found = await try_request(doors.pool, doors.issuer, of.account_id, kind, asked, of.now)
    quotes = [quote for one in found for quote in one.quotes]
    return Preview(
        accounts=tuple(tried.shown(visit, of, one) for one in found),
        fills={"as_of": quotes[0].as_of.isoformat()} if quotes else {},
        seen=tried.digest(found),
    )


async def _price_match(visit: Visit, of: Whose, request: Mapping[str, Any]) -> Preview:
    for name in ("order_id", "line_id"):
        if not request.get(name):
            problem = Problem(field=name, problem="is needed to say what would be given back")
            raise Refusal(INVALID_REQUEST, "the preview cannot be made", [problem])
    quantity = request.get("quantity")
    if quantity is not None and not isinstance(quantity, int):
        problem = Problem(field="quantity", problem="give a whole number, or leave it out")
        raise Refusal(INVALID_REQUEST, "the preview cannot be made", [problem])
    order_id, line_id = str(request["order_id"]), str(request["line_id"])
    cases = visit.place.doors.cases
    found = await cases.preview_price_match(of.account_id, order_id, line_id, as_of=of.now, quantity=quantity)
    t = visit.words

    def money(value: Money | None) -> str:
        return "" if value is None else t.money(value.amount, value.currency)

    rows = [
        (t("preview.product"), f"{found.product_name} × {t.number(found.quantity)}"),
        (t("preview.paid"), f"{money(found.paid)} · {t.day(found.paid_on)}"),
        (t("preview.now"), f"{money(found.now)} · {found.price_book}"),
        (t("preview.difference"), money(found.difference)),
        (t("preview.window"), t.day(found.window_ends_on)),
        (t("preview.net"), money(found.net)),
        (t("preview.tax"), money(found.tax)),
        (t("preview.refund"), money(found.refund)),
        (t("preview.left"), money(found.left)),
        (t("preview.approval"), t.known(f"choice.{found.approval}", str(found.approval or ""))),
    ]
    refused = t.sentence(found.says) if found.refused else ""
    fills = {} if found.refused else {"refund": _plain(found.refund.amount)}
    return Preview([(name, said) for name, said in rows if said], refused, fills)


def _plain(amount: Decimal) -> str:
    return f"{amount:f}"
