"""Usage on its way from a file into the facts: lines of COPY, laid aside by groups of accounts, so that each is written as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO

from domain.success.usage import UsageRow
from gateway.usage_batches import NOT_SAID, Pair
from workers.feeds.errors import FeedError

ACCOUNTS_TOGETHER = 200
"""Accounts of one transaction, which holds a lock of each."""
ROWS_AT_ONCE = 50_000
"""Rows of one statement, which has its time."""
_BYTES_IN_MEMORY = 4_000_000
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Reporter:
    """An account's figures of one product: how their lines begin, and the first and the last day that they are of, as written."""

    __slots__ = ("begins", "first", "last", "waiting")

    def __init__(self, account_id: str, product: str, waiting: list[str]) -> None:
        self.begins = f"{account_id}\t{product.translate(_ESCAPED)}\t"
        self.first, self.last = date.max.isoformat(), date.min.isoformat()
        self.waiting = waiting

    def take(self, day: str, rest: str) -> None:
        """One figure of a day, with what its line says behind it."""
        if day > self.last:
            self.last = day
        if day < self.first:
            self.first = day
        self.waiting.append(f"{self.begins}{day}\t{rest}\n")


class Group:
    """Figures that are recorded together, as the client takes them."""

    def __init__(self, spool: UsageSpool) -> None:
        self.fields: Sequence[str] = spool.fields
        self.reporters: dict[Pair, Reporter] = {}
        self.accounts: set[str] = set()
        self.waiting: list[str] = []
        self.parts: list[tuple[int, int, int]] = []
        """of the file: where lines begin, how many bytes they have, and how many they are"""
        self._spool = spool

    @property
    def spans(self) -> Mapping[Pair, tuple[date, date]]:
        return {
            pair: (date.fromisoformat(one.first), date.fromisoformat(one.last)) for pair, one in self.reporters.items()
        }

    def chunks(self) -> Iterator[tuple[bytes, set[str]]]:
        """The lines, in the order in which they came."""
        gathered: list[bytes] = []
        rows = 0
        for begins, size, count in self.parts:
            if gathered and rows + count > ROWS_AT_ONCE:
                yield b"".join(gathered), self.accounts
                gathered, rows = [], 0
            gathered.append(self._spool.read(begins, size))
            rows += count
        if gathered:
            yield b"".join(gathered), self.accounts


class UsageSpool:
    """All that a file reports, in its order. Small files stay in memory; of others only some rows do, the rest lies in a file."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = fields
        self.groups: list[Group] = []
        self._group_of: dict[str, Group] = {}
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_BYTES_IN_MEMORY)  # noqa: SIM115
        self._end = 0

    def close(self) -> None:
        """Forgets all of it."""
        self._file.close()

    @property
    def accounts(self) -> list[str]:
        return list(self._group_of)

    def reporter(self, account_id: str, product: str) -> Reporter:
        """Where figures of an account and a product go."""
        group = self._group_of.get(account_id)
        if group is None:
            if not self.groups or len(self.groups[-1].accounts) == ACCOUNTS_TOGETHER:
                self.groups.append(Group(self))
            group = self._group_of[account_id] = self.groups[-1]
            group.accounts.add(account_id)
        pair = account_id, product
        if pair not in group.reporters:
            group.reporters[pair] = Reporter(account_id, product, group.waiting)
        return group.reporters[pair]

    def add(self, row: UsageRow) -> None:
        """One figure."""
        said = (getattr(row, field) for field in self.fields[3:])
        rest = "\t".join(NOT_SAID if one is None else str(one).translate(_ESCAPED) for one in said)
        self.reporter(row.account_id, row.product).take(row.day.isoformat(), rest)

    def put_down(self) -> None:
        """Lays aside what is in hand. Raises FeedError if there is no room."""
        try:
            for group in self.groups:
                if group.waiting:
                    lines = "".join(group.waiting).encode()
                    self._file.write(lines)
                    group.parts.append((self._end, len(lines), len(group.waiting)))
                    self._end += len(lines)
                    group.waiting.clear()
        except OSError as error:
            said = f"the figures cannot be laid aside in {gettempdir()} ({error.strerror or error}); make room there"
            raise FeedError(f"{said}, or name another folder by TMPDIR; nothing was imported") from error

    def read(self, begins: int, size: int) -> bytes:
        """A part of what was laid aside."""
        self._file.seek(begins)
        return self._file.read(size)
