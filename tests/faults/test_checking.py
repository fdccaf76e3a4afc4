"""The checker finds each kind of error in evidence that is otherwise as it should be, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.journey.comparing import Difference, DifferenceKind
from tests.accountant.accountant import Accountant
from tests.accountant.doors import Document
from tests.accountant.keeping import Due
from tests.faults.checking import Kind, as_due, check, resent
from tests.faults.doors import Heard
from tests.faults.evidence import Arrived, Evidence

WELCOME = Arrived(
    "<journey%3Aacme%2Fwelcome%230.a@perennial.example>", "jo@acme.example", "Welcome", "Good to have you."
)
NEWS = Arrived("<journey%3Aacme%2Fnews%230.b@perennial.example>", "jo@acme.example", "News", "There is more.")


def told() -> Heard:
    heard = Heard()
    heard.orders["SO-1"] = ("acme", {"assets": ["SO-1.1"]})
    heard.requests.append(("acme", "amend_assets", "q-1"))
    heard.cases["C-1"] = "acme"
    heard.case_requests += [("C-1", "respond", "r-1"), ("C-1", "grant_goodwill", "r-2")]
    heard.mails["m-1"] = "acme"
    return heard


def left() -> Evidence:
    """What is left where all went well."""
    charge = {"account_id": "acme", "day": "2027-01-01"}
    return Evidence(
        tables={
            "orders": [{"order_id": "SO-1", "account_id": "acme"}],
            "assets": [{"asset_id": "SO-1.1", "account_id": "acme"}],
            "effects": [{"under": under} for under in ("journey:acme/q-1", "case:C-1/r-1", "case:C-1/r-2", None)],
            "journal": [
                {
                    "key": "journey:acme/onboarding:SO-1/welcome",
                    "kind": "welcome",
                    "at": datetime(2027, 1, 1, tzinfo=UTC),
                    "title": "Welcome",
                }
            ],
            "outbox": [_row("welcome", WELCOME.message_id), _row("news", NEWS.message_id)],
            "cases": [{"case_id": "C-1"}, {"case_id": "M-1"}],
            "messages": [{"case_id": "C-1", "messages": 1}],
            "inbox": [{"inbox_id": "m-1", "status": "matched", "case_id": "M-1", "reason": ""}],
            "quotes": [{"quote_id": "Q-1", "state": "accepted", "order_id": "SO-1"}],
            "claims": [{"claim_id": "c", "case_id": "C-1"}],
        },
        charged=[
            {"kind": "invoice", "id": "I-1", **charge, "lines": ["SO-1.1 100"]},
            {"kind": "invoice", "id": "I-2", **charge, "lines": ["SO-1.1 200"]},
        ],
        mails=[WELCOME, NEWS],
        running={"journey-acme"},
    )


def _row(name: str, message_id: str) -> dict[str, Any]:
    sent = {"status": "sent", "channel": "deliver_mail", "left_with": None, "reason": None}
    return {**sent, "delivery_id": f"journey:acme/{name}#0", "message_id": message_id, "address": "jo@acme.example"}


def without(table: str, number: int = 0) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.tables[table].__delitem__(number)


def changed(table: str, **values: Any) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.tables[table][0].update(values)


def more(mail: Arrived) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.mails.append(mail)


def apart(kind: DifferenceKind) -> Callable[[Evidence], None]:
    return lambda evidence: evidence.apart.update(acme=[Difference(kind, "welcome", "the step welcome")])


def test_where_nothing_is_wrong_nothing_is_found() -> None:
    assert check(left(), told(), []) == []


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (without("orders"), Kind.LOST, "order SO-1 was accepted"),
        (without("assets"), Kind.LOST, "asset SO-1.1"),
        (lambda evidence: evidence.running.clear(), Kind.LOST, "no journey looks after acme"),
        (without("effects"), Kind.LOST, "amend_assets was answered"),
        (
            lambda evidence: evidence.tables["effects"].append({"under": "case:C-1/r-1"}),
            Kind.DOUBLED,
            "respond was carried out 2",
        ),
        (without("cases"), Kind.LOST, "case C-1 was opened"),
        (
            lambda evidence: evidence.tables["cases"].append({"case_id": "C-9"}),
            Kind.DOUBLED,
            "nobody has opened case C-9",
        ),
        (changed("messages", messages=2), Kind.DOUBLED, "case C-1 has 2 messages instead of 1"),
        (changed("messages", messages=0), Kind.LOST, "case C-1 has 0 messages of 1"),
        (changed("inbox", status="new"), Kind.LOST, "mail m-1 of acme was taken"),
        (without("claims"), Kind.LOST, "case C-1 has 0 claims, 1 were made"),
        (changed("quotes", order_id=None), Kind.WRONG, "quote Q-1"),
        (apart(DifferenceKind.STEP_MISSING), Kind.LOST, "the step welcome"),
        (apart(DifferenceKind.STEP_MOVED), Kind.WRONG, "the step welcome"),
        (lambda evidence: evidence.overdue.append("acme: welcome"), Kind.LOST, "not done: acme"),
        (lambda evidence: evidence.troubled.append("journey-acme: parked"), Kind.WRONG, "set aside"),
        (lambda evidence: evidence.charged[1].update(lines=["SO-1.1 100"]), Kind.DOUBLED, "acme has invoices I-1, I-2"),
        (lambda evidence: evidence.mails.remove(NEWS), Kind.LOST, "news#0 is on record as sent and never arrived"),
        (more(Arrived("<9@x>", WELCOME.to, WELCOME.subject, WELCOME.text)), Kind.DOUBLED, "<9@x>"),
        (more(Arrived("<9@x>", WELCOME.to, "Else", "Other words.")), Kind.WRONG, "<9@x>"),
        (more(Arrived(NEWS.message_id, NEWS.to, "News", "Other words.")), Kind.WRONG, "two contents"),
        (changed("outbox", status="waiting"), Kind.LOST, "still waits"),
        (changed("outbox", status="rejected", reason="550"), Kind.LOST, "was refused: 550"),
        (lambda evidence: evidence.rules.update({"a rule": [{"id": 1}]}), Kind.WRONG, "broken: a rule"),
    ],
)
def test_what_is_lost_doubled_or_wrong_is_found(spoil: Callable[[Evidence], Any], kind: Kind, says: str) -> None:
    evidence = left()
    spoil(evidence)
    found = check(evidence, told(), [])
    assert any(finding.kind is kind and says in finding.says for finding in found), found


def test_a_mail_that_was_booked_anew_may_have_left_under_one_message_id_alone() -> None:
    evidence = left()
    evidence.tables["outbox"][0]["message_id"] = None
    assert check(evidence, told(), []) == []
    again = WELCOME.message_id.replace(".a@", ".c@")
    evidence.mails.append(Arrived(again, WELCOME.to, WELCOME.subject, WELCOME.text))
    assert [finding.kind for finding in check(evidence, told(), [])] == [Kind.DOUBLED]
    evidence.mails = [NEWS]
    assert [finding.kind for finding in check(evidence, told(), [])] == [Kind.LOST]


def test_a_mail_that_may_have_arrived_before_it_was_dropped_or_written_anew_is_on_record_as_such() -> None:
    evidence = left()
    row = evidence.tables["outbox"][1]
    row["status"] = "withdrawn"
    assert [finding.kind for finding in check(evidence, told(), [])] == [Kind.WRONG]
    line = {"key": f"{row['delivery_id']}/in-doubt-20270102T000000000000", "kind": "in_doubt", "title": "News may have"}
    evidence.tables["journal"].append({**line, "at": datetime(2027, 1, 2, tzinfo=UTC)})
    assert check(evidence, told(), []) == []
    row["status"] = "sent"
    evidence.mails.append(Arrived(NEWS.message_id, NEWS.to, "News", "Other words."))
    assert check(evidence, told(), []) == []
    evidence.mails.append(Arrived(NEWS.message_id, NEWS.to, "News", "Third words."))
    assert [finding.kind for finding in check(evidence, told(), [])] == [Kind.WRONG]
    evidence.mails[-2:] = []
    row["status"] = "withdrawn"
    evidence.mails.append(Arrived(NEWS.message_id, WELCOME.to, WELCOME.subject, WELCOME.text))
    assert Kind.DOUBLED in [finding.kind for finding in check(evidence, told(), [])]


def test_what_was_issued_after_a_moved_clock_ran_past_its_day_counts_for_that_day() -> None:
    net = Decimal(2135)
    issued = Document("I-1", "acme", date(2027, 2, 5), False, net, Decimal(0), net, (), {})
    books = Accountant("JPY", date(2027, 1, 1))
    books.due = [Due("acme", date(2027, 2, 1), False, Fraction(2135), {}, (), "a month")]
    quiet = {"account_id": "acme", "kind": "x", "title": ""}
    before = {**quiet, "key": "journey:acme/before", "at": datetime(2027, 1, 30, 12, tzinfo=UTC)}
    own = {**quiet, "key": "journey:acme/b/I-1", "at": datetime(2027, 2, 5, 10, 39, 53, tzinfo=UTC)}
    evidence = Evidence(tables={"journal": [before, own]})
    assert as_due(issued, books, evidence).day == date(2027, 2, 1)
    before["at"] = datetime(2027, 2, 1, 12, tzinfo=UTC)
    assert as_due(issued, books, evidence).day == date(2027, 2, 1), (
        "another was issued on the day on which both were due"
    )
    own["at"] = datetime(2027, 2, 5, 12, 0, 1, tzinfo=UTC)
    assert as_due(issued, books, evidence) is issued, "it was planned for that hour"
    own["at"] = datetime(2027, 2, 5, 10, 39, 53, tzinfo=UTC)
    before["at"] = datetime(2027, 2, 2, tzinfo=UTC)
    assert as_due(issued, books, evidence) is issued, "somebody worked after the day on which it was due"


def test_what_a_batch_told_before_its_database_was_lost_need_not_be_on_record() -> None:
    evidence = left()
    reminder = replace(NEWS, message_id="<batch%3Aacme%2Freminded-1%230.c@perennial.example>", text="Due now.")
    evidence.mails.append(reminder)
    (found,) = check(evidence, told(), [])
    assert (found.kind, found.says.endswith("arrived and is not on record")) == (Kind.WRONG, True)
    evidence.told_by_batches = {reminder.message_id}
    assert check(evidence, told(), []) == []


def test_what_was_written_anew_before_its_database_was_lost_may_have_two_contents() -> None:
    evidence = left()
    evidence.mails.append(replace(WELCOME, text="Good to have you, again."))
    (found,) = check(evidence, told(), [])
    assert "two contents" in found.says
    (row,) = (row for row in evidence.of("outbox") if row["delivery_id"].endswith("/welcome#0"))
    row["reason"] = "sent before, by the engine's histories"
    assert check(evidence, told(), []) == []


def test_the_same_mail_under_the_same_message_id_is_counted_apart() -> None:
    evidence = left()
    evidence.mails.append(NEWS)
    assert check(evidence, told(), []) == []
    assert resent(evidence) == 1
