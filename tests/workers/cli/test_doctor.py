"""Without a worker nobody waits without a word, and the doctor says what is missing; a dead provider is named with its backlog."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.clock import present
from activities.service import holiday_rows
from gateway.calling import NoAnswerError
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.reconciling import unattended
from tests.activities.channels.fake_provisioning import Behaviour
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from tests.e2e.outages import outside
from tests.own_database import own_database
from tests.ports import own_ports
from tests.workers.cli.running import Ended, perennial
from workers.attending import absence
from workers.registering import register_endpoint
from workers.wiring import build_worker

SOON = timedelta(seconds=2)


async def here(servers: Servers, folder: Path, *arguments: str, **environment: str) -> Ended:
    """`perennial` with `arguments` on the stack of `servers`."""
    stack = servers.stack
    known = {
        "TEMPORAL_ADDRESS": stack.temporal_address,
        "PERENNIAL_SMTP_HOST": stack.smtp_host,
        "PERENNIAL_SMTP_PORT": str(stack.smtp_port),
    }
    return await perennial(
        *arguments, dsn=stack.postgres_dsn, folder=folder, width=200, environment=known | environment
    )


def row(table: str, check: str) -> str:
    """The doctor's words about a check, on one line; its first and what follows it without a name of its own."""
    cells: list[list[str]] = []
    for line in table.splitlines():
        if line.startswith("│"):
            parts = [part.strip() for part in line.strip("│").split("│")]
            if parts[0]:
                cells.append(parts)
            elif cells:
                cells[-1] = [f"{a} {b}".strip() for a, b in zip(cells[-1], parts, strict=True)]
    return next((" ".join(found[1:]).strip() for found in cells if found[0] == check), "")


async def test_the_doctor_sees_whether_a_worker_works(servers: Servers, tmp_path: Path) -> None:
    found = await here(servers, tmp_path, "doctor")
    assert row(found.out, "worker") == "works on 'perennial'"
    found = await here(servers, tmp_path, "doctor", PERENNIAL_TASK_QUEUE="deserted")
    assert found.code == 1
    assert row(found.out, "worker").startswith("nobody asks for the work of task queue 'deserted'")
    assert "perennial worker" in row(found.out, "worker")
    found = await here(servers, tmp_path, "doctor", "--reconcile", PERENNIAL_TASK_QUEUE="deserted")
    assert (found.code, "start `perennial worker` first" in found.err) == (1, True)
    found = await here(servers, tmp_path, "doctor", "--redo")
    assert (found.code, "workers are at work" in found.err, "stop them" in found.err) == (1, True, True)
    found = await here(servers, tmp_path, "doctor", "--redo", "--reconcile")
    assert (found.code, "--redo comes first" in found.err) == (1, True)
    found = await here(servers, tmp_path, "doctor", "--leave-out")
    assert (found.code, "--leave-out goes with --redo" in found.err) == (1, True)


async def test_the_doctor_sees_migrations_that_were_not_applied(servers: Servers, tmp_path: Path) -> None:
    async with own_database(servers.stack, "not_migrated") as own:
        latest = await own.pool.fetchval(
            "delete from schema_migrations where version = (select max(version) from schema_migrations) returning version"
        )
        found = await here(servers, tmp_path, "doctor", PERENNIAL_DATABASE_URL=own.dsn)
        assert found.code == 1
        assert row(found.out, "schema") == f"1 migration to be applied, the first is {latest} run `perennial migrate`"


async def test_the_doctor_sees_calendars_without_days_off_and_whether_a_nexus_endpoint_leads_here(
    servers: Servers, tmp_path: Path
) -> None:
    name = f"elsewhere-{os.getpid()}"
    await register_endpoint(servers.temporal, "another-queue", name)
    found = await here(servers, tmp_path, "doctor", PERENNIAL_TASK_QUEUE="deserted")
    assert "leads to 'deserted'" in row(found.out, "Nexus endpoint")
    assert "perennial register" in row(found.out, "Nexus endpoint")
    assert row(found.out, "calendars").startswith("no days off in office (that of all countries without")
    found = await here(servers, tmp_path, "doctor", PERENNIAL_TASK_QUEUE="another-queue")
    assert row(found.out, "Nexus endpoint") == f"{name} leads to 'another-queue'"
    async with servers.pool.acquire() as connection:
        day = present().date()
        assert await holiday_rows.add(connection, "office", day, "The office moves", present(), "t")
        try:
            found = await here(servers, tmp_path, "doctor")
        finally:
            await holiday_rows.withdraw(connection, "office", day, present(), "t")
    assert row(found.out, "calendars") == "6 calendars, with days off"


async def test_the_doctor_sees_a_customer_whom_no_journey_looks_after(servers: Servers, tmp_path: Path) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    assert account not in await unattended(servers.temporal, servers.pool)
    await servers.handle(account).terminate("by hand")

    async def is_missed() -> bool:
        return account in await unattended(servers.temporal, servers.pool)

    await until(is_missed, "the list shows that it does not run")
    found = await here(servers, tmp_path, "doctor")
    assert found.code == 1
    assert row(found.out, "journeys").startswith("none runs for ")
    assert "perennial doctor --reconcile" in row(found.out, "journeys")
    await servers.client.place_order(document)
    assert account not in await unattended(servers.temporal, servers.pool)


async def test_the_doctor_says_whether_customers_are_heard(servers: Servers, tmp_path: Path) -> None:
    found = await here(servers, tmp_path, "doctor")
    assert row(found.out, "inbox").startswith("none is served: answers go to a person's own address")
    assert "perennial inbox serve" in row(found.out, "inbox")
    stack = servers.stack
    found = await here(servers, tmp_path, "doctor", PERENNIAL_INBOX_AT=f"{stack.smtp_host}:{stack.smtp_port}")
    assert row(found.out, "inbox") == f"{stack.smtp_host}:{stack.smtp_port}, mails of up to 32 MB, no STARTTLS"
    found = await here(servers, tmp_path, "doctor", PERENNIAL_REPLY_DOMAIN="reply.perennial.example")
    assert found.code == 1
    assert row(found.out, "inbox").startswith(
        "mails ask for answers to reply.perennial.example, and no inbox is known of"
    )
    [nobody] = own_ports(1)
    found = await here(servers, tmp_path, "doctor", PERENNIAL_INBOX_AT=f"127.0.0.1:{nobody}")
    assert found.code == 1
    assert row(found.out, "inbox").startswith(f"no inbox answers at 127.0.0.1:{nobody}")
    found = await here(servers, tmp_path, "doctor", PERENNIAL_INBOX_AT="127.0.0.1")
    assert (found.code, "give host:port" in found.err) == (1, True)


async def test_the_doctor_knows_of_a_mail_server_that_pipes_mails_in(servers: Servers, tmp_path: Path) -> None:
    asked = {"PERENNIAL_REPLY_DOMAIN": "reply.perennial.example"}
    found = await here(servers, tmp_path, "doctor", **asked)
    assert "set it to piped" in row(found.out, "inbox")
    assert "set it to piped" not in row(
        (await here(servers, tmp_path, "doctor", PERENNIAL_INBOX_AT="piped")).out, "inbox"
    )
    mail = tmp_path / "one.eml"
    mail.write_text("From: jo@nobody.example\nTo: service@perennial.example\nSubject: Hello\n\nAnybody there?\n")
    assert (await here(servers, tmp_path, "mail", "receive", str(mail), PERENNIAL_INBOX_AT="piped")).code == 0
    said = row((await here(servers, tmp_path, "doctor", PERENNIAL_INBOX_AT="piped", **asked)).out, "inbox")
    assert said.startswith("another mail server pipes mails in")
    assert "the latest came on" in said


async def test_a_worker_that_ended_is_not_taken_for_one_that_works(servers: Servers, tmp_path: Path) -> None:
    settings = servers.settings.model_copy(update={"task_queue": f"ended-{os.getpid()}"})
    async with build_worker(servers.temporal, servers.pool, settings):

        async def works() -> bool:
            return await absence(servers.temporal, settings.task_queue) is None

        await until(works, "the worker is seen")
    assert await absence(servers.temporal, settings.task_queue) is not None


async def test_without_a_worker_every_call_ends_with_a_sentence_and_may_be_sent_again(
    servers: Servers, tmp_path: Path
) -> None:
    queue = f"late-{os.getpid()}"
    settings = servers.settings.model_copy(update={"task_queue": queue})
    client = PerennialClient(servers.temporal, servers.pool, task_queue=queue)
    cases = CaseClient(servers.temporal, servers.pool, task_queue=queue)
    hasty = PerennialClient(servers.temporal, servers.pool, task_queue=queue, within=SOON)
    hasty_cases = CaseClient(servers.temporal, servers.pool, task_queue=queue, within=SOON)
    document = order()
    account = account_of(document)
    with pytest.raises(NoAnswerError, match=rf"no answer to place_order came from journey-{account} within 2 seconds"):
        await hasty.place_order(document)
    case_id = f"C-{account}"
    opening = {"case_id": case_id, "account_id": account, "subject": "The till stands still"}
    async with build_worker(servers.temporal, servers.pool, settings):
        answer = await client.place_order(document)
        assert answer.order_id == document["order_id"]
        await cases.open_case(opening)
    waits = {"PERENNIAL_TASK_QUEUE": queue, "PERENNIAL_ANSWER_WITHIN": "2"}
    asked = await here(servers, tmp_path, "journey", "ask", account, "pause", "reason=holidays", **waits)
    assert asked.code == 1
    assert f"no answer to pause came from journey-{account} within 2 seconds; it may still take effect" in asked.err
    request_id = asked.err.split("sent again with request_id ")[1].split(",")[0]
    assert f"look for update {request_id} of workflow journey-{account}" in asked.err
    calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "the question for its briefing": lambda: hasty.briefing(account),
        "the question for its agenda": lambda: hasty.agenda_of(account),
        "the move of its clock": lambda: hasty.fast_forward(account, timedelta(days=3)),
        "respond": lambda: hasty_cases.ask(case_id, "respond", {"body": "On its way", "request_id": "r-1"}),
    }
    for what, call in calls.items():
        with pytest.raises(NoAnswerError, match=f"no answer to {what} came") as unanswered:
            await call()
        assert ("r-1" in str(unanswered.value)) is (what == "respond")
    async with build_worker(servers.temporal, servers.pool, settings):
        again = {"reason": "holidays", "request_id": request_id, "by": "cli"}
        first = await client.ask(account, "pause", again)
        assert await client.ask(account, "pause", again) == first
        assert "Paused" in await client.briefing(account)
        await cases.ask(case_id, "respond", {"body": "On its way", "request_id": "r-1"})
    paused = "select count(*) from journal where account_id = $1 and title like 'Paused%'"
    assert await servers.pool.fetchval(paused, account) == 1
    answers = "select count(*) from case_message where case_id = $1 and body = 'On its way'"
    assert await servers.pool.fetchval(answers, case_id) == 1


async def test_the_doctor_names_a_dead_provider(servers: Servers, tmp_path: Path) -> None:
    async with outside(servers, tmp_path) as world:
        document = order()
        account = account_of(document)
        await world.mail_goes_down()
        world.provisioning.behaviour = Behaviour.DOWN
        await world.client.place_order(document)
        running = await world.client.agenda_of(account)
        assert running is not None
        asked = next(step.at for step in running.steps if step.kind == "onboarding_provisioning")
        await world.client.fast_forward_to(account, asked + timedelta(days=1))
        waits = "select count(*) from outbox where account_id = $1 and channel = $2 and status = 'waiting'"

        async def fails() -> bool:
            found = await servers.handle(account).describe()
            pending = found.raw_description.pending_activities
            kinds = {one.activity_type.name for one in pending if one.last_failure.message}
            return {"deliver_mail", "provision"} <= kinds

        await until(fails, "the first attempts have failed")
        assert await servers.pool.fetchval(waits, account, "deliver_mail") > 0
        found = await here(servers, tmp_path, "doctor", PERENNIAL_TASK_QUEUE=world.task_queue)
        assert found.code == 1
        for provider, noun in (("mail", "mails and notices wait"), ("provisioning", "orders wait")):
            said = row(found.out, f"deliveries: {provider}")
            assert noun in said
            assert "last error: " in said
            assert "tried again 20" in said
            assert f"perennial deliveries retry --channel {provider}" in said
