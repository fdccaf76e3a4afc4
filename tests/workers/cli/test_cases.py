"""Cases, calls and received mail on the command line, as people run it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.mail.post import DOMAIN, OWN, written
from tests.workers.cli.running import Ended, perennial


class Shell:
    """Commands on the servers of the tests."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self._servers = servers
        self._folder = folder

    async def __call__(self, *arguments: str, given: bytes = b"") -> Ended:
        stack = self._servers.stack
        return await perennial(
            *arguments,
            dsn=stack.postgres_dsn,
            folder=self._folder,
            width=160,
            given=given,
            environment={"TEMPORAL_ADDRESS": stack.temporal_address},
        )


@pytest.fixture
def shell(servers: Servers, tmp_path: Path) -> Shell:
    return Shell(servers, tmp_path)


async def test_a_case_is_opened_answered_and_shown(servers: Servers, shell: Shell) -> None:
    document = order()
    document["account"]["name"] = f"Capricorn {uuid.uuid4().hex[:8]}"
    await servers.client.place_order(document)
    account_id = document["account"]["account_id"]

    looked_up = await shell("case", "lookup", document["account"]["name"])
    assert looked_up.code == 0, looked_up.err
    assert "open cases  none" in looked_up.out
    assert "sales  may call" in looked_up.out

    options = ("--impact", "high", "--urgency", "high", "--product", "SEATS", "--body", "Since nine.")
    opened = await shell("case", "open", "--account", account_id, "--subject", "Nobody can log in", *options)
    assert opened.code == 0, opened.err
    case_id = json.loads(opened.out)["case_id"]
    assert json.loads(opened.out)["priority"] == "urgent"

    seen = json.loads((await shell("journey", "service", account_id, "--by", "S-1", "--json")).out)
    assert ([one["case_id"] for one in seen["cases"]], seen["level"]) == ([case_id], "block")
    assert await servers.pool.fetchval("select staff_id from case_seen where case_id = $1", case_id) == "S-1"
    told = await shell("journey", "service", account_id)
    assert "Sales: block" in told.out
    assert "Nobody can log in" in told.out
    sold = await shell("case", "sales", account_id)
    assert sold.code == 0, sold.err
    assert document["contracts"][0]["contract_id"] in sold.out
    assert "offers  none" in sold.out

    listed = json.loads((await shell("case", "list", "--account", account_id, "--json")).out)
    assert [(row["case_id"], row["promise"]) for row in listed] == [(case_id, "first_response")]
    assert json.loads((await shell("case", "list", "--account", account_id, "--status", "closed", "--json")).out) == []
    assert case_id in (await shell("case", "list", "--priority", "urgent")).out

    shown = await shell("case", "show", case_id)
    assert shown.code == 0, shown.err
    assert "Nobody can log in" in shown.out
    assert "sales  block: " in shown.out
    assert "first response" in shown.out
    [promise] = [line for line in shown.out.splitlines() if line.strip().startswith("first response")]
    assert " open " in promise
    assert " in " in promise

    await shell("case", "ask", case_id, "assign", "owner=S-2")
    answered = await shell("case", "ask", case_id, "respond", "body=We are on it.")
    assert answered.code == 0, answered.err
    facts = json.loads((await shell("case", "show", case_id, "--json")).out)
    assert facts["case"]["owner_id"] == "S-2"
    assert "We are on it." in [message["body"] for message in facts["messages"]]
    states = {row["milestone"]: row["state"] for row in facts["milestones"]}
    assert states["first_response"] == "met"

    whole = json.loads((await shell("case", "lookup", account_id, "--json")).out)
    assert [case["case_id"] for case in whole["customer"]["cases"]] == [case_id]


async def test_what_a_case_refuses_is_said_in_a_sentence(servers: Servers, shell: Shell) -> None:
    for arguments, said in (
        (("case", "show", "C-none"), "UnknownCase: there is no case 'C-none'"),
        (("case", "ask", "C-none", "note", "body"), "'body' is no field"),
        (("case", "lookup", "nobody has this name"), "UnknownCaller"),
        (("inbox", "show", "m-none"), "UnknownMail"),
        (("mail", "receive", "missing.eml"), "missing.eml cannot be read"),
    ):
        ended = await shell(*arguments)
        assert ended.code == 1, arguments
        assert said in ended.err, arguments
        assert "Traceback" not in ended.err


async def test_a_mail_server_pipes_mail_in_and_a_person_decides(servers: Servers, shell: Shell, tmp_path: Path) -> None:
    document = order()
    await servers.client.place_order(document)
    stranger = f"x@{uuid.uuid4().hex[:8]}.example"
    mail = b"Return-Path: <" + stranger.encode() + b">\n" + written(stranger, "A question").as_bytes()
    received = await shell("mail", "receive", "-", given=mail)
    assert received.code == 0, received.err
    inbox_id = received.out.strip()
    assert (await shell("mail", "receive", given=mail)).out.strip() == inbox_id

    cases = CaseClient(servers.temporal, servers.pool)
    await Inbox(servers.client, cases, servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN)).settle_new()
    waiting = json.loads((await shell("inbox", "list", "--json")).out)
    [row] = [row for row in waiting if row["inbox_id"] == inbox_id]
    assert (row["sender"], row["status"], row["reason"]) == (stranger, "unknown", "nobody knows the address")
    assert "Nothing works since nine." in (await shell("inbox", "show", inbox_id[:16])).out
    assert (await shell("inbox", "show", inbox_id, "--raw")).out.encode() == mail

    assigned = await shell("inbox", "assign", inbox_id[:16], "--account", document["account"]["account_id"])
    assert assigned.code == 0, assigned.err
    [case] = await cases.cases_of(document["account"]["account_id"])
    assert case.case_id in assigned.out

    (tmp_path / "other.eml").write_bytes(written(stranger, "Spam").as_bytes())
    other = (await shell("mail", "receive", "other.eml")).out.strip()
    assert (await shell("inbox", "discard", other, "spam")).code == 0
    discarded = json.loads((await shell("inbox", "list", "--status", "discarded", "--json")).out)
    assert other in [row["inbox_id"] for row in discarded]


async def test_a_mail_server_is_asked_to_try_again_while_the_database_is_away(tmp_path: Path) -> None:
    mail = written("x@y.example").as_bytes()
    away = await perennial("mail", "receive", dsn="postgresql://127.0.0.1:1/none", folder=tmp_path, given=mail)
    assert away.code == 75
    assert "could not be kept" in away.err
