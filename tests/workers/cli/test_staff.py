"""`perennial staff …`: people are added and changed for every customer, by somebody who is known; what is wrong is said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.workers.cli.running import Ended, perennial

EVA = f"eva-{os.getpid()}"


async def staff(servers: Servers, folder: Path, *arguments: str) -> Ended:
    return await perennial("staff", *arguments, dsn=servers.stack.postgres_dsn, folder=folder, width=200)


async def known(servers: Servers, folder: Path, staff_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await staff(servers, folder, "show", staff_id, "--json")).out)
    return found


async def test_a_person_is_added_once_and_changed_for_every_customer(servers: Servers, tmp_path: Path) -> None:
    document = order()
    document["account"]["owner"] = {"staff_id": f"o-{EVA}", "name": "Ann Lee", "email": f"ann-{EVA}@seller.example"}
    await servers.client.place_order(document)
    added = await staff(servers, tmp_path, "add", EVA, "--name", "Eva Next", "--email", f"{EVA}@seller.example")
    assert (added.code, added.out.strip()) == (0, f"{EVA} was added.")
    again = await staff(servers, tmp_path, "add", EVA, "--name", "Other", "--email", f"{EVA}@seller.example")
    assert again.code == 1
    assert f"change them with `perennial staff change {EVA}`" in " ".join(again.err.split())
    person = await known(servers, tmp_path, EVA)
    assert (person["name"], person["owns"], person["changed_by"]) == ("Eva Next", 0, "cli")
    changed = await staff(servers, tmp_path, "change", f"o-{EVA}", "--email", f"new-{EVA}@seller.example", "--by", EVA)
    assert (changed.code, changed.out.strip()) == (
        0,
        f"o-{EVA} was changed, for 1 customer owned and 0 looked after.",
    )
    await staff(servers, tmp_path, "change", f"o-{EVA}", "--language", "ja", "--by", EVA)
    owner = await known(servers, tmp_path, f"o-{EVA}")
    assert owner["language"] == "ja"
    assert (owner["name"], owner["email"], owner["changed_by"]) == ("Ann Lee", f"new-{EVA}@seller.example", EVA)
    rows = json.loads((await staff(servers, tmp_path, "list", "--json")).out)
    assert {row["staff_id"]: row["owns"] for row in rows}[f"o-{EVA}"] == 1
    table = (await staff(servers, tmp_path, "list")).out
    assert f"new-{EVA}@seller.example" in table
    assert account_of(document) not in table


async def test_whom_somebody_reports_to_is_one_of_our_people_and_not_themselves(
    servers: Servers, tmp_path: Path
) -> None:
    boss, person = f"b-{EVA}", f"p-{EVA}"
    await staff(servers, tmp_path, "add", boss, "--name", "Max Boss", "--email", f"{boss}@seller.example")
    added = ("--name", "Pat", "--email", f"{person}@seller.example", "--manager", boss)
    assert (await staff(servers, tmp_path, "add", person, *added)).code == 0
    assert (await known(servers, tmp_path, person))["manager_id"] == boss
    for wrong, says in ((person, "nobody reports to themselves"), (f"x-{EVA}", "is none of our people")):
        refused = await staff(servers, tmp_path, "change", person, "--manager", wrong)
        assert (refused.code, says in " ".join(refused.err.split())) == (1, True)
    await staff(servers, tmp_path, "change", person, "--language", "ja")
    assert (await known(servers, tmp_path, person))["manager_id"] == boss


async def test_who_leaves_hands_over_customers_and_tasks_and_gets_nothing_any_more(
    servers: Servers, tmp_path: Path
) -> None:
    document, foreign = order(), order()
    for name, role in ((f"l-{EVA}", "owner"), (f"n-{EVA}", "success_manager")):
        document["account"][role] = {"staff_id": name, "name": name, "email": f"{name}@seller.example"}
    for one in (document, foreign):
        await servers.client.place_order(one)
    own, other = account_of(document), account_of(foreign)
    for n, account in enumerate((own, other)):
        await servers.pool.execute(
            "insert into staff_task (task_id, account_id, key, opened_at, title, reason, staff_id, due_at)"
            " values ($1, $2, 'x/visit', now(), 'Visit them', 'They asked', $3, now() + interval '3 days')",
            *(f"l{n}-{os.getpid()}", account, f"l-{EVA}"),
        )
    arguments = ("leave", f"l-{EVA}", "--to", f"n-{EVA}", "--by", f"n-{EVA}")
    environment = {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
    to_herself = await perennial(
        *("staff", *arguments[:3], f"l-{EVA}", *arguments[4:]),
        dsn=servers.stack.postgres_dsn,
        folder=tmp_path,
        environment=environment,
    )
    assert "name somebody else with --to" in " ".join(to_herself.err.split())
    for _ in range(2):  # a second time it finds nothing left
        ended = await perennial(
            *("staff", *arguments), dsn=servers.stack.postgres_dsn, folder=tmp_path, environment=environment
        )
        assert ended.code == 0, ended.err
    assert "; 0 customers" in ended.out
    owner = "select owner_id from account where account_id = $1"
    assert await servers.pool.fetchval(owner, own) == f"n-{EVA}"
    assert await servers.pool.fetchval(owner, other) == "S-1"
    whose = "select staff_id from staff_task where account_id = $1 and key = 'x/visit'"
    assert [await servers.pool.fetchval(whose, account) for account in (own, other)] == [f"n-{EVA}"] * 2
    titles = (
        "select body->>'title' as title, body->'lines' as lines from outbox where account_id = $1 and staff_id = $2"
    )
    told = {row["title"]: row["lines"] for row in await servers.pool.fetch(titles, own, f"n-{EVA}")}
    assert "What is to be done: Visit them" in " ".join(told["You are the owner of this customer now"])
    assert "Handed over to you: Visit them" in {
        row["title"] for row in await servers.pool.fetch(titles, other, f"n-{EVA}")
    }
    back = {"task_id": f"l0-{os.getpid()}", "to": f"l-{EVA}", "by": f"n-{EVA}"}
    with pytest.raises(Refusal, match="has left"):
        await servers.client.ask(own, "hand_over_staff_task", back)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("change", "s-1"), "say what changes: --name, --email, --language, --time-zone, --country or --manager"),
        (("change", "nobody-here", "--name", "X"), "'nobody-here' is none of our people"),
        (("show", "nobody-here"), "'nobody-here' is none of our people"),
        (("add", "x-1", "--name", "X", "--email", "no address"), "email"),
        (("change", "s-1", "--time-zone", "Mars/Base"), "no time zone is called 'Mars/Base'"),
        (("change", "s-1", "--country", "jp"), "'jp' is no country"),
        (("leave", "s-1", "--to", "s-2"), "say who does it"),
        (("add", "x y", "--name", "X", "--email", "x@seller.example"), "staff_id"),
        (("add", "x-2", "--name", "X", "--email", "x@seller.example", "--by", "nobody-here"), "'nobody-here' is none"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(
    servers: Servers, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    before = await servers.pool.fetchval("select count(*) from staff")
    ended = await staff(servers, tmp_path, *arguments)
    assert ended.code == 1
    assert says in " ".join(ended.err.split())
    assert await servers.pool.fetchval("select count(*) from staff") == before
