"""The documents of a customer in the console: listed for all, opened by who sees prices, as they were sent."""

from __future__ import annotations

from domain.frame.access import AccessRole
from tests.conftest import Servers
from tests.gateway.console.browser import with_role
from tests.gateway.customer.test_papers import invoiced, words


async def test_documents_are_found_from_the_customer_and_opened_by_who_sees_prices(servers: Servers) -> None:
    account, _, invoice = await invoiced(servers)
    browser = await with_role(servers, AccessRole.FINANCE)
    whole = await browser.open(f"/customers/{account}")
    assert f"/customers/{account}/documents" in whole.links
    listed = await browser.open(f"/customers/{account}/documents")
    assert f"Invoice {invoice}" in listed.text
    [path] = [one for one in listed.links if f"/{invoice}?" in one]
    http = browser.http
    made = await http.get(path)
    assert (made.status_code, made.headers["content-type"]) == (200, "application/pdf")
    assert invoice in words(made.content)
    assert "no-store" in made.headers["cache-control"]
    for wrong in ("INV-none", "%00", "a b"):
        assert (await http.get(f"/customers/{account}/documents/{wrong}")).status_code == 404
    served = await with_role(servers, AccessRole.SERVICE)
    page = await served.open(f"/customers/{account}/documents")
    assert f"Invoice {invoice}" in page.text
    assert not [one for one in page.links if invoice in one]
    assert (await served.http.get(path)).status_code == 403
