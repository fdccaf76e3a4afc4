"""Machines that write: which kind of mail came from one, and what was done about it, for whoever looks through a day's."""

from __future__ import annotations

from enum import StrEnum

from domain.mail.reading import InboundMail
from domain.mail.routing import InboxStatus, Route, RouteKind
from domain.mail.wording import Wording
from domain.mail.writers import is_absence

_said = Wording("machines")


class Machine(StrEnum):
    """What kind of mail no person wrote."""

    ABSENCE = "absence note"
    REPLY = "automatic reply"
    BOUNCE = "delivery report"
    BULK = "newsletter or list"
    OWN = "our own mail"
    OTHER = "machine"


_OWN = "our own mail"


def machine_of(mail: InboundMail, route: Route) -> Machine | None:
    """Which kind of machine wrote a mail; null for a person's."""
    if mail.bounce is not None:
        return Machine.BOUNCE
    if route.status is InboxStatus.AUTOMATIC and route.reason.startswith(_OWN):
        return Machine.OWN
    sign = mail.automatic
    if sign is None:
        return None
    if sign == "a delivery report":
        return Machine.BOUNCE
    if sign == "an absence note" or is_absence(mail.subject, mail.text):
        return Machine.ABSENCE
    if _said.replies.search(sign):
        return Machine.REPLY
    return Machine.BULK if _said.bulk.search(sign) else Machine.OTHER


def done_about(route: Route) -> str:
    """What was done about a machine's mail, in a few words; "" if it was only kept."""
    if route.kind is RouteKind.BOUNCE:
        return f"the address of contact {route.contact_id} counts as refused"
    if route.kind is RouteKind.UNSUBSCRIBE:
        return f"no more optional mails to contact {route.contact_id}"
    return f"kept beside case {route.case_id}, which goes on" if route.case_id else ""
