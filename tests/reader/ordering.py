"""Rules for what answers an order, and for the documents that the billing contact gets."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal
from fractions import Fraction

from babel.numbers import format_currency

from tests.reader.desk import DAY, Desk
from tests.reader.facts import LISTED, Row
from tests.reader.tables import rounded

DOCUMENTS = {"en": {"Invoice": "invoice", "Credit note": "credit_memo"},
             "ja": {"請求書": "invoice", "返金明細書": "credit_memo"}}  # fmt: skip

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
    _what_for(desk)
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


def _what_for(desk: Desk) -> None:
    """The contracts of documents are theirs; the time that they are for and the day by which they are paid are those of the files."""
    contracts = {row["contract_id"] for row in desk.facts.tables["contract"]}
    for said in desk.facts_named({"en": "Contract", "ja": "ご契約"}, "text"):
        for one in re.split(r", |、", said):
            desk.among("offer", one.partition(" (")[0], contracts)
    text = "\n".join(line for lines in desk.letter.files for line in lines)
    for span in desk.facts_named({"en": "For the time", "ja": "対象期間"}, "text"):
        for day in re.split(" – |～", span):
            if day not in text:
                desk.wrong("date", day, "a day of a line of the document")
    for day in desk.facts_named({"en": "To be paid by", "ja": "お支払期限"}, "text"):
        if day not in text:
            desk.wrong("date", day, "the day that the document names")


def attached(desk: Desk) -> None:
    """What the last lines say goes along is on record, and does go along."""
    named = []
    for match in list(re.finditer(r"^(?:Attached: |添付：)([^\n]+?)\.?$", desk.left, re.MULTILINE)):
        desk.blot(match.start(), match.end())
        for part in re.split(r", |、", match[1]):
            said = re.fullmatch(r"(.+?)[ ]?[(（](.+)[)）]", part.strip())
            name, _, id = (said[1] if said else part.strip()).partition(" ")
            if name == "credit":
                name, id = "credit note", id.removeprefix("note ")
            table = {"invoice": "invoice", "credit note": "credit_memo"} | DOCUMENTS["ja"]
            row = document(desk, table[name], id) if name in table else None
            if said is None or row is None:
                desk.wrong("offer", part, "a document that is on record, with its total")
            else:
                desk.amount(desk.script.amount(said[2]), row["total"], row["currency"])
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
    _items(desk, cells, table, row)


_COLUMNS, _PART_COLUMNS = 6, 5
_WHY = {
    "en": {
        "rounded": "Rounded so that it adds up with what was invoiced before.",
        "capped": "Less than these units come to: the rest of the charge had been given back before.",
        "set_off": "The rest of a credit for which too little was left of its own charge.",
        "shared": "One of the parts of a credit that is taken from more than one charge.",
        "agreed": "This amount was set as a whole, so it has no unit price.",
        "difference": "What this period costs now, less what was invoiced for it, so it has no unit price.",
    },
    "ja": {
        "rounded": "これまでのご請求との合計が合うよう端数を調整しています。",
        "capped": "この請求の一部はすでに返金済みのため、計算上の金額より少なくなっています。",
        "set_off": "元の請求の残額で足りなかった返金の残りです。",
        "shared": "複数の請求から差し引く返金の一部です。",
        "agreed": "全体として決めた金額のため、単価はありません。",
        "difference": "この期間の現在の金額とこれまでのご請求との差額のため、単価はありません。",
    },
}


def _items(desk: Desk, cells: list[list[str]], table: str, row: Row) -> None:
    """Each line is a thing of theirs, of its time, in its number, at its price and rate, as is on record, and multiplies out."""
    lines = sorted(
        desk.facts.rows(f"{table}_line", **{f"{table}_id": row[f"{table}_id"]}), key=lambda line: line["number"]
    )
    said = [parts for parts in cells if len(parts) == _COLUMNS][1:]
    beneath = [parts for parts in cells if len(parts) == _PART_COLUMNS]
    if len(said) != len(lines):
        desk.wrong("unsaid", len(said), f"{len(lines)} lines")
        return
    for one, line in zip(said, lines, strict=True):
        _item(desk, one, line, row["currency"])
        parts = line["parts"] or []
        if len(parts) == 1:
            _part(desk, one[2], one[3], parts[0], row["currency"], line["unit_price"])
        elif len(parts) > 1:
            rows, beneath = beneath[: len(parts)], beneath[len(parts) :]
            for (period, units, price, *_), part in zip(rows, parts, strict=True):
                _span(desk, period, date.fromisoformat(part["from"]), date.fromisoformat(part["until"]))
                _part(desk, units, price, part, row["currency"], None)
    if beneath:
        desk.wrong("unaccounted", beneath, "parts of lines")


def _item(desk: Desk, cells: list[str], line: Row, currency: str) -> None:
    item, period, units, price, rate, net = cells
    script = desk.script
    why = f" {_WHY[script.language][line['why']]}" if line["why"] else ""
    # a credit is of money, not of use
    why += f" {_used(desk, line['usage'], currency)}" if line.get("usage") else ""
    desk.among("name", item, {f"{name}{why}" for name in {*_names(desk, line), _described(desk, line)}})
    desk.amount(script.amount(net), line["amount"], currency)
    desk.same("percent", [Decimal(n) for n in re.findall(r"[\d.]+", rate)], list(line["tax_rates"] or ()))
    if line["covers_from"]:
        _span(desk, period, line["covers_from"], line["covers_until"])
    if line["unit_price"] is not None:
        desk.same("count", int(script.number(units)), line["quantity"])
        worth = rounded(line["quantity"] * line["unit_price"], currency)
        desk.same("amount", worth, line["amount"])
        if not line["parts"]:
            desk.amount(script.amount(price), line["unit_price"], currency)


def _used(desk: Desk, usage: Row, currency: str) -> str:
    """How a month's use is explained: what is included and what is beyond make up what was used."""
    desk.same("count", usage["granted"] + usage["prepaid"] + usage["over"] >= usage["used"], True)
    desk.same("count", sum(one["units"] for one in usage["priced"]), usage["over"])
    english = desk.script.language == "en"
    unit, used, granted, over = usage["unit"], *(f"{usage[name]:,}" for name in ("used", "granted", "over"))
    prices = [
        f"{one['units']:,} × "
        + format_currency(Decimal(one["unit_price"]), currency, locale=desk.script.language, decimal_quantization=False)
        for one in usage["priced"]
    ]
    if english:
        prepaid = f", {usage['prepaid']:,} taken from the prepaid ones" if usage["prepaid"] else ""
        least = " The least that is charged for this time." if usage["minimum"] else ""
        worth = f": {' + '.join(prices)}" if prices else ""
        return f"{used} {unit} used: {granted} included in the month{prepaid}, {over} beyond{worth}.{least}"
    prepaid = f"、前払い分から {usage['prepaid']:,}" if usage["prepaid"] else ""
    worth = f"：{'＋'.join(prices)}" if prices else ""
    least = "この期間の最低料金です。" if usage["minimum"] else ""
    return f"利用量 {used} {unit}（月の無料分 {granted}{prepaid}、超過 {over}{worth}）{least}"


def _span(desk: Desk, said: str, first: date, until: date) -> None:
    """A time by its first and its last day; one day alone is said once."""
    days = [desk.script.date(day) for day in re.split(" – |～", said)]
    last = max(first, until - DAY)
    desk.same("date", days, [first] if last == first else [first, last])


def _part(desk: Desk, units: str, price: str, part: Row, currency: str, whole: Decimal | None) -> None:
    """Units at a price by the month or the year, for months and days of a month."""
    script, money = desk.script, desk.script.pattern("{v:money}").pattern
    desk.same("count", int(script.number(units)), part["units"])
    found = re.fullmatch(
        rf"(?:({money.replace('?P<v>', '?:')}) ?)?(?:({money.replace('?P<v>', '?:')})(.*?) × (.+))?", price
    )
    if found is None or (found[1] is None) is not (whole is None and bool(part["by"])):
        desk.wrong("unaccounted", price, "a price")
        return
    if whole is not None:
        desk.amount(script.amount(found[1]), whole, currency)
    if found[2]:
        months = 12 if found[3] in (" per year", "（年額）") else 1
        said, right = script.amount(found[2]).value, Decimal(part["price"]) * months
        if abs(said - right) > Decimal("0.000001"):
            desk.wrong("amount", found[2], right)
        desk.same("count", _months_said(found[4]), _months(part))
    elif whole is None:
        desk.amount(script.amount(found[1]), Decimal(part["price"]), currency)


def _months_said(text: str) -> Fraction:
    english = [(int(a), int(b)) for a, b in re.findall(r"(\d+) of (\d+) days?", text)]
    japanese = [(int(a), int(b)) for b, a in re.findall(r"(\d+)日のうち(\d+)日", text)]
    whole = sum(int(n) for n in re.findall(r"(\d+)(?: months?|か月)", text))
    return whole + sum((Fraction(a, b) for a, b in english + japanese), Fraction())


def _months(part: Row) -> Fraction:
    """Months of a part, counted from one day of the month to the next, which a short month ends before."""

    def since(day: date) -> Fraction:
        month = day.year * 12 + day.month - 1
        if start(month) > day:
            month -= 1
        return month + Fraction((day - start(month)).days, (start(month + 1) - start(month)).days)

    def start(month: int) -> date:
        year, number = divmod(month, 12)
        return date(year, number + 1, min(part["by"], monthrange(year, number + 1)[1]))

    return (
        since(date.fromisoformat(part["until"])) - since(date.fromisoformat(part["from"]))
        if part["by"]
        else Fraction(1)
    )


_PRICE_MATCH = re.compile(
    r"Price match for (.+?): (\d+) × \(([\d.]+) - ([\d.]+)\) ([A-Z]{3})"
    r"(?:, less ([\d.]+) that was given back before)?(?:, with tax of ([\d.]+))?"
)


def _described(desk: Desk, line: Row) -> str:
    """What was noted of a line, in the language of the document."""
    noted = str(line["description"])
    if desk.script.language != "ja":
        return noted
    if found := _PRICE_MATCH.fullmatch(noted):
        product, units, paid, now, currency, before, tax = found.groups()
        less = f"、返金済みの{before}を除く" if before else ""
        return f"{product}の差額返金：{units}×（{paid}－{now}）{currency}{less}" + (f"、税額{tax}" if tax else "")
    return re.sub("Goodwill for (.+)", r"\1に関するお詫びの返金", noted) if line["kind"] == "goodwill" else noted


def _names(desk: Desk, line: Row) -> set[str]:
    """What a line of a document is for."""
    facts = desk.facts
    asset = facts.one("asset", asset_id=line["asset_id"])
    sold = facts.one("order_line", order_id=line["order_id"], line_id=line["line_id"])
    return {facts.names[row["product_code"]] for row in (asset, sold) if row} | ({asset["name"]} if asset else set())


def document(desk: Desk, table: str, id: str) -> Row | None:
    """An invoice or a credit note by its number."""
    return desk.facts.one(table, **{f"{table}_id": id})


_REMINDED = {
    "id": {"en": "Invoice", "ja": "請求書"},
    "issued_on": {"en": "Issued on", "ja": "発行日"},
    "since": {"en": "Overdue since", "ja": "期限超過日"},
    "owed": {"en": "Still to be paid", "ja": "未払い額"},
    "total": {"en": "In all", "ja": "合計"},
}


def payment_reminder(desk: Desk) -> None:
    """All that is overdue, each with its days and no more than its amount, and what that is in all."""
    ids = [str(id) for id in desk.facts_named(_REMINDED["id"], "id")]
    issued, since = (list(desk.facts_named(_REMINDED[name], "date")) for name in ("issued_on", "since"))
    owed, totals = (list(desk.facts_named(_REMINDED[name], "money")) for name in ("owed", "total"))
    for id, day, late, amount in zip(ids, issued, since, owed, strict=True):
        row, told = document(desk, "invoice", id), desk.facts.one("invoice_payment", invoice_id=id)
        if row is None or told is None:
            desk.wrong("offer", id, "an invoice of which the ledger has told")
            continue
        desk.same("date", day, row["issued_on"])
        if told["status"] == "overdue":
            desk.same("date", late, told["day"])
        if amount[0] > row["total"]:
            desk.wrong("amount", amount, f"at most {row['total']}")
    if len(ids) > 1:
        desk.same("amount", sum(one[0] for one in totals), sum(one[0] for one in owed))
    desk.fixed({"en": "{n:int} invoices", "ja": "{n:int}件"}, {"en": "{n:int} invoice", "ja": "{n:int}件"})


RULES = {rule.__name__: rule for rule in (order_confirmed, documents, payment_reminder)}
