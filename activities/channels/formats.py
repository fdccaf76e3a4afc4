"""Raw values of a message's context, written as the recipient is used to read them (CLDR data, through Babel)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, format_percent

from domain.kernel.money import Money
from domain.kernel.zones import local_time, usable_zone

# CLDR's currency spacing, which Babel leaves out: "KWD 1.235", but "$1.24".
_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


_ISO = re.compile(
    r"(?<![A-Za-z0-9_./#-])(?P<day>\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
    r"(?P<time>[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"
)


_SUM = re.compile(
    r"(?<![A-Za-z0-9_.,+-])(?P<sign>[+-]?)(?P<amount>\d+(?:\.\d+)?) (?P<currency>[A-Z]{3})(?![A-Za-z0-9_-])"
)


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """The locale that is nearest to a BCP 47 tag: "de-CH-1996" gives de_CH, an unknown tag gives English."""
    parts = re.split("[-_]", language)
    while parts:
        try:
            return _without_straight_apostrophes(Locale.parse("_".join(parts)))
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return Locale("en")


def _without_straight_apostrophes(locale: Locale) -> Locale:
    """The locale with thousands apart by ’ where CLDR has ' (Switzerland).

    Babel takes a pair of straight ones in the finished number for quotation marks and drops them: 1200000, but 1'200.
    """
    for symbols in locale.number_symbols.values():
        if symbols.get("group") == "'":
            symbols["group"] = "\N{RIGHT SINGLE QUOTATION MARK}"
    return locale


@dataclass(frozen=True)
class Formats:
    """The filters of the templates, for one recipient. Each raises ValueError or TypeError for a value of another kind."""

    locale: Locale
    zone: str
    language: str
    """the language of the text, "en" or "ja"; the locale may be another's"""

    @classmethod
    def of(cls, language: str, time_zone: str, text_language: str) -> Formats:
        """The formats of a recipient who has this language tag and IANA zone; ValueError if there is no such zone."""
        return cls(locale_of(language), usable_zone(time_zone), text_language)

    def date(self, value: str) -> str:
        """ "2027-03-01" as "March 1, 2027" or "2027年3月1日"."""
        return format_date(date.fromisoformat(value), "long", locale=self.locale)

    def day(self, value: str) -> str:
        """An ISO 8601 instant with its offset as the local date alone."""
        return self.date(local_time(datetime.fromisoformat(value), self.zone).date().isoformat())

    def instant(self, value: str) -> str:
        """An ISO 8601 instant with its offset as local date, time and zone."""
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError(f"{value!r} is no instant; add its offset")
        local = local_time(at, self.zone)
        day = format_date(local, "long", locale=self.locale)
        return f"{day} {format_time(local, 'short', locale=self.locale)} {local.tzname()}"

    def familiar(self, text: str) -> str:
        """`text` with the days, instants and sums in it as the reader is used to see them; those that are part of an id stay."""
        return _ISO.sub(self._in_words, _SUM.sub(self._sum, text))

    def _sum(self, found: re.Match[str]) -> str:
        try:
            whole = Money(amount=Decimal(found["amount"]), currency=found["currency"])
        except ValueError:
            return found[0]  # no currency: a product's code, say
        return f"{found['sign']}{self._currency(whole.rounded())}"

    def _in_words(self, found: re.Match[str]) -> str:
        try:
            if found["zone"]:
                return self.instant(found[0].replace(" ", "T"))
            return self.date(found["day"]) + (found["time"] or "").replace("T", " ")
        except ValueError:
            return found[0]  # there is no such day

    def money(self, value: dict[str, str]) -> str:
        """{"amount": "1200000", "currency": "JPY"} as "¥1,200,000", rounded to the currency's minor unit."""
        return self._currency(Money.model_validate(value).rounded())

    def price(self, value: dict[str, str]) -> str:
        """Like `money`, but with every digit: a unit price may be finer than the currency's minor unit."""
        return self._currency(Money.model_validate(value))

    def _currency(self, money: Money) -> str:
        written = format_currency(money.amount, money.currency, locale=self.locale, decimal_quantization=False)
        return _LETTER_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", written)

    def dearer(self, line: dict[str, Any]) -> str:
        """By how much the price of a line rises or falls, and what it was."""
        change = Money.model_validate(line["change"])
        by, was = self._currency(Money(amount=abs(change.amount), currency=change.currency)), self.price(line["before"])
        if self.language == "ja":
            return f"これまでの単価{was}から{by}の{'値上げ' if change.amount > 0 else '値下げ'}"
        return f"{by} {'more' if change.amount > 0 else 'less'} than until now ({was})"

    def number(self, value: int | str) -> str:
        """12000 as "12,000" or "12.000"."""
        return format_decimal(Decimal(value), locale=self.locale)

    def percent(self, value: str) -> str:
        """ "0.42" as "42%" or "42 %"."""
        return format_percent(Decimal(value), locale=self.locale)

    def text(self, value: str | dict[str, str]) -> str:
        """The text in the message's language, else in English: {"en": "Kickoff", "ja": "キックオフ"}."""
        if isinstance(value, str):
            return value
        return value[self.language] if self.language in value else value["en"]

    def plural(self, count: int, noun: str, plural: str | None = None) -> str:
        """English only: 1 and "seat" give "1 seat", 1200 gives "1,200 seats"."""
        return f"{self.number(count)} {noun if count == 1 else plural or noun + 's'}"


FILTERS: dict[str, Any] = {
    "date": Formats.date,
    "instant": Formats.instant,
    "day": Formats.day,
    "money": Formats.money,
    "price": Formats.price,
    "dearer": Formats.dearer,
    "number": Formats.number,
    "percent": Formats.percent,
    "text": Formats.text,
    "plural": Formats.plural,
}
