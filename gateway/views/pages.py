"""Pages of lists that grow: from the latest on, each with the cursor of the one behind it, which writes in between do not move."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

from activities.kernel.pages import Paged
from activities.kernel.pool import Connection
from domain.journey.customer_timeline import Cursor
from gateway.views.shown import View

_Item = TypeVar("_Item", bound=BaseModel)

LONGEST = 200
USUAL = 50


class Page(View, Generic[_Item]):
    """Items from the latest on. `next` is the cursor of the page behind it, null at the end."""

    items: list[_Item]
    next: str | None = None


async def page_of(
    model: type[_Item], rows: Paged, connection: Connection, place: Cursor | None, limit: int, *about: object
) -> Page[_Item]:
    """A page of what a statement gives, each row read as the model."""
    found = await rows.behind(connection, place, limit + 1, *about)
    more = str(Cursor(found[limit - 1]["at"], found[limit - 1]["id"])) if len(found) > limit else None
    return Page[model](items=[model.model_validate(row) for row in found[:limit]], next=more)  # type: ignore[valid-type]
