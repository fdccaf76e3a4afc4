"""A mail that a customer got, as it reads; and what a planned one would say if it left now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.responses import Response

from activities.channels.errors import RenderError
from activities.channels.rendering import RenderedMail, Renderer
from activities.mail.sent_rows import LeftMail, parts_of_message
from domain.frame.access import FieldGroup
from domain.frame.mail_kinds import rank
from domain.frame.messages import OutgoingMail
from domain.kernel.refusals import NOT_ALLOWED, UNKNOWN_MAIL, Refusal
from domain.mail.papers import papers_of
from gateway.console.visit import Visit

_SERVICE = "service:"
_LONGEST_ID = 300


async def one_sent(visit: Visit) -> Response:
    """The message in which a mail has left: to whom, what it is about, and its words."""
    async with visit.place.doors.pool.acquire() as connection:
        found = await parts_of_message(connection, visit.asked("id", _LONGEST_ID))
    if not found:
        raise Refusal(UNKNOWN_MAIL, "no such mail has left")
    parts = sorted(found, key=lambda one: (not one.lead, rank(one.body.template)))
    lead, case_id = parts[0], parts[0].stage.removeprefix(_SERVICE)
    of_case = lead.stage.startswith(_SERVICE)
    if lead.account_id is not None:
        await visit.place.acting.sees(visit.who, lead.account_id)
    elif of_case:
        await visit.place.acting.sees_case(visit.who, case_id)
    mails = [one.body for one in parts]
    require_readable(visit, mails)
    return visit.page(
        "sent.html",
        mail=lead.body,
        sent_at=lead.sent_at,
        account_id=lead.account_id,
        case_id=case_id if of_case else "",
        papers=_papers(parts),
        written=in_words(mails),
    )


def require_readable(visit: Visit, mails: Sequence[OutgoingMail]) -> None:
    """Raises `Refusal` (NotAllowed) for mails with amounts, for who sees no prices."""
    if not visit.sees(FieldGroup.PRICES) and any(has_amounts(mail) for mail in mails):
        raise Refusal(NOT_ALLOWED, f"this mail has amounts in it, and {visit.who.by} sees no prices")


def has_amounts(mail: OutgoingMail) -> bool:
    """True for a mail that says amounts, or brings a document."""
    return bool(papers_of(mail)) or _holds_money(mail.context)


def _holds_money(value: Any) -> bool:
    if isinstance(value, dict):
        return {"amount", "currency"} <= value.keys() or any(map(_holds_money, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_holds_money, value))


def _papers(parts: Sequence[LeftMail]) -> list[Any]:
    return [paper for one in parts for paper in papers_of(one.body)]


def in_words(mails: Sequence[OutgoingMail]) -> RenderedMail | None:
    """The words of a message, without the links that are its reader's alone; null for one that no template of ours can say any more."""
    try:
        return _renderer().render_joined(mails)
    except RenderError:
        return None


@cache
def _renderer() -> Renderer:
    return Renderer()
