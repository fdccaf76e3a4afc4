"""Words of others in what people read: shown as they were written, never as Markdown or a link."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from domain.kernel.zones import local_time

_MARKS = re.compile(
    r"[\\`*\[\]<>|]"  # code, emphasis, links, pictures, HTML, tables
    r"|(?<![^\W_])_|_(?![^\W_])|~|&(?=#?\w+;)"
    r"|:(?=//)|(?<=www)\.|@(?=\w)|(?<=mailto):"  # what becomes a link by itself
)
_BEGINS = re.compile(r"^(?:[#+=-]|[0-9]{1,9}(?=[.)]))")


def as_text(words: str) -> str:
    """`words` on one line, so that Markdown shows them as they are."""
    line = " ".join(words.split())
    escaped = _MARKS.sub(lambda found: f"\\{found[0]}", line)
    begins = _BEGINS.match(escaped)
    if begins is None:
        return escaped
    end = begins.end()
    return f"\\{escaped}" if not begins[0].isdigit() else f"{escaped[:end]}\\{escaped[end:]}"


_INVALID = re.compile(r"\d+ validation errors? for (?P<what>\S+)\s+(?P<field>\S+)\s+(?P<says>[^\[\n]+)")
_CLASS = re.compile(r"^\w+(?:Error|Exception|Failed): ")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s")
MOST = 200


def first_sentence(error: str) -> str:
    """What an error comes down to: its first sentence, of a document that cannot be read its first field. At most 200 characters."""
    error = _CLASS.sub("", error.strip())
    if invalid := _INVALID.match(error):
        said = f"{invalid['field']} cannot be used: {invalid['says'].strip()}"
    else:
        lines = error.splitlines() or [""]
        said = _SENTENCE_ENDS.split(lines[0].strip(), maxsplit=1)[0]
    return shorten(said, MOST)


def shorten(text: str, most: int) -> str:
    """`text` in at most so many characters; what is cut is seen to be cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def words(name: str) -> str:
    """A name from a program in words."""
    return name.replace("_", " ")


def counted(number: int, one: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number:,} {one if number == 1 else f'{one}s'}"


def at_work(time: timedelta) -> str:
    """A span of office hours for people: `27 working hours`, `45 working minutes`; in days it would not say how long they are."""
    hours, rest = divmod(int(time.total_seconds()) // 60, 60)
    said = [counted(hours, "working hour")] * bool(hours) + [
        counted(rest, "minute" if hours else "working minute")
    ] * bool(rest)
    return " ".join(said) or "less than a minute"


def to_the_minute(at: datetime, zone: str) -> str:
    """An instant by the clocks of `zone`: `2027-03-31 09:00`."""
    return f"{local_time(at, zone):%Y-%m-%d %H:%M}"


def weekday_and_minute(at: datetime, zone: str) -> str:
    """An instant by the clocks of `zone`, and which they are: `Wed 2027-03-31 09:00 CEST`."""
    return f"{local_time(at, zone):%a %Y-%m-%d %H:%M %Z}"
