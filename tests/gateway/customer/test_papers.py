"""Documents by every door: as the customer got them, whatever was changed since; by a link that is ours, and of that mail."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pypdf
import pytest

from activities.channels.rendering import Renderer
from activities.mail.keys import load_keys
from domain.frame.access import AccessRole
from domain.frame.messages import OutgoingMail
from domain.mail.marks import Domains
from domain.mail.signing import AddressPurpose, token_of
from gateway.customer.pages import customer_app
from gateway.customer.papers import GOOD_FOR
from gateway.reception import Reception
from gateway.serving import served
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling
from tests.gateway.api.callers import token_of as key_of
from tests.gateway.mail.post import DOMAIN, OWN
from tests.workers.cli.running import perennial


@pytest.fixture
async def web(servers: Servers) -> AsyncIterator[httpx2.AsyncClient]:
    reception = Reception(servers.pool, own_address=OWN, domains=Domains(DOMAIN))
    async with (
        served(customer_app(reception), "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
    ):
        yield http


async def invoiced(servers: Servers) -> tuple[str, Any, str]:
    """A customer with an invoice: the account, the mail that brought it, and its id."""
    document = order()
    for line in document["contracts"][0]["lines"]:
        line["tax_rates"] = ["10"]
    account = document["account"]["account_id"]
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    row = await servers.pool.fetchrow(
        "select * from outbox where account_id = $1 and status = 'sent'"
        " and jsonb_array_length(coalesce(body->'documents', '[]')) > 0 order by created_at limit 1",
        account,
    )
    assert row is not None
    return account, row, row["body"]["documents"][0]["id"]


async def link(servers: Servers, mail: Any, purpose: AddressPurpose = AddressPurpose.PAPER) -> str:
    async with servers.pool.acquire() as connection:
        keys = await load_keys(connection)
    return f"/document/{token_of(mail['delivery_id'], purpose, keys[mail['body']['key']])}"


def words(made: bytes) -> str:
    return "".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made)).pages).split())


async def test_an_invoice_stays_what_was_sent_whatever_changes(
    servers: Servers, web: httpx2.AsyncClient, tmp_path: Path
) -> None:
    account, mail, invoice = await invoiced(servers)
    name = await servers.pool.fetchval("select name from account where account_id = $1", account)
    total = await servers.pool.fetchval("select total from invoice where invoice_id = $1", invoice)
    async with calling(servers, await key_of(servers, AccessRole.FINANCE)) as http:
        first = await http.get(f"/invoices/{invoice}/document")
        assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf"), first.text
        said = words(first.content)
        assert all(one in said for one in (invoice, "".join(name.split()), f"{total:,.0f}"))
        await servers.pool.execute("update account set name = 'Renamed since' where account_id = $1", account)
        again = await http.get(f"/invoices/{invoice}/document")
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"]
        kept = await http.get(f"/invoices/{invoice}/document", headers={"If-None-Match": first.headers["etag"]})
        assert (kept.status_code, kept.content) == (304, b"")
        english = await http.get(f"/invoices/{invoice}/document", params={"language": "en"})
        assert "Invoice" in words(english.content)
        assert english.headers["etag"] != first.headers["etag"]
        listed = (await http.get(f"/accounts/{account}/documents")).json()["items"]
        shown = next(one for one in listed if one["id"] == invoice)
        assert (await http.get(f"/{shown['path']}")).content == first.content
    by_link = await web.get(f"{await link(servers, mail)}/1")
    assert by_link.content == first.content
    file = tmp_path / "invoice.pdf"
    database = str(servers.settings.database_url.get_secret_value())
    ended = await perennial("document", account, invoice, "--pdf", str(file), dsn=database, folder=tmp_path)
    assert ended.code == 0, ended.err
    assert file.read_bytes() == first.content


async def test_an_invoice_that_nobody_got_is_made_from_the_tables(servers: Servers) -> None:
    _, mail, invoice = await invoiced(servers)
    async with calling(servers, await key_of(servers, AccessRole.FINANCE)) as http:
        sent = words((await http.get(f"/invoices/{invoice}/document")).content)
        await servers.pool.execute("delete from outbox where delivery_id = $1", mail["delivery_id"])
        made = words((await http.get(f"/invoices/{invoice}/document")).content)
    seller = mail["body"]["context"]["seller"]
    assert made.replace(seller, "") == sent.replace(seller, "")


async def test_a_reminder_leads_to_the_invoice_that_it_names(servers: Servers, web: httpx2.AsyncClient) -> None:
    account, brought, invoice = await invoiced(servers)
    await servers.client.ask(account, "note_payment", {"number": 1, "status": "overdue", "by": "ledger"})
    await servers.client.fast_forward(account, timedelta(days=8))
    reminders = "select * from outbox where account_id = $1 and body->>'template' = 'payment_reminder' limit 1"
    mail = await servers.pool.fetchrow(reminders, account)
    assert mail is not None
    path = await link(servers, mail)
    for language in ("en", "ja"):
        said = OutgoingMail.model_validate({**mail["body"], "language": language})
        rendered = Renderer().render(said, links=lambda page, _: path if page == "document" else None)
        assert f"{path}/1" in rendered.text
        assert f'href="{path}/1"' in rendered.html
    named = [one["invoice_id"] for one in mail["body"]["context"]["invoices"]]
    assert named == [invoice]
    shown = await web.get(f"{path}/1")
    assert shown.content == (await web.get(f"{await link(servers, brought)}/1")).content
    assert (await web.get(f"{path}/2")).status_code == 404


async def test_who_sees_no_prices_sees_no_invoice_and_what_is_not_there_is_not_found(servers: Servers) -> None:
    account, _, invoice = await invoiced(servers)
    async with calling(servers, await key_of(servers, AccessRole.SERVICE)) as http:
        assert (await http.get(f"/invoices/{invoice}/document")).status_code == 403
        assert (await http.get(f"/accounts/{account}/documents")).status_code == 200
    async with calling(servers, await key_of(servers, AccessRole.ADMIN)) as http:
        for path in ("/invoices/INV-none/document", "/quotes/Q-none/document", f"/quotes/{invoice}/document"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "UnknownDocument")
    async with calling(servers, await key_of(servers, AccessRole.ADMIN, scopes=["accounts:read"])) as http:
        assert (await http.get(f"/invoices/{invoice}/document")).status_code == 403


async def test_a_quote_is_a_document_in_each_version_that_was_sent(servers: Servers) -> None:
    account, _, _ = await invoiced(servers)
    asset = await servers.pool.fetchval("select min(asset_id) from asset where account_id = $1", account)
    now = await servers.client.now(account)
    line = {
        "kind": "quantity",
        "line_id": "1",
        "asset_id": asset,
        "delta": 5,
        "effective": str(now.date() + timedelta(days=2)),
    }
    await servers.client.ask(account, "request_quote", {"quote_id": f"Q-{account}", "lines": [line], "by": "S-1"})
    async with calling(servers, await key_of(servers, AccessRole.SALES)) as http:
        answer = await http.get(f"/quotes/Q-{account}/document")
        assert answer.status_code == 200, answer.text
        assert f"Q-{account}" in words(answer.content)
        assert (await http.get(f"/quotes/Q-{account}/document", params={"version": 9})).status_code == 404


async def test_only_a_link_of_ours_shows_the_documents_of_its_own_mail(
    servers: Servers, web: httpx2.AsyncClient
) -> None:
    _, mail, _ = await invoiced(servers)
    _, others, _ = await invoiced(servers)
    path, swapped = await link(servers, mail), await link(servers, others)
    shown = await web.get(f"{path}/1")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "application/pdf")
    assert (shown.headers["referrer-policy"], shown.headers["cache-control"]) == ("no-referrer", "no-store")
    assert (await web.get(f"{swapped}/1")).content != shown.content
    wrong = path[:-1] + ("a" if path[-1] != "a" else "b")
    answering = await link(servers, mail, AddressPurpose.ANSWER)
    for forged in (
        f"{wrong}/1",
        f"{answering}/1",
        f"{path}/2",
        f"{path}/0",
        "/document/x/1",
        f"/document/{'a' * 48}/1",
    ):
        refused = await web.get(forged)
        assert (refused.status_code, "reply to the mail" in refused.text) == (404, True), forged
    before = await servers.pool.fetchval("select count(*) from inbox_message")
    assert (await web.post(f"{path}/1")).status_code == 405
    assert await servers.pool.fetchval("select count(*) from inbox_message") == before
    await servers.pool.execute(
        "update outbox set body = jsonb_set(body, '{at}', to_jsonb($2::text)) where delivery_id = $1",
        mail["delivery_id"],
        (mail["created_at"] - GOOD_FOR - timedelta(days=60)).isoformat(),
    )
    late = await web.get(f"{path}/1")
    assert (late.status_code, "expired" in late.text) == (410, True)
