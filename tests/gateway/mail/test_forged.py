"""Mails that our own mail server says may be forged wait for a person, whatever they ask and whatever they prove."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.gateway.mail.post import DOMAIN, OWN, Post, contact_of, report_about, written
from tests.gateway.mail.test_replies import state_of, with_quote
from tests.gateway.mail.test_signed import a_case, flagged, header_of

US = "mx.perennial.example"
FAILED = f"{US}; spf=pass smtp.mailfrom=x.example; dmarc=fail header.from=acme.example"
REASON = "its sender may be forged: our mail server says that DMARC failed"


@pytest.fixture
async def post(servers: Servers) -> AsyncIterator[Post]:
    cases = CaseClient(servers.temporal, servers.pool)
    inbox = Inbox(servers.client, cases, servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN), authserv_id=US)
    servers.stack.mail.arrival = inbox.arrival
    yield Post(servers, inbox, cases)
    servers.stack.mail.arrival = None


@pytest.mark.engine
async def test_a_forged_answer_accepts_scores_and_joins_nothing(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    sender = contact_of(account)
    case_id, acknowledgement = await a_case(post, sender)
    sent = await post.sent(account_of(account))
    for address, subject, text in (
        (header_of(post, mail, "Reply-To"), "Re: Your quote", "Yes, we accept."),
        (header_of(post, acknowledgement, "Reply-To"), f"[{case_id}]", "Send it to another address."),
        (OWN, "Your quote", f"We decline {quote_id}."),
        (OWN, f"unsubscribe {account['account']['account_id']}/P-1", ""),
        (OWN, "Renewal", "Please renew our Workspace."),
        (header_of(post, await post.answered(sender, "welcome"), "List-Unsubscribe")[8:].partition("?")[0], "", ""),
    ):
        row = await post.delivered(written(sender, subject, text, Authentication_Results=FAILED), to=address)
        assert (row["status"], row["reason"]) == ("unknown", REASON)
    assert await state_of(post, quote_id) == "presented"
    assert await post.messages(case_id, "inbound") == ["Nothing works since nine."]
    assert await post.cases_of(account) == [case_id]
    assert (await flagged(post, account))["unsubscribed_at"] is None
    assert await post.sent(account_of(account)) == sent


async def test_a_forged_report_flags_nobody(post: Post) -> None:
    account = await post.customer()
    welcome = await post.answered(contact_of(account), "welcome")
    report = f"Authentication-Results: {FAILED}\r\n".encode() + report_about(welcome["message_id"], contact_of(account))
    row = await post.delivered(report, to=OWN, sender="")
    assert (row["status"], row["reason"]) == ("unknown", REASON)
    assert (await flagged(post, account))["rejected_at"] is None


async def test_a_person_takes_a_doubtful_mail_to_its_case(post: Post) -> None:
    account = await post.customer()
    case_id, _ = await a_case(post, contact_of(account))
    doubtful = written(contact_of(account), f"[{case_id}]", "It is me.", Authentication_Results=FAILED)
    row = await post.delivered(doubtful)
    assert (row["status"], row["case_id"]) == ("unknown", case_id)  # where it would go, for whoever looks at it
    assert await post.inbox.assign(row["inbox_id"], case_id=case_id) == case_id
    assert (await post.messages(case_id, "inbound"))[1:] == ["It is me."]


@pytest.mark.parametrize(
    "said",
    [
        f"{US}; spf=pass; dkim=pass; dmarc=pass",
        "mx.elsewhere.example; dmarc=fail",
        f"{US}; none",
    ],
)
async def test_what_others_say_and_what_passed_is_no_doubt(post: Post, said: str) -> None:
    account = await post.customer()
    row = await post.delivered(written(contact_of(account), Authentication_Results=said))
    assert (row["status"], row["account_id"]) == ("matched", account["account"]["account_id"])


async def test_a_pass_that_the_forger_wrote_stands_below_the_truth(post: Post) -> None:
    account = await post.customer()
    mail = written(contact_of(account), Authentication_Results=f"{US}; dmarc=pass").as_bytes()
    row = await post.delivered(f"Authentication-Results: {FAILED}\r\n".encode() + mail)
    assert (row["status"], row["reason"]) == ("unknown", REASON)
