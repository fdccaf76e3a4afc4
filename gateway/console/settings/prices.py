"""Price books: what costs what from which day on, and a new price from a day on. What was so is never written over."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from starlette.responses import Response

from activities.catalogue import price_pages
from activities.kernel.clock import present
from activities.kernel.queries import Row
from domain.frame.access import FieldGroup, WriteAct, require_sight
from domain.kernel.refusals import Problem, Refusal
from gateway.api.problems import status_of
from gateway.console.settings.changes import Sent, read, reason_of, request_id_of, shown, taken
from gateway.console.visit import Visit
from gateway.prices import INVALID_PRICES, NewPrice
from gateway.writing import Writing

MOST = 500
"""So many prices of an edition are shown at once."""


async def prices(visit: Visit) -> Response:
    """The books, and one edition with its prices."""
    return await shown(visit, _page)


async def change_prices(visit: Visit) -> Response:
    """A new price, from today or a later day on."""
    return await taken(visit, {"publish": _publish}, _page)


async def _publish(visit: Visit) -> None:
    document = read(visit, NewPrice)
    reason = reason_of(visit)
    today = present().date()
    if str(document.get("valid_from", today)) < str(today):
        problem = Problem(field="valid_from", problem=visit.words("settings.prices.past", today=today))
        raise Refusal(INVALID_PRICES, visit.words("settings.prices.refused"), [problem])
    await Writing(visit.place.doors, "console", reason).publish_prices(visit.who, document, request_id_of(visit))


async def _page(sent: Sent) -> Response:
    visit, today = sent.visit, present().date()
    require_sight(visit.who, FieldGroup.PRICES)
    async with visit.place.doors.pool.acquire() as connection:
        editions = await price_pages.editions(connection)
        chosen = _chosen(visit, editions, today)
        entries = []
        if chosen is not None:
            entries = await price_pages.prices_of(
                connection, chosen["name"], chosen["currency"], chosen["valid_from"], MOST
            )
    books = list(dict.fromkeys((one["name"], one["currency"]) for one in editions))
    form = sent.form("publish", NewPrice, known={"valid_from": today.isoformat(), "per": "month"})
    return visit.page(
        "settings/prices.html",
        status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
        books=books,
        editions=[one for one in editions if chosen and _book(one) == _book(chosen)],
        chosen=chosen,
        entries=entries,
        most=MOST,
        today=today,
        form=form if visit.who.may_do(WriteAct.PUBLISH_PRICES) else None,
        done=visit.asked("done"),
    )


def _book(edition: Row) -> tuple[str, str]:
    return edition["name"], edition["currency"]


def _chosen(visit: Visit, editions: list[Row], today: date) -> Row | None:
    """The edition that the address names, else of its book the one that is valid today; null if there is none at all."""
    name, currency, first = visit.asked("book"), visit.asked("currency"), visit.asked("from")
    of_book = [one for one in editions if not name or (name, currency) == _book(one)]
    exact = [one for one in of_book if one["valid_from"].isoformat() == first]
    valid = [one for one in of_book if one["valid_from"] <= today]
    return next(iter([*exact, *valid, *of_book]), None)
