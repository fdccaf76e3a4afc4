"""Rules for what answers an order, and for the documents that the billing contact gets."""

from __future__ import annotations

import re

from tests.reader.desk import Desk
from tests.reader.facts import LISTED, Row

DOCUMENTS = {"en": {"Invoice": "invoice", "Credit note": "credit_memo"},
             "ja": {"請求書": "invoice", "クレジットノート": "credit_memo"}}  # fmt: skip

_WORDS = {
    "en": {"sender": "From", "customer": "To", "issued": "Date", "net": "Net", "total": "Total"},
    "ja": {"sender": "発行元", "customer": "宛先", "issued": "発行日", "net": "小計（税抜）", "total": "合計（税込）"},
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
    script, found, headed = desk.script, [], []
    for name, table in DOCUMENTS[script.language].items():
        found += [(table, id) for id in desk.facts_named({script.language: name}, "id")]
        words = f"{name} {{id:id}}" if script.language == "en" else f"{name}{{id:id}}"
        headed += [said["id"] for said in desk.each({script.language: words})]
    for ids in (headed, [id for _, id in found]):
        if sorted(ids) != sorted(number(lines) for lines in desk.letter.files):
            desk.wrong("offer", ids, [number(lines) for lines in desk.letter.files])
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
    """What the last lines say goes along is on record, and does go along."""
    named = []
    for match in list(re.finditer(r"^(?:Attached: |添付：)([^\n]+?)\.?$", desk.left, re.MULTILINE)):
        desk.blot(match.start(), match.end())
        for part in re.split(r", |、", match[1]):
            name, _, id = part.strip().partition(" ")
            if name == "credit":
                name, id = "credit note", id.removeprefix("note ")
            table = {"invoice": "invoice", "credit note": "credit_memo"} | DOCUMENTS["ja"]
            if name not in table or document(desk, table[name], id) is None:
                desk.wrong("offer", part, "a document that is on record")
            named.append(id)
    there = [number(lines) for lines in desk.letter.files]
    if sorted(named) != sorted(there):
        desk.wrong("offer", named, there)
    for lines in desk.letter.files:
        _file(desk, lines)


def number(lines: tuple[str, ...]) -> str:
    """The number that a document bears."""
    return lines[0].rpartition(" ")[2] if lines else ""


def _file(desk: Desk, lines: tuple[str, ...]) -> None:
    """A document as its reader sees it: its number, its day, and sums that are those of the tables and add up."""
    words = _WORDS[desk.script.language]
    id = number(lines)
    table = next((one for one in ("invoice", "credit_memo") if document(desk, one, id)), "")
    row = document(desk, table, id) if table else None
    if row is None:
        desk.wrong("offer", id, "a document that is on record")
        return
    cells = [[part.strip() for part in line.split("|")] for line in lines[1:]]
    pairs = {parts[0]: parts[1] for parts in cells if len(parts) == 2}
    desk.same("name", pairs.get(words["customer"]), desk.facts.account["name"])
    desk.same("name", pairs.get(words["sender"]), desk.letter.sender.rpartition(" <")[0].strip('"'))
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
    _items(desk, [parts for parts in cells if len(parts) == 4 and re.search(r"\d", parts[3])], f"{table}_line", id)


def _items(desk: Desk, said: list[list[str]], table: str, id: str) -> None:
    """Each item is a thing of theirs, of a day, in a number and for an amount that are on record in one line."""
    facts, script = desk.facts, desk.script
    known = list(facts.rows(table, **{table.replace("_line", "_id"): id}))
    for cells in said:
        amount = script.amount(cells[-1]).value
        own = [line for line in known if line["amount"] == amount and cells[0] in _names(desk, line)]
        if not own:
            desk.wrong(
                "offer", " | ".join(cells), ", ".join(f"{_names(desk, line)} {line['amount']}" for line in known)
            )
            continue
        day = re.search(script.pattern("{v:date}"), cells[1])
        fitting = [line for line in own if day and script.date(day[0]) in (line["due"], line["period"])]
        desk.among("date", cells[1], [cells[1]] if fitting else [line["due"] for line in own])
        if re.fullmatch(r"[\d.,’\s]+", cells[2]):
            desk.among("count", int(script.number(cells[2])), {line["quantity"] for line in own})
        known.remove((fitting or own)[0])
    if known:
        desk.wrong("unsaid", id, f"also {[_names(desk, line) for line in known]}")


def _names(desk: Desk, line: Row) -> set[str]:
    """What a line of a document is for."""
    facts = desk.facts
    asset = facts.one("asset", asset_id=line["asset_id"])
    sold = facts.one("order_line", order_id=line["order_id"], line_id=line["line_id"])
    return {facts.names[row["product_code"]] for row in (asset, sold) if row} | ({asset["name"]} if asset else set())


def document(desk: Desk, table: str, id: str) -> Row | None:
    """An invoice or a credit note by its number."""
    return desk.facts.one(table, **{f"{table}_id": id})


RULES = {rule.__name__: rule for rule in (order_confirmed, documents)}
