"""The steps of an onboarding by the link of a mail: looking changes nothing, what is said goes where a reply would, and the link is good
for whom it went to, for this page, for a time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from domain.kernel.calendar import local_day
from domain.mail.choices import PageChoice, Pick, StepSaid, StepWord
from domain.mail.signing import AddressPurpose
from tests.gateway.customer.forms import forms_in
from tests.gateway.customer.test_mails_and_holdings import link
from tests.gateway.mail.post import Post, contact_of


async def reminded(post: Post, language: str = "ja") -> tuple[dict[str, Any], str]:
    """A customer who was asked for a step, and the path of the link."""
    document = await post.customer()
    account = document["account"]["account_id"]
    changed = {"change": [{"contact_id": "P-1", "language": language}], "by": "S-1"}
    await post.servers.client.ask(account, "change_contacts", changed)
    await post.servers.client.fast_forward(account, timedelta(days=10))
    mail = await post.answered(contact_of(document), "onboarding_invite")
    return document, await link(post, mail, AddressPurpose.STEPS)


async def cases(post: Post, account: str) -> list[Any]:
    rows: list[Any] = await post.servers.pool.fetch(
        "select case_id, subject, contact_id from service_case where account_id = $1 order by case_id",
        account,
    )
    return rows


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_what_is_said_of_a_step_becomes_what_a_reply_would(
    post: Post, web: httpx2.AsyncClient, language: str
) -> None:
    document, path = await reminded(post, language)
    account = document["account"]["account_id"]
    for method in ("GET", "HEAD", "GET"):  # a scanner follows every link
        page = await web.request(method, path)
        assert page.status_code == 200
    assert not await cases(post, account)
    assert f'lang="{language}"' in page.text
    form = forms_in(page.text)[0]
    wrong = await web.post(path, data={**form, "pick": "day", "day": "2020-01-01", "comment": "rather <b>later</b>"})
    assert wrong.status_code == 400
    assert 'role="alert"' in wrong.text
    assert "rather &lt;b&gt;later&lt;/b&gt;" in wrong.text
    assert not await cases(post, account)
    now = await post.servers.client.now(account)
    day = local_day(now, "Asia/Tokyo") + timedelta(days=9)
    for _ in range(2):  # a double click
        sent = await web.post(
            path, data={**form, "pick": "day", "day": day.isoformat(), "comment": "We move until then."}
        )
        assert sent.status_code == 200, sent.text
    assert 'role="status"' in sent.text
    [case] = await cases(post, account)
    assert case["contact_id"] == "P-1"
    assert {"en": "would suit us better", "ja": "を希望します"}[language] in case["subject"]
    assert str(day.year) in case["subject"]
    [said] = await post.messages(case["case_id"], "inbound")
    assert said.startswith(case["subject"])
    assert said.endswith("We move until then.")
    lines = [row["title"] for row in await post.servers.journal(account)]
    assert any("answered the invitation for a first step" in line for line in lines), lines


async def test_a_step_that_is_done_or_ours_takes_nothing(post: Post, web: httpx2.AsyncClient) -> None:
    document, path = await reminded(post)
    account = document["account"]["account_id"]
    form = forms_in((await web.get(path)).text)[0]
    name, order_id = form["step"].split()
    await post.servers.client.ask(account, "complete_task", {"task": name, "order_id": order_id, "evidence": "seen"})
    over = await web.post(path, data={**form, "pick": "done"})
    assert over.status_code == 400
    for step in ("welcome " + order_id, "nothing SO-0", "x"):
        assert (await web.post(path, data={**form, "step": step, "pick": "done"})).status_code == 400
    assert not await cases(post, account)


async def test_the_link_is_for_this_page_for_whom_it_went_to_and_for_a_time(
    post: Post, web: httpx2.AsyncClient
) -> None:
    document, path = await reminded(post)
    account, token = document["account"]["account_id"], path.rpartition("/")[2]
    for other in ("owned", "mails", "answer"):
        assert (await web.get(f"/{other}/{token}")).status_code == 404
    forged = re.sub(r".$", lambda last: "a" if last[0] != "a" else "b", path)
    assert (await web.get(forged)).status_code == 404
    assert (await web.post(forged, data={"pick": "done"})).status_code == 404
    await post.servers.pool.execute("update contact set email = 'else@where.example' where account_id = $1", account)
    assert (await web.get(path)).status_code == 410
    await post.servers.pool.execute(
        "update contact set email = $2 where account_id = $1 and contact_id = 'P-1'", account, contact_of(document)
    )
    assert (await web.get(path)).status_code == 200
    await post.servers.client.fast_forward(account, timedelta(days=200))
    assert (await web.get(path)).status_code == 410


@pytest.mark.parametrize(
    "choice",
    [
        PageChoice(pick=Pick.STEP, step=StepSaid(word=StepWord.DONE, task="kickoff", order_id="SO-1")),
        PageChoice.read("step day first_value SO.1_x 2027-03-01"),
    ],
)
def test_a_choice_is_read_as_it_was_written(choice: PageChoice) -> None:
    assert PageChoice.read(choice.written) == choice


@pytest.mark.parametrize(
    "written",
    ["step", "step done", "step day kickoff SO-1", "step done kickoff SO-1 2027-03-01", "step day k S 2027-02-30"],
)
def test_half_a_choice_is_none(written: str) -> None:
    assert PageChoice.read(written) is None
