"""What the accountant and the product say of one story, side by side."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.accountant.accountant import Accountant
from tests.accountant.books import EXPONENTS
from tests.accountant.doors import Document, Lived

Taxes = dict[Fraction, Fraction]


@dataclass(eq=False)
class Sums:
    """Invoices less credits of an account on a day: net, and tax by rate."""

    net: Fraction = Fraction(0)
    taxes: Taxes = field(default_factory=lambda: defaultdict(Fraction))

    def add(self, sign: int, net: Fraction, taxes: Taxes) -> None:
        """Adds a document."""
        self.net += sign * net
        for rate, tax in taxes.items():
            self.taxes[rate] += sign * tax

    def as_text(self, exponent: int) -> str:
        """Net and taxes in words."""
        taxed = ", ".join(
            f"{float(rate):g} %: {float(tax):.{exponent}f}" for rate, tax in sorted(self.taxes.items()) if tax
        )
        return f"{float(self.net):.{exponent}f}" + (f" (tax {taxed})" if taxed else "")

    def same(self, other: Sums) -> bool:
        """True if net and the tax of each rate are the same."""
        rates = {*self.taxes, *other.taxes}
        none = Fraction(0)
        return self.net == other.net and all(self.taxes.get(r, none) == other.taxes.get(r, none) for r in rates)


def judged(lived: Lived) -> Accountant:
    """The books of an accountant who heard what was carried out in a story."""
    story = lived.story
    begins = min((done.day for done in lived.done), default=story.first)
    accountant = Accountant(story.currency, begins)
    for done in lived.done:
        if not done.refused:
            accountant.hear(done.act, done.day)
    accountant.live_to(lived.last_day)
    return accountant


def differences(lived: Lived, accountant: Accountant) -> list[str]:
    """Everything in which the two differ, a sentence each; nothing if they agree to the minor unit on every day."""
    product: dict[tuple[str, date], Sums] = defaultdict(Sums)
    right: dict[tuple[str, date], Sums] = defaultdict(Sums)
    for document in lived.documents:
        sign = -1 if document.credit else 1
        product[(document.account, document.day)].add(sign, Fraction(document.net), document.taxes)
    for due in accountant.due:
        right[(due.account, due.day)].add(-1 if due.credit else 1, due.net, due.taxes)
    exponent = EXPONENTS[lived.story.currency]
    return [
        f"{account} {day}: product {product[(account, day)].as_text(exponent)}, accountant {right[(account, day)].as_text(exponent)}"
        for account, day in sorted({*product, *right})
        if not product[(account, day)].same(right[(account, day)])
    ] + [line for document in lived.documents for line in oddities(document, lived.story.currency)]


def surprises(lived: Lived) -> list[str]:
    """Acts of a written story that were refused, or carried out, other than the story says (`refused`)."""
    return [
        f"{done.day} {done.act.get('ask', 'order')}: {done.refused or 'carried out'}, not {done.act.get('refused') or 'carried out'}: {done.words}"
        for done in lived.done
        if done.refused != done.act.get("refused", "")
    ]


def oddities(document: Document, currency: str) -> list[str]:
    """What no single document may be, whatever was agreed."""
    found = []
    if document.net <= 0:
        found.append("is over nothing")
    if sum(line.amount for line in document.lines) != document.net:
        found.append("has lines that do not add up to its net")
    if sum(document.taxes.values()) != document.tax or document.net + document.tax != document.gross:
        found.append("does not add up from net and taxes to gross")
    if (
        Fraction(document.gross) * 10 ** EXPONENTS[currency] % 1
        or Fraction(document.net) * 10 ** EXPONENTS[currency] % 1
    ):
        found.append(f"has an amount that {currency} does not have")
    return [f"{document.document_id} {each}" for each in found]
