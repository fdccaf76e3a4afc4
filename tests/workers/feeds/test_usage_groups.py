"""Files of usage that are recorded in several groups and chunks: the facts are those of the lines, one after the other."""

from __future__ import annotations

import errno
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from tests.builders import order
from tests.conftest import Servers
from workers.feeds import usage, usage_spool
from workers.feeds.errors import FeedError
from workers.feeds.usage import UsageReport, import_usage

COLUMNS = "account_id,product,day,active_users"
FIRST = date(2025, 3, 1)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_spool, "ACCOUNTS_TOGETHER", 2)
    monkeypatch.setattr(usage_spool, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(usage, "_OFTEN", 4)


@pytest.fixture
def accounts() -> list[str]:
    """Five that have no order yet."""
    return [str(order()["account"]["account_id"]) for _ in range(5)]


class Feeds:
    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers, self.folder = servers, folder

    async def bring(self, *lines: str, columns: str = COLUMNS) -> UsageReport:
        file = self.folder / "usage.csv"
        file.write_text("\n".join([columns, *lines]) + "\n")
        return await import_usage(self.servers.client, file, rejects=self.folder / "rejects.csv")

    async def known(self, *accounts: str) -> dict[tuple[str, date], tuple[Any, ...]]:
        """What is on record of each day."""
        rows = await self.servers.pool.fetch(
            "select account_id, day, active_users, key_actions from usage_day where account_id = any($1)", accounts
        )
        return {(row["account_id"], row["day"]): (row["active_users"], row["key_actions"]) for row in rows}

    def rejects(self) -> list[str]:
        return (self.folder / "rejects.csv").read_text().splitlines()[1:]


@pytest.fixture
def feeds(servers: Servers, tmp_path: Path) -> Feeds:
    return Feeds(servers, tmp_path)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


async def test_every_line_counts_and_of_one_day_the_last(feeds: Feeds, accounts: list[str]) -> None:
    lines = [f"{account},SEATS,{day(n)},{n}" for n in range(9) for account in accounts]
    lines += [f"{accounts[0]},SEATS,{day(8)},{count}" for count in (70, 71)] + [f"{accounts[4]},SEATS,{day(0)},72"]
    report = await feeds.bring(*lines)
    assert (report.lines, report.imported, report.accounts) == (48, 48, 5)
    assert report.kept_for == tuple(sorted(accounts))
    expected = {(account, day(n)): (n, None) for n in range(9) for account in accounts}
    expected |= {(accounts[0], day(8)): (71, None), (accounts[4], day(0)): (72, None)}
    assert await feeds.known(*accounts) == expected


async def test_what_is_on_record_is_corrected_and_what_is_not_said_stays(feeds: Feeds, accounts: list[str]) -> None:
    await feeds.bring(*(f"{a},SEATS,{day(0)},5,40" for a in accounts), columns=f"{COLUMNS},key_actions")
    await feeds.bring(
        f"{accounts[1]},SEATS,{day(1)},7", f"{accounts[1]},SEATS,{day(0)},6", f"{accounts[3]},SEATS,{day(0)},4"
    )
    expected: dict[tuple[str, date], tuple[int, int | None]] = {(a, day(0)): (5, 40) for a in accounts}
    expected |= {(accounts[1], day(1)): (7, None), (accounts[1], day(0)): (6, 40), (accounts[3], day(0)): (4, 40)}
    assert await feeds.known(*accounts) == expected


async def test_bad_lines_are_named_and_all_others_are_taken(feeds: Feeds, accounts: list[str]) -> None:
    one, two = accounts[:2]
    lines = [f"{one},SEATS,{day(n)},{n}" for n in range(3)]
    lines += [
        f"{two},SEATS,{day(0)},-1",
        f"{two},SEATS,{day(1)}",
        f"{one},SEATS,2025-02-30,4",
        f"no body,SEATS,{day(0)},4",
    ]
    lines += [
        f"{two},SEATS,{day(2)},100000001",
        f"{two},SEATS,{day(3)},\uff17",
        f" {two} , SEATS ,{day(4)}, 8 ",
        f"{two},SEATS,2199-01-01,1",
    ]
    report = await feeds.bring(*lines)
    assert (report.imported, report.reasons) == (5, {"malformed": 5, "refused": 1})
    expected = {(one, day(n)): (n, None) for n in range(3)} | {(two, day(3)): (7, None), (two, day(4)): (8, None)}
    assert await feeds.known(one, two) == expected
    said = {int(line.split(",")[4 if line.count(",") > 5 else 3]): line for line in feeds.rejects() if line[0] != '"'}
    assert "active_users" in said[5]
    assert "2199-01-01 is still to come" in said[12]


async def test_a_threshold_is_told_once_however_many_chunks_there_are(servers: Servers, feeds: Feeds) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    now = await servers.client.fast_forward(account, timedelta(days=40))
    days = [now.date() - timedelta(days=n) for n in range(12)]
    lines = [f"{account},SEATS,{on},9" for on in days]
    report = await feeds.bring(*lines, f"{account},KETTLE,{days[0]},9")
    assert (report.journeys_told, report.imported, report.reasons) == (1, 12, {"refused": 1})
    assert "'KETTLE' was never sold" in feeds.rejects()[0]
    assert (await feeds.bring(*lines[:3], f"{account},SEATS,{days[3]},8")).journeys_told == 0, "it is as low as before"
    assert (await feeds.bring(*lines[:3])).journeys_told == 1, "nothing is new: perhaps nobody was told"
    assert await servers.client.is_running(account), journey_id(account)


async def test_a_threshold_is_told_beside_features_of_any_name(servers: Servers, feeds: Feeds) -> None:
    document = order()
    account = str(document["account"]["account_id"])
    await servers.client.place_order(document)
    now = await servers.client.fast_forward(account, timedelta(days=40))
    names = ["Boards\u2028and lists", "C:\\new", "a\x85b"]
    lines = [f"{account},SEATS,{now.date()},9,"] + [
        f"{account},SEATS,{now.date()},{n},{name}" for n, name in enumerate(names)
    ]
    report = await feeds.bring(*lines, columns=f"{COLUMNS},feature")
    assert (report.journeys_told, report.imported) == (1, 4)
    kept = await servers.pool.fetch(
        "select feature from usage_feature_day where account_id = $1 order by active_users", account
    )
    assert [row["feature"] for row in kept] == names


async def test_a_full_disk_is_said_and_nothing_is_half_done(
    feeds: Feeds, accounts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def __init__(self, **_: Any) -> None: ...

        def write(self, _: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr(usage_spool, "SpooledTemporaryFile", Full)
    with pytest.raises(FeedError, match=r"No space left on device\); make room there.*nothing was imported"):
        await feeds.bring(*(f"{account},SEATS,{present().date() - timedelta(days=9)},3" for account in accounts))
    assert await feeds.known(*accounts) == {}
