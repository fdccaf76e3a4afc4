"""Customers, listed or found by a part of anything that names them."""

from __future__ import annotations

import base64
import json
from typing import Annotated

from pydantic import AwareDatetime

from activities.frame.account_filters import AccountFilter
from activities.frame.account_search import find_accounts
from activities.kernel.pool import Connection
from domain.frame.access import FieldGroup, Principal
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from gateway.views.pages import Page
from gateway.views.shown import View

_LARGEST = 2**31 - 1
_Place = tuple[int, str, str]


class AccountLine(View):
    """A customer in a list. `found_by` says by what a search knew it, `ref` which one of those, `contact` who of theirs."""

    account_id: str
    company: str
    country: str
    segment: str
    owner_id: str
    owner: str
    since: AwareDatetime
    closed_at: AwareDatetime | None
    score: Annotated[int | None, FieldGroup.HEALTH]
    band: Annotated[str | None, FieldGroup.HEALTH]
    hold: str | None
    found_by: str | None = None
    ref: str | None = None
    contact: str | None = None


async def accounts_page(
    connection: Connection, who: Principal, asked: str | None, cursor: str | None, limit: int
) -> Page[AccountLine]:
    """Those customers that `who` sees, by name; or those of them that `asked` names, the surest first."""
    wanted = AccountFilter(seen_by=who.staff_id if who.own_only else None)
    after = None if cursor is None else _read(cursor)
    found = await find_accounts(connection, asked or "", wanted, after=after, limit=limit)
    items = [
        AccountLine.model_validate({**row, "company": row["name"], "found_by": row["found"], "contact": row["label"]})
        for row in found.accounts
    ]
    return Page[AccountLine](items=items, next=None if found.next is None else _written(found.next))


def _written(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read(cursor: str) -> _Place:
    """Where the page before ended. Raises `Refusal` (InvalidRequest) for a text that never was a cursor of this list."""
    try:
        place, name, account_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(place) is int and 0 <= place <= _LARGEST and isinstance(name, str) and isinstance(account_id, str):
            found = (place, name, account_id)
            if Refusal.of_characters(INVALID_REQUEST, "", list(found)) is None:
                return found
    except (ValueError, TypeError, RecursionError):
        pass
    problem = Problem(field="cursor", problem=f"{cursor[:80]!r} is no cursor; give `next` of a page of this list")
    raise Refusal(INVALID_REQUEST, "the page cannot be found", [problem])
