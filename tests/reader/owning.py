"""Rules for the mails about what a customer owns and is offered: changes, offers, quotes."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.reader.care import in_place, named, seats, use_is
from tests.reader.desk import DAY, Desk, Said
from tests.reader.facts import Row
from tests.reader.tables import PER, quote_lines, rounded

SOON = timedelta(seconds=2)


def _changes(desk: Desk, about: Said | None = None) -> None:
    """Each change as the asset's ledger has it: what, from when, from how many to how many, for how much more a month."""
    facts = desk.facts
    names = list(desk.facts_named({"en": "Product", "ja": "製品"}, "text"))
    kinds = list(desk.facts_named({"en": "Change", "ja": "内容"}, "text"))
    starts = list(desk.facts_named({"en": "From", "ja": "適用開始日"}, "date"))
    units = list(desk.facts_named({"en": "Units", "ja": "数量"}, "text"))
    monthly = list(desk.facts_named({"en": "Per month", "ja": "月額"}, "text"))
    list(desk.facts_named({"en": "Terms", "ja": "条件"}, "text"))
    until = list(desk.facts_named({"en": "Runs until", "ja": "ご利用期限"}, "date"))
    actions = recorded(desk)
    known = {a["asset_id"]: facts.name_of(a) for a in facts.tables["asset"]}
    if not names:
        desk.wrong("unsaid", desk.letter.subject, "what has changed")
    for name, start, counts in zip(names, starts, units, strict=False):
        fitting = [a for a in actions if known.get(a["asset_id"]) == name and facts.day(a["effective"]) == start]
        if not desk.among("offer", name, {known.get(a["asset_id"]) for a in actions}):
            continue
        if not fitting:
            desk.wrong("date", start, ", ".join(str(facts.day(a["effective"])) for a in actions))
            continue
        before, after = (int(desk.script.number(n)) for n in counts.split("→"))
        changed = {a["quantity_change"] for a in fitting}
        if after - before not in changed:
            desk.wrong("count", counts, f"a change by {sorted(changed)}")
        elif after:
            desk.among("count", after, {facts.level(a)[0] for a in fitting})
    _monthly(desk, monthly, actions)
    ends = {facts.day(a["lifecycle_end"] - timedelta(seconds=1)) for a in actions if a["lifecycle_end"]}
    for day in until:
        desk.among("date", day, ends)
    for said in desk.each(
        {"en": "Your contract {id:thing} runs until {end:date}", "ja": "ご契約（{id:thing}）の満了日は{end:date}です"}
    ):
        term = facts.term_at(desk.thing(said["id"], "contract"), desk.letter.created_at + SOON)
        desk.same("date", said["end"], term["until"] - DAY if term else None)
    about = about or desk.first(
        {"en": "Confirmation: changes to your {name} and more\n", "ja": "】{name}ほかご契約内容変更のご確認"}
    )
    about = about or desk.first(
        {"en": "Confirmation: changes to your {name}\n", "ja": "】{name}ご契約内容変更のご確認"}
    )
    if about:
        desk.same("offer", about["name"], names[0] if names else None)
    _ = kinds


def recorded(desk: Desk) -> list[Row]:
    """What was done to assets when the mail was written; what a quote sold is on record as of its version."""
    facts, at = desk.facts, desk.letter.created_at
    accepted = {
        e["quote_id"] for e in facts.tables["quote_event"] if e["state"] == "accepted" and abs(e["at"] - at) < SOON
    }
    instants = [at, *(v["as_of"] for v in facts.tables["quote_version"] if v["quote_id"] in accepted)]
    return [
        a
        for a in facts.tables["action"]
        if a["recorded_at"] and any(abs(a["recorded_at"] - one) < SOON for one in instants)
    ]


def _monthly(desk: Desk, said: list[str], actions: list[Row]) -> None:
    """What a month costs before and after a change, each to the smallest unit."""
    right = set()
    for action in actions:
        (_, after), change = desk.facts.level(action), action["mrr_change"] or Decimal(0)
        right.add(tuple(rounded(value, _currency(desk, action)) for value in (after - change, after)))
    for text in said:
        try:
            before, after = (desk.script.amount(part).value for part in text.split("→"))
        except ValueError:
            desk.wrong("unaccounted", text, "two amounts")
            continue
        desk.among("amount", (before, after), right)


def _currency(desk: Desk, action: Row) -> str:
    asset = desk.facts.one("asset", asset_id=action["asset_id"])
    return asset["currency"] if asset else "EUR"


def assets_changed(desk: Desk) -> None:
    """Changes that were asked for."""
    _changes(desk)


def assets_received(desk: Desk) -> None:
    """What was handed over to them."""
    _changes(desk, desk.first({"en": "Confirmation: {name} is yours\n", "ja": "】{name}譲受のご確認"}))


def assets_transferred(desk: Desk) -> None:
    """What was handed over by them."""
    _changes(desk, desk.first({"en": "Confirmation: {name} handed over\n", "ja": "】{name}譲渡完了のご確認"}))


def upsell_offer(desk: Desk) -> None:
    """More of what is nearly used up, at its price, on the table until the end of the day that is named."""
    in_place(desk)
    facts = desk.facts
    offer_id = desk.thing(desk.fact({"en": "Offer", "ja": "提案番号"}, "text") or "", "offer")
    asked = {"en": "mention the offer’s number, {id:id}.", "ja": "提案番号（{id:id}）を"}
    desk.to_answer(asked, offer_id, "offer")
    offer = facts.one("offer", offer_id=offer_id)
    if offer is None:
        desk.wrong("offer", offer_id, "an offer that is on record")
        return
    asset = facts.one("asset", asset_id=offer["asset_id"])
    product = facts.name_of(asset) if asset else ""
    use = seats(desk, {"en": "o", "ja": ""}, {"en": "", "ja": ""})
    if use:
        use_is(desk, dict(use), product)
    said = desk.first({"en": "we would like to offer you {add:int} more"})
    if said:
        desk.same("count", said["add"], offer["add_quantity"])
    more = desk.fact({"en": "Additional seats", "ja": "追加席数"}, "text")
    desk.same("count", int(desk.script.number(re.sub(r"\D+$", "", more or "0"))), offer["add_quantity"])
    price = desk.fact({"en": "Price of a seat", "ja": "1席あたりの価格"}, "text")
    if price:
        ending = next((words for words in PER[desk.script.language] if price.endswith(words)), "")
        desk.amount(desk.script.amount(price.removesuffix(ending)), offer["unit_price"], offer["currency"])
        if asset:
            desk.same("amount", PER[desk.script.language].get(ending), asset["price_per"])
    change = desk.fact({"en": "Change of your monthly amount", "ja": "月額の増加分"}, "money")
    if change:
        desk.amount(change, rounded(offer["mrr_change"], offer["currency"]), offer["currency"])
    day = desk.fact({"en": "Valid until", "ja": "有効期限"}, "date")
    if day is not None:
        _valid_all_day(desk, day, offer["expires_at"])
    if about := desk.first({"en": "More seats for {name}\n", "ja": "】{name}の席数追加のご提案"}):
        desk.same("offer", about["name"], product)
    if good := desk.first({"en": "\n{name} is in good use at {company}:"}):
        desk.same("offer", good["name"], product)
        desk.same("name", good["company"], facts.account["name"])
    named(desk, product)
    if offer["settled_at"] and offer["settled_at"] <= desk.at:
        desk.wrong("offer", offer_id, f"it is {offer['status']}")


def _valid_all_day(desk: Desk, day: date, expires: datetime) -> None:
    """What is valid until a day can be accepted on all of it."""
    last = desk.facts.day(expires - timedelta(seconds=1))
    first_after = desk.facts.day(expires)
    if first_after <= day:
        desk.wrong(
            "date",
            day,
            f"it lapses at {expires.astimezone(desk.facts.zone):%Y-%m-%d %H:%M}, so the last whole day is {last - DAY}",
        )
    elif last != day:
        desk.wrong("date", day, last)


def upsell_confirmed(desk: Desk) -> None:
    """More seats are theirs from the day of their yes."""
    facts = desk.facts
    offers = [
        o
        for o in facts.tables["offer"]
        if o["settled_at"] and abs((o["settled_at"] - desk.letter.created_at).total_seconds()) < 2
    ]
    if not offers:
        desk.wrong("offer", desk.letter.subject, "no offer was accepted then")
        return
    offer = offers[0]
    asset = facts.one("asset", asset_id=offer["asset_id"])
    product = desk.fact({"en": "Product", "ja": "製品"}, "text")
    desk.same("offer", product, facts.name_of(asset) if asset else None)
    said = desk.must(
        {"en": "The additional seats are yours from {day:date}", "ja": "{day:date}より、次の内容でご利用いただけます"}
    )
    if said:
        desk.same("date", said["day"], facts.day(offer["settled_at"]))
    seats = desk.fact({"en": "Seats in total", "ja": "追加後の席数"}, "text")
    held = {
        p["quantity"] for p in facts.rows("period", asset_id=offer["asset_id"])
        if p["starts_at"] <= desk.at and (p["ends_at"] is None or desk.at < p["ends_at"])
    }  # fmt: skip
    desk.among("count", int(desk.script.number(re.sub(r"\D+$", "", seats or "0"))), held)
    change = desk.fact({"en": "Change of your monthly amount", "ja": "月額の増加分"}, "money")
    if change:
        desk.amount(change, rounded(offer["mrr_change"], offer["currency"]), offer["currency"])
    if about := desk.first({"en": "Your additional seats for {name}\n", "ja": "】{name}の席数追加のご確認"}):
        desk.same("offer", about["name"], product)


def _in_addition(desk: Desk, lines: list[dict[str, Any]]) -> None:
    """Units that come beside those that they have: as many as the quote has, and in all what they have then."""
    for words in (
        {"en": "- {n:int} more of {product} from {day:date} until {last:date}; {whole:int} in all\n",
         "ja": "- {product}：{n:int}を追加（{day:date}～{last:date}）、合計{whole:int}\n"},
        {"en": "- {n:int} more of {product} from {day:date}; {whole:int} in all\n",
         "ja": "- {product}：{n:int}を追加（{day:date}～）、合計{whole:int}\n"},
    ):  # fmt: skip
        for said in desk.each(words):
            desk.among("count", said["n"], [line["quantity"] for line in lines])
            held = {said["n"] + row["quantity"] for row in desk.facts.tables["period"]}
            desk.among("count", said["whole"], held)
            if "last" in said:
                ends = {
                    desk.facts.day(row["ends_at"] - timedelta(seconds=1))
                    for row in desk.facts.tables["period"]
                    if row["ends_at"]
                }
                desk.among("date", said["last"], ends)


def quote_presented(desk: Desk) -> None:
    """The version of a quote that is on record, with its lines, its total, and the last day on which it can be accepted."""
    facts = desk.facts
    numbers, ids, days = [], [], []
    for words in (
        {
            "en": "Your quote {id:thing}, version {n:int}, valid until {day:date}",
            "ja": "お見積り（{id:thing}・第{n:int}版）のご案内",
        },
        {"en": "Your quote {id:thing}, valid until {day:date}", "ja": "お見積り（{id:thing}）のご案内"},
        {
            "en": "This is our quote {id:thing} (version {n:int}, which replaces the one before)",
            "ja": "（見積番号：{id:thing}、第{n:int}版。",
        },
        {"en": "This is our quote {id:thing}:", "ja": "（見積番号：{id:thing}）"},
    ):
        for said in desk.each(words):
            ids.append(desk.thing(said["id"], "quote"))
            numbers += [said["n"]] if "n" in said else []
            days += [said["day"]] if "day" in said else []
    versions = [
        row
        for row in facts.tables["quote_version"]
        if row["quote_id"] in ids and abs((row["as_of"] - desk.letter.created_at).days) < 400
    ]
    version = next((row for row in versions if not numbers or row["version"] == numbers[0]), None)
    if version is None:
        desk.wrong("offer", ", ".join(ids), "a quote that is on record")
        return
    for said_id in ids:
        desk.same("offer", said_id, version["quote_id"])
    for number in numbers:
        desk.same("count", number, version["version"])
    asked = {"en": "mention the quote’s number, {id:id}.", "ja": "見積番号（{id:id}）を"}
    desk.to_answer(asked, version["quote_id"], "quote")
    days += desk.facts_named({"en": "Valid until", "ja": "見積有効期限"}, "date")
    for day in days:
        _valid_all_day(desk, day, version["valid_until"])
    lines, total = quote_lines(desk)
    if total:
        desk.amount(total, rounded(version["amount"], version["currency"]), version["currency"])
        if lines and sum((line["amount"].value for line in lines), Decimal(0)) != total.value:
            desk.wrong("amount", total.value, sum(line["amount"].value for line in lines))
    _quoted(desk, version, lines)
    _in_addition(desk, lines)
    change = desk.fact({"en": "Change of your monthly amount", "ja": "月額の増減"}, "money")
    if change:
        monthly = sum((Decimal(line["monthly"]) for line in version["body"]["lines"]), Decimal(0))
        desk.amount(change, rounded(monthly, version["currency"]), version["currency"])


def _quoted(desk: Desk, version: Row, said: list[dict[str, Any]]) -> None:
    """The lines of the version that is on record: what, how many, at which price, for how much."""
    right = [
        (one["name"], int(one["quantity"]), Decimal(one["pricing"]["net_price"]), Decimal(one["amount"]))
        for one in version["body"]["lines"]
    ]
    for line in said:
        told = (line["product"], line["quantity"], line["price"].value, line["amount"].value)
        if told in right:
            right.remove(told)
        else:
            desk.wrong("offer", told, " or ".join(map(str, right)) or "nothing more")


RULES = {
    rule.__name__: rule
    for rule in (
        assets_changed, assets_received, assets_transferred, upsell_offer, upsell_confirmed, quote_presented,
    )
}  # fmt: skip
