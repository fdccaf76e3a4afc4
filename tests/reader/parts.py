"""Messages that say what several mails say, taken apart: a letter for each mail, with the greeting and the closing of the whole."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.reader.facts import Facts, Row
from tests.reader.letters import Letter
from tests.reader.reading import read_one

_CLOSING = re.compile(r"^(?:Attached: |Kind regards,|添付：|今後とも何卒)")
_ATTACHED = re.compile(r"^(Attached: |添付：)(.+?)(\.?)$")


def taken_apart(facts: Facts, letters: Sequence[Letter]) -> list[Letter]:
    """The letters, each of what one mail says. Of which mail a part is, its reader finds out: as the one of which it is true."""
    found: list[Letter] = []
    for letter in letters:
        rows = [row for row in facts.tables["outbox"] if row["left_with"] == letter.delivery_id]
        apart = _notices if letter.staff else _parts
        found += apart(facts, letter, rows) if rows else [letter]
    return sorted(found, key=lambda letter: (letter.sent_at, letter.delivery_id))


def _notices(facts: Facts, letter: Letter, rows: list[Row]) -> list[Letter]:
    """Each notice of a message with its own title, and the customer whom all of them are about."""
    assert len(rows) == len(letter.headings), f"{len(rows)} further notices, {letter.headings} said"
    places = [n for n, line in enumerate(letter.lines) if line in letter.headings][-len(rows) :]
    customer = [
        line for line in letter.lines[1 : places[0]] if re.match(r"(?:Customer|Account|お客様|アカウント) \| ", line)
    ]
    first, *_ = letter.subject.partition(" · ")
    named = first[: first.index(letter.lines[0])] if letter.lines[0] in first else ""
    found = [replace(letter, subject=first, lines=letter.lines[: places[0]], headings=())]
    ordered = sorted(rows, key=lambda row: (row["created_at"], row["delivery_id"]))
    for row, start, stop in zip(ordered, places, [*places[1:], len(letter.lines)], strict=True):
        title, *said = letter.lines[start:stop]
        part = replace(letter, delivery_id=row["delivery_id"], subject=f"{named}{title}", headings=())
        found.append(replace(part, lines=(title, *customer, *said), created_at=row["created_at"], stage=row["stage"]))
    return found


def _parts(facts: Facts, letter: Letter, rows: list[Row]) -> list[Letter]:
    assert len(rows) == len(letter.headings), f"{len(rows)} further mails, {letter.headings} said"
    pages = list(_pieces(list(letter.lines), letter.headings, "\n"))
    plains = list(_pieces(letter.plain.replace("\r", "").split("\n\n"), [f"■ {one}" for one in letter.headings], " "))
    own = facts.one("outbox", delivery_id=letter.delivery_id)
    subject = letter.subject.partition(" · ")[0]
    first = _part(letter, own or {}, subject, pages[0], plains[0])
    best: list[Letter] | None = None
    fewest = -1
    for order in itertools.permutations(rows):
        told = [
            _part(letter, row, heading, page, plain)
            for row, heading, page, plain in zip(order, letter.headings, pages[1:], plains[1:], strict=True)
        ]
        wrong = sum(len(read_one(facts, one)) for one in told)
        if best is None or wrong < fewest:
            best, fewest = told, wrong
        if not wrong:
            break
    return [first, *(best or [])]


def _pieces(lines: list[str], headings: Sequence[str], wrapped: str) -> Iterator[list[str]]:
    """What each part says, between the greeting and the closing of the whole, which each of them has."""
    said = [" ".join(line.split()) if wrapped == " " else line for line in lines]
    end = next((n for n, line in enumerate(said) if _CLOSING.match(line)), len(said))
    opening = 2 if len(said) > 1 and said[1].endswith("様") else 1
    places: list[int] = []
    for heading in headings:
        after = places[-1] + 1 if places else 0
        wanted = " ".join(heading.split())
        places.append(next(n for n in range(after, end) if " ".join(said[n].split()) == wanted))
    yield [*lines[: places[0]], *lines[end:]]
    for start, stop in zip(places, [*places[1:], end], strict=True):
        yield [*lines[:opening], *lines[start + 1 : stop], *lines[end:]]


def _part(letter: Letter, row: Row, subject: str, page: list[str], plain: list[str]) -> Letter:
    """One mail of a message, with those of its documents that are its own."""
    body = row["body"]
    ids = {one["id"] for one in body.get("documents") or ()}
    lines = [said for line in page if (said := _own_documents(line, ids)) is not None]
    text = [said for chunk in plain if (said := _own_documents(" ".join(chunk.split()), ids)) is not None]
    return replace(
        letter,
        delivery_id=row["delivery_id"],
        template=body["template"],
        contact_id=row["contact_id"],
        subject=subject,
        lines=tuple(lines),
        plain="\n\n".join(text),
        created_at=row["created_at"],
        optional=body.get("unsubscribe") is not None,
        stage=row["stage"],
        headings=(),
        led_by=letter.template,
        files=tuple(lines for lines in letter.files if lines and lines[0].rpartition(" ")[2] in ids),
    )


def _own_documents(line: str, ids: set[str]) -> str | None:
    """The line of what is attached with what is the mail's own; null if nothing is."""
    match = _ATTACHED.match(line)
    if match is None:
        return line
    own = [
        one for one in re.split(r", |、", match[2]) if any(re.search(rf"{re.escape(id)}(?![\w-])", one) for id in ids)
    ]
    return f"{match[1]}{('、' if match[1] == '添付：' else ', ').join(own)}{match[3]}" if own else None
