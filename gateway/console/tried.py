"""A request that was tried, as a page says it: what becomes of each asset and how its amount is made, what is invoiced, who is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from activities.channels.errors import RenderError
from activities.channels.rendering import Renderer
from activities.frame.outbox import Waiting
from activities.journey.trying import Tried
from domain.contracts.telling import Told
from domain.frame.access import FieldGroup
from domain.frame.flight import Channel
from domain.frame.messages import OutgoingMail
from domain.frame.ownership import POLICY
from domain.kernel.money import Money
from domain.kernel.zones import local_time
from domain.mail.papers import Paper, PaperKind
from domain.quotes.pricing import parts_of
from domain.quotes.quote import LotPart, Quote, QuoteLine
from gateway.console.visit import Visit
from gateway.views.whose import Whose


@dataclass(frozen=True)
class Row:
    """What becomes of one thing. `how`: how its amount is made; `settled`: when that is invoiced or credited."""

    product: str
    what: str
    days: str
    units: str
    monthly: str = ""
    how: tuple[str, ...] = ()
    amount: str = ""
    settled: str = ""


@dataclass(frozen=True)
class Message:
    """A mail or a notice: to whom, what it is about, when it leaves if not at once, and all of it for who may read that."""

    to: str
    subject: str
    leaves: str = ""
    text: str = ""


@dataclass(frozen=True)
class Shown:
    """What comes of it for one account. `sheets`: invoices and credit notes in words; `standing`: of a quote, where it stands then."""

    account_id: str
    rows: list[Row]
    totals: list[tuple[str, str]]
    standing: str
    sheets: list[dict[str, Any]]
    mails: list[Message]
    notices: list[Message]


def shown(visit: Visit, of: Whose, tried: Tried) -> Shown:
    """It in the words of whoever reads, without amounts for who sees none."""
    say = _Sayer(visit, of)
    quote = tried.quotes[0] if tried.quotes else None
    priced = visit.sees(FieldGroup.PRICES)
    offered = [say.offered(line, quote.currency) for line in quote.lines] if quote else []
    return Shown(
        tried.account_id,
        [*map(say.change, tried.changes), *offered],
        say.totals(quote) if quote and priced else [],
        visit.words(f"tried.quote.{tried.answer['state']}") if quote else "",
        [say.sheet(bill) for bill in tried.bills] if priced else [],
        [say.mail(one) for one in tried.messages if one.channel is Channel.MAIL],
        [say.notice(one) for one in tried.messages if one.channel is Channel.NOTICE],
    )


def digest(tried: Sequence[Tried]) -> str:
    """Another one for everything that would come to something else."""
    told = [[_figures(one.answer for one in each.changes), _sums(each)] for each in tried]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


_FIGURES = ("asset_id", "change", "quantity", "until", "settled_on", "mrr_change", "amount_change")


def _figures(answers: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    return [[answer[name] for name in _FIGURES] for answer in answers]


def _sums(tried: Tried) -> list[Any]:
    quotes = [one.model_dump(mode="json", include={"lines", "totals", "valid_until"}) for one in tried.quotes]
    return [[bill["kind"], bill["total"]] for bill in tried.bills] + quotes


class _Sayer:
    def __init__(self, visit: Visit, of: Whose) -> None:
        self._visit, self._t, self._of = visit, visit.words, of
        self._priced = visit.sees(FieldGroup.PRICES)
        self._today = local_time(of.now, of.time_zone).date()

    def change(self, told: Told) -> Row:
        """What becomes of an asset."""
        t, row, answer = self._t, told.row, told.answer
        action, currency = told.part.after.actions[-1], answer["currency"]
        said = Row(
            row["product"],
            t(f"tried.change.{row['change']}"),
            self._days(row["from"], row["until"]),
            f"{t.number(row['quantity_before'])} → {t.number(row['quantity'])}",
            settled=self._settled(answer),
        )
        if not self._priced:
            return said
        parts = parts_of(told.part.after, action, POLICY)
        how = self._how(parts, action.adjustment_amount_change, currency)
        monthly = f"{self._money(row['mrr_before'])} → {self._money(row['mrr'])}"
        return replace(said, monthly=monthly, how=how, amount=t.money(answer["amount_change"], currency))

    def offered(self, line: QuoteLine, currency: str) -> Row:
        """What a quote offers."""
        t = self._t
        last = line.end - timedelta(seconds=1) if line.end else None
        said = Row(
            line.name or line.product,
            t(f"choice.{line.kind}"),
            self._days(line.effective, last),
            f"{line.quantity:+,}" if line.kind != "sale" else t.number(line.quantity),
        )
        if not self._priced:
            return said
        how = (*self._pricing(line, currency), *self._how(line.parts, line.adjustment, currency))
        return replace(said, monthly=t.money(line.monthly, currency), how=how, amount=t.money(line.amount, currency))

    def totals(self, quote: Quote) -> list[tuple[str, str]]:
        """The sums of a quote."""
        t, sums = self._t, quote.totals
        last = quote.valid_until - timedelta(seconds=1)
        found = [("amount", sums.amount), ("monthly", sums.monthly), ("discount", sums.discount)]
        said = [(t(f"tried.total.{name}"), t.money(value, sums.currency)) for name, value in found if value]
        return [*said, (t("tried.valid_until"), t.day(last, self._of.time_zone))]

    def sheet(self, bill: Mapping[str, Any]) -> dict[str, Any]:
        """An invoice or a credit note as a document says it."""
        of = self._of
        paper = Paper(
            kind=PaperKind(bill["kind"]),
            id=bill["id"],
            issued_on=date.fromisoformat(bill["issued_on"]),
            issuer=self._visit.place.doors.issuer,
            company=of.name,
            language=self._t.language,
            time_zone=of.time_zone,
            said=dict(bill),
        )
        return _renderer().sheet(paper)

    def mail(self, row: Waiting) -> Message:
        """A mail as its reader will have it; what it is, for who sees no prices."""
        t, mail = self._t, OutgoingMail.model_validate(row.body)
        named = t.known(f"mail.{mail.template}", mail.template.replace("_", " "))
        if not self._priced:
            return Message(mail.to_name, named, self._leaves(row))
        try:
            written = _renderer().render(mail)
        except RenderError:
            return Message(mail.to_name, named, self._leaves(row))
        return Message(mail.to_name, written.subject, self._leaves(row), written.text)

    def notice(self, row: Waiting) -> Message:
        """What one of our people is told."""
        return Message(str(row.body["to_name"]), self._visit.told(str(row.body["title"])), self._leaves(row))

    def _leaves(self, row: Waiting) -> str:
        return self._t.minute(row.leaves_at, self._of.time_zone) if row.leaves_at else ""

    def _days(self, start: date | datetime | str, last: date | datetime | str | None) -> str:
        t, zone = self._t, self._of.time_zone
        return f"{t.day(start, zone)} – {t.day(last or None, zone)}".rstrip()

    def _settled(self, answer: Mapping[str, Any]) -> str:
        """The later day on which the amount is invoiced or credited; empty if that is at once, or there is none."""
        t, amount, on = self._t, Decimal(answer["amount_change"] or 0), date.fromisoformat(answer["settled_on"])
        if not amount or on <= self._today:
            return ""
        return t("tried.invoiced_on", day=t.day(on)) if amount > 0 else t("tried.credited_on", day=t.day(on))

    def _pricing(self, line: QuoteLine, currency: str) -> Iterator[str]:
        """From the list price to the one that is offered."""
        t, pricing = self._t, line.pricing
        if pricing is None:
            return
        yield t("tried.base", price=t.price(pricing.base_price, currency), source=t(f"tried.source.{pricing.source}"))
        for step in pricing.discounts:
            yield t("tried.discounted", name=step.name, price=t.price(step.after, currency))

    def _how(self, parts: Iterable[LotPart], adjustment: Decimal | None, currency: str) -> tuple[str, ...]:
        t, said = self._t, [self._part(part, currency) for part in parts]
        if adjustment:
            said.append(t("tried.adjusted", amount=t.price(adjustment, currency)))
        return tuple(said)

    def _part(self, part: LotPart, currency: str) -> str:
        """Units at a price for a time."""
        t = self._t
        if part.unit_price is None:
            return t("tried.unpriced", units=t.number(part.quantity))
        units, price = t.number(part.quantity), t.price(part.unit_price, currency)
        if part.months is None and part.amount is None:
            return t("tried.unended", units=units, price=price)
        if part.months is None:
            return t("tried.once", units=units, price=price, amount=t.price(part.amount, currency))
        months, amount = t.exact(part.months), t.price(part.amount, currency)
        return t("tried.part", units=units, price=price, months=months, amount=amount)

    def _money(self, told: Mapping[str, str]) -> str:
        money = Money.model_validate(told)
        return self._t.money(money.amount, money.currency)


@cache
def _renderer() -> Renderer:
    return Renderer()
