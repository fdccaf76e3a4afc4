"""`perennial doctor`: what is reachable, which versions, who works, what waits in vain, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timedelta

import asyncpg
from rich.markup import escape
from rich.table import Table
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest

from activities.assets.audit import audit, ledger_size
from activities.frame.schema_rows import migrations_to_apply
from activities.journey.erasing_rows import erasures_not_over
from activities.journey.readable import unreadable_facts
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.service import holiday_rows
from activities.service_policies import FOLDER, ServiceBookError, read_service_book
from domain.frame.work_kinds import queue_of
from domain.kernel.shown import counted
from gateway.contract import ENDPOINT
from gateway.here import find_running
from gateway.in_the_clear import in_the_clear
from gateway.outgoing import CHANNELS, Failing, Outgoing
from gateway.reconciling import unattended
from gateway.releases import Releases
from gateway.smtp_server import announced, size_in_words
from workers.attending import absence, is_polled
from workers.cli.common import console, settings_of
from workers.cli.servers import Connections, connections
from workers.registering import endpoints_here
from workers.retention import RETENTION, retention_of, wanted_retention
from workers.settings import PIPED, Settings
from workflows.visibility import SEARCH_ATTRIBUTES

NAMED_FACTS = 5
"""So many of the facts that cannot be read, and of the customers without a journey, the doctor names."""
_FORGOTTEN_WITHIN = timedelta(days=1)
_NOUNS = {"mail": "mails and notices", "provisioning": "orders", "webhook": "webhooks", "transfer": "transfers"}


class Findings:
    """A row for each check, and whether all is well."""

    def __init__(self) -> None:
        self.table = Table("check", "result", "what to do")
        self.well = True

    def said(self, check: str, good: bool, result: str, mend: str = "") -> None:
        """One check: what was found, and what to do if that is not good."""
        self.well = self.well and good
        self.table.add_row(check, f"[{'green' if good else 'red'}]{escape(result)}[/]", "" if good else escape(mend))

    def noted(self, check: str, result: str, advice: str) -> None:
        """Something that is no fault, and should be known."""
        self.table.add_row(check, f"[yellow]{escape(result)}[/]", escape(advice))


async def examine() -> bool:
    """Every check in a table; true if all is well."""
    findings = Findings()
    settings = settings_of(find_running())
    await _database(findings, settings)
    try:
        async with connections() as servers:
            await _engine(findings, servers)
            await _nexus(findings, servers)
            await _workers(findings, servers)
            await _builds(findings, servers)
            await _journeys(findings, servers)
            await _sealed(findings, servers)
            await _retention(findings, servers)
            await _providers(findings, servers)
    except Exception as error:  # whatever it is, it is the doctor's finding
        findings.said("Temporal", False, str(error), "start it, or set TEMPORAL_ADDRESS; `perennial up` brings one")
    await _mail_server(findings, settings)
    await _inbox(findings, settings)
    console.print(findings.table)
    return findings.well


async def _database(findings: Findings, settings: Settings) -> None:
    try:
        connection = await asyncpg.connect(settings.direct_url, timeout=5)
        findings.said("PostgreSQL", True, str(await connection.fetchval("show server_version")))
        if await _schema(findings, connection):
            await _letters(findings, connection)
            findings.said("asset ledger", *await _ledger(connection))
            findings.said("facts", *await _facts(connection))
            await _erasures(findings, connection)
            await _calendars(findings, settings, connection)
        await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        mend = "start it, or set PERENNIAL_DATABASE_URL; `perennial up` brings one"
        findings.said("PostgreSQL", False, str(error), mend)


async def _schema(findings: Findings, connection: Connection) -> bool:
    """Whether every migration of this release was applied; false if there is no schema to look any further in."""
    try:
        missing = await migrations_to_apply(connection)
    except asyncpg.UndefinedTableError:
        findings.said("schema", False, "missing", "run `perennial migrate`")
        return False
    waiting = f"{counted(len(missing), 'migration')} to be applied, the first is {missing[0]}" if missing else ""
    findings.said("schema", not missing, waiting or "up to date", "run `perennial migrate`")
    return True


async def _sealed(findings: Findings, servers: Connections) -> None:
    """Where payloads are sealed: what the newest runs got in the clear, from callers without a key."""
    found = await in_the_clear(servers.temporal)
    if found is None:
        return
    said = f"{counted(found.payloads, 'payload')} in the clear, in {found.runs} of the newest {counted(found.looked_at, 'run')}"
    if not found.payloads:
        findings.said("sealed payloads", True, f"all of the newest {counted(found.looked_at, 'run')}")
        return
    named = ", ".join(found.named[:NAMED_FACTS])
    advice = f"let whoever calls {named} use the API, or PerennialPlugin with the key; what began before there was a key stays until retention"
    findings.noted("sealed payloads", said, advice)


async def _erasures(findings: Findings, connection: Connection) -> None:
    """Whether the engine has forgotten whom the tables have forgotten."""
    try:
        waiting = [row for row in await erasures_not_over(connection) if row["at"] < present() - _FORGOTTEN_WITHIN]
    except asyncpg.UndefinedTableError:
        return  # the schema is of an earlier release; what that means is said of the facts
    if waiting:
        named = ", ".join(row["erasure_id"] for row in waiting[:NAMED_FACTS])
        advice = "a run still names whom they are of: close their cases, and look at `erase_batch` in the Temporal UI"
        findings.said("erasures", False, f"{counted(len(waiting), 'erasure')} not over: {named}", advice)


async def _retention(findings: Findings, servers: Connections) -> None:
    """For how long the engine keeps what is over, beside what is wanted."""
    wanted, found = wanted_retention(os.environ), await retention_of(servers.temporal)
    said = f"runs that are over stay for {counted(found.days, 'day')}"
    if wanted is not None and wanted != found:
        says = f"{said}, and {RETENTION} says {os.environ[RETENTION]}"
        mend = f"`perennial temporal operator namespace update --namespace {servers.temporal.namespace} --retention {os.environ[RETENTION]}`"
        findings.said("retention", False, says, mend)
        return
    findings.said("retention", True, said)


async def _calendars(findings: Findings, settings: Settings, connection: Connection) -> None:
    """Whether the promises of service rest while everybody is away."""
    try:
        book = read_service_book(settings.service_book or FOLDER)
        current = await holiday_rows.current(connection, book.calendars.values())
    except (OSError, ServiceBookError) as error:
        findings.said("calendars", False, str(error), "mend the folder of PERENNIAL_SERVICE_BOOK")
        return
    except asyncpg.UndefinedTableError:
        return  # the schema is of an earlier release; what that means is said of the facts
    never = sorted(one.id for one in current.values() if one.knows_no_days_off)
    if not never:
        findings.said("calendars", True, f"{counted(len(current), 'calendar')}, with days off")
        return
    others = book.desk.local_calendars.get("default")
    whose = " (that of all countries without one of their own)" if others in never else ""
    advice = "add days off on the console's page of calendars, or name a country's holidays in the file"
    findings.noted("calendars", f"no days off in {', '.join(never)}{whose}", advice)


_LETTERS = """
select show_trgm('珈琲') <> '{}' as known, datcollate, coalesce(datlocale, datcollate) as sorted_by,
       datlocprovider = 'b' and datlocale = 'C.UTF-8' as ours from pg_database where datname = current_database()
"""


async def _letters(findings: Findings, connection: Connection) -> None:
    """Whether names of every script are found, and sorted as everywhere."""
    row = await connection.fetchrow(_LETTERS)
    if row is None:
        return
    anew = "take it along with pg_dump into one made with " + _MADE_WITH
    said = (
        "of every script" if row["known"] else "none beyond ASCII: customers are not found by their names in Japanese"
    )
    findings.said("letters", row["known"], said, anew)
    if not row["ours"]:
        findings.noted("order", f"as {row['sorted_by']}, which differs between systems", anew)


_MADE_WITH = (
    "`create database … template template0 lc_ctype 'C.UTF-8' locale_provider builtin builtin_locale 'C.UTF-8'`"
)


async def _engine(findings: Findings, servers: Connections) -> None:
    info = await servers.temporal.workflow_service.get_system_info(GetSystemInfoRequest())
    findings.said("Temporal", True, info.server_version)
    listed = await servers.temporal.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=servers.temporal.namespace)
    )
    missing = sorted(set(SEARCH_ATTRIBUTES) - set(listed.custom_attributes))
    said = f"missing: {', '.join(missing)}" if missing else "registered"
    findings.said("search attributes", not missing, said, "run `perennial register`")


async def _nexus(findings: Findings, servers: Connections) -> None:
    """Whether workflows elsewhere reach us."""
    found = await endpoints_here(servers.temporal, servers.settings.task_queue)
    if found is None:
        said = "this server tells nobody of its endpoints"
        findings.noted("Nexus endpoint", said, "look with the server's own tools; only Nexus callers need one")
        return
    ours = sorted(name for name, leads_here in found.items() if leads_here)
    if ours:
        findings.said("Nexus endpoint", True, f"{', '.join(ours)} leads to {servers.settings.task_queue!r}")
        return
    taken = f"{ENDPOINT!r} leads elsewhere, and none" if ENDPOINT in found else "none"
    advice = "run `perennial register`" + (" --endpoint NAME" if ENDPOINT in found else "")
    findings.noted(
        "Nexus endpoint", f"{taken} leads to {servers.settings.task_queue!r}", f"{advice}; only Nexus callers need one"
    )


async def _workers(findings: Findings, servers: Connections) -> None:
    """Whether anybody does what is due."""
    missing = await absence(servers.temporal, servers.settings.task_queue)
    mend = "start one: `perennial worker`, or `perennial up`; until then nothing is done and no request is answered"
    findings.said("worker", missing is None, missing or f"works on {servers.settings.task_queue!r}", mend)
    for kind in sorted(servers.settings.apart):
        queue = queue_of(servers.settings.task_queue, kind)
        polled = await is_polled(servers.temporal, queue)
        said = f"works on {queue!r}" if polled else f"nobody asks for the work of task queue {queue!r}"
        findings.said(
            f"worker: {kind}", polled, said, f"start one with PERENNIAL_WORKS_ON={kind}, or without it for all kinds"
        )


async def _builds(findings: Findings, servers: Connections) -> None:
    """Whether the build that has the work, and each that runs are pinned to, has workers; where builds are kept apart."""
    builds = await Releases(servers.temporal, servers.settings.task_queue).builds()
    if not builds:
        return
    current = next((one for one in builds if one.current), None)
    if current is None:
        said = f"none has the work: {', '.join(one.id for one in builds)}"
        findings.said("builds", False, said, f"`perennial release use {builds[0].id}` gives it to the newest")
        return
    pinned = [one for one in builds if one.pinned]
    stays = "".join(f"; {counted(one.pinned, 'run')} pinned to {one.id}" for one in pinned)
    alone = [one.id for one in (current, *pinned) if not one.workers]
    said = f"{current.id} has the work{stays}" + (f"; no worker of {', '.join(alone)} asks for work" if alone else "")
    findings.said("builds", not alone, said, "start workers of it, or give another build the work: `perennial release`")


async def _journeys(findings: Findings, servers: Connections) -> None:
    """Whether somebody looks after every customer under contract."""
    try:
        alone = await unattended(servers.temporal, servers.pool)
    except asyncpg.UndefinedTableError:
        return  # the schema is missing, which has been said
    more = f" and {len(alone) - NAMED_FACTS} more" if len(alone) > NAMED_FACTS else ""
    said = (
        f"none runs for {', '.join(alone[:NAMED_FACTS])}{more}, under contract"
        if alone
        else "run for all under contract"
    )
    mend = "`perennial doctor --reconcile` says what nobody looks after, and with `--mend` begins them"
    findings.said("journeys", not alone, said, mend)


async def _providers(findings: Findings, servers: Connections) -> None:
    """Whether what leaves the company is taken."""
    try:
        failing = await Outgoing(servers.temporal, servers.pool, servers.client, servers.cases).failing()
    except asyncpg.UndefinedTableError:
        return  # the schema is missing, which has been said
    for one in failing:
        mend = f"mend that service, then `perennial deliveries retry --channel {one.provider}`"
        findings.said(f"deliveries: {one.provider}", False, _in_vain(one), mend)
    if not failing:
        findings.said("deliveries", True, f"nothing fails of {', '.join(CHANNELS)}")


def _in_vain(one: Failing) -> str:
    next_at = f"; tried again {_minute(one.tried.next_at)}" if one.tried.next_at else ""
    return (
        f"{one.waiting:,} {_NOUNS[one.provider]} wait, the oldest since {_minute(one.since)}; "
        f"last error: {one.tried.said}{next_at}"
    )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


async def _mail_server(findings: Findings, settings: Settings) -> None:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(settings.smtp_host, settings.smtp_port), 5)
        writer.close()
        findings.said("SMTP", True, f"{settings.smtp_host}:{settings.smtp_port}")
    except (OSError, TimeoutError) as error:
        mend = "set PERENNIAL_SMTP_HOST and PERENNIAL_SMTP_PORT; mails wait till then"
        findings.said("SMTP", False, str(error) or "no answer", mend)


async def _inbox(findings: Findings, settings: Settings) -> None:
    """Whether what customers write can reach us."""
    advice = (
        "serve it with `perennial inbox serve` and set PERENNIAL_INBOX_AT, or pipe mails into `perennial mail receive`"
        f" and set it to {PIPED}"
    )
    if settings.inbox_at is None:
        if settings.answers_to is not None:
            asked = f"mails ask for answers to {settings.answers_to}, and no inbox is known of that takes them"
            findings.said("inbox", False, asked, advice)
        else:
            said = "none is served: answers go to a person's own address, and no mail asks for anything by reply"
            findings.noted("inbox", said, advice)
        return
    if settings.inbox_at == PIPED:
        await _piped(findings, settings)
        return
    host, _, port = settings.inbox_at.rpartition(":")
    try:
        size, secured = await announced(host.strip("[]"), int(port))
    except OSError as error:
        mend = "start it: `perennial inbox serve`, or `docker compose up -d inbox`; till then replies of customers are lost or wait"
        findings.said("inbox", False, str(error), mend)
        return
    limit = f", mails of up to {size_in_words(size)}" if size else ""
    findings.said("inbox", True, f"{settings.inbox_at}{limit}, {'STARTTLS' if secured else 'no STARTTLS'}")


async def _piped(findings: Findings, settings: Settings) -> None:
    """What another mail server has piped in: when the latest mail came is all that can be seen of it from here."""
    try:
        connection = await asyncpg.connect(settings.direct_url, timeout=5)
        latest = await connection.fetchval("select max(received_at) from inbox_message")
        await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        findings.said("inbox", False, str(error), "see PostgreSQL and schema above")
        return
    said = "another mail server pipes mails in (`perennial mail receive`)"
    if latest is None:
        findings.noted("inbox", f"{said}; none has come yet", f"write a mail to service@{settings.mail_domain}")
    else:
        findings.said("inbox", True, f"{said}; the latest came on {_minute(latest)}")


async def _facts(connection: Connection) -> tuple[bool, str, str]:
    """Whether every fact of customers and open cases can be read; the first that cannot, by name."""
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        found = [f"{whose}: {fact.name} ({fact.why})" async for whose, fact in unreadable_facts(connection, present())]
    except asyncpg.UndefinedTableError as missing:
        return False, str(missing), "run `perennial migrate`"
    if not found:
        return True, "all can be read", ""
    more = f" and {len(found) - NAMED_FACTS} more" if len(found) > NAMED_FACTS else ""
    mend = "mend these rows, then `perennial journey ask ACCOUNT resume`; what needs them waits, the rest goes on"
    return False, "; ".join(found[:NAMED_FACTS]) + more, mend


async def _ledger(connection: Connection) -> tuple[bool, str, str]:
    """Whether the invariants of the asset ledger hold in the database, how much was looked at, and what to do if not."""
    try:
        found = await audit(connection)
    except asyncpg.UndefinedTableError as missing:
        return False, str(missing), "run `perennial migrate`"
    if not found:
        assets, periods = await ledger_size(connection)
        return True, f"{counted(assets, 'asset')} and {counted(periods, 'period')} hold", ""
    first = found[0]
    mend = (
        f"`perennial asset rebuild --check {first.asset_id}` says more, and without --check mends what can be derived"
    )
    return False, f"{first.asset_id}: {first.problem} ({len({f.asset_id for f in found})} assets or more)", mend
