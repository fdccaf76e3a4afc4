"""Rules for what answers an order, and for the documents that the billing contact gets."""

from __future__ import annotations

import re

from tests.reader.desk import Desk
from tests.reader.facts import LISTED, Row

DOCUMENTS = {"en": {"Invoice": "invoice", "Credit note": "credit_memo"},
             "ja": {"請求書": "invoice", "クレジットノート": "credit_memo"}}  # fmt: skip

_WORDS = {
    "en": {"issued": "Date", "net": "Net", "total": "Total"},
    "ja": {"issued": "発行日", "net": "小計（税抜）", "total": "合計（税込）"},
}


def order_confirmed(desk: Desk) -> None:
    """An order of theirs, with all that it sold."""
    own = desk.letter.stage.partition(":")[2]
    said = list(desk.each({"en": "Your order {id:id}\n", "ja": "ご注文の確認（{id:id}）"}))
    said += list(desk.each({"en": "Thank you for your order {id:id}. We", "ja": "ご注文（{id:id}）をいただき"}))
    ids = {one["id"] for one in said}
    if len(ids) != 1 or (own and ids != {own}):
        desk.wrong("offer", ", ".join(sorted(ids)), own or "one order")
    lines = [row for row in desk.facts.tables["order_line"] if row["order_id"] in ids]
    bought = {desk.facts.names[row["product_code"]] for row in lines}
    items = desk.items()
    for name in items:
        desk.among("offer", name, bought)
    if len(items) < LISTED and (missing := bought - set(items)):
        desk.wrong("offer", ", ".join(items), f"also {', '.join(sorted(missing))}")


def documents(desk: Desk) -> None:
    """Invoices and credit notes that are on record, each with its total."""
    script, found = desk.script, []
    for name, table in DOCUMENTS[script.language].items():
        found += [(table, id) for id in desk.facts_named({script.language: name}, "id")]
        list(desk.each({script.language: f"{name} {{id:id}}" if script.language == "en" else f"{name}{{id:id}}"}))
    totals = list(desk.facts_named({"en": "Total", "ja": "合計"}, "money"))
    if not found:
        desk.wrong("unsaid", desk.letter.subject, "which documents")
    known = [(document(desk, table, id), id) for table, id in found]
    right = sorted((row["total"], row["currency"]) for row, _ in known if row)
    if sorted(said.value for said in totals) != [total for total, _ in right]:
        desk.wrong("amount", [said.value for said in totals], right)
    for row, id in known:
        if row is None:
            desk.wrong("offer", id, "a document that is on record")


def attached(desk: Desk) -> None:
    """What the last lines say goes along is on record."""
    for match in list(re.finditer(r"^(?:Attached: |添付：)([^\n]+?)\.?$", desk.left, re.MULTILINE)):
        desk.blot(match.start(), match.end())
        for part in re.split(r", |、", match[1]):
            name, _, id = part.strip().partition(" ")
            if name == "credit":
                name, id = "credit note", id.removeprefix("note ")
            table = {"invoice": "invoice", "credit note": "credit_memo"} | DOCUMENTS["ja"]
            if name not in table or document(desk, table[name], id) is None:
                desk.wrong("offer", part, "a document that is on record")
    for lines in desk.letter.files:
        _file(desk, lines)


def _file(desk: Desk, lines: tuple[str, ...]) -> None:
    """A document as its reader sees it: its number, its day, and sums that are those of the tables and add up."""
    words = _WORDS[desk.script.language]
    id = lines[0].rpartition(" ")[2] if lines else ""
    row = document(desk, "invoice", id) or document(desk, "credit_memo", id)
    if row is None:
        desk.wrong("offer", id, "a document that is on record")
        return
    cells = [[part.strip() for part in line.split("|")] for line in lines[1:]]
    pairs = {parts[0]: parts[1] for parts in cells if len(parts) == 2}
    if words["issued"] in pairs:
        desk.same("date", desk.script.date(pairs[words["issued"]]), row["issued_on"])
    for column in ("net", "total"):
        if words[column] in pairs:
            desk.amount(desk.script.amount(pairs[words[column]]), row[column], row["currency"])
        else:
            desk.wrong("unsaid", lines[0], words[column])
    amounts = [desk.script.amount(parts[3]).value for parts in cells if len(parts) == 4 and re.search(r"\d", parts[3])]
    if sum(amounts) != row["net"]:
        desk.wrong("amount", sum(amounts), row["net"])


def document(desk: Desk, table: str, id: str) -> Row | None:
    """An invoice or a credit note by its number."""
    return desk.facts.one(table, **{f"{table}_id": id})


RULES = {rule.__name__: rule for rule in (order_confirmed, documents)}
