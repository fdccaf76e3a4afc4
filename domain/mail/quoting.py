"""Quotations: what the sender of a mail wrote, and what they quote of the mail that they answer.

Only what is known to be a quotation of the mail answered is taken out of the text. What a sender passes on, pastes or
marks with ">" themselves is theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.mail.wording import Wording

_said = Wording("quotations")

_LINE_LIMIT = 1000
_LINES_LIMIT = 4000
_INTRODUCTION_LINES = 3
_HEADER_LINES = 8

# A sentence of a mail program about whose words follow.
_INTRODUCES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"On\s.{5,300}\bwrote\s*[:：]",
        r"(On\s)?.{5,200}<[^<>\s]+@[^<>\s]+>\s*(wrote|writes)\s*[:：]",
        r"(Am|Den)\s.{5,300}\b(schrieb|skrev)\b.{0,200}[:：]",
        r".{3,200}\bschrieb am\b.{5,200}[:：]",
        r"Le\s.{5,300}\ba écrit\s*[:：]",
        r"El\s.{5,300}\bescribi[óo]\s*[:：]",
        r"(Em|No dia)\s.{5,300}\bescreveu\s*[:：]",
        r"(Il giorno|Il|In data)\s.{5,300}\bha scritto\s*[:：]",
        r"Op\s.{5,300}\bschreef\b.{0,200}[:：]",
        r"W dniu\s.{5,300}\bpisze\s*[:：]",
        r"(\S{1,12}\s)?\d{4}[年/-]\s?\d{1,2}[月/-]\s?\d{1,2}日?.{0,200}<[^<>\s]+@[^<>\s]+>.{0,30}[:：]?",
        r"\d{4}年\d{1,2}月\d{1,2}日.{0,200}(さん|様|氏)?(は|が)?\s*(書きました|wrote|のメール|のメッセージ)\s*[:：]?",
        r"\d{4}年\d{1,2}月\d{1,2}日.{1,200}[:：]",
        r"在\s?\d{4}.{3,200}(写道|寫道)\s*[:：]",
        r"\d{4}년.{3,200}작성\s*[:：]",
    )
)


@dataclass(frozen=True)
class QuotedText:
    """A mail's text: the sender's own words, and the quotation. `quoted` is empty if nothing is known to be one."""

    text: str
    quoted: str


@dataclass(frozen=True)
class Letter:
    """What is known of a mail beside its text.

    Args:
        answers: it answers a mail, by its headers or its subject.
        passes_on: it passes on a mail ("Fwd:"); then all of it is the sender's.
        subject: its subject without "Re:" and the like.
        sender: who wrote it, in lower case.
    """

    answers: bool = False
    passes_on: bool = False
    subject: str = ""
    sender: str = ""

    def is_between_us(self, address: str) -> bool:
        """True for the address of the sender, or of anybody but a colleague of theirs."""
        return address == self.sender or address.rpartition("@")[2] != self.sender.rpartition("@")[2]


def base_subject(subject: str) -> str:
    """A subject without "Re:", "Fwd:" and the like, in the languages that mail programs speak."""
    while (found := _said.prefix.match(subject)) and found.end() < len(subject):
        subject = subject[found.end() :]
    return subject.strip()


def is_answer(subject: str) -> bool:
    """True if a subject begins like that of an answer."""
    return bool(_said.prefix.match(subject)) and not passes_on(subject)


def passes_on(subject: str) -> bool:
    """True if a subject begins like that of a mail passed on."""
    return bool(_said.passes.match(subject))


def split(text: str, letter: Letter) -> QuotedText:
    """The sender's own words and what they quote. An answer below or between quoted lines stays.

    Where nothing would be left, the text is given as it is.
    """
    lines = text.split("\n")
    kept, quoted = _cut(lines, letter)
    said = _joined(kept)
    return QuotedText(said, _joined(quoted)) if said else QuotedText(_joined(lines), "")


def without_signature(text: str) -> str:
    """`text` up to the line that programs put before a signature, "-- "."""
    lines = text.split("\n")
    ends = (number for number, line in enumerate(lines) if number and _said.signature.fullmatch(line))
    return "\n".join(lines[: next(ends, len(lines))]).strip()


def _joined(lines: list[str]) -> str:
    return _said.blank_lines.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _cut(lines: list[str], letter: Letter) -> tuple[list[str], list[str]]:
    if letter.passes_on:
        return lines, []
    begins = _begins(lines, letter)
    head, rest = (lines, []) if begins is None else (lines[:begins], lines[begins:])
    kept: list[str] = []
    quoted: list[str] = []
    number, introduced = 0, False
    while number < len(head):
        length = _introduction(head, number) if number < _LINES_LIMIT else 0
        if length and _is_of_us(head[number : number + length], letter) and _is_marked_next(head, number + length):
            quoted += head[number : number + length]
            introduced, number = True, number + length
            continue
        kept.append(head[number])
        number += 1
    cut = _marked(kept, all_of_them=introduced) if introduced or letter.answers else set()
    quoted += [kept[number] for number in sorted(cut)]
    return [line for number, line in enumerate(kept) if number not in cut], [*quoted, *rest]


def _begins(lines: list[str], letter: Letter) -> int | None:
    """The first line of a quotation after which nothing of the sender's own follows; null if there is none."""
    for number, line in enumerate(lines[:_LINES_LIMIT]):
        stripped = line.strip()[:_LINE_LIMIT]
        if not stripped:
            continue
        if _said.passes_on.fullmatch(stripped):
            return None  # from here on it is what the sender passes on
        if _is_introduced_to_the_end(lines, number, letter):
            return number
        if letter.answers and _said.separates.fullmatch(stripped):
            below = next((at for at in range(number + 1, min(number + 4, len(lines))) if lines[at].strip()), number)
            if not _said.header_from.match(lines[below].strip()[:_LINE_LIMIT]) or _is_header_of_us(
                lines, below, letter
            ):
                return number
        elif letter.answers and _is_header(lines, number) and _is_header_of_us(lines, number, letter):
            before = next((at for at in range(number - 1, -1, -1) if lines[at].strip()), number)
            return before if _said.line_of_outlook.fullmatch(lines[before].strip()[:_LINE_LIMIT]) else number
    return None


def _is_introduced_to_the_end(lines: list[str], number: int, letter: Letter) -> bool:
    """True if an introduction begins here, and all below it is the quotation."""
    length = _introduction(lines, number)
    if not length or not _is_of_us(lines[number : number + length], letter):
        return False
    rest = [line for line in lines[number + length : number + _LINES_LIMIT] if line.strip()]
    if any(_said.mark.match(line) for line in rest):
        return bool(_said.mark.match(rest[0])) and not _answered_below(rest)
    # Unmarked words below: only the sentence of a program, in an answer, says that they are quoted.
    said = " ".join(lines[number : number + length])
    return letter.answers and (not rest or _said.address.search(said) is not None or "wrote" in said)


def _is_header_of_us(lines: list[str], number: int, letter: Letter) -> bool:
    """True if the header that begins here is of the mail answered: by who wrote that, else by its subject."""
    if _said.address.search(lines[number][:_LINE_LIMIT]):
        return _is_of_us(lines[number : number + 1], letter)
    for line in lines[number + 1 : number + _HEADER_LINES]:
        if found := _said.subject.match(line.strip()[:_LINE_LIMIT]):
            return base_subject(found[1]).lower() == letter.subject.lower()
    return True


def _is_header(lines: list[str], number: int) -> bool:
    """True for the lines by which Outlook says whose words follow: from, sent, to, subject."""
    if not _said.header_from.match(lines[number].strip()[:_LINE_LIMIT]):
        return False
    below = [line.strip()[:_LINE_LIMIT] for line in lines[number + 1 : number + _HEADER_LINES]]
    return any(map(_said.header_next.match, below)) and any(map(_said.header_more.match, below))


def _introduction(lines: list[str], number: int) -> int:
    """How many lines from `number` on introduce a quotation; programs break such a sentence at will."""
    if not lines[number].strip() or _said.mark.match(lines[number]):
        return 0
    for length in range(1, _INTRODUCTION_LINES + 1):
        span = lines[number : number + length]
        if not span[-1].strip() or _said.mark.match(span[-1]):
            return 0
        if _introduces(span):
            return 0 if any(_introduces(span[later:]) for later in range(1, length)) else length
    return 0


def _introduces(lines: list[str]) -> bool:
    said = " ".join(line.strip()[:_LINE_LIMIT] for line in lines).strip()
    return any(pattern.fullmatch(said) for pattern in _INTRODUCES)


def _is_of_us(lines: list[str], letter: Letter) -> bool:
    """True unless it names only addresses of others than those between whom this mail goes."""
    named = [address.lower() for address in _said.address.findall(" ".join(line[:_LINE_LIMIT] for line in lines))]
    return not named or not letter.sender or any(map(letter.is_between_us, named))


def _is_marked_next(lines: list[str], number: int) -> bool:
    following = next((line for line in lines[number : number + 4] if line.strip()), "")
    return bool(_said.mark.match(following))


def _answered_below(rest: list[str]) -> bool:
    """True if quoted lines are followed by others: the sender answers below them."""
    quoted = False
    for line in rest:
        if _said.signature.fullmatch(line):
            return False
        if _said.mark.match(line):
            quoted = True
        elif quoted:
            return True
    return False


def _marked(lines: list[str], *, all_of_them: bool) -> set[int]:
    """The numbers of the lines marked ">" that are quoted from the mail answered.

    All of them once a quotation is introduced. Else what the answer begins with, and what stands apart below it: other
    marked lines are pasted, a log, a command, somebody's words.
    """
    marked = [number for number, line in enumerate(lines) if _said.mark.match(line)]
    said = [number for number, line in enumerate(lines) if line.strip() and not _said.mark.match(line)]
    if all_of_them or not said:
        return set(marked) if said else set()
    first = {number for number in marked if number < said[0]}
    last = [number for number in marked if number > said[-1]]
    if not last or lines[said[-1]].rstrip().endswith((":", "：")) or said[-1] + 1 == last[0]:
        return first
    return first | set(last)
