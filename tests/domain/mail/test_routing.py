"""Where a received mail belongs, by what the facts know around it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.kernel.requests import read_request
from domain.mail.answering import Door, SentMail, Wish
from domain.mail.asks import Act, Ask
from domain.mail.bounces import Bounce
from domain.mail.documents import body_of, case_id_of, message_document, opening_document
from domain.mail.reading import Attachment, InboundMail
from domain.mail.routing import (
    CASES_A_DAY,
    Found,
    FoundCase,
    InboxStatus,
    KnownSender,
    MailAudience,
    Route,
    RouteKind,
    route_mail,
)
from domain.service.case_requests import CustomerMessage
from domain.service.opening import read_case

JO = KnownSender(account_id="acme", contact_id="p-1")
MAIL = InboundMail(
    message_id="<1@acme.example>", sender="jo@acme.example", sender_name="Jo", subject="Help", text="It broke."
)
CASE = FoundCase(case_id="C-17", account_id="acme", email="jo@acme.example")
SENT = SentMail(
    delivery_id="journey:acme/check-in#0",
    account_id="acme",
    contact_id="p-1",
    email="Jo@acme.example",
    template="check_in",
)


OPENS = Route(kind=RouteKind.OPEN, status=InboxStatus.MATCHED, account_id="acme", contact_id="p-1")
COLLEAGUE = OPENS.having(contact_id=None)


def routed(found: Found, **changes: Any) -> Route:
    return route_mail(MAIL.having(**changes), found)


def test_a_known_address_opens_a_case() -> None:
    route = routed(Found(senders=(JO,), neighbours=("acme", "other")))
    assert (route.kind, route.status, route.account_id, route.contact_id) == (RouteKind.OPEN, "matched", "acme", "p-1")


def test_a_colleague_opens_a_case_of_the_only_customer_under_the_domain() -> None:
    route = routed(Found(neighbours=("acme",)))
    assert (route.kind, route.account_id, route.contact_id) == (RouteKind.OPEN, "acme", None)


@pytest.mark.parametrize(
    ("found", "sender", "reason"),
    [
        (Found(neighbours=("acme", "other")), "x@acme.example", "several customers could have sent it: acme, other"),
        (Found(senders=(JO, KnownSender(account_id="other", contact_id="p"))), "jo@acme.example", "several customers"),
        (Found(neighbours=("acme",)), "jo@gmail.com", "nobody knows the address"),
        (Found(), "x@nowhere.example", "nobody knows the address"),
        (Found(), "", "nobody can be read as its sender"),
        (
            Found(threaded=CASE),
            "x@nowhere.example",
            "it answers case C-17, but the address is not known at its customer",
        ),
        (
            Found(named=CASE, senders=(KnownSender(account_id="other", contact_id="p"),), neighbours=("acme",)),
            "x@acme.example",
            "it answers case C-17, but the address is known at another customer",
        ),
        (Found(answered=SENT), "x@nowhere.example", "it answers a mail of ours to somebody else"),
        (Found(senders=(JO,), staff="S-2"), "jo@acme.example", "written by one of our own people"),
    ],
)
def test_what_is_not_certain_waits_for_a_person(found: Found, sender: str, reason: str) -> None:
    route = routed(found, sender=sender)
    assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)
    assert route.reason.startswith(reason)


def test_a_case_is_joined_by_its_customer_alone() -> None:
    for found in (
        Found(threaded=CASE, senders=(JO,)),
        Found(named=CASE, neighbours=("acme", "other")),
        Found(threaded=CASE, named=FoundCase(case_id="C-18", account_id="other"), senders=(JO,)),
        Found(threaded=CASE.having(account_id=None)),
        Found(threaded=CASE.having(email="JO@acme.example")),
        Found(threaded=CASE, senders=(JO,), cases_today=99),
    ):
        route = routed(found)
        assert (route.kind, route.status, route.case_id) == (RouteKind.JOIN, "matched", "C-17")


def test_an_answer_to_a_journey_opens_a_case_that_knows_of_it() -> None:
    route = routed(Found(senders=(JO,), answered=SENT))
    assert (route.kind, route.answered) == (RouteKind.OPEN, SENT)


@pytest.mark.parametrize("found", [Found(own=True, senders=(JO,)), Found(threaded=CASE, senders=(JO,))])
def test_machines_get_no_answer(found: Found) -> None:
    route = routed(found, automatic="Auto-Submitted: auto-replied")
    assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.AUTOMATIC)
    assert route.case_id == (found.threaded.case_id if found.threaded else None)


def test_a_delivery_report_counts_only_for_the_mail_that_was_sent_there() -> None:
    bounce = Bounce(recipient="jo@acme.example", status="5.1.1", said="no such user")
    certain = routed(Found(returned=SENT), bounce=bounce)
    assert (certain.kind, certain.contact_id, certain.reason) == (
        RouteKind.BOUNCE,
        "p-1",
        "not delivered: 5.1.1 no such user",
    )
    for found, report in (
        (Found(), bounce),
        (Found(returned=SENT), bounce.having(recipient="boss@acme.example")),
        (Found(returned=SENT), bounce.having(status="4.2.2")),
    ):
        route = routed(found, bounce=report)
        assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.AUTOMATIC)


def test_a_report_that_names_no_mail_is_for_a_person_to_judge() -> None:
    report = Bounce(recipient="jo@acme.example", status="5.1.1", said="no such user")
    for accounts, account_id in ((("acme",), "acme"), (("acme", "other"), None)):
        route = routed(Found(reported=accounts), bounce=report)
        assert (route.kind, route.status, route.account_id) == (RouteKind.KEEP, InboxStatus.UNKNOWN, account_id)
    assert routed(Found(), bounce=report).status is InboxStatus.AUTOMATIC


def test_an_answer_of_a_case_that_comes_back_from_somebody_unknown_waits_for_a_person() -> None:
    bounce = Bounce(
        recipient="jo@acme.example", status="5.1.1", said="no such user", message_ids=("<1@seller.example>",)
    )
    sent = SENT.having(delivery_id="case:C-17/case_respond:r-1#reply", contact_id=None)
    for account_id in ("acme", None):
        route = routed(Found(returned=sent.having(account_id=account_id)), bounce=bounce)
        assert (route.kind, route.status, route.case_id) == (RouteKind.KEEP, InboxStatus.UNKNOWN, "C-17")
        assert route.reason == "a mail of case C-17 came back: 5.1.1 no such user"
    known = routed(Found(returned=sent.having(contact_id="p-1")), bounce=bounce)
    assert (known.kind, known.contact_id, known.case_id) == (RouteKind.BOUNCE, "p-1", "C-17")
    for_now = routed(Found(returned=sent), bounce=bounce.having(status="4.2.2"))
    assert (for_now.kind, for_now.status, for_now.case_id) == (RouteKind.KEEP, InboxStatus.AUTOMATIC, "C-17")


def test_a_wish_that_anybody_could_write_counts_from_the_contacts_own_address_alone() -> None:
    wish = {"subject": "unsubscribe acme/p-1"}
    assert routed(Found(senders=(JO,)), **wish).kind is RouteKind.UNSUBSCRIBE
    mia = KnownSender(account_id="acme", contact_id="p-2")
    for found in (
        Found(),
        Found(neighbours=("acme",)),
        Found(senders=(mia,), neighbours=("acme",)),
        Found(senders=(KnownSender(account_id="other", contact_id="p-1"),)),
    ):
        route = routed(found, **wish)
        assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)
    assert routed(Found(senders=(mia, JO)), **wish).contact_id == "p-1"  # they share an address
    assert routed(Found(own=True, senders=(JO,)), **wish).kind is RouteKind.KEEP


def test_a_signed_wish_for_fewer_mails_counts_whoever_sends_it() -> None:
    route = routed(Found(stopped=SENT), sender="robot@mail.example", automatic="Auto-Submitted: auto-generated")
    assert (route.kind, route.account_id, route.contact_id) == (RouteKind.UNSUBSCRIBE, "acme", "p-1")
    moved = routed(Found(stopped=SENT.having(current=False)))
    assert (moved.kind, moved.status, moved.contact_id) == (RouteKind.KEEP, InboxStatus.AUTOMATIC, None)
    stranger = routed(Found(stopped=SENT.having(account_id=None, contact_id=None)))
    assert (stranger.kind, stranger.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)


@pytest.mark.parametrize("act", [Act.SCORE, Act.ACCEPT, Act.DECLINE, Act.RENEW, Act.UNSUBSCRIBE])
def test_a_reply_counts_from_whom_the_mail_went_to(act: Act) -> None:
    door = None if act is Act.UNSUBSCRIBE else Door(update="any", request={})
    wish = Wish(ask=Ask(act=act), account_id="acme", words="do it", door=door)
    mia = KnownSender(account_id="acme", contact_id="p-2")
    elsewhere = KnownSender(account_id="other", contact_id="p-1")
    for found, sender in (
        (Found(answered=SENT, senders=(mia,), neighbours=("acme",)), "mia@acme.example"),
        (Found(answered=SENT, senders=(elsewhere,)), "jo@other.example"),
        (Found(answered=SENT, neighbours=("acme",)), "intern@acme.example"),
        (Found(answered=SENT), "x@nowhere.example"),
    ):
        route = route_mail(MAIL.having(sender=sender), found, wish)
        assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)
        assert route.reason == "it would do it, but the mail that it answers went to somebody else"
    for sender in ("jo@acme.example", "jo.new@acme.example"):  # by a new address as well, once it is known
        route = route_mail(MAIL.having(sender=sender), Found(answered=SENT, senders=(JO,)), wish)
        assert (route.status, route.contact_id) == (InboxStatus.MATCHED, "p-1")


def test_the_signed_address_says_which_case_a_mail_belongs_to() -> None:
    other = FoundCase(case_id="C-18", account_id="acme")
    route = routed(Found(addressed=CASE, threaded=other, named=other, senders=(JO,)))
    assert (route.kind, route.case_id) == (RouteKind.JOIN, "C-17")
    stranger = routed(Found(addressed=CASE), sender="x@nowhere.example")
    assert (stranger.kind, stranger.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)


def test_a_delivery_report_about_an_id_that_is_not_signed_waits_for_a_person() -> None:
    bounce = Bounce(recipient="jo@acme.example", status="5.1.1", said="no such user")
    route = routed(Found(forged=True), bounce=bounce)
    assert (route.kind, route.status) == (RouteKind.KEEP, InboxStatus.UNKNOWN)


def test_the_documents_are_those_that_cases_take() -> None:
    mail = MAIL.having(
        attachments=(Attachment(name="a.png", media_type="image/png", size=2048),), answers=("<b@x.example>",)
    )
    known = read_case(opening_document("m-1", mail, OPENS))
    assert (known.account_id, known.contact_id, known.contact, known.message_id) == (
        "acme",
        "p-1",
        None,
        MAIL.message_id,
    )
    assert known.body == body_of(mail) == "It broke.\n\n[a.png, 2 kB]"
    colleague = read_case(opening_document("m-1", mail.having(subject=""), COLLEAGUE))
    assert colleague.contact is not None
    assert (colleague.contact.email, colleague.subject) == ("jo@acme.example", "(no subject)")
    assert known.case_id == colleague.case_id == case_id_of("m-1") != case_id_of("m-2")
    message = read_request(CustomerMessage, message_document("m-1", mail))
    assert (message.request_id, message.sender, message.references) == ("m-1", "jo@acme.example", ("<b@x.example>",))


def test_an_agent_answers_within_the_thread_alone_and_only_without_doubt() -> None:
    own = "My answer."
    agent = Found(staff="S-2", threaded=CASE)
    route = routed(agent, sender="sam@seller.example", text=own, own_words=own)
    assert (route.kind, route.agent, route.sent) == (RouteKind.RESPOND, "S-2", False)
    has = routed(agent.having(audience=MailAudience(customer=True)), text=own, own_words=own)
    assert (has.kind, has.sent) == (RouteKind.RESPOND, True)
    for other in (
        Found(staff="S-2", threaded=CASE, doubt="its sender may be forged"),
        Found(staff="S-2", named=CASE),
        Found(staff="S-2", threaded=CASE, senders=(JO,)),
        Found(staff="S-2", threaded=CASE, audience=MailAudience(others=("bob@partner.example",))),
        Found(staff="S-2"),
    ):
        assert (routed(other, text=own, own_words=own).kind, routed(other).status) == (RouteKind.KEEP, "unknown")


def test_a_busy_customer_is_heard_and_a_machine_is_not() -> None:
    found = Found(senders=(JO,), cases_today=CASES_A_DAY)
    busy = routed(found)
    assert (busy.kind, busy.quiet, opening_document("m-1", MAIL, busy)["automatic"]) == (RouteKind.OPEN, True, True)
    assert not routed(Found(senders=(JO,), cases_today=CASES_A_DAY - 1)).quiet
    machine = routed(found, may_answer=False)
    assert (machine.status, machine.reason) == ("unknown", "10 cases came from this address within a day")


@pytest.mark.parametrize("domain", ["gmail.com", "outlook.de", "gmx.at", "i.softbank.jp", "pm.me", "yahoo.com.br"])
def test_what_everybody_can_have_says_nothing_about_a_customer(domain: str) -> None:
    assert routed(Found(neighbours=("acme",)), sender=f"x@{domain}").reason == "nobody knows the address"
    assert routed(Found(neighbours=("acme",)), sender=f"x@own-{domain}").kind is RouteKind.OPEN
