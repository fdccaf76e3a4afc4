"""What the accountant and the product say of one story, side by side."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.accountant.accountant import Accountant
from tests.accountant.books import EXPONENTS, half_up
from tests.accountant.doors import Document, Lived
from tests.accountant.keeping import Due

Taxes = dict[Fraction, Fraction]


def judged(lived: Lived) -> Accountant:
    """The books of an accountant who heard what was carried out in a story."""
    story = lived.story
    begins = min((done.day for done in lived.done), default=story.first)
    accountant = Accountant(story.currency, begins)
    for done in lived.done:
        if not done.refused:
            accountant.hear(done.act, done.day, done.answer)
    accountant.live_to(lived.last_day)
    return accountant


def differences(lived: Lived, accountant: Accountant) -> list[str]:
    """Everything in which the two differ, a sentence each; nothing if they agree to the minor unit on every day.

    Net is compared by day: invoices less credits. Tax follows from the documents, which may be cut otherwise than the accountant's:
    of what is given as an amount with tax the amount is compared, and its net to within a minor unit for each invoice it is of.
    """
    product: dict[tuple[str, date], Fraction] = defaultdict(Fraction)
    right: dict[tuple[str, date], Fraction] = defaultdict(Fraction)
    for document in lived.documents:
        product[(document.account, document.day)] += Fraction(-document.net if document.credit else document.net)
    for due in accountant.due:
        right[(due.account, due.day)] += -_net(due, lived) if due.credit else due.net
    digits = EXPONENTS[lived.story.currency]
    return [
        f"{key[0]} {key[1]}: product {float(product[key]):.{digits}f}, accountant {float(right[key]):.{digits}f}"
        for key in sorted({*product, *right})
        if product[key] != right[key]
    ] + [*lived.odd, *(line for document in lived.documents for line in oddities(document, lived.story.currency))]


def _net(due: Due, lived: Lived) -> Fraction:
    """The net of a credit, or of the product's credit of the same amount with tax."""
    if due.gross is not None:
        near = Fraction(len(due.sources), 10 ** EXPONENTS[lived.story.currency])
        for document in lived.documents:
            same = (document.account, document.day, document.credit) == (due.account, due.day, True)
            if same and document.gross == due.gross and abs(Fraction(document.net) - due.net) <= near:
                return Fraction(document.net)
    return due.net


def wrong_taxes(lived: Lived, accountant: Accountant) -> list[str]:
    """Documents whose tax is not what follows from their lines, and lines taxed at other rates than were agreed."""
    currency, found = lived.story.currency, []
    unit = Fraction(1, 10 ** EXPONENTS[currency])
    left: dict[str, Taxes] = {}
    taxed: dict[str, Taxes] = defaultdict(lambda: defaultdict(Fraction))
    for document in sorted(lived.documents, key=lambda each: (each.day, each.credit)):
        taxes: Taxes = defaultdict(Fraction)
        for line in document.lines:
            agreed = accountant.rates_on(line.source)
            if set(line.rates) != set(agreed):
                said = ", ".join(f"{float(rate):g} %" for rate in agreed) or "nothing"
                found.append(f"{document.document_id} taxes {line.source} at other rates than {said}")
            charged = left.setdefault(line.invoice or document.document_id, defaultdict(Fraction))
            for rate in line.rates:
                charged[rate] += Fraction(-line.amount if document.credit else line.amount)
                invoice = taxed[line.invoice or document.document_id]
                taxes[rate] += abs(half_up(charged[rate] * rate / 100, currency) - invoice[rate])
                invoice[rate] = half_up(charged[rate] * rate / 100, currency)
        wrong = {rate: document.taxes.get(rate, Fraction(0)) - taxes[rate] for rate in {*taxes, *document.taxes}}
        if document.credit and Fraction(document.gross) in accountant.granted and len(document.lines) == 1:
            # Not every amount is a net with its own tax: the rest is settled by the next credit of the invoice.
            for rate, more in wrong.items():
                if abs(more) <= unit:
                    taxed[document.lines[0].invoice][rate] -= more
                    taxes[rate] += more
        if {rate: tax for rate, tax in taxes.items() if tax} != document.taxes:
            said = ", ".join(f"{float(rate):g} %: {float(tax)}" for rate, tax in sorted(taxes.items()))
            found.append(f"{document.document_id} of {document.day} has another tax than {said or 'none'}")
    return list(dict.fromkeys(found))


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
