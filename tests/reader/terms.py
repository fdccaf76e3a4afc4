"""Rules for the mails about contracts: notices, renewals, ends."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from tests.reader.desk import DAY, Desk
from tests.reader.facts import Row
from tests.reader.renewing import asked_why, by_itself, may_say_no, months_between, value, version_of
from tests.reader.repriced import each_line
from tests.reader.tables import quote_lines, rounded, span_of

SOON = timedelta(seconds=2)
SHORTEST_MONTH = 28


def _contract(desk: Desk, said: str) -> Row | None:
    contract = desk.facts.one("contract", contract_id=said)
    if contract is None:
        desk.wrong("offer", said, "a contract of theirs")
    return contract


def _about(desk: Desk, *words: dict[str, str]) -> Row | None:
    """The contract that the mail is about: the same in all its sentences."""
    ids = [desk.thing(said["id"], "contract") for one in words for said in desk.each(one)]
    if not ids:
        desk.wrong("unsaid", desk.letter.subject, "which contract it is about")
        return None
    for other in ids[1:]:
        desk.same("offer", other, ids[0])
    return _contract(desk, ids[0])


def renewal_notice(desk: Desk) -> None:
    """When the term ends, by when to answer so that the answer counts, and what the next term costs."""
    facts = desk.facts
    ends: list[date] = []
    ids: list[str] = []
    for words in (
        {"en": "Your contract {id:thing} renews after {end:date}"},
        {"en": "Your contract {id:thing} ends on {end:date}"},
        {"en": "The current term of your contract {id:thing} ends on {end:date}",
         "ja": "ご契約（{id:thing}）の契約期間は、{end:date}をもって満了いたします"},
        {"ja": "ご契約（{id:thing}）自動更新のお知らせ"},
        {"ja": "ご契約（{id:thing}）満了のお知らせ"},
    ):  # fmt: skip
        for said in desk.each(words):
            ids.append(desk.thing(said["id"], "contract"))
            ends += [said["end"]] if "end" in said else []
    contract = _contract(desk, ids[0]) if ids else None
    if contract is None:
        desk.wrong("unsaid", desk.letter.subject, "which contract it is about")
        return
    term = facts.term_at(contract["contract_id"], desk.letter.created_at)
    if term is None:
        desk.wrong("offer", ids[0], "a contract with a term")
        return
    last = term["until"] - DAY
    for said_end in ends:
        desk.same("date", said_end, last)
    for said_id in ids:
        desk.same("offer", said_id, contract["contract_id"])
    left = desk.first({"en": ", in {days:int} days", "ja": "（満了まであと{days:int}日）"}) or desk.first(
        {"en": ", in {days:int} day"}
    )
    if left:
        desk.same("count", left["days"], (last - desk.today).days)
    if last < desk.today:
        desk.wrong("date", last, "the term is over")
    value(desk, contract, term)
    _by_itself(desk, contract, term)
    _next_term(desk, contract, term)


def _by_itself(desk: Desk, contract: Row, term: Row) -> None:
    """Whether the contract renews by itself, and the last day on which the customer can still choose."""
    automatic = desk.first(
        {
            "en": "the contract renews by itself for the next term",
            "ja": "本契約は自動更新のため、継続にあたってお手続きの必要はございません",
        }
    )
    manual = desk.first({"en": "The contract does not renew by itself", "ja": "本契約は自動では更新されません"})
    if contract["auto_renew"] != (automatic is not None) or contract["auto_renew"] == (manual is not None):
        desk.wrong(
            "offer",
            "renews by itself" if automatic else "does not renew by itself",
            f"auto_renew is {contract['auto_renew']}",
        )
    last = desk.facts.last_notice_day(contract, term) if contract["auto_renew"] else term["until"] - DAY
    gone = desk.first(
        {
            "en": "Notice could be given until {day:date}",
            "ja": "更新を希望されない旨のお申し出の期限は、{day:date}でございました",
        }
    )
    by = None
    for words in (
        {"en": "If you do not wish to renew it, please let us know by {day:date}", "ja": "更新を希望されない場合は、恐れ入りますが{day:date}までに"},
        {"en": "If you would like to continue without interruption, please let us know by {day:date}",
         "ja": "引き続きご利用いただける場合は、お手数ですが{day:date}までに"},
    ):  # fmt: skip
        by = by or desk.first(words)
    if said := by or gone:
        desk.same("date", said["day"], last)
    if by and by["day"] < desk.today:
        desk.wrong("date", by["day"], "a day on which the answer is still taken")
    if gone and gone["day"] >= desk.today:
        desk.wrong("date", gone["day"], "they can still choose")
    may_say_no(desk, gone is not None)
    if not said:
        desk.wrong("unsaid", desk.letter.subject, f"by when to answer: {last}")


def _next_term(desk: Desk, contract: Row, term: Row, *, held_until: date | None = None) -> None:
    """What the next term costs; in grace the offer holds as long as everything runs (`held_until`)."""
    quote = desk.first({"en": "(quote {id:id})", "ja": "（見積番号：{id:id}）"}) or desk.first(
        {"en": "(quote {id:id}, version {version:int})", "ja": "（見積番号：{id:id}、第{version:int}版）"}
    )
    if quote is None:
        return
    offered = version_of(desk, contract, term, quote.get("version", 1))
    asked = {"en": "mention the contract’s number, {id:id}.", "ja": "契約番号（{id:id}）を"}
    desk.to_answer(asked, contract["contract_id"], "contract")
    facts = desk.facts
    number, currency = term["number"] + 1, contract["currency"]
    row = facts.one("renewal_quote", quote_id=quote["id"])
    if row is None or (row["contract_id"], row["term"]) != (contract["contract_id"], number):
        desk.wrong("offer", quote["id"], f"the quote of term {number} of {contract['contract_id']}")
    begins = term["until"]
    span = desk.fact({"en": "Next term", "ja": "契約期間"}, "text")
    ends = None
    if span:
        first, ends = span_of(desk, span)
        desk.same("date", first, begins)
        following = facts.one("contract_term", contract_id=contract["contract_id"], number=number)
        if following and not following["moves"]:
            desk.same("date", ends, following["until"] - DAY)
        elif begins.day <= SHORTEST_MONTH:
            months = begins.month - 1 + (offered.get("months") or contract["renewal_months"])
            desk.same("date", ends, begins.replace(year=begins.year + months // 12, month=months % 12 + 1) - DAY)
    valid = desk.fact({"en": "Valid until", "ja": "見積有効期限"}, "date")
    desk.same("date", valid, None if contract["auto_renew"] else held_until or term["until"] - DAY)
    lines, total = quote_lines(desk)
    if total is not None and sum((line["amount"].value for line in lines), Decimal(0)) != total.value:
        desk.wrong("amount", total.value, sum(line["amount"].value for line in lines))
    if row and total and abs((row["quoted_at"] - desk.letter.created_at).total_seconds()) < 2:
        desk.amount(total, row["total"], currency)
    months = months_between(begins, ends + DAY) if ends else None
    each_line(desk, contract, term, lines, months, offered)
    by_itself(desk, contract, term, offered)


def renewal_confirmed(desk: Desk) -> None:
    """The next term is on record, sold as the mail says, for what was quoted."""
    contract = _about(
        desk,
        {"en": "Your contract {id:thing} is renewed", "ja": "ご契約（{id:thing}）更新のお知らせ"},
        {
            "en": "your contract {id:thing} has been renewed automatically",
            "ja": "ご契約（{id:thing}）は、契約条件に基づき自動更新されました",
        },
        {
            "en": "Thank you for renewing your contract {id:thing}.",
            "ja": "このたびはご契約（{id:thing}）をご更新いただき",
        },
    )
    if contract is None:
        return
    said_id = desk.fact({"en": "Contract", "ja": "契約番号"}, "text")
    desk.same("offer", desk.thing(said_id or "", "contract"), contract["contract_id"])
    known = desk.facts.known_by(
        desk.letter.created_at + SOON, "contract_term", "recorded_at", contract_id=contract["contract_id"]
    )
    term = known[-1]
    automatic = "automatically" in desk.letter.text or "自動更新されました" in desk.letter.text
    if automatic != (term["origin"] == "automatic"):
        desk.wrong(
            "offer", "renewed automatically" if automatic else "renewed by you", f"the term was {term['origin']}"
        )
    span = desk.fact({"en": "New term", "ja": "新しい契約期間"}, "text")
    if span:
        first, last = span_of(desk, span)
        desk.same("date", first, term["start_on"])
        if not term["moves"]:
            desk.same("date", last, term["until"] - DAY)
    lines, total = quote_lines(desk)
    quote = desk.facts.one("renewal_quote", contract_id=contract["contract_id"], term=term["number"])
    if total and quote:
        desk.amount(total, rounded(quote["total"], quote["currency"]), quote["currency"])
    elif not total or not quote:
        desk.wrong("unsaid", desk.letter.subject, "what the next term costs")
    before = desk.facts.one("contract_term", contract_id=contract["contract_id"], number=term["number"] - 1)
    if before:
        months = None if term["moves"] else months_between(term["start_on"], term["until"])
        each_line(desk, contract, before, lines, months, _agreed(desk, contract, term))


def _agreed(desk: Desk, contract: Row, term: Row) -> Row:
    """What the version that was offered last says of a term that was accepted; one that began by itself is not of a version."""
    versions = desk.facts.rows(
        "renewal_version", contract_id=contract["contract_id"], term=term["number"], state="offered"
    )
    last = max(versions, key=lambda row: row["version"], default=None)
    return last if last and term["origin"] != "automatic" else {}


def renewal_declined(desk: Desk) -> None:
    """The contract runs to the end of its term and was declined."""
    contract = _about(
        desk,
        {"en": "Your contract {id:thing} will not be renewed", "ja": "ご契約（{id:thing}）満了のご確認"},
        {"en": "Your contract {id:thing} has ended"},
        {"en": "renew your contract {id:thing}.", "ja": "ご契約（{id:thing}）を更新されない旨"},
    )
    over = desk.first({"en": "It has ended today, {day:date}", "ja": "本日（{day:date}）をもって終了いたしました"})
    after_the_end(desk, contract)
    if over:
        desk.same("date", over["day"], desk.today)
        asked_why(desk, contract)
        return
    _stays(desk, contract, {"active", "grace", "declined"})
    asked_why(desk, contract)
    said = desk.must({"en": "It runs as usual until {end:date}", "ja": "契約期間の満了日である{end:date}までは"})
    if contract and said:
        term = desk.facts.term_at(contract["contract_id"], desk.letter.created_at)
        desk.same("date", said["end"], term["until"] - DAY if term else None)


def _stays(desk: Desk, contract: Row | None, running: set[str]) -> None:
    """Nobody is told farewell while another contract of theirs runs, nor that something goes on where nothing does."""
    if contract is None:
        return
    said = desk.first(
        {"en": "has with us goes on as before", "ja": "その他のご契約・ご購入品につきましては、これまでどおり"}
    )
    goes_on, term = said is not None, desk.facts.term_at(contract["contract_id"], desk.letter.created_at)
    end = max(desk.letter.created_at, term["ends_at"]) if term else desk.letter.created_at
    lasting = any(one["quantity"] and one["ends_at"] and one["ends_at"] > end for one in desk.facts.rows("period"))
    others = [
        row for row in desk.facts.rows("contract")
        if row["contract_id"] != contract["contract_id"]
        and (first := desk.facts.term_at(row["contract_id"], desk.letter.created_at)) is not None
        and (row["status"] in running or row["status_at"] > desk.letter.created_at) and first
    ]  # fmt: skip
    if goes_on and not others and not lasting:
        desk.wrong("offer", "what else they have", "nothing else goes on")
    if not goes_on and any(row["status"] == "active" for row in others):
        desk.wrong("unsaid", desk.letter.subject, "that another contract goes on")


def renewal_grace(desk: Desk) -> None:
    """The term has ended; everything runs, and an answer counts, to the end of the day that is named."""
    contract = _about(
        desk,
        {"en": "Your contract {id:thing} has run out", "ja": "ご契約（{id:thing}）の期間満了について"},
        {"en": "The term of your contract {id:thing}", "ja": "ご契約（{id:thing}）の契約期間は"},
    )
    ended = desk.must({"en": "ended on {end:date}", "ja": "{end:date}に満了いたしました"})
    until = desk.must(
        {"en": "we keep everything running for you until {day:date}", "ja": "{day:date}までは引き続きご利用いただける"}
    )
    if contract is None:
        return
    term = desk.facts.term_at(contract["contract_id"], desk.letter.created_at)
    if ended:
        desk.same("date", ended["end"], term["until"] - DAY if term else None)
    if term:
        _next_term(desk, contract, term, held_until=until["day"] if until else None)
    if until is None:
        return
    if until["day"] < desk.today:
        desk.wrong("date", until["day"], "a day to come")
    if told := _grace_told(desk, contract):
        desk.same("date", until["day"], told[-1])
    if contract["status"] == "ended" and contract["status_reason"] == "no answer":
        day = desk.facts.day(contract["status_at"] - timedelta(seconds=1))
        later = [
            t
            for t in desk.facts.rows("contract_term", contract_id=contract["contract_id"])
            if term and t["number"] > term["number"]
        ]
        end_of_day = desk.facts.day(contract["status_at"]) > until["day"]
        if not later and not end_of_day:
            desk.wrong(
                "date",
                until["day"],
                f"the contract ended on {day}, {contract['status_at']}: no answer was taken on the rest of that day",
            )


def _grace_told(desk: Desk, contract: Row) -> list[date]:
    """The last days of grace that are on record by then, the latest at the end."""
    found = re.compile(rf"Term of {re.escape(contract['contract_id'])} ended without an answer; grace until (\S+)")
    rows = sorted(desk.facts.tables["journal"], key=lambda row: row["at"])
    return [
        date.fromisoformat(match[1]) for row in rows if row["at"] <= desk.at and (match := found.search(row["title"]))
    ]


def contract_ended(desk: Desk) -> None:
    """The day on which it ended, not before it came."""
    contract = _about(
        desk,
        {"en": "Your contract {id:thing} has ended", "ja": "ご契約（{id:thing}）終了のお知らせ"},
        {"en": "Your contract {id:thing} ended on", "ja": "ご契約（{id:thing}）は、"},
    )
    said = desk.must({"en": " {end:date}.", "ja": "{end:date}をもって終了いたしました"})
    if contract is None or said is None:
        return
    _stays(desk, contract, {"active", "grace", "declined"})
    after_the_end(desk, contract)
    asked_why(desk, contract)
    goes_on = list(desk.facts_named({"en": "Runs until", "ja": "ご利用期限"}, "date"))
    ends = {
        desk.facts.day(one["ends_at"] - timedelta(seconds=1)) for one in desk.facts.rows("period") if one["ends_at"]
    }
    for day in goes_on:
        desk.among("date", day, ends)
    if contract["status"] != "ended" and not goes_on:
        desk.wrong("offer", desk.letter.subject, f"the contract is {contract['status']}")
    right = _ended_on(desk, contract)
    desk.among("date", said["end"], right)
    if said["end"] > desk.today:
        desk.wrong("date", said["end"], "a day that has come")


def contract_news(desk: Desk) -> None:
    """What a main contact hears of a contract whose price others know: until when it runs, or on which day it ended."""
    company = {"en": "your company’s contract {id:thing}", "ja": "貴社のご契約（{id:thing}）"}
    contract = _about(
        desk,
        {"en": "contract {id:thing} and its next term", "ja": "ご契約（{id:thing}）の次期について"},
        {"en": "contract {id:thing} is renewed", "ja": "ご契約（{id:thing}）更新のご報告"},
        {"en": "contract {id:thing} will not be renewed", "ja": "ご契約（{id:thing}）満了のご報告"},
        {"en": "contract {id:thing} has ended", "ja": "ご契約（{id:thing}）終了のご報告"},
        company,
    )
    for row in desk.facts.tables["contact"]:
        desk.own_words(row["name"])
    if contract is None:
        return
    terms = list(desk.facts.rows("contract_term", contract_id=contract["contract_id"]))
    ends = {term["until"] - DAY for term in terms}
    to_say_no = {desk.facts.last_notice_day(contract, term) for term in terms}
    for words, right in (
        ({"en": "runs until {day:date}", "ja": "現在の期間は{day:date}まで"}, ends),
        ({"en": "it runs as usual until {day:date}", "ja": "{day:date}まではこれまでどおりご利用いただけ"}, ends),
        ({"en": "and runs until {day:date}", "ja": "が更新され、{day:date}までご利用いただけます"}, ends),
        ({"en": "its last day was {day:date}", "ja": "{day:date}をもって終了いたしました"}, ends | _ended_on(desk, contract)),
        ({"en": "it can be said until {day:date}", "ja": "お申し出の期限は、{day:date}で"}, to_say_no),
    ):  # fmt: skip
        for said in desk.each(words):
            desk.among("date", said["day"], right)
    if contract["status"] == "ended":
        _stays(desk, contract, {"active", "grace", "declined"})


def after_the_end(desk: Desk, contract: Row | None) -> None:
    """The last day of access, until when data can be asked for, and the day after which nothing is invoiced."""
    if contract is None:
        return
    terms = desk.facts.rows("contract_term", contract_id=contract["contract_id"])
    last = {term["until"] - DAY for term in terms} | _ended_on(desk, contract)
    for words in (
        {"en": "{day:date} is the last day on which", "ja": "ご利用の最終日は、{day:date}で"},
        {"en": "For the time after {day:date} nothing is invoiced", "ja": "{day:date}より後の期間につきましては"},
    ):
        for said in desk.each(words):
            desk.among("date", said["day"], last)
    promised = desk.facts.terms_of_play()["renewal"].get("export_days")
    for said in desk.each(
        {"en": "Until {day:date} you can ask us for an export", "ja": "データの書き出しは、{day:date}まで"}
    ):
        desk.among(
            "date", said["day"], {day + timedelta(days=promised) for day in last} if promised is not None else set()
        )


def _ended_on(desk: Desk, contract: Row) -> set[date]:
    """The last day of the term, or of the grace that was given after it."""
    facts = desk.facts
    grace = _grace_told(desk, contract)
    term = facts.term_at(contract["contract_id"], desk.letter.created_at)
    if grace and term and grace[-1] >= term["until"] - DAY and contract["status_reason"] == "no answer":
        return {grace[-1]}
    if contract["status_reason"] in ("declined", "no answer") and term:
        return {term["until"] - DAY}
    last = {facts.day(contract["status_at"] - timedelta(seconds=1)), facts.day(contract["status_at"])}
    return last | ({term["until"] - DAY} if term else set())


RULES = {
    rule.__name__: rule
    for rule in (
        renewal_notice, renewal_confirmed, renewal_declined, renewal_grace, contract_ended, contract_news,
    )
}  # fmt: skip
