"""Reading what customers were told: each mail by the rule of its template, all of them by the hours and the pace that were promised."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.reader import care, checking_in, notices, ordering, owning, renewing, service, starting, terms, who_is_new
from tests.reader.desk import Desk, Finding, Rule, people
from tests.reader.facts import Facts, Row
from tests.reader.letters import Letter
from tests.reader.links import check_links
from tests.reader.workdays import works

RULES: dict[str, Rule] = {
    **starting.RULES, **ordering.RULES, **care.RULES, **terms.RULES, **owning.RULES, **service.RULES, **renewing.RULES,
    **who_is_new.RULES,
}  # fmt: skip
PLANNED = (
    "onboarding_invite", "onboarding_reminder", "touch_day_1", "touch_month_1", "check_in", "survey", "reference", "reorder_check_in",
    "delivery_follow_up", "renewal_grace", "renewal_notice", "contract_ended", "outreach", "recovered", "upsell_offer", "play_note", "win_back",
    "introduction", "contact_welcome", "payment_reminder",
)  # fmt: skip
"""They leave when we choose, so at nine on a business day."""
KEEP_THEIR_DAY = ("touch_anniversary", "case_survey")
"""An anniversary, and the question about a case that somebody solved on that day."""
QUIET = timedelta(days=3)
"""Between two optional mails to one contact."""
SETTLED = timedelta(days=4)
"""Between the news that a contract was renewed and that of its next end, at least, whatever free days lie there."""
MORNING, EVENING = 9, 18
ASKED_NOW = ("survey_thanks", "welcome", "go_live", "provisioning_done", "introduction", "onboarding_moved")
"""They answer what was done a moment before: an order, a task, the provisioning service."""

SIGNED_BY_SALES = (
    "contract_news", "order_confirmed", "documents", "assets_changed", "assets_received", "assets_transferred", "quote_presented", "upsell_confirmed",
    "renewal_notice", "renewal_grace", "renewal_confirmed", "renewal_declined", "contract_ended", "payment_reminder",
)  # fmt: skip
"""What was sold, and what it costs; the rest is signed by whoever looks after the customer."""
AUTHORED = ("agent_message", "resolved")
SIGNED_BY_EITHER = ("opted_out", "goodwill_granted")

_FOUND = re.compile(r"/(?:relationship/health|adoption/usage)-")
"""Looks at a customer that come with a report or with the daily score."""

OF_CASES = ("case_survey",)
"""They follow on what somebody has just solved for the customer."""


@dataclass
class Report:
    """What was read, by template, and what was found wrong."""

    customers: int = 0
    read: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Takes in what was read of others."""
        self.customers += other.customers
        self.read += other.read
        self.findings += other.findings

    def lines(self) -> list[str]:
        """A table by template, and the kinds of findings."""
        wrong = Counter(finding.letter.template for finding in self.findings)
        mails = {(finding.letter.template, finding.letter.delivery_id) for finding in self.findings}
        bad = Counter(template for template, _ in mails)
        rows = [f"{self.customers} customers, {self.read.total()} mails read, {len(mails)} found wrong"]
        rows += [
            f"  {name:<24}{self.read[name]:>6} read{bad[name]:>6} wrong{wrong[name]:>6} findings"
            for name in sorted(self.read)
        ]
        kinds = Counter(finding.kind for finding in self.findings)
        return [*rows, "  " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))]


def read(facts: Facts, letters: list[Letter]) -> Report:
    """Everything that one customer was told."""
    report = Report(customers=1)
    for letter in letters:
        report.read[letter.template] += 1
        report.findings += read_one(facts, letter)
    report.findings += pace(facts, letters)
    report.findings += settled(facts, letters)
    report.findings += hours(facts, letters)
    report.findings += checking_in.repeated(letters)
    report.findings += checking_in.beside_a_talk(facts, letters)
    report.findings += said_sent(facts, letters)
    report.findings += filed(facts, letters)
    return report


def own_words(facts: Facts, letter: Letter) -> list[str]:
    """What people wrote and a mail only passes on."""
    row = facts.one("outbox", delivery_id=letter.delivery_id)
    body = row["body"] if row else {}
    said = [body.get("lines", [])[n] for n in body.get("own", ())] + body.get("words", "").splitlines()
    said += [line for part in body.get("context", {}).get("paragraphs", ()) for line in part.splitlines()]
    return [" ".join(line.split()) for line in said if line.strip()]


def without_own_words(facts: Facts, letter: Letter) -> str:
    """What a mail says itself."""
    text = letter.text
    for said in own_words(facts, letter):
        text = text.replace(said, "")
    return text


def as_composed(desk: Desk) -> Letter:
    """A notice whose days and sums are written as its rules read them; times of a day stay."""
    script = desk.script
    day = re.compile(
        rf"(?P<at>{script.pattern('{v:instant}').pattern})|{script.pattern('{v:date}').pattern}".replace("(?P<v>", "("),
        re.IGNORECASE,
    )
    money = script.pattern("{v:money}")
    own = own_words(desk.facts, desk.letter)

    def total(found: re.Match[str]) -> str:
        amount = script.amount(found[0])
        code = next((code for code in script.signs if script.is_in(amount, code)), None)
        return f"{amount.value} {code}" if code else found[0]

    def apart(text: str) -> str:
        if any(said in text for said in own):
            return text
        text = money.sub(total, text)
        return day.sub(lambda found: found[0] if found["at"] else script.date(found[0]).isoformat(), text)

    letter = desk.letter
    return replace(letter, subject=apart(letter.subject), lines=tuple(map(apart, letter.lines)))


def read_one(facts: Facts, letter: Letter) -> list[Finding]:
    """One mail by the rule of its template."""
    facts = facts.where(letter.contact_id, letter.zone)
    desk = Desk(letter, facts)
    for match in _NO_WORDS.finditer(letter.text):
        desk.wrong("words", match[0], "words for people")
    for match in _OURS.finditer(without_own_words(facts, letter)):
        desk.wrong("words", match[0], "a day in words, and no name of ours")
    if letter.staff:
        told = Desk(as_composed(desk), facts)
        notices.notice(told)
        return [*desk.findings, *told.findings]
    rule = RULES.get(letter.template)
    if rule is None:
        desk.wrong("unaccounted", letter.template, "a template that has a rule")
        return desk.findings
    known: list[str] = []
    try:
        known = frame(desk)
        rule(desk)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        desk.wrong(
            "unaccounted", error, "something that can be read: dates that there are, figures where figures belong"
        )
    for name in known:
        desk.own_words(name)
    check_links(desk)
    desk.leftovers()
    if both := differs(letter):
        desk.wrong("unaccounted", both, "the same in both forms of the mail")
    return desk.findings


def frame(desk: Desk) -> list[str]:
    """Greeting, signature and footer: to whom it goes, who signs it, and whose customer they are. Returns these names."""
    facts, letter = desk.facts, desk.letter
    contact = facts.one("contact", contact_id=letter.contact_id)
    company, seller = facts.account["name"], letter.sender.rpartition(" <")[0].strip('"')
    case = _case_of(facts, letter)
    if desk.script.language == "en":
        greeted = desk.first({"en": "\nDear {name},\n"})
        name = greeted["name"] if greeted else None
        closing = re.search(r"\nKind regards,\n([^\n]+)\n([^\n]+)(?=\n|$)", desk.left)
    else:
        opening = re.search(rf"\n{re.escape(company)}\n([^\n]+) 様(?=\n)", desk.left)
        name = opening[1] if opening else None
        if opening:
            desk.blot(opening.start() + 1, opening.end())
        closing = re.search(r"\n─{5,}\n([^\n]+)\n([^\n]+)\n─{5,}", desk.left)
    _greeted(desk, name, contact, case)
    ordering.attached(desk)
    signed: list[str] = []
    if closing is None and letter.template != "case_reply":  # an agent may have signed it
        desk.wrong("unsaid", letter.subject, "who signs it")
    elif closing is not None:
        desk.blot(closing.start() + 1, closing.end())
        signer, firm = (closing[1], closing[2]) if desk.script.language == "en" else (closing[2], closing[1])
        desk.same("name", firm, seller)
        signed = _signed(desk, signer, case)
    if contact and letter.to_email.lower() != contact["email"].lower() and not _moved(facts, letter):
        desk.wrong("name", letter.to_email, contact["email"])
    for said in re.findall(rf"^{re.escape(seller)}の(.+?)でございます。", "\n".join(letter.lines), re.MULTILINE):
        desk.among("name", said, signed)
    return [own for own in (company, seller, name, contact["name"] if contact else None, *signed) if own]


def _greeted(desk: Desk, name: str | None, contact: Row | None, case: Row | None) -> None:
    right = {contact["name"]} if contact else set()
    if case:
        right |= {str(case["contact"].get("name") or "")}
    if name is None:
        if contact and contact["name"]:
            desk.wrong("name", "nobody", contact["name"])
    elif right and name not in right:
        desk.wrong("name", name, " or ".join(sorted(right)))


def _signed(desk: Desk, signer: str, case: Row | None) -> list[str]:
    """The name, if it is right: what was sold by the owner of the account, of a case by whoever works on it, the rest by the
    success manager."""
    template = desk.letter.led_by or desk.letter.template
    by_sales = template in SIGNED_BY_SALES
    roles = ("owner", "success_manager") if template in SIGNED_BY_EITHER else ()
    staff = [people(desk.facts, role, desk.at) for role in roles or (("owner",) if by_sales else ("success_manager",))]
    right = {row["name"] for row in staff if row}
    if not by_sales and (case or desk.letter.delivery_id.startswith("case:")):
        right = _at_the_desk(desk, case)
    if signer in right:
        return [signer]
    desk.wrong("name", signer, " or ".join(sorted(right)))
    return []


def _at_the_desk(desk: Desk, case: Row | None) -> set[str]:
    """Whoever wrote what the mail repeats; else whose case it was, and whoever did something about it then."""
    facts, written = desk.facts, desk.letter.created_at
    events = list(facts.rows("case_event", case_id=case["case_id"] if case else None))
    then = [event for event in events if abs(event["at"] - written) < timedelta(seconds=2)]
    names = {row["staff_id"]: row["name"] for row in facts.tables["staff"]}
    authors = {names[event["by"]] for event in then if event["kind"] in AUTHORED and event["by"] in names}
    if authors and desk.letter.template in ("case_reply", "case_resolved"):
        return authors
    given = {str(value) for event in events if event["kind"] == "assigned" for value in event["detail"].values()}
    ids = {case["owner_id"] if case else None} | {event["by"] for event in then} | given
    return {name for id, name in names.items() if id in ids} | {"Customer service", "サポート窓口"}


def _case_of(facts: Facts, letter: Letter) -> Row | None:
    found = re.match(r"case:([^/#]+)", letter.delivery_id)
    return facts.one("service_case", case_id=found[1]) if found else None


def _moved(facts: Facts, letter: Letter) -> bool:
    """The contact got another address after the mail had left."""
    changes = ("Contacts ", "Order ")
    return any(row["at"] > letter.created_at and row["title"].startswith(changes) for row in facts.tables["journal"])


def differs(letter: Letter) -> str | None:
    """What one form of the mail says in figures and the other does not; null if they say the same."""

    def figures(text: str) -> Counter[str]:
        return Counter(re.findall(r"\d+", text))

    page, plain = figures("\n".join(letter.lines)), figures(letter.plain)
    more, less = page - plain, plain - page
    return f"{sorted(more)} / {sorted(less)}" if more or less else None


def pace(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """A contact gets one optional mail a day and at most one in three days. A question within an answer is no mail more."""
    findings = []
    by_contact: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        if letter.optional and not letter.staff and letter.template not in (*ASKED_NOW, *OF_CASES):
            by_contact[letter.to_email.lower()].append(letter)
    for some in by_contact.values():
        for before, after in itertools.pairwise(some):
            if before.message == after.message:
                continue  # parts of one mail
            if after.led_by in ASKED_NOW and after.led_by != after.template:
                continue  # it came within an answer that leaves at once
            days = facts.day(after.sent_at) - facts.day(before.sent_at)
            if days < QUIET:
                kind = "same day" if not days else "pace"
                findings.append(
                    Finding(
                        kind,
                        after,
                        f"{days.days} days after {before.template}",
                        f"at least {QUIET.days} days between optional mails",
                    )
                )
    for letter in letters:
        if letter.arrivals > 1:
            findings.append(Finding("twice", letter, f"{letter.arrivals} times", "once"))
    return findings


def settled(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """Whoever has just heard that a contract was renewed does not hear at once that it ends, unless they asked for it."""
    findings = []
    renewed: dict[str, Letter] = {}
    for letter in letters:
        if letter.template not in ("renewal_confirmed", "renewal_notice"):
            continue
        row = facts.one("outbox", delivery_id=letter.delivery_id)
        contract = row["body"]["context"]["contract_id"] if row else ""
        if letter.template == "renewal_confirmed":
            renewed[contract] = letter
        elif contract in renewed and "request_renewal" not in letter.delivery_id:
            days = facts.day(letter.sent_at) - facts.day(renewed[contract].sent_at)
            if days < SETTLED:
                findings.append(
                    Finding("pace", letter, f"{days.days} days after the renewal", f"{SETTLED.days} at least")
                )
    return findings


def hours(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """Mails that we send of our own accord leave at nine on a business day of the customer; an anniversary keeps its day. So do notices
    of what was found at whatever hour, while people work."""
    findings = []
    for letter in letters:
        if letter.staff:
            at = letter.sent_at.astimezone(facts.zone)
            if _FOUND.search(letter.delivery_id) and not (
                MORNING <= at.hour < EVENING and works(at.date(), facts.country)
            ):
                findings.append(Finding("free day", letter, f"{at:%a %Y-%m-%d %H:%M}", "an hour at which people work"))
            continue
        there = facts.where(letter.contact_id, letter.zone)
        at = letter.sent_at.astimezone(there.zone)
        late = not MORNING <= at.hour < EVENING
        if letter.led_by in ASKED_NOW and letter.led_by != letter.template:
            continue  # it goes along with what somebody waits for
        own_accord = letter.template in PLANNED or (letter.optional and letter.template not in ASKED_NOW)
        waited = facts.day(letter.sent_at) > facts.day(letter.created_at)
        own_accord = own_accord or (letter.optional and waited)  # nobody waits for an answer any more
        own_accord = own_accord or (
            letter.template == "renewal_confirmed" and ("automatically" in letter.text or "自動更新され" in letter.text)
        )
        if own_accord and late:
            findings.append(Finding("hour", letter, f"{at:%H:%M}", "between 9:00 and 18:00"))
        if own_accord and letter.template not in KEEP_THEIR_DAY and not works(at.date(), there.country):
            findings.append(Finding("free day", letter, f"{at:%a %Y-%m-%d}", "a business day"))
    return findings


def said_sent(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """What is on record as sent has arrived, what arrived is on record as sent, and the journal says no more than that."""
    findings = []
    for letter in letters:
        row = facts.one("outbox", delivery_id=letter.delivery_id)
        if row is None or row["status"] != "sent":
            findings.append(Finding("sent", letter, row["status"] if row else "no row", "sent"))
    arrived = {letter.delivery_id: letter for letter in letters}
    some = letters[0] if letters else None
    for row in facts.tables["outbox"]:
        if (
            some
            and row["status"] == "sent"
            and row["channel"] in ("deliver_mail", "deliver_notice")
            and row["delivery_id"] not in arrived
        ):
            findings.append(Finding("sent", some, row["delivery_id"], "it never arrived"))
    for line in facts.tables["journal"]:
        if some and _SENT.search(line["title"]) and not _NOT.search(line["title"]):
            own = [row for row in facts.tables["outbox"] if row["delivery_id"].startswith(f"{line['key']}#")]
            if not any(
                row["status"] == "sent" and row["settled_at"] <= line["at"] + timedelta(seconds=1) for row in own
            ):
                findings.append(
                    Finding("sent", some, f"journal: {line['title']}", "nothing was taken by the server yet")
                )
    return findings


def filed(facts: Facts, letters: list[Letter]) -> list[Finding]:
    """Whoever pays got each invoice and each credit note, and got it once."""
    files = [(ordering.number(lines), letter) for letter in letters for lines in letter.files]
    count = Counter(number for number, _ in files)
    findings = [Finding("twice", letter, number, "once") for number, letter in files if count[number] > 1]
    held = {row["delivery_id"] for row in facts.tables["outbox"] if row["status"] != "sent"}
    for table in ("invoice", "credit_memo"):
        for row in facts.tables[table]:
            number = row[f"{table}_id"]
            if letters and not count[number] and not held:
                findings.append(Finding("unsaid", letters[0], f"the documents of {facts.account_id}", f"also {number}"))
    return findings


_OURS = re.compile(r"(?<![\w./#-])\d{4}-\d\d-\d\d(?![A-Za-z0-9_-])|(?<![`\w./@-])[a-z]+_[a-z_]+(?![`\w@])")
"""A day as machines write it, outside an id, and a name of ours, unless it is quoted to be typed."""
_NO_WORDS = re.compile(
    r"\b1 (?:more )?(?:units|seats|days|months|years|hours|weeks)\b|\b\d+ days?, \d+:\d\d:\d\d|\bNone\b|Input should|input_value"
    r"|Decimal\(|[{}]|\b\w+\.[0-9a-f]{8}\b"
)
"""What machines say to each other."""
_SENT = re.compile(r"\b(?:sent|delivered to the customer|has been mailed|was told)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|nothing|to be|no)\b", re.IGNORECASE)
