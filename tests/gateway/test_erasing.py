"""People and customers go for good: out of every table, every history and the search, and nothing brings them back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.journey import erasing_rows
from activities.journey.erased_runs import names_in, runs_of
from activities.journey.erasing_rows import Whom
from activities.mail.keys import load_signing
from domain.frame.access import AccessRole, Principal
from domain.frame.batches import Batch
from domain.journey.erasures import Certificate
from domain.journey.traces import Traces
from domain.kernel.refusals import Refusal
from gateway.erasing import Erasures
from tests.builders import goods_order, order
from tests.cases import case
from tests.conftest import Servers
from tests.e2e.lives import account_of, until
from tests.gateway.console.browser import with_role
from tests.gateway.mail.post import Post, written
from tests.workers.cli.running import beside, perennial
from tests.workflows.journey.test_reconciling import reconciler
from workflows.batch import BatchRun

pytestmark = pytest.mark.engine  # histories are the server's

ADMIN = Principal("staff:S-9", "S-9", frozenset({AccessRole.ADMIN}))
MARKS = itertools.count(1)


@dataclass(frozen=True)
class Life:
    """A customer of two people, of whom one wrote, called and was written about, in words that no other customer has."""

    document: dict[str, Any]
    mark: str
    cases: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        return account_of(self.document)

    @property
    def email(self) -> str:
        return f"nebelhorn@kuchen{self.mark}.example"

    @property
    def person(self) -> tuple[str, ...]:
        """What names the first person, and what was said by and of them."""
        marked = ("Nebelhorn", "violet", "Zwiebelkuchen", "Rauchmelder")
        return (*(f"{word}{self.mark}" for word in marked), self.email, f"22145678{self.mark}")

    @property
    def others(self) -> tuple[str, ...]:
        return f"Sauerbier{self.mark}", f"Kronleuchter{self.mark}"


async def _dump(servers: Servers) -> str:
    """All that the database holds, as text."""
    rows = await servers.pool.fetch(
        "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    parts = []
    for row in rows:
        table = row["table_name"]
        for one in await servers.pool.fetch(f"select t as whole, to_jsonb(t) as said from {table} t"):
            said = json.dumps(one["said"], ensure_ascii=False)
            raw = [
                bytes.fromhex(value[2:]).decode(errors="replace")
                for value in _strings(one["said"])
                if value[:2] == "\\x"
            ]
            parts += [f"{table}: {said}", *raw]
    return "\n".join(parts)


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [one for part in value.values() for one in _strings(part)]
        case list():
            return [one for part in value for one in _strings(part)]
        case _:
            return []


def _where(text: str, words: tuple[str, ...]) -> list[str]:
    return [line[:160] for line in text.splitlines() if any(word.lower() in line.lower() for word in words)]


async def _histories(servers: Servers, account: str, words: tuple[str, ...]) -> list[str]:
    return [
        f"{run.id}/{run.run_id}/{run.status}"
        async for run in runs_of(servers.temporal, account)
        if await names_in(servers.temporal, run, Traces(words, [word for word in words if "@" in word]))
    ]


FIGURES = (
    "select count(*), sum(total), sum(net), sum(tax), min(issued_on)::text from invoice where account_id = $1",
    "select count(*), sum(amount) from invoice_line join invoice using (invoice_id) where account_id = $1",
    "select count(*), sum(quantity), sum(unit_price) from order_line join sales_order using (order_id) where account_id = $1",
    "select count(*), max(until)::text from contract_term join contract using (contract_id) where account_id = $1",
    "select count(*), string_agg(asset_id || unit_price, ',' order by asset_id) from asset where account_id = $1",
    "select count(*) from journal where account_id = $1",
    "select count(*), string_agg(key, ',' order by key) from effect where account_id = $1",
    "select count(*), string_agg(status, ',' order by delivery_id) from outbox where account_id = $1",
)


async def _figures(servers: Servers, account: str) -> list[Mapping[str, Any]]:
    return [dict((await servers.pool.fetch(text, account))[0]) for text in FIGURES]


@pytest.fixture
async def lived(post: Post) -> Life:
    servers, mark = post.servers, f"{next(MARKS):02}"
    document = order()
    life = Life(document, mark)
    name, phone = f"Ottokar Nebelhorn{mark}", f"+49 22145678{mark}"
    document["contacts"] = [
        {"contact_id": "P-1", "name": name, "email": life.email, "phone": phone, "language": "en"},
        {"contact_id": "P-2", "name": f"Wilhelmine Sauerbier{mark}", "email": f"sauerbier{mark}@kuchen{mark}.example"},
    ]
    document["account"]["name"] = f"Kuchenfabrik{mark}"
    document["lines"][0]["site"] = f"Kronleuchter{mark}"
    client, account = servers.client, life.account
    await client.place_order(document)
    await client.fast_forward(account, timedelta(days=40))
    evidence = f"Mr Nebelhorn{mark} brought cake"
    await client.ask(account, "complete_task", {"task": "kickoff", "evidence": evidence})
    await client.ask(account, "place_hold", {"reason": f"{name} asks for peace", "level": "block"})
    wrote = f"Since Wednesday the violet{mark} lamp above our second till blinks whenever somebody opens the drawer."
    row = await post.delivered(written(life.email, f"Rauchmelder{mark} piept im Keller", wrote))
    assert (row["status"], row["contact_id"]) == ("matched", "P-1")
    again = case(document, contact_id="P-1", subject=f"Zwiebelkuchen{mark} fehlt", body=wrote)
    opened = await post.cases.open_case(again)
    await post.cases.ask(opened.case_id, "note", {"body": f"Called {name} under {phone}", "by": "S-2"})
    return replace(life, cases=(row["case_id"], opened.case_id))


async def _closed(post: Post, lived: Life) -> None:
    for case_id in lived.cases:
        await post.cases.ask(case_id, "assign", {"owner": "S-2"})
        await post.cases.ask(case_id, "cancel", {"reason": "a duplicate"})

    async def are_over() -> bool:
        runs = [run async for run in runs_of(post.servers.temporal, lived.account) if run.id.startswith("case-")]
        return all(run.status is not WorkflowExecutionStatus.RUNNING for run in runs)

    await until(are_over, "the cases are over")


async def test_a_person_goes_and_the_customer_stays(post: Post, lived: Life) -> None:
    servers, account = post.servers, lived.account
    erasures, whom = Erasures(servers.client, servers.pool, "cli"), Whom(account, "P-1")
    words = lived.person
    assert len(_where(await _dump(servers), words)) > 15
    with pytest.raises(Refusal, match=rf"close cases .*{lived.cases[0]}"):
        await erasures.erase(ADMIN, whom)
    with pytest.raises(Refusal, match="erase is for admin"):
        await erasures.erase(Principal("staff:S-1", "S-1", frozenset({AccessRole.SALES})), whom)
    await _closed(post, lived)
    before = await _figures(servers, account)
    foreseen = await erasures.foresee(whom)
    assert foreseen.cells["contact.email"] == 1
    assert foreseen.runs[f"journey-{account}"] == 1
    assert await servers.pool.fetchval("select name from contact where account_id = $1 and contact_id = 'P-1'", account)

    erasure_id = await erasures.erase(ADMIN, whom, "they asked for it")
    certificate = await erasures.finish(erasure_id, within=30)
    assert certificate is not None
    assert _where(await _dump(servers), words) == []
    assert await _histories(servers, account, words) == []
    assert certificate.cells["case_message.body"] >= 2
    assert {run.workflow_id for run in certificate.runs} == {
        f"journey-{account}",
        *(f"case-{id}" for id in lived.cases),
    }
    assert certificate.search_pieces >= 2
    assert not [word for word in words if word.lower() in certificate.model_dump_json().lower()]
    # Everything else is as it was, and the journey goes on.
    after = await _figures(servers, account)
    assert after[:5] == before[:5]
    assert _where(await _dump(servers), lived.others)
    assert await servers.client.is_running(account)
    await servers.client.fast_forward(account, timedelta(days=60))
    assert (await servers.client.agenda_of(account)) is not None
    assert _where(await _dump(servers), words) == []
    assert await erasures.check(certificate) == []

    # Nobody brings them back.
    with pytest.raises(Refusal, match=r"P-1 of .* was erased"):
        await servers.client.place_order(goods_order(lived.document, before_now(lived.document)))
    name = f"Ottokar Nebelhorn{lived.mark}"
    added = {"contact_id": "P-1", "name": name, "email": lived.email}
    with pytest.raises(Refusal, match="was erased"):
        await servers.client.ask(account, "change_contacts", {"add": [added]})
    assert _where(await _dump(servers), words) == []
    assert await _histories(servers, account, words) == []
    # Nor does a look that mends what is lost: the agenda follows from the facts, and no history knows more.
    looked = await reconciler(servers).look(account, mend=True)
    assert [one.says for one in looked.found] == []
    assert _where(await _dump(servers), words) == []
    # Once more it is the same erasure, and takes nothing.
    assert await erasures.erase(ADMIN, whom) == erasure_id
    assert await erasures.finish(erasure_id, within=30) is not None

    # A backup from before is restored: the certificate says what is back, and once more takes it again.
    await servers.pool.execute("delete from erasure where erasure_id = $1", erasure_id)
    insert = "insert into contact (account_id, contact_id, position, name, email, role, language, time_zone)"
    await servers.pool.execute(
        f"{insert} values ($1, 'P-1', 7, $3, $2, 'main', 'en', 'Asia/Tokyo')", account, lived.email, name
    )
    await servers.pool.execute("update journal set title = $2 || ' called' where account_id = $1", account, name)
    back = await erasures.check(certificate)
    assert {one.split()[0] for one in back} >= {"contact.name", "contact.email", "journal.title"}
    assert await erasures.erase(ADMIN, whom, again=certificate.words) == erasure_id
    again = await erasures.finish(erasure_id, within=30)
    assert again is not None
    assert await erasures.check(again) == []
    assert await erasures.check(certificate) == []
    assert await erasures.check(certificate.having(mails=99)) != []


def before_now(document: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(document["activated_at"])


async def test_a_customer_goes_and_the_figures_stay(post: Post, lived: Life) -> None:
    servers, account = post.servers, lived.account
    erasures, whom = Erasures(servers.client, servers.pool, "cli"), Whom(account)
    company = lived.document["account"]["name"]
    words = (*lived.person, *lived.others, company)
    with pytest.raises(Refusal, match=r"close cases .*; close the journey"):
        await erasures.erase(ADMIN, whom)
    await _closed(post, lived)
    await servers.client.ask(account, "close_journey", {"reason": f"Ottokar Nebelhorn{lived.mark} has left"})
    before = await _figures(servers, account)
    erasure_id = await erasures.erase(ADMIN, whom)
    certificate = await erasures.finish(erasure_id, within=30)
    assert certificate is not None
    assert _where(await _dump(servers), words) == []
    assert [run async for run in runs_of(servers.temporal, account)] == []
    assert await _figures(servers, account) == before
    assert certificate.kept["orders"] == "1"
    assert await servers.pool.fetchval("select name from account where account_id = $1", account) == "erased"
    assert await erasures.check(certificate) == []

    await _pages_name_nobody(servers, account, words)

    # Not by the order sent again, nor by a look that mends.
    with pytest.raises(Refusal, match="was erased"):
        await servers.client.place_order(lived.document)
    assert await servers.pool.fetchval("select over_at from erasure where erasure_id = $1", erasure_id) is None
    assert await erasures.finish(erasure_id, within=30) is not None
    assert [run async for run in runs_of(servers.temporal, account)] == []
    looked = await reconciler(servers).look(account, mend=True)
    assert [one.says for one in looked.found] == []
    await servers.pool.execute("update account set name = $2 where account_id = $1", account, company)
    await servers.pool.execute(
        "update contact set name = $2, email = $3 where account_id = $1", account, lived.person[0], lived.email
    )
    assert _where(await _dump(servers), words) == []


async def _pages_name_nobody(servers: Servers, account: str, words: tuple[str, ...]) -> None:
    """Every page that the customer's page leads to, and every page that those lead to of theirs, is there, and says so."""
    browser = await with_role(servers, AccessRole.ADMIN)
    seen, look_at = set[str](), [f"/customers/{account}"]
    while look_at and len(seen) < 40:
        path = look_at.pop(0)
        if path in seen:
            continue
        seen.add(path)
        page = await browser.open(path)
        assert browser.answer.status_code == 200, (path, browser.answer.text[-500:])
        assert _where(browser.answer.text, words) == [], path
        look_at += [
            link for link in page.links if (account in link and link.startswith("/")) or link.startswith("/cases/")
        ]
    first = await browser.open(f"/customers/{account}")
    assert "erased" in first.text
    assert len(seen) > 5


async def test_the_command_line_erases_and_checks(post: Post, lived: Life, tmp_path: Path) -> None:
    servers, account = post.servers, lived.account
    beside(servers, tmp_path)
    dsn = servers.stack.postgres_dsn
    await _closed(post, lived)
    dry = await perennial("erase", "person", account, "P-1", "--dry-run", dsn=dsn, folder=tmp_path)
    assert "contact.email" in dry.out
    assert "Nothing was changed" in dry.out
    done = await perennial("erase", "person", account, "P-1", dsn=dsn, folder=tmp_path)
    assert done.code == 0, done.err
    certificate = tmp_path / ".perennial" / "erasures" / f"{Whom(account, 'P-1').erasure_id}.json"
    assert json.loads(certificate.read_text()) == json.loads(done.out)
    checked = await perennial("erase", "check", str(certificate), dsn=dsn, folder=tmp_path)
    assert (checked.code, "nothing is back" in checked.out) == (0, True), checked.out
    await servers.pool.execute("update journal set title = $2 where account_id = $1", account, lived.email)
    checked = await perennial("erase", "check", str(certificate), dsn=dsn, folder=tmp_path)
    assert (checked.code, "journal.title" in checked.out) == (1, True)
    assert (await perennial("erase", "again", dsn=dsn, folder=tmp_path)).code == 0
    assert (await perennial("erase", "check", str(certificate), dsn=dsn, folder=tmp_path)).code == 0


async def test_a_crash_in_the_middle_is_made_up_for(post: Post, lived: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    servers, account = post.servers, lived.account
    whom = Whom(account)
    await _closed(post, lived)
    await servers.client.ask(account, "close_journey", {"reason": "over"})
    erasures = Erasures(servers.client, servers.pool, "cli")

    async def dies(*_: Any) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(erasing_rows, "record_erasure", dies)
        with pytest.raises(RuntimeError):
            await erasures.erase(ADMIN, whom)
    assert await servers.pool.fetchval("select name from account where account_id = $1", account) != "erased"
    await erasures.erase(ADMIN, whom)

    async def is_over() -> bool:
        return not await servers.client.is_running(account)

    await until(is_over, "the journey has sent its last mails")
    # The process dies before the engine hears of it: the batch goes on.
    report = await servers.temporal.execute_workflow(
        BatchRun.run, Batch.ERASE, id=f"erase-{account}", task_queue=servers.settings.task_queue
    )
    assert report.counts["over"] >= 1
    document = await servers.pool.fetchval("select certificate from erasure where erasure_id = $1", whom.erasure_id)
    async with servers.pool.acquire() as connection:
        keys, _ = await load_signing(connection)
    assert Certificate.model_validate(document).is_true(keys)
    assert [run async for run in runs_of(servers.temporal, account)] == []


async def test_the_last_contact_stays_while_the_journey_goes_on(servers: Servers) -> None:
    document = order()
    await servers.client.place_order(document)
    erasures = Erasures(servers.client, servers.pool, "cli")
    with pytest.raises(Refusal, match="name another contact"):
        await erasures.erase(ADMIN, Whom(account_of(document), "P-1"))
    with pytest.raises(Refusal, match="has no contact 'P-9'"):
        await erasures.erase(ADMIN, Whom(account_of(document), "P-9"))
