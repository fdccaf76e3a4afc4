"""One mail on the reader's desk: sentences are looked for, what they say is held against the facts, the rest is nobody's word."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.reader.facts import Facts, Row
from tests.reader.letters import Letter
from tests.reader.words import Amount, Moment, Script, unvouched

Words = str | dict[str, str]
"""A sentence, or one for each language."""


@dataclass(frozen=True)
class Finding:
    """Something untrue in what was told: of which kind, in which mail, what it says, and what would be right."""

    kind: str
    letter: Letter
    said: str
    right: str

    def __str__(self) -> str:
        day = self.letter.sent_at.astimezone(ZoneInfo(self.letter.zone))
        return f"{self.letter.template} of {day:%Y-%m-%d %H:%M} to {self.letter.to_email}: {self.kind}: {self.said!r}; right: {self.right}"


class Said(dict[str, Any]):
    """What a sentence says, by slot."""


@dataclass
class Desk:
    """A mail being read. `left` is its text with what was vouched for blotted out."""

    letter: Letter
    facts: Facts
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        currencies = {row["currency"] for row in self.facts.tables["sales_order"]}
        currencies |= {row["currency"] for row in self.facts.tables["contract"]}
        self.script = Script(self.letter.language, self.letter.locale, sorted(currencies))
        self.left = self.letter.text
        self.at = self.letter.sent_at
        self.today = self.facts.day(self.at)

    def wrong(self, kind: str, said: object, right: object) -> None:
        """Something is not so."""
        self.findings.append(Finding(kind, self.letter, str(said), str(right)))

    def same(self, kind: str, said: object, right: object) -> bool:
        """What is said has to be this."""
        if said != right:
            self.wrong(kind, said, right)
        return said == right

    def among(self, kind: str, said: object, right: Collection[Any]) -> bool:
        """What is said has to be one of these."""
        if said not in right:
            self.wrong(kind, said, " or ".join(sorted(str(one) for one in right)) or "nothing of the kind")
        return said in right

    def amount(self, said: Amount, value: Any, currency: str) -> bool:
        """An amount in its currency."""
        if said.value == value and self.script.is_in(said, currency):
            return True
        self.wrong("amount", f"{said.sign} {said.value}", f"{currency} {value}")
        return False

    def each(self, words: Words) -> Iterator[Said]:
        """Every place at which the text says this; it is vouched for from then on."""
        sentence = words if isinstance(words, str) else words.get(self.script.language, "")
        if not sentence:
            return
        kinds = dict(re.findall(r"\{(\w+):?(\w*)\}", sentence))
        pattern = self.script.pattern(sentence)
        if self.script.language == "en":  # whole words
            before, after = ("" if sentence[0].isspace() else r"(?<!\w)"), ("" if sentence[-1].isspace() else r"(?!\w)")
            pattern = re.compile(f"{before}{pattern.pattern}{after}", pattern.flags)
        while match := pattern.search(self.left):
            said = Said()
            for name, kind in kinds.items():
                try:
                    said[name] = self.script.value(kind, match[name])
                except (ValueError, KeyError):
                    self.wrong("unaccounted", match[name], f"a {kind}")
                    said[name] = None
            self.blot(match.start(), match.end())
            if None not in said.values():
                yield said

    def first(self, words: Words) -> Said | None:
        """The first place at which the text says this; all of them are vouched for."""
        return next(iter(list(self.each(words))), None)

    def must(self, words: Words) -> Said | None:
        """What the mail has to say."""
        said = self.first(words)
        if said is None:
            sentence = words if isinstance(words, str) else words.get(self.script.language, "")
            self.wrong("unsaid", self.letter.subject, f"it should say: {sentence}")
        return said

    def fact(self, names: dict[str, str], kind: str) -> Any:
        """The value beside a name in a table of facts; null if there is none."""
        found = list(self.facts_named(names, kind))
        return found[0] if found else None

    def facts_named(self, names: dict[str, str], kind: str) -> Iterator[Any]:
        """The values beside a name in all tables of facts, from the top."""
        name = re.escape(names[self.script.language])
        pattern = re.compile(
            rf"^{name} \| (?P<value>{self.script.pattern('{v:' + kind + '}').pattern})$", re.MULTILINE | re.IGNORECASE
        )
        for match in list(pattern.finditer(self.left)):
            self.blot(match.start(), match.end())
            try:
                yield self.script.value(kind, match["value"])
            except (ValueError, KeyError):
                self.wrong("unaccounted", match["value"], f"a {kind}")

    def thing(self, said: str, kind: str) -> str:
        """The id of a contract, a quote or an offer that the mail names: a long one with its own short number, a short one without."""
        thing_id, _, number = said.partition(" (")
        right = {row["number"] for row in self.facts.rows("short_number", kind=kind, thing_id=thing_id)}
        if number:
            self.among("number", number.rstrip(")"), right)
        elif not _TYPED.fullmatch(thing_id):
            self.wrong("unsaid", said, f"its short number: {' or '.join(sorted(right))}")
        return thing_id

    def to_answer(self, words: Words, thing_id: str, kind: str) -> None:
        """What an answer is to mention: the short number of the thing, or its own id if that is short."""
        said = self.must(words)
        right = {row["number"] for row in self.facts.rows("short_number", kind=kind, thing_id=thing_id)}
        if said:
            self.among("number", said["id"], {thing_id} if _TYPED.fullmatch(thing_id) else right)

    def fixed(self, *words: Words) -> None:
        """Words of numbers and times that are no claims about anybody."""
        for one in words:
            list(self.each(one))

    def own_words(self, text: str) -> bool:
        """What a person wrote is theirs; true if the mail repeats it."""
        found = False
        for part in filter(None, (line.strip() for line in text.splitlines())):
            flat = re.sub(r"\s+", " ", part)
            while (at := self.left.find(flat)) >= 0:
                found = True
                self.blot(at, at + len(flat))
        return found

    def items(self) -> list[str]:
        """The items of the mail's lists, vouched for by whoever asks."""
        found = []
        for match in list(re.finditer(r"^- (.+)$", self.left, re.MULTILINE)):
            found.append(match[1].strip())
            self.blot(match.start(1), match.end(1))
        return found

    def rows(self, cells: int) -> list[list[str]]:
        """The rows of the mail's tables with so many cells, vouched for by whoever asks."""
        found = []
        for match in list(re.finditer(r"^[^\n]*\|[^\n]*$", self.left, re.MULTILINE)):
            parts = [part.strip() for part in match[0].split("|")]
            if len(parts) == cells and "\0" not in match[0]:
                found.append(parts)
                self.blot(match.start(), match.end())
        return found

    def blot(self, start: int, end: int) -> None:
        """This much is vouched for. Line ends stay."""
        part = re.sub(r"[^\n]", "\0", self.left[start:end])
        self.left = self.left[:start] + part + self.left[end:]

    def leftovers(self) -> None:
        """Numbers, dates, amounts and names that no rule accounts for."""
        tables = self.facts.tables
        names = {row["name"] for table in ("product", "staff", "contact") for row in tables[table]}
        ids = {
            str(row[column])
            for table, column in (("contract", "contract_id"), ("sales_order", "order_id"), ("service_case", "case_id"),
                                  ("offer", "offer_id"), ("quote", "quote_id"), ("asset", "asset_id"))
            for row in tables[table]
        }  # fmt: skip
        names |= {name for name in ids if not name.isalpha() or name.isupper()} | {self.facts.account["name"]}
        for kind, word in unvouched(self.left, self.script, names):
            self.wrong("unaccounted", word, f"no rule of {self.letter.template} accounts for this {kind}")

    def local(self, at: datetime) -> Moment:
        """An instant as the reader's clock shows it."""
        there = at.astimezone(ZoneInfo(self.letter.zone))
        return Moment(there.date(), f"{there:%H:%M}", there.tzname() or "")


def people(facts: Facts, role: str, at: datetime) -> Row | None:
    """Who had a part in the account at an instant: by what was changed last, else by the latest order that says it."""
    words = role.replace("_", " ")
    changes = [
        (row["at"], match[1], match[2])
        for row in facts.tables["journal"]
        if row["title"].startswith("Account changed:")
        and (match := re.search(rf"{words} (\S+) to ([^\s;]+)", row["title"]))
    ]
    before = [new for when, _, new in sorted(changes) if when <= at]
    after = [old for when, old, _ in sorted(changes) if when > at]
    named = [
        (datetime.fromisoformat(order["activated_at"]), order["account"][one]["staff_id"])
        for order in facts.orders
        for one in (role, "owner")
        if one in order["account"] and (one == role or role not in order["account"])
    ]
    placed = [staff for when, staff in sorted(named) if when <= at + timedelta(hours=1)]
    holder = facts.account["owner_id" if role == "owner" else "success_manager_id"]
    return facts.one("staff", staff_id=(before[-1:] or placed[-1:] or after[:1] or [holder])[0])


_TYPED = re.compile(r"(?=.{1,12}$)(?=.*[A-Za-z])[A-Za-z\d]+(-[A-Za-z\d]+)*")
"""Ids that people type as they are."""
Rule = Callable[[Desk], None]
DAY = timedelta(days=1)


def add_years(day: date, years: int) -> date:
    """The same day of another year; of 29 February the last of the month."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
