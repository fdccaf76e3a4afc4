"""Rules for the lines of what our own people are told: what changed of what a customer owns, money, use, orders, scores, tasks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from tests.reader import revising, scoring
from tests.reader.care import rhythm, use_is
from tests.reader.desk import Desk
from tests.reader.facts import Row
from tests.reader.owning import recorded
from tests.reader.tables import rounded

DAY_OF = r"(?P<day>\d{4}-\d\d-\d\d)"
END_OF = r"(?: until (?P<end>\d{4}-\d\d-\d\d))?"
END_OF_JA = r"(?:(?P<end>\d{4}-\d\d-\d\d)まで)?"
MONEY = r"(?P<amount>-?[\d.]+) (?P<currency>[A-Z]{3})"
SOON = timedelta(seconds=2)


def _name(found: re.Match[str]) -> str:
    """The product that a line is about, without what the line begins with."""
    return str(found["product"]).strip(" -[【\0")


def _of(desk: Desk, product: str) -> list[Row]:
    """What was done then to things of that name."""
    names = {asset["asset_id"]: desk.facts.name_of(asset) for asset in desk.facts.tables["asset"]}
    return [action for action in recorded(desk) if names.get(action["asset_id"]) == product]


def _change(desk: Desk, found: re.Match[str]) -> None:
    """A change of so many units and so much a month, on that day, is in the ledger."""
    said = {**found.groupdict(), "product": _name(found)}
    actions = _of(desk, said["product"])
    if not desk.among(
        "offer", said["product"], {desk.facts.names[row["product_code"]] for row in desk.facts.tables["asset"]}
    ):
        return
    if said.get("other"):
        desk.among("offer", said["other"], set(desk.facts.names.values()))
    day = date.fromisoformat(said["day"])
    fitting = [action for action in actions if desk.facts.day(action["effective"]) == day]
    if not fitting:
        desk.wrong("date", said["day"], [str(desk.facts.day(action["effective"])) for action in actions])
        return
    if said.get("was"):
        pairs = {((level := desk.facts.level(a)[0]) - a["quantity_change"], level) for a in fitting}
        desk.among("count", (int(said["was"]), int(said["now"])), pairs)
    elif said.get("stay"):
        desk.among("count", int(said["stay"]), {desk.facts.level(a)[0] for a in fitting})
    elif said.get("n"):
        desk.among("count", int(said["n"]), {abs(a["quantity_change"]) for a in fitting})
    if said.get("end"):
        ends = {desk.facts.day(a["lifecycle_end"] - timedelta(seconds=1)) for a in fitting if a["lifecycle_end"]}
        desk.among("date", date.fromisoformat(said["end"]), ends)
    if said.get("amount"):
        assets = {asset["asset_id"]: asset for asset in desk.facts.tables["asset"]}
        right = {
            (
                rounded(a["mrr_change"] or Decimal(0), assets[a["asset_id"]]["currency"]),
                assets[a["asset_id"]]["currency"],
            )
            for a in fitting
        }
        desk.among("amount", (Decimal(said["amount"]), said["currency"]), right)


def _cancelled(desk: Desk, found: re.Match[str]) -> None:
    ends = {
        desk.facts.day(action["lifecycle_end"] - timedelta(seconds=1))
        for action in _of(desk, _name(found))
        if action["lifecycle_end"]
    }
    desk.among("date", date.fromisoformat(found["day"]), ends)


def _given_back(desk: Desk, found: re.Match[str]) -> None:
    lines = {(row["order_id"], row["line_id"]): row["product_code"] for row in desk.facts.tables["order_line"]}
    right = {
        (claim["amount"], claim["currency"], desk.facts.names.get(lines.get((claim["order_id"], claim["line_id"]), "")))
        for claim in desk.facts.tables["refund_claim"]
    }
    product = _name(found) if found["product"] else next((name for *_, name in right), None)
    desk.among("amount", (Decimal(found["amount"]), found["currency"], product), right)


def _quoted(desk: Desk, found: re.Match[str]) -> None:
    """What a quote came to, by the version that was answered."""
    rows = [row for row in desk.facts.tables["quote_version"] if row["quote_id"] in desk.letter.text]
    desk.among(
        "amount", (Decimal(found["amount"]), found["currency"]), {(row["amount"], row["currency"]) for row in rows}
    )


def _version(desk: Desk, found: re.Match[str]) -> None:
    rows = [row for row in desk.facts.tables["quote_version"] if row["quote_id"] in desk.letter.text]
    desk.among("count", int(found["version"]), {row["version"] for row in rows})


def _renewed_for(desk: Desk, found: re.Match[str]) -> None:
    right = {(row["total"], row["currency"]) for row in desk.facts.tables["renewal_quote"]}
    desk.among("amount", (Decimal(found["amount"]), found["currency"]), right)


def _quiet(desk: Desk, found: re.Match[str]) -> None:
    days, usual = rhythm(desk.facts, desk.letter.created_at)
    desk.same("count", int(found["n"]), (desk.today - days[-1]).days if days else None)
    desk.same("count", int(found["rhythm"]), usual)


def _onboarding(desk: Desk, found: re.Match[str]) -> None:
    tasks = desk.facts.tables["onboarding_task"]
    stages: dict[str, list[Row]] = {}
    for row in tasks:
        stages.setdefault(row["stage"], []).append(row)
    right = set()
    for some in (*stages.values(), tasks):
        done = [row for row in some if row["completed_at"] and row["completed_at"] <= desk.at]
        late = [row for row in some if row not in done and row["due_on"] < desk.today]
        right.add((len(done), len(some), len(late)))
    desk.among("count", (int(found["done"]), int(found["total"]), int(found["late"] or 0)), right)


def _score(desk: Desk, found: re.Match[str]) -> None:
    tables = ("survey", "case_survey")
    scale = int(found["scale"])
    kind = {10: "nps", 7: "ces"}.get(scale)
    scores = {row["score"] for table in tables for row in desk.facts.tables[table] if row.get("kind") == kind}
    desk.among("count", int(found["score"]), scores)


def _seats(desk: Desk, found: re.Match[str]) -> None:
    use_is(desk, {"active": int(found["active"]), "seats": int(found["seats"])}, _name(found))


def _offered(desk: Desk, found: re.Match[str]) -> None:
    _seats(desk, found)
    _more(desk, found)


def _more(desk: Desk, found: re.Match[str]) -> None:
    desk.among("count", int(found["n"]), {row["add_quantity"] for row in desk.facts.tables["offer"]})


def _sold(desk: Desk, found: re.Match[str]) -> None:
    _more(desk, found)
    held = {desk.facts.names[code]: units for code, units in desk.facts.held(desk.at).items()}
    desk.same("count", int(found["seats"]), held.get(_name(found)))


def _who(desk: Desk, found: re.Match[str]) -> None:
    """Our people are named as they are called; who decided on money is one of those who did."""
    names = {row["staff_id"]: row["name"] for row in desk.facts.tables["staff"]}
    if found[0].startswith(("Decided by", "決定")):
        ids = {claim["decided_by"] for claim in desk.facts.tables["refund_claim"]}
        names = {id: name for id, name in names.items() if id in ids}
    desk.among("name", found["who"], set(names.values()))


def _comes_back(desk: Desk, found: re.Match[str]) -> None:
    """So long after the last contract has ended, on a day on which people work."""
    after = desk.facts.terms_of_play()["renewal"].get("win_back_after", 90)
    ended = [desk.facts.day(row["status_at"]) for row in desk.facts.rows("contract", status="ended")]
    right = {day + timedelta(days=after + more) for day in ended for more in range(6)}
    desk.among("date", date.fromisoformat(found["day"]), right)


def _low_again(desk: Desk, found: re.Match[str]) -> None:
    """So many answers of theirs within a year before were those of somebody unhappy: six or less of ten, three or less of seven."""
    low = [
        row
        for row in desk.facts.tables["survey"]
        if row["score"] is not None
        and row["score"] <= {"nps": 6, "ces": 3}[row["kind"]]
        and timedelta(0) <= desk.letter.created_at - row["answered_at"] < timedelta(days=365)
    ]
    desk.same("count", int(found["n"]), len(low))


def _seen(desk: Desk, found: re.Match[str]) -> None:
    """A count that the rule of the title holds against the facts."""


def _days_late(desk: Desk, found: re.Match[str]) -> None:
    known = {
        (desk.today - row["due_on"]).days
        for row in desk.facts.tables["onboarding_task"]
        if found["task"].strip(" -") in row["title"].values()
    }
    desk.among("count", int(found["n"]), known)


_WHAT = r"(?P<product>[^\n:：\]】]+?)"
_LATE = r"(?P<task>[^\n:：\]】]+?)"
_USE = "(?:on average|at the last count)"
_A_MONTH = rf"(?:, \+?{MONEY} a month)?"
_MONTHLY = rf"(?:（月額\+?{MONEY}）)?"
_RULES: tuple[tuple[str, Callable[[Desk, re.Match[str]], None]], ...] = (
    *revising.RULES,
    (rf"{_WHAT}: (?P<was>\d+) to (?P<now>\d+) units? from {DAY_OF}{END_OF}{_A_MONTH}", _change),
    (rf"{_WHAT}: (?P<n>\d+) units? (?:added|received|renewed) from {DAY_OF}{END_OF}{_A_MONTH}", _change),
    (rf"{_WHAT}: (?:another price|other terms) from {DAY_OF}{_A_MONTH}", _change),
    (rf"{_WHAT}: what was planned for {DAY_OF} is taken back, (?P<stay>\d+) units? stays?{_A_MONTH}", _change),
    (rf"{_WHAT}: (?P<n>\d+) units? (?:swapped for|in place of) (?P<other>[^\n]+?) from {DAY_OF}{_A_MONTH}", _change),
    (rf"{_WHAT}: cancelled, ends on {DAY_OF}", _cancelled),
    (rf"{_WHAT}：{DAY_OF}から(?P<was>\d+)→(?P<now>\d+)単位{_MONTHLY}", _change),
    (rf"{_WHAT}：{DAY_OF}から{END_OF_JA}(?P<n>\d+)単位を(?:追加|受領|更新){_MONTHLY}", _change),
    (rf"{_WHAT}：{DAY_OF}から(?:価格変更|条件変更){_MONTHLY}", _change),
    (rf"{_WHAT}：{DAY_OF}の予定を取り消し、(?P<stay>\d+)単位のまま{_MONTHLY}", _change),
    (rf"{_WHAT}：{DAY_OF}から(?P<n>\d+)単位を(?P<other>[^\n]+?)に切り替え{_MONTHLY}", _change),
    (rf"{_WHAT}：{DAY_OF}から(?P<other>[^\n]+?)の代わりに(?P<n>\d+)単位{_MONTHLY}", _change),
    (rf"{_WHAT}：解約（{DAY_OF}終了）", _cancelled),
    (rf"(?:price match|goodwill) of {MONEY}(?: for (?P<product>[^\n]+?))?(?= (?:was|needs|still))", _given_back),
    (rf"(?P<product>[^\n：]+?)の(?:差額|お詫びの)返金 {MONEY}", _given_back),
    (rf"(?<= accepted: ){MONEY}", _quoted),
    (rf"(?<=の承諾：){MONEY}", _quoted),
    (rf"(?:It came to|金額は) ?{MONEY}", _quoted),
    (r"\bversion (?P<version>\d+)\b", _version),
    (rf"(?:Total: |合計：){MONEY}", _renewed_for),
    (r"No order for (?P<n>\d+) days?; usual rhythm (?P<rhythm>\d+) days", _quiet),
    (r"(?P<n>\d+)日間ご注文なし（通常は(?P<rhythm>\d+)日ごと）", _quiet),
    (r"onboarding (?P<done>\d+) of (?P<total>\d+)(?:, (?P<late>\d+) late)?", _onboarding),
    (r"利用開始の準備(?P<total>\d+)件中(?P<done>\d+)件完了(?:、(?P<late>\d+)件遅延)?", _onboarding),
    (r"(?P<score>\d+) of (?P<scale>5|7|10)(?=$|\)|, )", _score),
    (r"(?P<scale>5|7|10)点中(?P<score>\d+)点", _score),
    (
        r"Low adoption of (?P<product>[^\n]+): (?P<active>\d+) of (?P<seats>\d+) seats? in use (?:on average|at the last count)",
        _seats,
    ),
    (
        r"Adoption of (?P<product>[^\n]+) is still low: (?P<active>\d+) of (?P<seats>\d+) seats? in use (?:on average|at the last count)",
        _seats,
    ),
    (
        rf"{_WHAT}の利用(?:が低下|がまだ低いままです)：(?:1日平均|直近の集計)で(?P<seats>\d+)席のうち(?P<active>\d+)席",
        _seats,
    ),
    (r"(?P<n>\d+) more seats? of (?P<product>[^\n]+) sold, (?P<seats>\d+) now", _sold),
    (rf"{_WHAT}を(?P<n>\d+)席追加販売（現在(?P<seats>\d+)席）", _sold),
    (
        r"(?P<n>\d+) more seats? of (?P<product>[^\n]+) offered: (?P<active>\d+) of (?P<seats>\d+) seats? in use (?:on average|at the last count)",
        _offered,
    ),
    (rf"{_WHAT}の追加(?P<n>\d+)席を提案：(?:1日平均|直近の集計)で(?P<seats>\d+)席のうち(?P<active>\d+)席", _offered),
    (r"(?:Until now: |Decided by |Asked by |, owner (?!none yet)|and is up to )(?P<who>[^\n(]+?)(?= \(|\.| as )", _who),
    (r"(?:これまでの担当：|決定：|、担当：(?!未定)|、担当は)(?P<who>[^\n（]+?)(?=（|$|です。)", _who),
    (rf"{_WHAT}: (?P<active>\d+) of (?P<seats>\d+) seats? in use {_USE}", _seats),
    (rf"{_WHAT}：(?:1日平均|直近の集計)で(?P<seats>\d+)席のうち(?P<active>\d+)席を利用中", _seats),
    *scoring.RULES,
    (r"kept running for \d+ days? more", _seen),
    (r"その後\d+日間はそのまま", _seen),
    (rf"What they were offered: {MONEY} until {DAY_OF}", _renewed_for),
    (rf"Whether they want to come back is looked at on {DAY_OF}", _comes_back),
    (rf"再開のご意向は{DAY_OF}に確認します", _comes_back),
    (r"It is low answer number (?P<n>\d+) of theirs within a year", _low_again),
    (r"低い評価は、この1年でこれが(?P<n>\d+)件目です", _low_again),
    (r"Nobody has called them after (?P<n>\d+) of those before", _seen),
    (r"これまでのうち(?P<n>\d+)件は、まだどなたも連絡していません", _seen),
    (rf"(?<=ご提案中の条件：){DAY_OF}まで{MONEY}", _renewed_for),
    (rf"{_LATE} is (?P<n>\d+) days? late", _days_late),
    (rf"{_LATE}が(?P<n>\d+)日遅れています", _days_late),
)


def held_against(desk: Desk) -> None:
    """Every figure of a notice that a rule knows is held against the facts; it is vouched for from then on."""
    for pattern, rule in _RULES:
        for found in _each(desk, pattern):
            rule(desk, found)


def _each(desk: Desk, pattern: str) -> Iterator[re.Match[str]]:
    for found in list(re.finditer(pattern, desk.left, re.MULTILINE)):
        desk.blot(found.start(), found.end())
        yield found
