"""Customers are asked twice a year whether they would recommend us, and once how easy it was to begin; what is put off is not dropped."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from activities.journey.agenda_facts import load_facts
from activities.kernel.clock import present
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import Refusal
from domain.success.asking import COMPANY_WITHIN
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled
from tests.workers.feeds.asset_documents import installed
from tests.workers.feeds.test_assets import take_over
from tests.workflows.service_side import FIRST_ASKED, onboarded, open_case, resolve_case, sent_to_customer
from tests.workflows.success.test_surveys import lines, tasks

HALF_A_YEAR = timedelta(days=182)


async def sent(servers: Servers, account: str, kind: str = "nps") -> list[Any]:
    """The surveys of a kind that went out, in the order of their instants."""
    sql = "select * from survey where account_id = $1 and kind = $2 and withdrawn_at is null order by sent_at"
    return list(await servers.pool.fetch(sql, account, kind))


async def after(servers: Servers, account: str, days: int) -> datetime:
    await servers.client.fast_forward(account, timedelta(days=days))
    return await servers.client.now(account)


@pytest.mark.engine
async def test_they_are_asked_twice_a_year_and_once_about_the_start(servers: Servers) -> None:
    contracts = [{**one, "auto_renew": True} for one in order()["contracts"]]
    _, account = await onboarded(servers, contracts=contracts)
    await after(servers, account, FIRST_ASKED.days)
    (first,) = await sent(servers, account)
    (effort,) = await sent(servers, account, "ces")
    assert first["sent_at"].date() - effort["sent_at"].date() >= timedelta(days=30)
    assert await apart(servers, account) == []
    await after(servers, account, 400)
    asked = [one["sent_at"] for one in await sent(servers, account)]
    assert len(asked) == 3  # nobody has answered: that is no reason to ask more often
    between = [later.date() - earlier.date() for earlier, later in pairwise(asked)]
    assert all(HALF_A_YEAR <= one < HALF_A_YEAR + COMPANY_WITHIN + timedelta(days=6) for one in between)
    assert len(await sent(servers, account, "ces")) == 1
    assert await apart(servers, account) == []


async def message_of(servers: Servers, account: str, survey_id: str) -> str:
    """The mail in whose message a question left: the template, or none if it left alone."""
    await settled(servers.pool, account)
    found: str = await servers.pool.fetchval(
        "select coalesce(l.body->>'template', '') from outbox o left join outbox l on l.delivery_id = o.left_with"
        " where o.account_id = $1 and o.status = 'sent' and o.body->'context'->>'survey_id' = $2",
        account,
        survey_id,
    )
    return found


@pytest.mark.engine
async def test_a_question_goes_with_a_check_in_of_about_that_time(servers: Servers) -> None:
    _, account = await onboarded(servers)
    (effort,) = await sent(servers, account, "ces")
    assert await message_of(servers, account, effort["survey_id"]) == "go_live"
    await after(servers, account, 20)
    assert await sent(servers, account) == [], "it waits for a check-in to go with"
    assert await apart(servers, account) == []
    await after(servers, account, FIRST_ASKED.days - 20)
    (first,) = await sent(servers, account)
    assert await message_of(servers, account, first["survey_id"]) == "check_in"
    mails = await sent_to_customer(servers, account)
    assert (mails.count("survey"), mails.count("check_in"), mails.count("go_live")) == (2, 1, 1)
    assert await apart(servers, account) == []
    await servers.client.ask(account, "answer_survey", {"survey_id": first["survey_id"], "score": 7})


async def test_a_question_whose_check_in_is_far_off_goes_alone(servers: Servers) -> None:
    _, account = await onboarded(servers)
    now = await after(servers, account, 10)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account, now)
    assert facts is not None
    look = next(one for one in agenda(facts).plan() if one.kind == "adoption_check_in")
    far = {"step": look.key, "day": str((now + timedelta(days=60)).date())}
    await servers.client.ask(account, "reschedule_step", far)
    await after(servers, account, 26)
    (first,) = await sent(servers, account)
    assert await message_of(servers, account, first["survey_id"]) == ""
    assert await apart(servers, account) == []


async def test_the_plan_of_a_year_shows_them(servers: Servers) -> None:
    _, account = await onboarded(servers)
    now = await after(servers, account, FIRST_ASKED.days)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account, now)
    assert facts is not None
    found = [step for step in agenda(facts, Horizon(months=12)).plan() if step.kind == "adoption_survey"]
    assert [step.name.partition("-")[0] for step in found] == ["survey"]
    (first,) = await sent(servers, account)
    assert found[0].at.date() >= first["sent_at"].date() + HALF_A_YEAR


async def test_what_a_hold_puts_off_is_asked_later_and_the_rhythm_goes_on_from_there(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await after(servers, account, FIRST_ASKED.days)
    (first,) = await sent(servers, account)
    due = first["sent_at"] + HALF_A_YEAR
    await servers.client.fast_forward_to(account, due - timedelta(days=3))
    held = await servers.client.ask(account, "place_hold", {"reason": "a dispute", "by": "S-1"})
    await after(servers, account, 40)
    assert len(await sent(servers, account)) == 1
    assert await apart(servers, account) == []
    await servers.client.ask(account, "lift_hold", {"hold_id": held["hold_id"], "reason": "settled", "by": "S-1"})
    await after(servers, account, 5)
    _, second = await sent(servers, account)
    assert second["sent_at"] >= due + timedelta(days=37)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, second["sent_at"] + HALF_A_YEAR - timedelta(days=1))
    assert len(await sent(servers, account)) == 2
    assert await apart(servers, account) == []


async def test_a_case_puts_the_next_one_off_by_two_weeks(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await after(servers, account, FIRST_ASKED.days)
    (first,) = await sent(servers, account)
    await servers.client.fast_forward_to(account, first["sent_at"] + HALF_A_YEAR - timedelta(days=2))
    case_id = await open_case(servers, account, priority="low")
    await resolve_case(servers, account, case_id)
    closed = await servers.client.now(account)
    await after(servers, account, 30)
    _, second = await sent(servers, account)
    assert second["sent_at"] >= closed + timedelta(days=14)
    assert await apart(servers, account) == []


async def test_a_survey_that_a_person_leaves_out_comes_again_half_a_year_later(servers: Servers) -> None:
    _, account = await onboarded(servers)
    now = await after(servers, account, 10)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account, now)
    assert facts is not None
    step = next(one for one in agenda(facts).plan() if one.kind == "adoption_survey" and one.name.startswith("survey-"))
    await servers.client.ask(account, "skip_step", {"step": step.key, "reason": "we talk next week", "by": "S-1"})
    await after(servers, account, 100)
    assert await sent(servers, account) == []
    assert await apart(servers, account) == []
    await after(servers, account, 145)
    (only,) = await sent(servers, account)
    assert only["sent_at"] >= step.at + HALF_A_YEAR


async def test_a_hard_start_has_a_person_within_a_business_day(servers: Servers) -> None:
    _, account = await onboarded(servers)
    (effort,) = await sent(servers, account, "ces")
    with pytest.raises(Refusal, match="cannot be answered so") as refused:
        await servers.client.ask(account, "answer_survey", {"survey_id": effort["survey_id"], "score": 9})
    assert "9 is not on its scale, 1 to 7" in str(refused.value.problems)
    at = await servers.client.now(account)
    await servers.client.ask(
        account, "answer_survey", {"survey_id": effort["survey_id"], "score": 2, "comment": "hard"}
    )
    ((title, due, is_open),) = await tasks(servers, account)
    assert (title, is_open) == ("Call about a hard start (2 of 7)", True)
    assert timedelta(0) < due - at <= timedelta(days=5)
    assert "Survey about the start answered: 2 of 7" in await lines(servers, account, "answer_survey")
    asked = {"source": effort["survey_id"], "by": "S-1"}
    await servers.client.ask(account, "acknowledge_hold", asked)
    assert [one[2] for one in await tasks(servers, account)] == [False]
    assert await apart(servers, account) == []


async def test_a_survey_of_another_customer_is_refused_and_changes_nothing(servers: Servers) -> None:
    _, account = await onboarded(servers)
    _, other = await onboarded(servers)
    await after(servers, account, FIRST_ASKED.days)
    (first,) = await sent(servers, account)
    with pytest.raises(Refusal, match="was not sent to this customer"):
        await servers.client.ask(other, "answer_survey", {"survey_id": first["survey_id"], "score": 9})
    (kept,) = await sent(servers, account)
    assert kept["score"] is None


@pytest.mark.parametrize(("ago", "first_in"), [(120, 62), (300, 30)])
async def test_who_is_taken_over_is_asked_half_a_year_after_they_came(
    servers: Servers, ago: int, first_in: int
) -> None:
    """They went live elsewhere, nobody knows when; who has been there for longer is not asked as the first thing."""
    document = order()
    document["activated_at"] = (present() - timedelta(days=ago)).isoformat()
    began = (present() - timedelta(days=ago)).date()
    document["contracts"][0] |= {"term": {"start": began.isoformat(), "months": 24}}
    account = account_of(document)
    await servers.client.import_order(document)
    assert await apart(servers, account) == []
    now = await servers.client.now(account)
    await servers.client.fast_forward_to(account, now + timedelta(days=first_in - 2))
    assert await sent(servers, account) == []
    await servers.client.fast_forward_to(account, now + timedelta(days=first_in + 8) + COMPANY_WITHIN)
    (first,) = await sent(servers, account)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, first["sent_at"] + HALF_A_YEAR + COMPANY_WITHIN + timedelta(days=8))
    assert len(await sent(servers, account)) == 2
    assert await apart(servers, account) == []


async def test_who_comes_with_what_they_have_is_asked_too(servers: Servers, tmp_path: Path) -> None:
    document = installed()
    account = document["account_id"]
    await take_over(servers, tmp_path, document)
    assert await apart(servers, account) == []
    await after(servers, account, 27)
    assert await sent(servers, account) == []
    await after(servers, account, 30)
    assert len(await sent(servers, account)) == 1
    assert await apart(servers, account) == []
