"""The portfolio: figures of all customers as charts, each with its table and the accounts behind it, for those who may see them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from xml.etree.ElementTree import fromstring

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from domain.success.usage import UsageRow
from gateway.console.charts import Series, columns, rows
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import with_role


async def _customer(servers: Servers) -> str:
    """A customer with revenue, use and an answer, who began in the days before today."""
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=60))
    product = document["contracts"][0]["lines"][0]["product"]
    today = (await servers.client.now(account)).date()
    used = [
        UsageRow(account_id=account, product=product, day=today - timedelta(days=n), active_users=20)
        for n in range(1, 20)
    ]
    await servers.client.record_usage(used)
    await servers.pool.execute(
        "insert into survey (survey_id, account_id, kind, sent_at, score, answered_at) values ($1, $2, 'nps', $3, 9, $3)",
        f"N-{account}",
        account,
        present() - timedelta(days=1),  # where they are it may be tomorrow by now
    )
    return account


async def test_each_figure_has_its_chart_its_table_and_the_accounts_behind_it(servers: Servers) -> None:
    await _customer(servers)  # beside all that other tests have in the same database: whose rows are shown is by chance
    seller = await with_role(servers, AccessRole.SALES)
    today = present().date()  # without days the page goes by the customer who has lived furthest
    days = f"?from={today - timedelta(days=300)}&to={today + timedelta(days=61)}"
    page = await seller.open(f"/portfolio{days}")
    assert seller.answer.status_code == 200, page.text
    for said in ("Revenue kept", "Renewals in the year ahead", "Use", "What customers answered", "ROI · expected"):
        assert said in page.text, said
    pictures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(pictures) >= 5
    assert all(attrs.get("role") == "img" and attrs.get("aria-label") for attrs in pictures)
    for report in ("retention", "renewals", "adoption", "surveys"):
        page = await seller.open(f"/portfolio/{report}{days}")
        assert [link for link in page.links if link.startswith("/customers/")], report
        assert [tag for tag, _ in page.tags].count("svg") < [tag for tag, _ in page.tags].count("table")
    assert "¥" in (await seller.open(f"/portfolio/retention{days}")).text
    await seller.send("/language", "ja")
    assert "純収益維持率" in (await seller.open("/portfolio")).text


async def test_who_may_not_see_what_a_report_is_of_sees_the_others_and_who_sees_their_own_none(
    servers: Servers,
) -> None:
    await _customer(servers)
    service = await with_role(servers, AccessRole.SERVICE)
    page = await service.open("/portfolio")
    assert "What customers answered" in page.text
    assert not [word for word in ("Revenue kept", "Renewals in", "ROI", "¥") if word in page.text]
    for report in ("retention", "renewals", "value", "nothing"):
        await service.open(f"/portfolio/{report}")
        assert service.answer.status_code == 403, report
    own = await with_role(servers, AccessRole.SALES, own_only=True)
    assert "/portfolio" not in (await own.open("/")).links
    await own.open("/portfolio")
    assert own.answer.status_code == 403


async def test_days_that_are_none_are_told_and_what_was_typed_is_kept(servers: Servers) -> None:
    seller = await with_role(servers, AccessRole.SALES)
    for first, last in (("2026-02-30", ""), ("2026-03-02", "2026-03-01"), ("9999-01-01", "")):
        page = await seller.open(f"/portfolio?from={first}&to={last}")
        assert seller.answer.status_code == 422
        assert ("input", first) in [
            (tag, attrs.get("value")) for tag, attrs in page.tags if attrs.get("name") == "from"
        ]
        assert 'role="alert"' in page.html


def test_charts_bring_no_style_no_script_and_no_ids_and_say_every_value() -> None:
    for draw in (columns, rows):
        two = [Series("a <b>", [1200, Decimal("-3.5"), None]), Series("次", [4, 0, 7])]
        drawn = fromstring(
            draw("What is shown", ["x", "更新された契約", "<i>"], two, lambda value: f"{float(value):g} pts")
        )
        names = {one.tag.rpartition("}")[2] for one in drawn.iter()}
        assert not names & {"style", "script", "title", "desc"}
        assert not [one for one in drawn.iter() if one.get("style") or one.get("id")]
        said = {text.strip() for one in drawn.iter() if (text := one.text)}
        assert {"1200 pts", "-3.5 pts", "4 pts", "7 pts", "x", "更新された契約", "<i>", "a <b>", "次"} <= said
        assert drawn.get("aria-label") == "What is shown"
