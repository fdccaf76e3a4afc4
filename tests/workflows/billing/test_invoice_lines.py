"""What the lines of invoices and credit notes say, as the billing contact gets them: whoever pays can check each."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from activities.channels.rendering import Renderer
from domain.frame.messages import OutgoingMail
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of

ITEM, PERIOD, UNITS, PRICE, RATE, NET = range(6)


class _Rows(HTMLParser):
    """The rows of a page's tables."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data}".strip()


async def documents(
    servers: Servers, account: str, language: str = "en"
) -> list[tuple[dict[str, Any], list[list[str]]]]:
    """The documents that mails brought, in order, each as it was told and with the rows of its lines as they are read."""
    rows = await servers.pool.fetch(
        "select body from outbox where account_id = $1 and jsonb_array_length(coalesce(body->'documents', '[]')) > 0"
        " order by created_at, delivery_id",
        account,
    )
    found = []
    for row in rows:
        mail = OutgoingMail.model_validate({**row["body"], "language": language})
        for document, file in zip(mail.documents, Renderer().render(mail).files, strict=True):
            page = _Rows()
            page.feed(file.html)
            found.append((document, [cells for cells in page.rows if len(cells) == 6][1:]))
    return found


def number(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", text))


@pytest.mark.engine
async def test_lines_of_schedules_say_units_price_and_the_time_they_are_for(servers: Servers) -> None:
    document = order()
    account, contract = account_of(document), document["contracts"][0]
    for line in contract["lines"]:
        line["tax_rates"] = ["10"]
    seats = f"{document['order_id']}.{contract['lines'][0]['line_id']}"
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    start = date.fromisoformat(contract["term"]["start"])
    half = start + timedelta(days=100)
    for change in ({"add": 3}, {"remove": 5}):
        wanted = {"assets": [{"asset_id": seats, **change}], "effective": half.isoformat()}
        await servers.client.ask(account, "amend_assets", wanted)
    await servers.client.fast_forward(account, timedelta(days=120))
    found = await documents(servers, account)
    assert len(found) >= 3
    for told, rows in found:
        main = [cells for cells in rows if cells[ITEM]]
        assert len(main) == len(told["lines"])
        assert sum(number(cells[NET]) for cells in main) == number(told["net"]["amount"])
        for cells in rows:
            assert all(cells[PERIOD : PRICE + 1]), cells
            assert not re.search(r"\d{4}-\d\d-\d\d", " ".join(cells))
            if (price := re.match(r"[^\d]*([\d,.]+)$|[^\d]*([\d,.]+) (?=\D)(?!per)", cells[PRICE])) and cells[ITEM]:
                exact = number(cells[UNITS]) * number(price[1] or price[2])
                assert exact == number(cells[NET]), cells
    year = next(rows for told, rows in found if any(line["period"]["start"] == f"{start}" for line in told["lines"]))
    cells = next(cells for cells in year if "1,200" in cells[PRICE])
    last = start.replace(year=start.year + 1) - timedelta(days=1)
    assert cells[PERIOD] == f"{start:%B} {start.day}, {start.year} – {last:%B} {last.day}, {last.year}"
    assert (cells[UNITS], cells[RATE], cells[NET]) == ("40", "10%", "¥576,000")
    assert cells[PRICE] == "¥14,400 ¥1,200 per month × 12 months"
    note = next((told, rows) for told, rows in found if told["kind"] == "credit_memo")
    assert sum(int(cells[UNITS]) for cells in note[1]) == 2  # of the five the three that were added go first
    for cells in note[1]:
        assert f"{half:%B} {half.day}, {half.year} –" in cells[PERIOD]
        assert "¥1,200 per month ×" in cells[PRICE]
    japanese = await documents(servers, account, "ja")
    assert "￥1,200（月額） × 12か月" in " ".join(cells[PRICE] for _, rows in japanese for cells in rows)


async def test_lines_from_before_units_were_kept_are_credited_with_a_sentence(servers: Servers) -> None:
    document = order()
    account, contract = account_of(document), document["contracts"][0]
    seats = f"{document['order_id']}.{contract['lines'][0]['line_id']}"
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=60))
    await servers.pool.execute(
        "update invoice_line set unit_price = null, quantity = null, covers_from = null, covers_until = null, why = null,"
        " parts = null, stands = null where asset_id = $1",
        seats,
    )
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": seats, "remove": 5}]})
    told, rows = (await documents(servers, account))[-1]
    assert told["kind"] == "credit_memo"
    [cells] = rows
    assert "less what was invoiced for it, so it has no unit price" in cells[ITEM]
    assert (cells[UNITS], cells[PRICE], told["lines"][0]["unit_price"]) == ("–", "–", None)
    last = date.fromisoformat(contract["term"]["start"])
    assert cells[PERIOD].endswith(f", {last.year + 1}")
    # What is changed next is known again.
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": seats, "remove": 2}]})
    _, [cells] = (await documents(servers, account))[-1]
    assert cells[UNITS] == "2"
