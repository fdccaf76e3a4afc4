"""Every date, amount, number and name of a mail, one after the other, replaced by a neighbour that would pass at a glance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from babel.dates import format_date

from tests.reader.facts import Facts
from tests.reader.letters import Letter
from tests.reader.words import Script

_IDS = (
    ("contract", "contract_id"), ("sales_order", "order_id"), ("service_case", "case_id"), ("offer", "offer_id"), ("quote", "quote_id"),
    ("invoice", "invoice_id"), ("credit_memo", "credit_memo_id"), ("survey", "survey_id"), ("renewal_quote", "quote_id"),
    ("short_number", "number"),
)  # fmt: skip


def altered(facts: Facts, letter: Letter) -> Iterator[tuple[str, Letter]]:
    """What was changed, and the mail with it."""
    script = Script(letter.language, letter.locale, sorted({row["currency"] for row in facts.tables["sales_order"]}))
    groups = _groups(facts)
    lines = (letter.subject, *letter.lines)
    for number, said, other, line in _others(lines, script, groups):
        changed = [*lines[:number], line, *lines[number + 1 :]]
        plain = "\n".join(changed[1:])
        yield (
            f"{letter.template}: {said!r} -> {other!r} in {lines[number]!r}",
            replace(letter, subject=changed[0], lines=tuple(changed[1:]), plain=plain),
        )
    for place, file in enumerate(letter.files):
        for number, said, other, line in _others(file, script, groups):
            page = (*file[:number], line, *file[number + 1 :])
            files = (*letter.files[:place], page, *letter.files[place + 1 :])
            yield f"{letter.template}: {said!r} -> {other!r} in {file[number]!r}", replace(letter, files=files)


def _groups(facts: Facts) -> list[set[str]]:
    """Names that could stand for each other: people, products, companies, ids of one kind."""
    tables = facts.tables
    people = {row["name"] for table in ("staff", "contact") for row in tables[table] if row["name"]} | {"Karl Dean"}
    products = {row["name"] for row in tables["product"]} | {"Sheetworks Gold"}
    ids = [{row[column] for row in tables[table]} for table, column in _IDS]
    return [
        people,
        products,
        {facts.account["name"], "Other Company"},
        *({*some, f"{min(some)}9"} for some in ids if some),
    ]


def _others(lines: tuple[str, ...], script: Script, groups: list[set[str]]) -> Iterator[tuple[int, str, str, str]]:
    """The number of each line, what stood there, what stands there instead, and the whole line with it."""
    names = {name: group for group in groups for name in group}
    for number, line in enumerate(lines):
        for start, end, kind in _spots(line, script, names):
            said = line[start:end]
            for other in _neighbours(said, kind, script, names):
                yield number, said, other, line[:start] + other + line[end:]


def _spots(line: str, script: Script, names: dict[str, set[str]]) -> Iterator[tuple[int, int, str]]:
    """Where a line says something, from where to where, and of which kind; a longer thing goes before what is in it."""
    patterns = [(kind, script.pattern(f"{{v:{kind}}}").pattern) for kind in ("instant", "date", "money", "percent")]
    for name in sorted(names, key=len, reverse=True):
        patterns.append(("name", rf"(?<![\w-]){re.escape(name)}(?![\w-])" if name.isascii() else re.escape(name)))
    patterns.append(("int", r"(?<![\w.,-])\d[\d,]*(?![\w-])"))
    taken: list[tuple[int, int]] = []
    for kind, pattern in patterns:
        for match in re.finditer(pattern, line):
            start, end = match.span()
            if all(end <= a or start >= b for a, b in taken):
                taken.append((start, end))
                yield start, end, kind


def _neighbours(said: str, kind: str, script: Script, names: dict[str, set[str]]) -> Iterator[str]:
    match kind:
        case "date":
            day = script.date(said)
            for days in (-1, 1, 30, 365):
                yield format_date(day + timedelta(days=days), "long", locale=script.locale)
        case "instant":
            yield re.sub(r":(\d)(\d)", lambda found: f":{(int(found[1]) + 1) % 6}{found[2]}", said, count=1)
        case "money":
            first, *_, last = [match.start() for match in re.finditer(r"\d", said)] * 2
            for at in (first, last):
                yield f"{said[:at]}{int(said[at]) % 9 + 1}{said[at + 1 :]}"
        case "percent" | "int":
            step = 5 if kind == "percent" else 1
            yield re.sub(r"[\d,]+", lambda found: str(int(found[0].replace(",", "") or 0) + step), said, count=1)
        case _:
            yield from sorted(names[said] - {said})[:2]
