"""What dates, numbers and amounts look like in a reader's own locale (CLDR data), and what is left in a text that nobody vouched for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol

MONTH_WORDS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|tomorrow|yesterday|tonight"
    "|[月火水木金土日]曜日?|昨日|明日|本日|先週|来週|先月|来月|昨年|来年"
)
NUMBER_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand"
    "|first|second|third|half|twice|dozen|last year|this year|last week|this week|a year|a month|a week|a day"
)
KANJI_COUNT = r"[一二三四五六七八九十百千]+(?:年|か月|ヶ月|日|週間|時間|席|件|名|周年|回|円)|最初|半年|半月"
MONEY_SIGN = r"[$€£¥￥₹₩₫฿₪₱₦₽₺]"


@dataclass(frozen=True)
class Amount:
    """So much, in the currency with this sign or code."""

    value: Decimal
    sign: str


@dataclass(frozen=True)
class Moment:
    """A local day and minute with the name of the zone."""

    day: date
    minute: str
    zone: str


@lru_cache(maxsize=64)
def locale_of(tag: str) -> Locale:
    """The nearest locale that there is data of, else English."""
    parts = re.split("[-_]", tag)
    while parts:
        try:
            return Locale.parse("_".join(parts))
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return Locale("en")


class Script:
    """How one reader's dates, numbers and amounts are written. `language`: of the sentences, en or ja."""

    def __init__(self, language: str, tag: str, currencies: Iterable[str]) -> None:
        self.language = language
        self.locale = locale_of(tag)
        symbols = self.locale.number_symbols["latn"]
        self._group, self._point = symbols["group"], symbols["decimal"]
        self.months = {name.lower(): number for number, name in self.locale.months["format"]["wide"].items()}
        self.signs = {
            code: {code, get_currency_symbol(code, self.locale), get_currency_symbol(code, "en")} for code in currencies
        }
        groups = "".join({re.escape(self._group), "’", "'", "\u00a0", "\u202f"})
        number = rf"\d+(?:[{groups}]\d{{3}})*(?:{re.escape(self._point)}\d+)?"
        signs = (
            "|".join(sorted((re.escape(s) for some in self.signs.values() for s in some), key=len, reverse=True))
            or "(?!)"
        )
        any_sign = rf"(?:{signs}|{MONEY_SIGN}|[A-Z]{{3}}(?=[\u00a0\s]?[\d]))"
        after = rf"(?:{signs}|{MONEY_SIGN})"
        money = rf"[-+−]{{0,2}}(?:{any_sign}[\u00a0\u202f ]?-?{number}(?:[\u00a0\u202f ]{after})?|{number}[\u00a0\u202f ]{after})"
        day = self._date_pattern()
        self._patterns = {
            "date": day,
            "instant": rf"{day}[ \u00a0]\d{{1,2}}:\d{{2}}(?:[\u00a0\u202f ][AaPp]\.?[Mm]\.?)? [A-Z+\-\d]{{2,6}}",
            "int": r"[-−]?" + number,
            "money": money,
            "percent": rf"{number}[\u00a0\u202f ]?%",
            "id": r"[^\s、。，,()（）：「」・]*[^\s、。，,()（）：「」・.;:]",
            "thing": r"[^\s、。，,()（）：「」・]*[^\s、。，,()（）：「」・.;:](?: \([A-Z]-\d+\))?",
            "word": r"\w+",
            "text": r"[^\n]+?",
            "rest": r"[^\n]*",
        }

    def _date_pattern(self) -> str:
        names = "|".join(sorted(map(re.escape, self.months), key=len, reverse=True))
        pattern = str(self.locale.date_formats["long"].pattern)
        out = ""
        for piece in re.findall(r"'[^']*'|MMMM|M+|d+|y+|.", pattern):
            if piece.startswith("'"):
                out += re.escape(piece[1:-1])
            elif piece == "MMMM":
                out += f"(?:{names})"
            elif piece[0] in "Md":
                out += r"\d{1,2}"
            elif piece[0] == "y":
                out += r"\d{4}"
            else:
                out += re.escape(piece)
        return out

    def pattern(self, sentence: str) -> re.Pattern[str]:
        """A sentence with slots such as `{end:date}` as a regular expression; `*` of a slot may be empty."""
        out, kinds = "", re.split(r"(\{\w+(?::\w+)?\})", sentence)
        for piece in kinds:
            if piece.startswith("{") and piece.endswith("}"):
                name, _, kind = piece[1:-1].partition(":")
                out += f"(?P<{name}>{self._patterns[kind or 'text']})"
            else:
                out += re.escape(piece).replace(r"\ ", " ").replace(r"\?\?", "")
        return re.compile(out, re.IGNORECASE if self.language == "en" else 0)

    def value(self, kind: str, text: str) -> object:
        """What a slot of a kind says."""
        match kind:
            case "date":
                return self.date(text)
            case "instant":
                return self.moment(text)
            case "int":
                return int(self.number(text))
            case "money":
                return self.amount(text)
            case "percent":
                return self.number(text.rstrip("%").strip())
            case _:
                return text.strip()

    def date(self, text: str) -> date:
        """A date in words."""
        pattern = str(self.locale.date_formats["long"].pattern)
        order = [piece[0] for piece in re.findall(r"'[^']*'|M+|d+|y+", pattern) if piece[0] != "'"]
        month_words = [word for word in self.months if word in text.lower()]
        if "MMMM" in pattern:
            numbers = [int(n) for n in re.findall(r"\d+", text)]
            year, day = max(numbers), min(numbers)
            return date(year, self.months[max(month_words, key=len)], day)
        found = dict(zip(order, map(int, re.findall(r"\d+", text)), strict=True))
        return date(found["y"], found["M"], found["d"])

    def moment(self, text: str) -> Moment:
        """A local time in words."""
        match = re.fullmatch(r"(.*?)[ \u00a0](\d{1,2}):(\d{2})(?:[\u00a0\u202f ]([AaPp])\.?[Mm]\.?)? (\S+)", text)
        if match is None:
            raise ValueError(text)
        hour = int(match[2]) % 12 + (12 if match[4].lower() == "p" else 0) if match[4] else int(match[2])
        return Moment(self.date(match[1]), f"{hour:02}:{match[3]}", match[5])

    def number(self, text: str) -> Decimal:
        """A number in the reader's own digits and separators."""
        plain = re.sub(r"[\u00a0\u202f ’']", "", text).replace("−", "-")
        if self._group not in (" ", "\u00a0", "\u202f", "’"):
            plain = plain.replace(self._group, "")
        try:
            return Decimal(plain.replace(self._point, "."))
        except InvalidOperation as error:
            raise ValueError(f"no number: {text}") from error

    def amount(self, text: str) -> Amount:
        """An amount with its currency."""
        match = re.search(r"\d(?:.*\d)?", text)
        if match is None:
            raise ValueError(text)
        sign = re.sub(r"[-+−\u00a0\u202f ]", "", text[: match.start()] + text[match.end() :])
        value = self.number(match[0])
        return Amount(-value if re.search(r"[-−]", text[: match.start()]) else value, sign)

    def is_in(self, amount: Amount, currency: str) -> bool:
        """True if the amount's sign stands for the currency."""
        return amount.sign in {
            currency,
            get_currency_symbol(currency, self.locale),
            get_currency_symbol(currency, "en"),
        }


_MID_SENTENCE = re.compile(r"(?<=[a-z,;:] )(?!I\b)[A-Z][\w’'-]+|[A-Z][a-z]+ [A-Z][a-z]+")


def unvouched(text: str, script: Script, names: Iterable[str]) -> list[tuple[str, str]]:
    """Numbers, dates, amounts and names in what is left of a text once everything vouched for is blotted out: (kind, word)."""
    found: list[tuple[str, str]] = []
    for name in sorted({name for name in names if name and name in text}, key=len, reverse=True):
        letter = r"\w" if script.language == "en" else "[A-Za-z0-9]"  # words have no spaces between them in Japanese
        pattern = re.escape(name)
        pattern = rf"(?<!{letter}){pattern}(?!{letter})" if name.isascii() else pattern
        if re.search(pattern, text):
            found.append(("name", name))
            text = re.sub(pattern, "\0", text)
    months = "|".join(name for name in script.locale.months["format"]["wide"].values() if not name[0].isdigit())
    words = "|".join(part for part in (months, MONTH_WORDS) if part)
    bounded = r"(?<!\w)(?:{})(?!\w)"
    kinds = (
        ("amount", rf"{MONEY_SIGN}\s?[\d.,]*|[\d.,]+\s?{MONEY_SIGN}"),
        ("date", bounded.format(words) if script.language == "en" else words),
        ("count", r"\d[\d.,’]*"),
        ("count", bounded.format(NUMBER_WORDS) if script.language == "en" else KANJI_COUNT),
    )
    for kind, pattern in kinds:
        for match in re.finditer(pattern, text, re.IGNORECASE if kind == "count" else 0):
            found.append((kind, match[0]))
        text = re.sub(pattern, "\0", text, flags=re.IGNORECASE if kind == "count" else 0)
    if script.language == "en":
        found += [("name", match[0]) for match in _MID_SENTENCE.finditer(text)]
    else:
        found += [
            ("name", match[0])
            for match in re.finditer(r"[^\s\0。、]{1,12} ?(?:(?<![仕同模多])様(?![子々式])|さん)", text)
            if not match[0].endswith(("お客様", "他社様")) and "お客様" not in match[0]
        ]
    return found
