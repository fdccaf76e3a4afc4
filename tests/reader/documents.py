"""Rules for invoices and credit notes: in a mail of their own, or as files that go with another one."""

from __future__ import annotations

from tests.reader.desk import Desk
from tests.reader.facts import Row

_NAMES = {"en": ("Invoice", "Credit note"), "ja": ("請求書", "クレジットノート")}


def _document(desk: Desk, id: str) -> Row | None:
    row = desk.facts.one("invoice", invoice_id=id) or desk.facts.one("credit_memo", credit_memo_id=id)
    if row is None:
        desk.wrong("offer", id, "an invoice or a credit note that is on record")
    return row


def documents(desk: Desk) -> None:
    """The documents by number, each with its total."""
    invoice, note = _NAMES[desk.script.language]
    ids = []
    for name in (invoice, note):
        ids += list(desk.facts_named({desk.script.language: name}, "text"))
    totals = list(desk.facts_named({"en": "Total", "ja": "合計"}, "money"))
    rows = {id: row for id in ids if (row := _document(desk, id))}
    shown = sorted((total.value for total in totals), key=float)
    if shown != sorted((row["total"] for row in rows.values()), key=float):
        desk.wrong("amount", shown, sorted(row["total"] for row in rows.values()))
    for total in totals:
        if rows and not any(desk.script.is_in(total, row["currency"]) for row in rows.values()):
            desk.wrong("amount", total.sign, "their currency")
    if not ids:
        desk.wrong("unsaid", desk.letter.subject, "the number of the document")
    for id in ids:
        if id not in desk.letter.subject:
            desk.wrong("unsaid", desk.letter.subject, id)
        desk.own_words(id)


def attached(desk: Desk) -> None:
    """The files that a mail says it brings, and what stands in them."""
    said = desk.first({"en": "Attached: {them:rest}", "ja": "添付：{them:rest}"})
    named = said["them"] if said else ""
    for lines in desk.letter.files:
        title = lines[0] if lines else ""
        id = title.rpartition(" ")[2]
        row = _document(desk, id)
        if named and id not in named:
            desk.wrong("unsaid", named, id)
        if row is not None:
            _in_file(desk, row, lines)
    if said and not desk.letter.files:
        desk.wrong("offer", named, "nothing is attached")


def _in_file(desk: Desk, row: Row, lines: tuple[str, ...]) -> None:
    """Date, net, tax and total of a document as the tables have them."""
    cells = [[part.strip() for part in line.split(" | ")] for line in lines]
    date_name, net_name, total_name = {
        "en": ("Date", "Net", "Total"),
        "ja": ("発行日", "小計（税抜）", "合計（税込）"),
    }[desk.script.language]
    found = {parts[0]: parts[1] for parts in cells if len(parts) == 2}
    if date_name in found:
        desk.same("date", desk.script.date(found[date_name]), row["issued_on"])
    for name, column in ((net_name, "net"), (total_name, "total")):
        if name in found:
            desk.amount(desk.script.amount(found[name]), row[column], row["currency"])
        else:
            desk.wrong("unsaid", lines[0], name)
    amounts = [
        desk.script.amount(parts[3]).value
        for parts in cells[1:]
        if len(parts) == 4 and any(c.isdigit() for c in parts[3])
    ]
    if amounts and sum(amounts) != row["net"]:
        desk.wrong("amount", sum(amounts), row["net"])


RULES = {rule.__name__: rule for rule in (documents,)}
