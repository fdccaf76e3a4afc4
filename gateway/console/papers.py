"""The documents of a customer, each as they saw it: the list, and the PDF."""

from __future__ import annotations

import re

from starlette.responses import Response

from activities.channels.papers import Press
from domain.frame.access import FieldGroup, require_sight
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from gateway import papers
from gateway.console.visit import Visit
from gateway.views.papers import papers_of_account
from gateway.views.whose import whose

_MOST = 200
_NAME = re.compile(r"[\w.:@+-]{1,120}")
_VERSION = re.compile(r"[1-9][0-9]{0,5}")


async def documents(visit: Visit) -> Response:
    """What the customer was sent, the latest first."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    await visit.place.acting.sees(visit.who, account_id)
    async with visit.place.doors.pool.acquire() as connection:
        of = await whose(connection, account_id)
        found = await papers_of_account(connection, account_id, _MOST)
    return visit.page("documents.html", of=of, items=found.items, opens=visit.sees(FieldGroup.PRICES))


class OneDocument:
    """The page of one document: it is the PDF."""

    def __init__(self) -> None:
        self._press = Press()

    async def __call__(self, visit: Visit) -> Response:
        account_id, name = visit.id("account_id", UNKNOWN_ACCOUNT), str(visit.request.path_params["name"])
        await visit.place.acting.sees(visit.who, account_id)
        require_sight(visit.who, FieldGroup.PRICES)
        if not _NAME.fullmatch(name):
            raise Refusal(papers.UNKNOWN_DOCUMENT, f"{name[:80]!r} is no document")
        version = visit.asked("version")
        async with visit.place.doors.pool.acquire() as connection:
            wanted = int(version) if _VERSION.fullmatch(version) else None
            paper = await papers.named(connection, account_id, name, wanted, visit.place.doors.issuer)
            sheet = await papers.sheet(connection, self._press, paper)
        made = await papers.pdf(self._press, sheet)
        headers = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", **papers.headers_of(paper)}
        return Response(made, 200, headers, papers.PDF)
