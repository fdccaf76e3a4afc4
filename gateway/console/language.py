"""The words of the pages, one file per language, and how days, amounts and spans are written in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, get_month_names
from babel.numbers import format_currency, format_decimal, get_currency_precision

from activities.channels.staff_words import StaffWords, sentences
from activities.kernel.yaml_words import read_own
from activities.playbooks import FOLDER, read_playbooks
from domain.kernel.zones import is_zone, local_time

LANGUAGES = ("en", "ja")
_SAID_BY_PAGES = (
    "act.nobody_found",
    "playbook.others",
    "playbook.not_rehearsed",
    "playbook.waits",
    "settings.no_reason",
    "settings.prices.past",
    "settings.prices.refused",
)
"""What pages themselves have against a form, in their reader's language."""
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@cache
def _file(language: str) -> Mapping[str, str]:
    text = (files("gateway.console") / "words" / f"{language}.yaml").read_text(encoding="utf-8")
    return {str(key): str(value) for key, value in read_own(text).items()}


def _pairs(name: str) -> list[tuple[str, str]]:
    file = files("gateway.console") / "words" / name
    return [(str(english), str(says)) for english, says in read_own(file.read_text(encoding="utf-8"))]


@cache
def _sentences(language: str) -> StaffWords | None:
    """What stands in timelines and plans, before what our people are told of it; null for English."""
    if language == "en":
        return None
    titles = read_playbooks(FOLDER).titles()
    return StaffWords((*_pairs(f"told.{language}.yaml"), *sentences(language)), titles.get(language, {}))


@cache
def _refusals(language: str) -> StaffWords:
    """What refuses a request, by a rule or by these pages themselves."""
    own = [(_file(language)[key], _file(language)[key]) for key in _SAID_BY_PAGES]
    return StaffWords((*own, *_pairs(f"refused.{language}.yaml"), *_pairs(f"told.{language}.yaml")), {})


@lru_cache(maxsize=1024)
def _refused(language: str, english: str) -> str | None:
    return english if language == "en" else _refusals(language).said(english)


@lru_cache(maxsize=8192)
def _said(language: str, english: str) -> str | None:
    known = _sentences(language)
    return known.said(english) if known else english if language == "en" else None


@dataclass(frozen=True)
class Words:
    """What a page says in one language."""

    language: str

    def __call__(self, key: str, /, **values: Any) -> str:
        """The words under a key. KeyError for one that there is not: no page says half."""
        said = _file(self.language)[key]
        return said.format(**values) if values else said

    def known(self, key: str, otherwise: str) -> str:
        """The words under a key made of a stored word; that word itself if nobody gave it others."""
        return _file(self.language).get(key, otherwise)

    def sentence(self, english: str) -> str:
        """A sentence of ours that is stored in English, in this language if it is known there."""
        return _said(self.language, english) or english

    def knows(self, english: str) -> bool:
        """True for a sentence of ours that is in this language as it is shown."""
        return _said(self.language, english) is not None

    def refused(self, english: str) -> str | None:
        """Why something is refused, in this language; null if it is known in English alone."""
        return _refused(self.language, english)

    @property
    def _locale(self) -> Locale:
        return Locale(self.language)

    def day(self, value: date | datetime | str | None, zone: str = "UTC") -> str:
        """A day; of an instant the one that the clocks of the zone show."""
        found = _day(value, zone)
        return "" if found is None else format_date(found, "medium", locale=self._locale)

    def short_day(self, value: date | str) -> str:
        """A day without its year."""
        found = _day(value, "UTC")
        return (
            ""
            if found is None
            else format_date(found, "M/d" if self.language == "ja" else "d MMM", locale=self._locale)
        )

    def month(self, value: date) -> str:
        """A month with its year."""
        named = get_month_names("wide", locale=self._locale)[value.month]
        return f"{value.year}年{named}" if self.language == "ja" else f"{named} {value.year}"

    def weekday(self, value: date | datetime | str | None, zone: str = "UTC") -> str:
        """A day with the name of its weekday, without the year."""
        found = _day(value, zone)
        return (
            ""
            if found is None
            else format_date(found, "M月d日(E)" if self.language == "ja" else "EEE, d MMM", locale=self._locale)
        )

    def minute(self, value: datetime | str | None, zone: str) -> str:
        """A day and a minute on the clocks of the zone."""
        if not value:
            return ""
        local = local_time(self.instant(value), zone if is_zone(zone) else "UTC")
        return f"{format_date(local, 'medium', locale=self._locale)} {format_time(local, 'HH:mm', locale=self._locale)}"

    @staticmethod
    def instant(value: datetime | str) -> datetime:
        """An instant, as a view has it or as JSON does."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    def money(self, amount: Decimal | str | None, currency: str) -> str:
        """An amount with its currency."""
        return "" if amount is None else format_currency(Decimal(amount), currency, locale=self._locale)

    def price(self, amount: Decimal | None, currency: str) -> str:
        """As `money`, with up to six digits: what a unit costs may be finer than what is paid."""
        if amount is None:
            return ""
        exact = _in_digits(amount)
        fine = -int(exact.as_tuple().exponent) > get_currency_precision(currency)
        return format_currency(exact, currency, locale=self._locale, decimal_quantization=not fine)

    def exact(self, value: Decimal) -> str:
        """A number with up to six digits behind the point."""
        return format_decimal(_in_digits(value), locale=self._locale, decimal_quantization=False)

    def number(self, value: Decimal | int | str | None) -> str:
        """A number with its thousands apart."""
        return "" if value is None else format_decimal(Decimal(value), locale=self._locale)

    def span(self, value: timedelta) -> str:
        """How long, in its two largest units: 3 h 20 min."""
        seconds = int(abs(value.total_seconds()))
        for unit, size, inner, of in (("d", _DAY, "h", _HOUR), ("h", _HOUR, "min", _MINUTE)):
            if seconds >= size:
                rest = seconds % size // of
                return self(f"span.{unit}", n=seconds // size) + (f" {self(f'span.{inner}', n=rest)}" if rest else "")
        return self("span.min", n=seconds // _MINUTE)


def _in_digits(value: Decimal) -> Decimal:
    """Up to six digits behind the point, without zeros that say nothing."""
    return Decimal(f"{round(value, 6):f}".rstrip("0").rstrip(".")) if value % 1 else Decimal(f"{value:.0f}")


def _day(value: date | datetime | str | None, zone: str) -> date | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return local_time(value, zone if is_zone(zone) else "UTC").date()
    return value


def language_of(chosen: str | None, own: str | None, accepted: str) -> str:
    """The reader's language: what they chose, else what is on record of them, else what their browser asks for."""
    asked = [one.partition(";")[0].strip() for one in accepted.split(",")]
    for tag in (chosen, own, *asked):
        short = re.split("[-_]", tag or "")[0].lower()
        if short in LANGUAGES:
            return short
    return LANGUAGES[0]
