"""Orders, contracts, quotes and invoices by their own ids, and cases over all customers."""

from __future__ import annotations

from datetime import timedelta

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_parts import with_a_case
from tests.gateway.api.test_reading import placed


async def test_what_was_sold_is_found_by_its_own_id(servers: Servers) -> None:
    document = await placed(servers)
    account, order_id = document["account"]["account_id"], document["order_id"]
    quote_id, later = f"Q-{account}", str((present() + timedelta(days=40)).date())
    line = {"kind": "quantity", "line_id": "1", "asset_id": f"{order_id}.1", "delta": 10, "effective": later}
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        path = f"/accounts/{account}/requests"
        asked = await http.post(f"{path}/request_quote", json={"quote_id": quote_id, "lines": [line]})
        assert asked.status_code == 200, asked.text
        told = {"order_id": order_id, "line_id": "3", "step": "shipped", "quantity": 2}
        shipped = await http.post(f"{path}/report_fulfilment", json=told)
        assert shipped.status_code == 200, shipped.text
        order = (await http.get(f"/orders/{order_id}")).json()
        (listed,) = (await http.get(f"/accounts/{account}/orders")).json()["items"]
        contract = (await http.get(f"/contracts/{document['contracts'][0]['contract_id']}")).json()
        quote = (await http.get(f"/quotes/{quote_id}")).json()
        bills = (await http.get(f"/accounts/{account}/invoices")).json()["items"]
        bill = await http.get(f"/invoices/{bills[0]['id']}")
        again = await http.get(f"/invoices/{bills[0]['id']}", headers={"If-None-Match": bill.headers["etag"]})
        nothing = [await http.get(f"/{what}/no-such") for what in ("orders", "contracts", "quotes", "invoices")]
    assert order == listed
    assert {one["line_id"]: (one["quantity"], one["state"], one["delivered"]) for one in order["lines"]} == {
        "1": (40, None, 0),
        "2": (1, None, 0),
        "3": (5, "ordered", 0),
    }
    assert order["contracts"] == [contract["contract_id"]]
    assert quote["versions"][0]["lines"][0]["quantity"] == 10
    assert bill.json() == bills[0]
    assert (again.status_code, again.content) == (304, b"")
    assert [(one.status_code, one.json()["code"]) for one in nothing] == [
        (404, "UnknownOrder"),
        (404, "UnknownContract"),
        (404, "UnknownQuote"),
        (404, "UnknownInvoice"),
    ]
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        seen = (await http.get(f"/orders/{order_id}")).json()
        hidden = await http.get(f"/invoices/{bills[0]['id']}")
    assert "unit_price" in order["lines"][0]
    assert "unit_price" not in seen["lines"][0]
    assert hidden.status_code == 403


async def test_cases_of_all_customers_are_found_by_what_is_so_of_them(servers: Servers) -> None:
    (_, first), (_, second) = [await with_a_case(servers) for _ in range(2)]
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        await http.post(f"/cases/{first}/requests/resolve", json={"code": "fixed", "text": "A new cable."})
        await http.post(f"/cases/{second}/requests/escalate", json={"reason": "it burns"})

        async def found(**asked: str) -> set[str]:
            ids, cursor = list[str](), ""
            while True:
                more: dict[str, str] = {"cursor": cursor} if cursor else {}
                answer = await http.get("/cases", params={**asked, **more, "limit": "2"})
                assert answer.status_code == 200, answer.text
                page = answer.json()
                ids += [one["case_id"] for one in page["items"]]
                if not (cursor := page["next"] or ""):
                    break
            assert len(ids) == len(set(ids)), "nothing stands twice"
            return set(ids) & {first, second}

        assert await found() == {first, second}
        assert await found(open="true") == {second}
        assert await found(state="resolved") == {first}
        assert await found(escalated="true") == {second}
        assert await found(priority="high") == {first, second}
        assert await found(owner="nobody") == await found(late="true") == set()
        wrong = await http.get("/cases", params={"state": "burning"})
    assert wrong.status_code == 422
