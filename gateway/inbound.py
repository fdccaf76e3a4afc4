"""Mail that comes in: kept before anything else, then taken to the case, the customer or the person whom it concerns.

`Inbox.receive` takes what any mail system hands over; `Inbox.run` looks at what was kept and not yet looked at, also after
a crash. A mail has one effect however often it arrives.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from typing import Any

from activities.frame import effects
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.mail import inbox, keys
from activities.mail.inbox import StoredMail
from activities.quotes import things
from domain.frame.access import Principal
from domain.kernel.refusals import JOURNEY_CLOSED, NOT_ALLOWED, UNKNOWN_ACCOUNT, UNKNOWN_MAIL, Refusal
from domain.kernel.short_numbers import spoken
from domain.kernel.shown import shorten
from domain.mail.answering import Door, SentMail, Thing, Wish, asked_in, chosen_wish, wish_of
from domain.mail.asks import Act, Answered, Ask, ask_of
from domain.mail.authentication import doubt_of
from domain.mail.choices import PageChoice
from domain.mail.correspondence import COPIED, MailEvent
from domain.mail.documents import as_reply, body_of, case_id_of, message_document, opening_document, response_document
from domain.mail.machines import done_about, machine_of
from domain.mail.marks import Domains, marks_of
from domain.mail.reading import InboundMail, named_cases, read_mail
from domain.mail.routing import Found, InboxStatus, Route, RouteKind, case_of, route_mail
from domain.mail.text import printable
from gateway.acting import Subject, noted, of_account, of_case, reason_in
from gateway.attended import (
    ATTEMPTS,
    PATIENCE,
    all_of,
    delay_after,
    look_again_and_again,
    passes,
    raise_if_cancelled,
)
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.reception import ANSWERED_WITHIN, Reception

_LATE = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(minutes=10)

_log = logging.getLogger(__name__)


_NEGOTIATED = "revise_renewal"
"""the request of a reply that people talk about if it is refused"""


class Inbox(Reception):
    """What customers write, and what becomes of it. Takes mails as every reception does.

    Args:
        authserv_id: the name of our mail server in the Authentication-Results that it writes; null: nobody is believed.
    """

    def __init__(
        self,
        client: PerennialClient,
        cases: CaseClient,
        pool: Pool,
        *,
        own_address: str,
        domains: Domains,
        authserv_id: str | None = None,
    ) -> None:
        super().__init__(pool, own_address=own_address, domains=domains)
        self._client = client
        self._cases = cases
        self._authserv_id = authserv_id

    async def run(self) -> None:
        """Looks at every mail that was kept, those of an earlier process included, until it is cancelled."""
        await look_again_and_again("inbox", self._kept, self.settle_new)

    async def settled(self, inbox_id: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERED_WITHIN):
                while await self.became(inbox_id) is InboxStatus.NEW:  # noqa: ASYNC110 - another process may look at it
                    await asyncio.sleep(0.1)

    async def settle_new(self) -> int:
        """Takes in every mail that waits for it; returns how many were looked at."""
        return await all_of(self._settle_next)

    async def _settle_next(self) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            stored = await inbox.claim_mail(connection, present())
            if stored is None:
                return False
            try:
                async with connection.transaction():  # whatever is wrong with one mail, the next ones get their turn
                    await self._take_in(connection, stored)
            except Exception as error:
                raise_if_cancelled(error)
                if passes(error) or stored.attempts < ATTEMPTS:
                    await self._postpone(connection, stored, error)
                else:
                    await self._settle(connection, stored, InboundMail(), _failed(_KEPT, _words(error)))
            return True

    async def _take_in(self, connection: Connection, stored: StoredMail) -> None:
        mail = await _read(stored)
        found = await self._look_around(connection, stored, mail)
        route = route_mail(mail, found, await self._wish(connection, mail, found))
        if found.chosen is not None and route.kind in (RouteKind.OPEN, RouteKind.JOIN):
            mail = as_reply(mail, found.chosen)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                route = await self._carry_out(connection, stored, mail, route)
        except Refusal as refusal:
            if route.door is not None and route.door.update == _NEGOTIATED:
                route = await self._to_a_person(connection, stored, mail, found, refusal)
            else:
                route = _failed(route, f"{f'{route.reason}: ' if route.door else ''}{refusal.type}: {refusal}")
        await self._settle(connection, stored, mail, route)

    async def _to_a_person(
        self, connection: Connection, stored: StoredMail, mail: InboundMail, found: Found, refusal: Refusal
    ) -> Route:
        """A wish that could not be met as it was written is a case of a person's, who answers it in time."""
        try:
            route = await self._carry_out(connection, stored, mail, route_mail(mail, found))
        except Refusal as other:
            return _failed(_KEPT, f"{other.type}: {other}")
        return route.having(reason=f"{refusal.type}: {refusal}"[:500])

    async def _wish(self, connection: Connection, mail: InboundMail, found: Found) -> Wish | None:
        """What the mail asks for, if it can be done by itself."""
        if found.chosen is not None:
            return chosen_wish(PageChoice.read(found.choice), mail, found.chosen)
        asked = asked_in(found.answered)
        ask = ask_of(mail, asked)
        if ask is None:
            return None
        accounts = [one.account_id for one in found.senders]
        account_id = found.answered.account_id if found.answered else (accounts[0] if len(accounts) == 1 else None)
        thing = await self._meant(connection, mail, ask, asked, account_id) if account_id is not None else None
        return wish_of(ask, mail, found.answered, thing, account_id)

    async def _meant(
        self, connection: Connection, mail: InboundMail, ask: Ask, asked: Answered | None, account_id: str
    ) -> Thing | None:
        """What an ask is about: what was asked, what it names, or with a wish to renew the contract that it can only mean."""
        thing = None
        if asked is not None and ask.id == asked.id:
            thing = await things.thing_of(connection, account_id, asked.id)
        elif ask.id is not None:
            thing = await things.thing_named(connection, account_id, ask.id)
        if thing is None and ask.act is Act.RENEW and not (ask.id and spoken(ask.id)):
            thing = await things.contract_meant(connection, account_id, f"{mail.subject} {mail.own_words}")
        return thing

    async def _look_around(self, connection: Connection, stored: StoredMail, mail: InboundMail) -> Found:
        found = await inbox.look_around(
            connection,
            mail,
            received_at=stored.received_at,
            named=named_cases(mail, self._domains.mail),
            marks=marks_of(mail, self._domains, await keys.load_keys(connection)),
            own_address=self._own_address,
            takes=self.takes,
        )
        return found.having(doubt=doubt_of(mail.authentication, self._authserv_id))

    async def _postpone(self, connection: Connection, stored: StoredMail, error: Exception) -> None:
        delay = delay_after(stored.attempts, _LONGEST_DELAY)
        reason = _words(error)[:300]
        _log.warning("mail %s is looked at again in %s: %s", stored.inbox_id, delay, type(error).__name__)
        await inbox.postpone_mail(connection, stored.inbox_id, present() + delay, reason)

    async def _settle(
        self, connection: Connection, stored: StoredMail, mail: InboundMail, route: Route, by: str = "system"
    ) -> None:
        await inbox.settle_mail(
            connection,
            stored.inbox_id,
            mail,
            route.status,
            present(),
            reason=route.reason,
            account_id=route.account_id,
            contact_id=route.contact_id,
            case_id=route.case_id,
            by=by,
            machine=machine_of(mail, route),
            done=done_about(route) if route.status is InboxStatus.AUTOMATIC else "",
        )

    # What is done with a mail

    async def _carry_out(self, connection: Connection, stored: StoredMail, mail: InboundMail, route: Route) -> Route:
        """Does what the route says; the route as it ended."""
        match route.kind:
            case RouteKind.JOIN:
                return await self._join(stored, mail, route)
            case RouteKind.OPEN:
                return await self._open(stored, mail, route)
            case RouteKind.RESPOND:
                return await self._respond(stored, mail, route)
            case RouteKind.UNSUBSCRIBE | RouteKind.BOUNCE:
                await self._tell_contact(connection, stored, route)
        if route.door is not None:
            await self._answer(stored, route, route.door)
        if route.replied is not None and case_of(route.replied) is None:
            note = {"done": route.reason, "request_id": f"{stored.inbox_id}:copy"}
            with suppress(Refusal):  # what was asked is done, whoever hears of it
                await self._note(stored, route, {**_answer_note(mail, route.replied), **note})
        return route

    async def _answer(self, stored: StoredMail, route: Route, door: Door) -> None:
        """Asks what the reply asks, once however often it is tried."""
        request = {**door.request, "request_id": f"{stored.inbox_id}:answer", "by": route.contact_id or "customer"}
        about = of_case(door.case_id) if door.case_id is not None else of_account(str(route.account_id))
        async with self._noted(stored, route, about, door.update, request):
            if door.case_id is not None:
                await self._cases.ask(door.case_id, door.update, request)
            else:
                await self._client.ask(str(route.account_id), door.update, request)

    def _noted(
        self, stored: StoredMail, route: Route, about: Subject, operation: str, request: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[None]:
        """The act of the block stands in the audit log, as that of the contact who wrote, or of ours who answers by mail."""
        theirs = f"contact:{route.contact_id}" if route.contact_id else "customer"
        name = f"staff:{request['by']}" if route.kind is RouteKind.RESPOND else theirs
        who = Principal(name, str(request.get("by", "customer")), frozenset())
        why = reason_in(request) or route.reason or f"a mail, {stored.inbox_id}"
        return noted(self._pool, "inbox", who, about, operation, str(request.get("request_id", stored.inbox_id)), why)

    async def _join(self, stored: StoredMail, mail: InboundMail, route: Route) -> Route:
        request = {**message_document(stored.inbox_id, mail), **await self._when(stored, route.account_id, "at")}
        async with self._noted(stored, route, of_case(str(route.case_id)), "customer_message", request):
            answer = await self._cases.customer_message(str(route.case_id), request)
        return route.having(case_id=str(answer["case_id"]))

    async def _respond(self, stored: StoredMail, mail: InboundMail, route: Route) -> Route:
        """An agent's answer. One that is sent on leaves now; one that the customer has counts from when it came to us."""
        request = response_document(stored.inbox_id, mail, route)
        if route.sent:
            request |= await self._when(stored, route.account_id, "at")
        async with self._noted(stored, route, of_case(str(route.case_id)), "respond", request):
            answer = await self._cases.agent_message(str(route.case_id), request)
        return route.having(case_id=str(answer["case_id"]))

    async def _open(self, stored: StoredMail, mail: InboundMail, route: Route) -> Route:
        case_id = case_id_of(stored.inbox_id)
        if await self._cases.case(case_id) is None:  # else a process that died had opened it
            document = opening_document(stored.inbox_id, mail, route)
            document |= await self._when(stored, route.account_id, "opened_at")
            async with self._noted(stored, route, of_case(case_id), "open_case", {"request_id": case_id}):
                await self._cases.open_case(document)
        if route.answered is not None and route.account_id is not None:
            await self._note(stored, route, {**_answer_note(mail, route.answered), "case_id": case_id})
        return route.having(case_id=case_id)

    async def _when(self, stored: StoredMail, account_id: str | None, field: str) -> dict[str, str]:
        """When a mail came in, if it had to wait: promises count from then. A customer whose clock was moved has a time of their own."""
        now = present()
        if now - stored.received_at < _LATE:
            return {}
        if account_id is not None:
            with suppress(Refusal):
                if await self._client.now(account_id) > now + timedelta(seconds=2):
                    return {}
        return {field: stored.received_at.isoformat()}

    async def _tell_contact(self, connection: Connection, stored: StoredMail, route: Route) -> None:
        """A contact wants fewer mails, or their address is wrong. Without a journey only the facts are told."""
        unsubscribes = route.kind is RouteKind.UNSUBSCRIBE
        note: dict[str, Any] = {"event": (MailEvent.UNSUBSCRIBED if unsubscribes else MailEvent.BOUNCED).value}
        sent = route.answered
        if sent is not None:
            note |= {"email": sent.email, "reason": route.reason}
            note |= {"template": sent.template} if sent.template else {}
        if await self._note(stored, route, note) or route.account_id is None or route.contact_id is None:
            return
        if unsubscribes:
            await effects.unsubscribe_contact(connection, route.account_id, route.contact_id, present())
        elif sent is not None:
            await effects.flag_contact(
                connection, route.account_id, route.contact_id, sent.email, present(), route.reason
            )

    async def _note(self, stored: StoredMail, route: Route, note: dict[str, Any]) -> bool:
        """Tells the customer's journey. False if they have none that goes on."""
        request = {"request_id": stored.inbox_id, "by": "customer", **note}
        if route.contact_id is not None:
            request["contact_id"] = route.contact_id
        try:
            async with self._noted(stored, route, of_account(str(route.account_id)), "note_mail", request):
                await self._client.ask(str(route.account_id), "note_mail", request)
        except Refusal as refusal:
            if refusal.type not in (UNKNOWN_ACCOUNT, JOURNEY_CLOSED):
                raise
            return False
        return True

    # People

    async def assign(
        self, inbox_id: str, *, account_id: str | None = None, case_id: str | None = None, by: str = "agent"
    ) -> str:
        """A person says whose a mail is: it opens a case of `account_id`, or joins `case_id`. Returns the case.

        Raises `Refusal`: UnknownMail, NotAllowed for a mail that has its case already, and what the case refuses.
        """
        if (account_id is None) == (case_id is None):
            raise Refusal(
                NOT_ALLOWED, "give the account whose case the mail opens, or the case that it joins; not both"
            )
        async with self._pool.acquire() as connection, connection.transaction():
            stored, mail = await self._held(connection, inbox_id)
            found = await self._look_around(connection, stored, mail)
            contact_id = next((one.contact_id for one in found.senders if one.account_id == account_id), None)
            kind = RouteKind.OPEN if case_id is None else RouteKind.JOIN
            route = Route(
                kind=kind,
                status=InboxStatus.MATCHED,
                account_id=account_id,
                contact_id=contact_id,
                case_id=case_id,
                reason="assigned",
            )
            if not mail.sender and case_id is None:
                raise Refusal(NOT_ALLOWED, "nobody can be read as its sender; assign it to a case")
            route = await self._carry_out(connection, stored, mail, route)
            case = await self._cases.case(str(route.case_id))
            route = route.having(account_id=case.account_id if case else account_id)
            await self._settle(connection, stored, mail, route, by)
            return str(route.case_id)

    async def discard(self, inbox_id: str, reason: str, *, by: str = "agent") -> None:
        """A person says that a mail needs nothing. It is kept. Raises `Refusal`: UnknownMail, NotAllowed."""
        async with self._pool.acquire() as connection, connection.transaction():
            stored, mail = await self._held(connection, inbox_id)
            route = Route(kind=RouteKind.KEEP, status=InboxStatus.DISCARDED, reason=reason)
            await self._settle(connection, stored, mail, route, by)

    async def _held(self, connection: Connection, inbox_id: str) -> tuple[StoredMail, InboundMail]:
        """A mail that a person decides about, held against others."""
        found = await inbox.find_mail(connection, inbox_id)
        stored = await inbox.hold_mail(connection, found["inbox_id"]) if found else None
        if stored is None:
            raise Refusal(
                UNKNOWN_MAIL, f"there is no mail {inbox_id!r}, or more than one; `perennial inbox list` shows them"
            )
        if stored.status is InboxStatus.MATCHED:
            raise Refusal(NOT_ALLOWED, f"mail {stored.inbox_id} was taken in already; nothing was changed")
        return stored, await _read(stored)


def _answer_note(mail: InboundMail, sent: SentMail) -> dict[str, Any]:
    """What a journey is told of an answer to one of its mails."""
    note: dict[str, Any] = {"event": MailEvent.ANSWERED.value, "template": sent.template, "subject": mail.subject}
    note |= {"email": mail.sender, "words": shorten(body_of(mail), COPIED)}
    return note | ({"person": sent.person, "has_it": sent.person.lower() in mail.recipients} if sent.person else {})


_KEPT = Route(kind=RouteKind.KEEP, status=InboxStatus.FAILED)


async def _read(stored: StoredMail) -> InboundMail:
    """The mail, read beside the loop: one of many megabytes takes a second."""
    return await asyncio.to_thread(read_mail, stored.raw, recipients=stored.recipients, return_path=stored.return_path)


def _words(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {error}")


def _failed(route: Route, reason: str) -> Route:
    return route.having(status=InboxStatus.FAILED, reason=reason[:500])
