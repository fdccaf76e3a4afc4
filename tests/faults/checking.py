"""The checker: what was lost, doubled or wrong, from the evidence and from what senders were told. It asks nobody."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from domain.frame.keys import BATCH
from domain.journey.comparing import DifferenceKind
from tests.accountant.accountant import Accountant
from tests.accountant.compare import differences, judged, wrong_taxes
from tests.accountant.doors import Document, Lived
from tests.e2e.refusing import NOBODY
from tests.faults.doors import Heard
from tests.faults.evidence import Arrived, Evidence


class Kind(StrEnum):
    """In which way something is not as it was promised."""

    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, in words."""

    kind: Kind
    says: str


_LOSSES = frozenset(
    {
        DifferenceKind.NOT_RUNNING,
        DifferenceKind.STEP_MISSING,
        DifferenceKind.STAGE_MISSING,
        DifferenceKind.DELIVERY_MISSING,
        DifferenceKind.CASE_NOT_RUNNING,
        DifferenceKind.NO_FACTS,
        DifferenceKind.ORDER_LOST,
        DifferenceKind.REQUEST_LOST,
        DifferenceKind.STEP_LOST,
    }
)


def check(evidence: Evidence, heard: Heard, lives: Sequence[Lived]) -> list[Finding]:
    """Everything that is amiss."""
    found = [
        *_orders(evidence, heard),
        *_requests(evidence, heard),
        *_cases(evidence, heard),
        *_mails_in(evidence, heard),
    ]
    found += [
        *_steps(evidence),
        *_documents(evidence),
        *_mails_out(evidence),
        *_outbox(evidence),
        *_money(evidence, heard),
    ]
    found += [Finding(Kind.WRONG, said) for said in heard.otherwise]
    found += [Finding(Kind.WRONG, f"set aside: {said}") for said in evidence.troubled]
    found += [Finding(Kind.WRONG, f"broken: {name}: {rows}") for name, rows in evidence.rules.items()]
    for lived in lives:
        found += amounts(lived, evidence)
    return found


def amounts(lived: Lived, evidence: Evidence) -> Iterator[Finding]:
    """In which documents of a life the accountant has other amounts. What was issued late, see `as_due`, is noted as such."""
    late = evidence.issued_late
    try:
        books = judged(lived)
        due = [as_due(one, books, evidence) for one in lived.documents]
        late.update(one.document_id for one, then in zip(lived.documents, due, strict=True) if one is not then)
        lived = replace(lived, documents=due)
        said = [*differences(lived, books), *wrong_taxes(lived, books)]
    except Exception as error:
        # What the books do not allow is a difference like any other.
        said = [f"{lived.story.name}: {type(error).__name__}: {error}"]
    return (Finding(Kind.WRONG, f"amount: {one}") for one in said)


def as_due(document: Document, books: Accountant, evidence: Evidence) -> Document:
    """A document with the day on which the accountant has its amount due, if nobody did anything for its customer after that day until it was
    issued, at no hour that anything is planned for: a server that was killed while it moved their clock may let it run past what is due, and a
    clock that is moved runs on while a step is tried again and again because the database is away."""
    if any(due.day == document.day and due.account == document.account for due in books.due):
        return document
    journal = [row for row in evidence.of("journal") if row["account_id"] == document.account]
    issued = next((row["at"] for row in journal if row["key"].endswith(f"/{document.document_id}")), None)
    if issued is None or issued.minute % 15 == 0:
        return document
    before = max((row["at"] for row in journal if row["at"] < issued), default=issued).date()
    for due in books.due:
        same = (due.account, due.credit, due.net) == (document.account, document.credit, Fraction(document.net))
        if same and before <= due.day < document.day:
            return replace(document, day=due.day)
    return document


def _orders(evidence: Evidence, heard: Heard) -> Iterator[Finding]:
    """Every order that was accepted is on record with all that it sold, and its customer's journey goes on."""
    orders = {row["order_id"] for row in evidence.of("orders")}
    assets = {row["asset_id"] for row in evidence.of("assets")}
    for order_id, (account, answer) in heard.orders.items():
        if order_id not in orders:
            yield Finding(Kind.LOST, f"order {order_id} was accepted and is not on record")
        for asset in answer["assets"]:
            if asset not in assets:
                yield Finding(Kind.LOST, f"asset {asset} of order {order_id} is not on record")
        if f"journey-{account}" not in evidence.running:
            yield Finding(Kind.LOST, f"no journey looks after {account}, whose order {order_id} was accepted")


def _requests(evidence: Evidence, heard: Heard) -> Iterator[Finding]:
    """Every request that was answered was carried out once."""
    done = Counter(row["under"] for row in evidence.of("effects") if row["under"])
    asked = [(f"journey:{account}/{id}", update) for account, update, id in heard.requests]
    asked += [(f"case:{case}/{id}", update) for case, update, id in heard.case_requests]
    for under, update in asked:
        if not done[under]:
            yield Finding(Kind.LOST, f"{update} was answered and is not on record: {under}")
        elif done[under] > 1:
            yield Finding(Kind.DOUBLED, f"{update} was carried out {done[under]} times: {under}")


def _cases(evidence: Evidence, heard: Heard) -> Iterator[Finding]:
    """Every case that was opened is on record, with each message once."""
    cases = {row["case_id"]: row for row in evidence.of("cases")}
    expected: Counter[str] = Counter(case for case, update, _ in heard.case_requests if update in _SPEAK)
    messages: Counter[str] = Counter()
    for row in evidence.of("messages"):
        messages[row["case_id"]] += row["messages"]
    for case in heard.cases:
        if case not in cases:
            yield Finding(Kind.LOST, f"case {case} was opened and is not on record")
        elif messages[case] < expected[case]:
            yield Finding(Kind.LOST, f"case {case} has {messages[case]} messages of {expected[case]}")
        elif messages[case] > expected[case]:
            yield Finding(Kind.DOUBLED, f"case {case} has {messages[case]} messages instead of {expected[case]}")


_SPEAK = ("respond", "customer_message")


def _mails_in(evidence: Evidence, heard: Heard) -> Iterator[Finding]:
    """Every mail that was taken is on record and was looked at, and opened one case."""
    inbox = {row["inbox_id"]: row for row in evidence.of("inbox")}
    opened = Counter(row["case_id"] for row in evidence.of("inbox") if row["case_id"])
    known = {row["case_id"] for row in evidence.of("cases")}
    for inbox_id, account in heard.mails.items():
        row = inbox.get(inbox_id)
        if row is None or row["status"] in ("new", "failed"):
            yield Finding(
                Kind.LOST, f"mail {inbox_id} of {account} was taken and is {row['status'] if row else 'gone'}"
            )
        elif row["case_id"] is None or row["case_id"] not in known:
            yield Finding(Kind.LOST, f"mail {inbox_id} of {account} opened no case: {row['reason']}")
    for case, count in opened.items():
        if count > 1:
            yield Finding(Kind.DOUBLED, f"{count} mails have opened case {case}")
    expected = {*heard.cases, *opened}
    for case in known - expected:
        yield Finding(Kind.DOUBLED, f"nobody has opened case {case}")


def _steps(evidence: Evidence) -> Iterator[Finding]:
    """What was done and what is on the agendas is what the planner has follow from the facts."""
    for account, found in evidence.apart.items():
        for one in found:
            yield Finding(Kind.LOST if one.kind in _LOSSES else Kind.WRONG, f"{account}: {one.says}")
    for said in evidence.overdue:
        yield Finding(Kind.LOST, f"not done: {said}")


def _documents(evidence: Evidence) -> Iterator[Finding]:
    """No document says once more what another of the customer says."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in evidence.charged:
        alike[(row["kind"], row["account_id"], row["day"], *row["lines"])].append(row["id"])
    for (kind, account, *_), ids in alike.items():
        if len(ids) > 1:
            yield Finding(Kind.DOUBLED, f"{account} has {kind}s {', '.join(ids)} over the same")


def _mails_out(evidence: Evidence) -> Iterator[Finding]:
    """Every mail that is on record as sent arrived, under one Message-ID, and says what its copies say.

    Where a server took a mail and never said so, it is on record that it may have arrived, be it that it was dropped or written anew since.
    What a database had lost that came back from before is on record as sent before, but for what batches told our people.
    """
    arrived: dict[str, dict[str, list[Arrived]]] = defaultdict(lambda: defaultdict(list))
    for mail in evidence.mails:
        arrived[_delivery_of(mail.message_id)][mail.message_id].append(mail)
    sent = {row["delivery_id"]: row for row in _leaving(evidence)}
    in_doubt = Counter(
        row["key"].partition("/in-doubt-")[0] for row in evidence.of("journal") if "/in-doubt-" in row["key"]
    )
    said = Counter((mail.to, mail.subject, mail.text) for id in sent for mail in _first_of(arrived.get(id, {})))
    for id, row in sent.items():
        by_id = arrived.get(id, {})
        yield from _of_row(row, by_id, 1 + in_doubt[id] + len(evidence.told_by_batches & by_id.keys()))
    elsewhere = {row["delivery_id"] for row in evidence.of("sent_before")}
    elsewhere |= in_doubt.keys()
    for id in arrived.keys() - sent.keys():
        for message_id, mails in arrived[id].items():
            if message_id in evidence.told_by_batches:
                continue
            mail = mails[0]
            says = f"{message_id} to {mail.to} ({mail.subject}) arrived and is not on record"
            if any(said[(one.to, one.subject, one.text)] for one in mails):
                yield Finding(Kind.DOUBLED, says)
            elif id not in elsewhere:
                yield Finding(Kind.WRONG, says)


_BOOKED = "by the engine's histories"
"""why a row is booked as sent that a database from before did not know of: to whom, with which other message and after which doubts it left is
not on record any more, and what it says now follows from what is known now (scores of each day, say, are in no history)"""


def _of_row(row: dict[str, Any], by_id: dict[str, list[Arrived]], contents: int) -> Iterator[Finding]:
    """One message that is on record as sent. What the database had lost, and was booked as sent anew, has no Message-ID there."""
    mails = [mail for some in by_id.values() for mail in some]
    expected = row["message_id"] or next(iter(by_id), None)
    if expected not in by_id and not (row["message_id"] is None and _BOOKED in (row["reason"] or "")):
        yield Finding(Kind.LOST, f"{row['delivery_id']} is on record as sent and never arrived")
    if by_id.keys() - {expected}:
        yield Finding(Kind.DOUBLED, f"{row['delivery_id']} arrived under {len(by_id)} Message-IDs: {sorted(by_id)}")
    elif mails and {mail.to for mail in mails} != {row["address"]} and _BOOKED not in (row["reason"] or ""):
        yield Finding(Kind.WRONG, f"{row['delivery_id']} arrived at {sorted({mail.to for mail in mails})}")
    elif len({(mail.subject, mail.text) for mail in mails}) > contents and _BOOKED not in (row["reason"] or ""):
        yield Finding(Kind.WRONG, f"{row['delivery_id']} arrived with two contents under one Message-ID")


def _first_of(by_id: dict[str, list[Arrived]]) -> list[Arrived]:
    return [mails[0] for mails in by_id.values()]


def _delivery_of(message_id: str) -> str:
    """Which delivery a Message-ID of ours is of: its name is before the first point, written as in an address."""
    return unquote(message_id.strip("<>").partition("@")[0].partition(".")[0])


def is_by_batch(message_id: str) -> bool:
    """True for what a batch told somebody of ours."""
    return _delivery_of(message_id).startswith(BATCH)


def _leaving(evidence: Evidence) -> Iterable[dict[str, Any]]:
    """The rows of messages that left, each by the one that leads it."""
    mailed = ("deliver_mail", "deliver_notice")
    return [
        row
        for row in evidence.of("outbox")
        if row["status"] == "sent" and row["channel"] in mailed and row["left_with"] is None
    ]


def resent(evidence: Evidence) -> int:
    """How often a mail arrived once more under the same Message-ID, where SMTP itself cannot tell."""
    copies = Counter(mail.message_id for mail in evidence.mails)
    return sum(copies.values()) - len(copies)


def _outbox(evidence: Evidence) -> Iterator[Finding]:
    """Nothing waits any more, nothing was refused but by those whom no mail server knows, and what joined another left with it."""
    leads = {row["delivery_id"] for row in evidence.of("outbox") if row["status"] == "sent"}
    for row in evidence.of("outbox"):
        id, address = row["delivery_id"], row["address"] or ""
        if row["status"] == "waiting":
            yield Finding(Kind.LOST, f"{id} still waits")
        elif row["status"] == "rejected" and not address.startswith(NOBODY):
            yield Finding(Kind.LOST, f"{id} to {address} was refused: {row['reason']}")
        elif row["status"] == "sent" and row["left_with"] is not None and row["left_with"] not in leads:
            yield Finding(Kind.LOST, f"{id} left with {row['left_with']}, which never left")


def _money(evidence: Evidence, heard: Heard) -> Iterator[Finding]:
    """Quotes that were taken are orders; each claim that was answered is on record once."""
    quotes = {row["quote_id"]: row for row in evidence.of("quotes")}
    for row in quotes.values():
        if (row["state"] == "accepted") != (row["order_id"] is not None):
            yield Finding(Kind.WRONG, f"quote {row['quote_id']} is {row['state']}, and its order {row['order_id']}")
    claims = Counter(row["case_id"] for row in evidence.of("claims"))
    asked = Counter(case for case, update, _ in heard.case_requests if update in _CLAIM)
    for case in {*claims, *asked}:
        if claims[case] != asked[case]:
            kind = Kind.DOUBLED if claims[case] > asked[case] else Kind.LOST
            yield Finding(kind, f"case {case} has {claims[case]} claims, {asked[case]} were made")


_CLAIM = ("claim_price_match", "grant_goodwill")
