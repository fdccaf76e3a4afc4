"""Logs of cases, taken over into the real facts."""

from __future__ import annotations

import csv
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.case_words import CaseState
from tests.cases import case_client
from tests.conftest import Servers
from workers.feeds.case_log import CaseLogScanner, CaseScan
from workers.feeds.case_mapping import CASE_MAPPINGS, CaseMapping, case_mapping_for
from workers.feeds.cases import CaseReport, import_cases
from workers.feeds.errors import FeedError
from workers.feeds.mapping_file import load_mapping

SAMPLE = Path(__file__).parents[2] / "data" / "incident_log_sample.csv"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HELP_DESK = (
    "Case ID,Activity,Resource,Complete Timestamp,seriousness_2,customer,product,service_level\n"
    "Case 7,Assign seriousness,Value 1,2012/10/09 09:30:00.000,Value 1,Value 3,Value 2,Value 1\n"
    "Case 7,Take in charge ticket,Value 1,2012/10/09 10:00:00.000,Value 1,Value 3,Value 2,Value 1\n"
    "Case 7,Wait,Value 1,2012/10/10 09:00:00.000,Value 1,Value 3,Value 2,Value 1\n"
    "Case 7,INVALID,Value 1,2012/10/10 09:30:00.000,Value 1,Value 3,Value 2,Value 1\n"
    "Case 7,Resolve ticket,Value 2,2012/11/02 10:00:00.000,Value 1,Value 3,Value 2,Value 1\n"
    "Case 8,Insert ticket,Value 4,2012/12/28 09:30:00.000,Value 4,Value 3,Value 2,Value 1\n"
)

_numbers = itertools.count(1)


def own_sample(folder: Path, *, without_last: bool = False) -> tuple[Path, str]:
    """The sample with a suffix on each number and site: no other test has these ids."""
    suffix = f"X{next(_numbers)}"
    return _written(folder, suffix, without_last=without_last), suffix


def _written(folder: Path, suffix: str, *, without_last: bool = False) -> Path:
    file = folder / f"log-{suffix}-{without_last}.csv"
    with SAMPLE.open(newline="") as text:
        header, *rows = list(csv.reader(text))
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        place = header.index("location")
        for row in rows:
            if without_last and row[1] == "Closed":
                continue
            row[0] += suffix
            row[place] = row[place] if row[place] == "?" else f"{row[place]}{suffix}"
            writer.writerow(row)
    return file


def scanned(file: Path, mapping: Path | None = None) -> CaseScan:
    rules, header = case_mapping_for(file, mapping)
    return CaseLogScanner(rules, header).scan(file)


async def imported(servers: Servers, file: Path, **options: Any) -> CaseReport:
    return await import_cases(servers.pool, file, **{"rejects": file.with_suffix(".rejects"), "as_of": NOW, **options})


async def facts(servers: Servers, suffix: str) -> dict[str, list[tuple[Any, ...]]]:
    """All that is on record of the cases with this suffix."""
    columns = {
        "service_case": "case_id, account_id, status, priority, opened_at, first_response_at, resolved_at, closed_at,"
        " reopen_count, policy_id, calendar_id, imported, digest",
        "case_event": "case_id, sequence, at, kind, by, detail::text, visibility",
        "case_milestone": "case_id, milestone, number, started_at, due_at, completed_at, violated_at, elapsed, state",
    }
    return {
        table: [
            tuple(row)
            for row in await servers.pool.fetch(
                f"select {selected} from {table} where case_id like '%' || $1::text order by 1, 2, 3", suffix
            )
        ]
        for table, selected in columns.items()
    }


def test_the_sample_is_read_whole_and_a_case_of_nobody_is_rejected() -> None:
    scan = scanned(SAMPLE)
    assert (scan.lines, len(scan.cases), scan.beyond) == (121, 15, 0)
    assert {reject.reason.value for reject in scan.rejects.values()} == {"no_customer"}
    assert len(scan.rejects) == 5
    assert sum(len(case.lines) for case in scan.cases) == 116
    by_id = {case.case_id: case for case in scan.cases}
    assert by_id["INC0000261"].priority.value == "urgent"
    assert by_id["INC0001894"].state is CaseState.CLOSED


async def test_a_log_is_on_record_with_its_true_dates_and_nobody_hears_of_it(servers: Servers, tmp_path: Path) -> None:
    file, suffix = own_sample(tmp_path)
    report = await imported(servers, file)
    assert (report.cases, report.cases_before, report.imported, report.rejected) == (15, 0, 116, 5)
    assert (
        report.customers
        == report.customers_new
        == len({row[1] for row in (await facts(servers, suffix))["service_case"]})
    )
    row = await servers.pool.fetchrow("select * from service_case where case_id = $1", f"INC0000045{suffix}")
    assert row is not None
    assert row["opened_at"] == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert row["resolved_at"] == datetime(2016, 2, 29, 8, 53, tzinfo=UTC)
    assert (row["status"], row["imported"], row["next_action_at"]) == ("closed", True, None)
    milestones = await servers.pool.fetch(
        "select milestone, state, elapsed from case_milestone where case_id = $1 order by 1", f"INC0000045{suffix}"
    )
    # Opened at night, answered and resolved 53 minutes after the desk opened at eight.
    assert [tuple(one) for one in milestones] == [
        ("first_response", "met", timedelta(minutes=53)),
        ("resolution", "met", timedelta(minutes=53)),
    ]
    accounts = [row[1] for row in (await facts(servers, suffix))["service_case"]]
    assert not await servers.pool.fetchval("select count(*) from outbox where account_id = any($1)", accounts)
    assert not [run async for run in servers.temporal.list_workflows(f"WorkflowId = 'case-INC0000045{suffix}'")]


async def test_importing_again_changes_nothing(servers: Servers, tmp_path: Path) -> None:
    file, suffix = own_sample(tmp_path)
    await imported(servers, file)
    before = await facts(servers, suffix)
    report = await imported(servers, file, as_of=NOW + timedelta(days=1))
    assert (report.cases, report.cases_before, report.customers_new) == (15, 15, 0)
    assert await facts(servers, suffix) == before


async def test_a_log_that_has_grown_ends_with_the_same_facts_as_the_whole_one(servers: Servers, tmp_path: Path) -> None:
    whole, suffix = own_sample(tmp_path)
    partly = _written(tmp_path, suffix, without_last=True)
    await imported(servers, partly)
    half = await facts(servers, suffix)
    assert "closed" not in {row[2] for row in half["service_case"]}
    report = await imported(servers, whole)
    assert report.cases_before == 0
    grown = await facts(servers, suffix)
    assert {row[2] for row in grown["service_case"]} == {"closed"}
    other, fresh = own_sample(tmp_path)
    await imported(servers, other)
    expected = await facts(servers, fresh)
    for table in ("case_event", "case_milestone"):
        assert [row[1:] for row in grown[table]] == [row[1:] for row in expected[table]]


async def test_a_case_that_was_not_imported_is_left_alone(servers: Servers, tmp_path: Path) -> None:
    file, suffix = own_sample(tmp_path)
    await imported(servers, file)
    mine = f"INC0000083{suffix}"
    await servers.pool.execute("update service_case set imported = false, digest = 'mine' where case_id = $1", mine)
    report = await imported(servers, file)
    assert report.reasons == {"no_customer": 5, "refused": 5}
    assert await servers.pool.fetchval("select digest from service_case where case_id = $1", mine) == "mine"
    with file.with_suffix(".rejects").open() as text:
        rejected = [row for row in csv.DictReader(text) if row["reason"] == "refused"]
    assert {row["number"] for row in rejected} == {mine}
    assert "was not imported" in rejected[0]["explanation"]


def test_a_help_desk_of_business_customers_is_known_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "desk.csv"
    file.write_text(HELP_DESK)
    scan = scanned(file)
    assert scan.rejects == {}
    first, second = scan.cases
    assert (first.case_id, first.account_id, first.state) == ("helpdesk-case-7", "helpdesk-value-3", CaseState.RESOLVED)
    assert first.opened_at == datetime(2012, 10, 9, 7, 30, tzinfo=UTC)
    assert [event.kind.value for event in first.record(NOW)] == ["created", "first_response", "waiting", "resolved"]
    assert second.state is CaseState.NEW


async def test_what_a_log_leaves_open_is_on_record_as_open_and_counts_the_holidays(
    servers: Servers, tmp_path: Path
) -> None:
    suffix = f"v{next(_numbers)}"
    file = tmp_path / "desk.csv"
    file.write_text(HELP_DESK.replace("Case ", f"Case {suffix} ").replace(f"Case {suffix} ID", "Case ID"))
    report = await imported(servers, file)
    assert (report.cases, report.still_open, report.rejected) == (2, 1, 0)
    rows = await servers.pool.fetch(
        "select c.case_id, c.status, m.milestone, m.state, m.elapsed from service_case c join case_milestone m"
        " using (case_id) where c.case_id like $1 order by 1, 3",
        f"helpdesk-case-{suffix}-%",
    )
    # 8 h on the 9th less half an hour; then it waited for the customer until it was resolved.
    assert [tuple(row) for row in rows] == [
        (f"helpdesk-case-{suffix}-7", "resolved", "first_response", "met", timedelta(minutes=30)),
        (f"helpdesk-case-{suffix}-7", "resolved", "resolution", "met", timedelta(hours=7, minutes=30)),
        (f"helpdesk-case-{suffix}-8", "new", "first_response", "open", timedelta(0)),
        (f"helpdesk-case-{suffix}-8", "new", "resolution", "open", timedelta(0)),
    ]


def test_dirty_lines_are_rejected_with_their_numbers_and_reasons(tmp_path: Path) -> None:
    header, good = HELP_DESK.splitlines()[:2]
    lines = [
        header,
        good,
        good,
        good.replace("Assign seriousness", "Dance"),
        good.replace("2012/10/09 09:30:00.000", "yesterday"),
        good.replace("2012/10/09", "1812/10/09"),
        good.replace("Value 1,Value 3,Value 2", "Value 9,Value 3,Value 2"),
        "Case 7,Wait",
        "",
        good.replace("Case 7", ""),
        good.replace("Case 7", "Case 9").replace("Value 3,Value 2", ",Value 2"),
    ]
    file = tmp_path / "dirty.csv"
    file.write_text("\n".join(lines) + "\n")
    scan = scanned(file)
    assert {line: reject.reason.value for line, reject in scan.rejects.items()} == {
        3: "duplicate_line",
        4: "unknown_state",
        5: "malformed",
        6: "malformed",
        7: "unknown_priority",
        8: "malformed",
        9: "malformed",
        10: "malformed",
        11: "no_customer",
    }
    assert "it has Insert ticket" in scan.rejects[4].says
    assert scan.rejects[3].says == "the same as line 2"


def test_a_limit_takes_the_first_lines_and_the_rest_of_their_cases() -> None:
    rules, header = case_mapping_for(SAMPLE)
    scan = CaseLogScanner(rules, header).scan(SAMPLE, limit=1)
    assert (scan.lines, scan.beyond) == (4, 117)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("date_format:", "date_fromat:"), "date_fromat"),
        (("Resolved: resolved", "Resolved: done"), "states"),
        (
            ("id: incident-log\n  name: Incident log, working", "id: other\n  name: Incident log, working"),
            "counts in the calendars",
        ),
        (('[["08:00", "18:00"]]', '[["08:00", "18:00"], ["17:00", "19:00"]]'), "join the two intervals"),
        (("high: PT1H", "high: PT11H"), "promise the response no later"),
        (("timezone: UTC", "timezone: Mars/Base"), "Mars/Base"),
        (('account: "site-{value}"', 'account: "site"'), "must hold {value}"),
        (("assigned_to", "assignee"), "no column 'assignee'"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = (CASE_MAPPINGS / "incident_log.yaml").read_text()
    assert change[0] in text
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text.replace(*change))
    with pytest.raises(FeedError, match=said.replace("{", r"\{")):
        case_mapping_for(SAMPLE, mapping)


def test_made_up_addresses_lie_where_no_stranger_gets_mail(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    text = (CASE_MAPPINGS / "incident_log.yaml").read_text()
    mapping.write_text(
        text.replace('  name: "Site {value}"', '  name: "Site {value}"\n  contact_email: "{value}@corp.com"')
    )
    with pytest.raises(FeedError, match="stranger"):
        load_mapping(mapping, CaseMapping)


async def test_a_case_that_a_log_leaves_open_is_taken_up_by_whoever_answers_it(
    servers: Servers, tmp_path: Path
) -> None:
    suffix = f"v{next(_numbers)}"
    file = tmp_path / "desk.csv"
    file.write_text(HELP_DESK.replace("Case ", f"Case {suffix} ").replace(f"Case {suffix} ID", "Case ID"))
    await imported(servers, file, as_of=present())
    case_id = f"helpdesk-case-{suffix}-8"
    answer = await case_client(servers).ask(
        case_id, "respond", {"body": "Are you still waiting?", "by": "AG-1", "channel": "phone"}
    )
    assert answer["status"] == "open"
    row = await servers.pool.fetchrow(
        "select c.status, c.policy_id, m.state, m.completed_at is not null as answered from service_case c"
        " join case_milestone m using (case_id) where case_id = $1 and m.milestone = 'first_response'",
        case_id,
    )
    assert row is not None
    assert tuple(row) == ("open", "help-desk", "missed", True)
    # What was late long ago is on record; nobody is warned, and no customer is told that we are sorry.
    mails = await servers.pool.fetch(
        "select body->>'template' as template from outbox where delivery_id like $1", f"case:{case_id}/%"
    )
    assert not [mail["template"] for mail in mails if mail["template"] is not None]
