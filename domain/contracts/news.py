"""What main contacts hear of a contract's end or renewal that others decide on: in a few words, and without its price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from domain.frame.customer import ContactFacts, Customer
from domain.frame.decision import Mail
from domain.frame.situation import Situation
from domain.orders.order import ContactRole

TEMPLATE = "contract_news"


def _offered(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first offer of a term, not each reminder of it."""
    if not said.get("first_offer"):
        return None
    return {"what": "offered", "day": said["term_end"], "by_itself": said["auto_renew"], "answer_by": said["notice_by"]}


def _declined(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"what": "ended" if said["over"] else "declined", "day": said["term_end"]}


_SAID: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
    "renewal_notice": _offered,
    "renewal_confirmed": lambda said: {"what": "confirmed", "day": said["end"]},
    "renewal_declined": _declined,
    "contract_ended": lambda said: None if said.get("goes_on") else {"what": "ended", "day": said["ended_on"]},
}


def for_main_contacts(customer: Customer, mails: Iterable[Mail]) -> list[Mail]:
    """The news of what these mails say to whoever decides and pays: a mail to each main contact who gets none of them."""
    sent = list(mails)
    told = {mail.context["contract_id"]: mail for mail in sent if mail.template in _SAID}
    return [news for mail in told.values() for news in _news(customer, mail, sent)]


def _news(customer: Customer, mail: Mail, sent: Iterable[Mail]) -> Iterator[Mail]:
    said = _SAID[mail.template](mail.context)
    same = (one for one in sent if one.template == mail.template and one.context == mail.context)
    readers = [reader for one in same if (reader := customer.contact(one.role, one.contact_id)) is not None]
    if said is None or not readers:
        return
    known = {reader.email.lower() for reader in readers}
    for contact in customer.contacts:
        if contact.role is ContactRole.MAIN and not contact.rejected and contact.email.lower() not in known:
            known.add(contact.email.lower())
            yield Mail(TEMPLATE, {**_about(mail, readers), **said}, contact_id=contact.contact_id)


def _about(mail: Mail, readers: Iterable[ContactFacts]) -> dict[str, Any]:
    names = list(dict.fromkeys(reader.name for reader in readers))
    return {"contract_id": mail.context["contract_id"], "readers": names, "stays": bool(mail.context.get("stays"))}


def after_the_end(situation: Situation, last_day: date, billed_until: date) -> dict[str, Any]:
    """What whoever leaves has to know: the last day of access, until when their data can be asked for, if the playbook promises that,
    and the day after which nothing is invoiced."""
    days = situation.playbook.renewal.export_days
    return {
        "last_access": last_day.isoformat(),
        "export_until": (last_day + timedelta(days=days)).isoformat() if days is not None else None,
        "billed_until": billed_until.isoformat(),
    }
