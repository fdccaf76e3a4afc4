"""Rules for what the seller's own people are told: by the words of each title, and for all of them that dates are known ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from tests.plain_words import of_machines
from tests.reader import lines
from tests.reader.care import use_is
from tests.reader.desk import DAY, Desk
from tests.reader.facts import Facts

_DATE = re.compile(r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])", re.ASCII)
HELP = "adoption/help"
HELPED_WITHIN = timedelta(days=200)


def _task(desk: Desk, title: str, due: date, *, late: int | None) -> None:
    tasks = [row for row in desk.facts.tables["onboarding_task"] if row["title"]["en"] == title]
    still = [
        row for row in tasks if row["completed_at"] is None or row["completed_at"] > desk.at - timedelta(seconds=1)
    ]
    if not still:
        desk.wrong("offer", title, "no such task is open")
        return
    if desk.among("date", due, {row["due_on"] for row in still}) and late is not None:
        desk.same("count", late, (desk.today - due).days)


def _late(desk: Desk, found: re.Match[str]) -> None:
    due = re.search(r"It was due on (\S+?)[.,]", desk.letter.text)
    if due:
        _task(desk, found[1], date.fromisoformat(due[1]), late=int(found[2]))


def _due(desk: Desk, found: re.Match[str]) -> None:
    due = re.search(r"It is due on (\S+)\.", desk.letter.text)
    if due is None:
        return
    day = date.fromisoformat(due[1])
    _task(desk, found[2], day, late=None)
    if (found[1] == "today" and day != desk.today) or (found[1] == "soon" and day <= desk.today):
        desk.wrong("date", found[0], f"due on {day}, and it is {desk.today}")


def _overdue(desk: Desk, found: re.Match[str]) -> None:
    due = re.search(r"It was due on (\S+), (\d+) days? ago", desk.letter.text)
    if due:
        _task(desk, found[1], date.fromisoformat(due[1]), late=int(due[2]))


def _low(desk: Desk, found: re.Match[str]) -> None:
    use_is(desk, {"active": int(found[2]), "seats": int(found[3])}, found[1])


def _still_low(desk: Desk, found: re.Match[str]) -> None:
    _low(desk, found)
    helping = [
        row for row in desk.facts.rows("staff_task", key=HELP)
        if row["opened_at"] <= desk.at and (row["closed_at"] is None or row["closed_at"] >= desk.at)
    ]  # fmt: skip
    if not helping:
        desk.wrong("offer", desk.letter.subject, "nobody has the task to help")


def _grace(desk: Desk, found: re.Match[str]) -> None:
    contract = desk.facts.one("contract", contract_id=found[1])
    if contract and contract["status"] == "ended" and contract["status_reason"] == "no answer":
        desk.same("date", date.fromisoformat(found[2]), desk.facts.day(contract["status_at"] - timedelta(seconds=1)))


def _renewed(desk: Desk, found: re.Match[str]) -> None:
    terms = desk.facts.known_by(
        desk.letter.created_at + timedelta(seconds=2), "contract_term", "recorded_at", contract_id=found[1]
    )
    if terms and not terms[-1]["moves"]:
        desk.same("date", date.fromisoformat(found[3]), terms[-1]["until"] - DAY)
        if bool(found[2]) != (terms[-1]["origin"] == "automatic"):
            desk.wrong("offer", found[0], f"the term was {terms[-1]['origin']}")
    total = re.search(r"Total: (\S+) ([A-Z]{3})", desk.letter.text)
    quote = desk.facts.one("renewal_quote", contract_id=found[1], term=terms[-1]["number"]) if terms else None
    if total and quote and Decimal(total[1]) != quote["total"]:
        desk.wrong("amount", total[1], quote["total"])


def _offered(desk: Desk, found: re.Match[str]) -> None:
    named = re.search(r"The offer is open until (\S+)\.", desk.letter.text)
    made = desk.facts.known_by(desk.letter.created_at, "offer", "offered_at")
    assets = {row["asset_id"]: desk.facts.name_of(row) for row in desk.facts.tables["asset"]}
    offer = next((one for one in reversed(made) if assets.get(one["asset_id"]) == found[2]), None)
    if named is None or offer is None:
        desk.wrong("offer", found[0], "an offer that is on record")
        return
    desk.same("count", int(found[1]), offer["add_quantity"])
    use_is(desk, {"active": int(found[3]), "seats": int(found[4])}, found[2])
    last = desk.facts.day(offer["expires_at"] - timedelta(seconds=1))
    if desk.facts.day(offer["expires_at"]) <= date.fromisoformat(named[1]):
        last -= DAY
    desk.same("date", date.fromisoformat(named[1]), last)


def _ended(desk: Desk, found: re.Match[str]) -> None:
    contract = desk.facts.one("contract", contract_id=found[1])
    if contract is None or contract["status"] != "ended":
        desk.wrong("offer", found[1], "a contract that has ended")


def _unanswered(desk: Desk, found: re.Match[str]) -> None:
    term = desk.facts.term_at(found[1], desk.letter.created_at)
    desk.same("date", date.fromisoformat(found[2]), term["until"] - DAY if term else None)
    grace = re.search(r"kept running for (\d+) days? more", desk.letter.text)
    if grace:
        desk.same("count", int(grace[1]), desk.facts.terms_of_play()["renewal"].get("grace_days", 15))


def _sold(desk: Desk, found: re.Match[str]) -> None:
    held = {desk.facts.names[code]: units for code, units in desk.facts.held(desk.at).items()}
    desk.same("count", int(found[3]), held.get(found[2]))


def _answered(desk: Desk, found: re.Match[str]) -> None:
    desk.among("count", int(found[1]), {row["score"] for row in desk.facts.tables["survey"]})


_RULES: tuple[tuple[str, Callable[[Desk, re.Match[str]], None]], ...] = (
    (r"Late: (.+) is (\d+) days? late", _late),
    (r"Due (soon|today): (.+)", _due),
    (r"Overdue: (.+)", _overdue),
    (r"Low adoption of (.+): (\d+) of (\d+) seats? in use (?:on average|at the last count)", _low),
    (r"Adoption of (.+) is still low: (\d+) of (\d+) seats? in use (?:on average|at the last count)", _still_low),
    (r"Term of (\S+) ended without an answer; grace until (\S+)", _grace),
    (r"Contract (\S+) ended: .+", _ended),
    (r"(\S+) ends on (\S+), and nobody has answered", _unanswered),
    (r"(\S+): Renewed (by itself )?until (\S+)", _renewed),
    (r"(\d+) more seats? of (.+) offered: (\d+) of (\d+) seats? in use (?:on average|at the last count)", _offered),
    (r"(\d+) more seats? of (.+) sold, (\d+) now", _sold),
    (r"Survey answered: (\d+) of 10", _answered),
    (r"Survey about the start answered: (\d+) of 7", _answered),
)


def notice(desk: Desk) -> None:
    """One of the seller's people is told something about this customer."""
    title = desk.letter.lines[0] if desk.letter.lines else ""
    staff = desk.facts.one("staff", staff_id=desk.letter.staff_id)
    if staff and desk.letter.to_email.lower() != staff["email"].lower():
        desk.wrong("name", desk.letter.to_email, staff["email"])
    company = desk.facts.account["name"]
    if not {f"Customer | {company}", f"お客様 | {company}"} & set(desk.letter.lines):
        desk.wrong("name", " ".join(desk.letter.lines[1:2]), company)
    if desk.letter.subject.strip() not in (f"[{company}] {title}", f"【{company}】{title}"):
        desk.wrong("unsaid", desk.letter.subject, f"{company}: {title}")
    for pattern, rule in _RULES:
        if found := re.fullmatch(pattern, title):
            rule(desk, found)
    told = re.search(r"(?i)help (?:was|has been) (?:offered|sent)", desk.letter.text)
    sent = [
        row for row in desk.facts.rows("outbox", channel="deliver_mail", status="sent")
        if row["body"]["template"] == "outreach" and desk.at - HELPED_WITHIN <= row["settled_at"] <= desk.at
    ]  # fmt: skip
    if told and not sent:
        desk.wrong("offer", told[0], "no offer of help has left")
    answers = re.search(r"as your answer in case (\S+)\.|案件(\S+?)の回答として", desk.letter.text)
    if answers and (answers[1] or answers[2]) not in title:
        desk.wrong("offer", answers[0], f"the case of: {title}")
    desk.own_words(company)
    _in_their_words(desk)
    for name in of_machines(desk.left):
        desk.wrong("unsaid", name, "words of people")
    lines.held_against(desk)
    _numbers(desk)
    _days(desk)
    _left(desk)


def _in_their_words(desk: Desk) -> None:
    """What customers, agents and mail servers said is theirs."""
    facts = desk.facts
    said = {
        *(row["subject"] for row in facts.tables["service_case"]),
        *(row["body"] for row in facts.tables["case_message"]),
        *(str(row["comment"] or "") for row in facts.tables["survey"]),
        *(str(row["rejected_reason"] or "") for row in facts.tables["contact"]),
        *(value for row in facts.tables["journal"] for value in _reasons(row["detail"])),
    }
    for text in sorted(said, key=len, reverse=True):
        if len(text) > 1:
            desk.own_words(text)
    for match in list(
        re.finditer(r"(?s)(?:They wrote from|差出人：)[^\n]*\n(.*?)(?=\n(?:Due:|期日：|A reply)|$)", desk.left)
    ):
        desk.blot(match.start(1), match.end(1))


def _reasons(detail: dict[str, object]) -> list[str]:
    return [str(detail[name]) for name in ("reason", "note", "comment") if detail.get(name)]


_IDS = (
    ("contract", "contract_id"), ("sales_order", "order_id"), ("service_case", "case_id"), ("offer", "offer_id"),
    ("quote", "quote_id"), ("renewal_quote", "quote_id"), ("asset", "asset_id"), ("survey", "survey_id"), ("contact", "contact_id"),
    ("gone_contact", "contact_id"), ("case_survey", "survey_id"), ("refund_claim", "claim_id"), ("staff", "staff_id"),
    ("invoice", "invoice_id"), ("credit_memo", "credit_memo_id"), ("order_line", "line_id"), ("account", "account_id"),
    ("short_number", "number"), ("staff_task", "task_id"),
)  # fmt: skip


def _numbers(desk: Desk) -> None:
    """Ids are those of something of theirs, or of somebody of ours."""
    known = {str(row[column]) for table, column in _IDS for row in desk.facts.tables[table]}
    for match in list(re.finditer(r"[^\s、。，,()（）：「」'`/]*\d[^\s、。，,()（）：「」'`/]*", desk.left)):
        if (id := match[0].strip(".:;")) in known:
            at = match.start() + match[0].index(id)
            desk.blot(at, at + len(id))


def _days(desk: Desk) -> None:
    """Days and times are known ones, or of the next two weeks."""
    known = known_days(desk.facts)
    for match in list(_DATE.finditer(desk.left)):
        day = date.fromisoformat(match[0])
        if day not in known and not 0 <= (day - desk.today).days <= 14:
            desk.wrong("unaccounted", match[0], "a day that is on record")
        desk.blot(match.start(), match.end())
    for said in desk.each("{at:instant}"):
        at = said["at"]
        if (at.day, at.minute) in _instants(desk):
            continue
        if at.minute not in ("00:00", "09:00") or not (at.day in known or 0 <= (at.day - desk.today).days <= 14):
            desk.wrong("date", at, "an instant that is on record")


def _instants(desk: Desk) -> set[tuple[date, str]]:
    found = set()
    for rows in desk.facts.tables.values():
        for row in rows:
            for value in row.values():
                if hasattr(value, "astimezone"):
                    moment = desk.local(value)
                    found.add((moment.day, moment.minute))
    return found


def _left(desk: Desk) -> None:
    """Products are theirs, and no figure is left that no rule accounts for."""
    facts = desk.facts
    had = {facts.names[row["product_code"]] for table in ("asset", "order_line") for row in facts.tables[table]}
    for name in sorted({*facts.names.values()}, key=len, reverse=True):
        pattern = rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])"
        if re.search(pattern, desk.left):
            if name not in had:
                desk.wrong("offer", name, "something that they have")
            desk.own_words(name)
    for match in re.finditer(r"\d[\d.,]*", desk.left):
        desk.wrong("unaccounted", match[0], f"no rule accounts for it: {desk.letter.subject}")


def known_days(facts: Facts) -> set[date]:
    """Every day that the tables know of this customer, and the last days of what ends on the first day after."""
    found: set[date] = set()
    for table in ("onboarding_task", "contract_term", "period", "action", "offer", "renewal_quote", "quote_version", "invoice",
                  "credit_memo", "sales_order", "staff_task", "case_milestone", "service_case", "contract", "survey", "journal"):  # fmt: skip
        for row in facts.tables[table]:
            for value in row.values():
                if hasattr(value, "astimezone"):
                    found |= {facts.day(value), facts.day(value - timedelta(seconds=1))}
                elif isinstance(value, date):
                    found |= {value, value - DAY}
    for term in facts.tables["contract_term"]:
        grace = facts.terms_of_play()["renewal"].get("grace_days", 15)
        found |= {term["until"] + DAY * (grace + more) for more in range(6)}
    return found
