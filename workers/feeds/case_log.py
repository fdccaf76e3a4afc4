"""The first pass over a log of case events: each line goes to its case or gets the reason why not."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from domain.frame.case_words import CaseState, Priority
from domain.kernel.ids import AccountRef, CaseRef
from domain.service.case import Recorded
from domain.service.case_log import LoggedState, changes_of, record_of
from domain.service.opening import Actor, CaseChannel
from workers.feeds.case_mapping import CaseMapping, opaque
from workers.feeds.files import ADDED
from workers.feeds.mapping_file import data_rows, fields_of
from workers.feeds.rejects import Reason, Reject, RejectedError

REPORT_EVERY = 5000
SUBJECT_LENGTH = 300

_CASE: TypeAdapter[str] = TypeAdapter(CaseRef)
_ACCOUNT: TypeAdapter[str] = TypeAdapter(AccountRef)
_ACTOR: TypeAdapter[str] = TypeAdapter(Actor)


class _Line(NamedTuple):
    """A line's fields, read and found good; an empty text where the log says nothing."""

    line: int
    at: datetime
    opened_at: datetime | None
    state: CaseState | None
    customer: str
    priority: Priority | None
    product: str
    owner: str
    channel: CaseChannel
    subject: str


@dataclass(frozen=True)
class LoggedCase:
    """A case of the log, as its lines tell it. What a line says later, such as another customer or priority, holds."""

    case_id: str
    customer: str
    account_id: str
    lines: tuple[int, ...]
    opened_at: datetime
    states: tuple[LoggedState, ...]
    priority: Priority
    product: str | None
    owner: str | None
    channel: CaseChannel
    subject: str
    last_at: datetime

    @property
    def state(self) -> CaseState:
        """The state in which the log leaves it."""
        return changes_of(self.states)[-1].state

    def record(self, recorded_at: datetime) -> tuple[Recorded, ...]:
        """What happened in it."""
        return record_of(self.opened_at, self.states, recorded_at)

    def digest(self) -> str:
        """A fingerprint of the content: equal when the log says the same again."""
        states = [(at.isoformat(), state.value, by) for at, state, by in self.states]
        content = (self.account_id, self.opened_at.isoformat(), states, self.priority.value, self.product, self.owner)
        return hashlib.sha256(repr((*content, self.channel.value, self.subject)).encode()).hexdigest()


@dataclass
class CaseScan:
    """What a log holds. `lines` were looked at, `beyond` lie behind the limit."""

    cases: list[LoggedCase] = field(default_factory=list)
    rejects: dict[int, Reject] = field(default_factory=dict)
    lines: int = 0
    beyond: int = 0


class CaseLogScanner:
    """Reads one log by one mapping. Memory: about 100 MB for a hundred thousand lines."""

    def __init__(self, mapping: CaseMapping, header: list[str]) -> None:
        self._mapping = mapping
        self._header = header
        self._at = {name: header.index(column) for name, column in mapping.columns.named().items()}
        self._subject = {name: header.index(name) for name in mapping.subject_columns}
        self._own = [n for n, name in enumerate(header) if name not in ADDED]
        self._nothing = frozenset(mapping.nothing)
        self._seen: dict[bytes, int] = {}
        self._found: dict[str, list[_Line]] = defaultdict(list)
        self._scan = CaseScan()

    def scan(self, file: Path, limit: int | None = None, report: Callable[[int], None] | None = None) -> CaseScan:
        """Every line of `file`; with `limit`, its first lines and the rest of the cases that begin among them."""
        scan = self._scan
        for number, row in data_rows(file, self._mapping.layout):
            case_id = self._case_id(row)
            if limit is not None and scan.lines >= limit and case_id not in self._found:
                scan.beyond += 1
                continue
            scan.lines += 1
            try:
                self._found[self._named(case_id, row)].append(self._line(number, row))
            except RejectedError as rejected:
                scan.rejects[number] = rejected.reject
            if report and scan.lines % REPORT_EVERY == 0:
                report(scan.lines)
        for case_id, lines in self._found.items():
            if lines:
                self._assemble(case_id, lines)
        return scan

    def _case_id(self, row: list[str]) -> str:
        at = self._at["case_id"]
        return row[at].strip() if len(row) > at else ""

    def _named(self, case_id: str, row: list[str]) -> str:
        fields_of(row, len(self._header), {})
        if case_id in self._nothing or not case_id:
            raise RejectedError(Reason.MALFORMED, f"{self._mapping.columns.case_id} is empty: of which case?")
        return case_id

    def _line(self, number: int, row: list[str]) -> _Line:
        given = {name: self._value(row[at]) for name, at in self._at.items()}
        state = self._state(given["state"])
        line = _Line(
            line=number,
            at=self._instant("at", given["at"]),
            opened_at=self._instant("opened_at", given["opened_at"]) if given.get("opened_at") else None,
            state=state,
            customer=given["customer"],
            priority=self._priority(given.get("priority", "")),
            product=given.get("product", ""),
            owner=given.get("owner", ""),
            channel=self._channel(given.get("channel", "")),
            subject=self._mapping.subject.format_map(
                {name: self._value(row[at]) or "unknown" for name, at in self._subject.items()}
            )[:SUBJECT_LENGTH],
        )
        own = "\0".join(row[n].strip() for n in self._own)
        first = self._seen.setdefault(blake2b(own.encode(), digest_size=16).digest(), number)
        if first != number:
            raise RejectedError(Reason.DUPLICATE, f"the same as line {first}")
        return line

    def _value(self, text: str) -> str:
        text = text.strip()
        return "" if text in self._nothing else text

    def _instant(self, name: str, text: str) -> datetime:
        column = self._mapping.columns.named()[name]
        try:
            found = self._mapping.instant(text)
        except ValueError:
            said = f"{column} is {text!r}; it should look like {' or '.join(self._mapping.date_format)}"
            raise RejectedError(Reason.MALFORMED, said) from None
        if not 1970 <= found.year <= 2200:
            raise RejectedError(Reason.MALFORMED, f"{column} is {text!r}; the year is out of reach")
        return found

    def _state(self, word: str) -> CaseState | None:
        if word in self._mapping.same_state:
            return None
        state = self._mapping.states.get(word)
        if state is None:
            known = ", ".join(self._mapping.states)
            raise RejectedError(Reason.UNKNOWN_STATE, f"{word!r} is no state that the mapping knows; it has {known}")
        return state

    def _priority(self, word: str) -> Priority | None:
        if not word:
            return None
        priority = self._mapping.priorities.get(word)
        if priority is None:
            known = ", ".join(self._mapping.priorities)
            raise RejectedError(Reason.UNKNOWN_PRIORITY, f"{word!r} is no priority of the mapping; it has {known}")
        return priority

    def _channel(self, word: str) -> CaseChannel:
        return self._mapping.channels.get(word, CaseChannel.IMPORT)

    def _assemble(self, case_id: str, lines: list[_Line]) -> None:
        lines.sort(key=lambda line: line.at)
        try:
            self._scan.cases.append(self._case(case_id, lines))
        except RejectedError as rejected:
            self._scan.rejects.update(dict.fromkeys((line.line for line in lines), rejected.reject))

    def _case(self, case_id: str, lines: Sequence[_Line]) -> LoggedCase:
        customer = _last(line.customer for line in lines)
        if not customer:
            said = f"{self._mapping.columns.customer} is empty in all lines of the case: nobody to care for"
            raise RejectedError(Reason.NO_CUSTOMER, said)
        states = [(line, line.state) for line in lines if line.state is not None]
        if not states:
            raise RejectedError(Reason.MALFORMED, "no line of the case names a state")
        ids = self._mapping.ids
        product, owner = _last(line.product for line in lines), _last(line.owner for line in lines)
        opened = [line.opened_at for line in lines if line.opened_at is not None]
        return LoggedCase(
            case_id=_checked(_CASE, ids.case.format(value=_case_word(case_id)), "a case"),
            customer=customer,
            account_id=_checked(_ACCOUNT, ids.account.format(value=opaque(customer)), "an account"),
            lines=tuple(line.line for line in lines),
            opened_at=min([*opened[-1:], lines[0].at]),
            states=tuple(LoggedState(line.at, state, self._by(line.owner)) for line, state in states),
            priority=next((p for line in reversed(lines) if (p := line.priority)), self._mapping.priority),
            product=ids.product.format(value=opaque(product)) if product else None,
            owner=self._by(owner) if owner else None,
            channel=lines[-1].channel,
            subject=lines[-1].subject,
            last_at=lines[-1].at,
        )

    def _by(self, owner: str) -> str:
        return _checked(_ACTOR, self._mapping.ids.owner.format(value=opaque(owner)), "an owner") if owner else "import"


def _last(words: Iterable[str]) -> str:
    """The last word that says something."""
    return next((word for word in reversed(list(words)) if word), "")


def _case_word(case_id: str) -> str:
    """A case's number as it is written, if it can stand in an address."""
    return case_id if case_id.replace("-", "").replace("_", "").isalnum() and case_id.isascii() else opaque(case_id)


def _checked(adapter: TypeAdapter[str], value: str, what: str) -> str:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        raise RejectedError(Reason.MALFORMED, f"{value!r} cannot be the id of {what}") from None
