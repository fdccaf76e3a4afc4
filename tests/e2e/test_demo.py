"""`perennial demo` as whoever runs it meets it: a process of its own, one JSON object on standard output."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders import order
from tests.e2e.walk import as_the_agent, as_the_customer, as_the_rep, staying_demo
from tests.workers.cli.running import forked

SAMPLE = Path(__file__).parents[1] / "data" / "online_retail_sample.csv"


async def perennial(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command run in `folder`."""
    ended = await forked(arguments, folder, {**os.environ, **environment})
    return ended.code, ended.out, ended.err


async def lived(folder: Path, *arguments: str) -> dict[str, Any]:
    """The summary of a demo that ended well."""
    code, out, err = await perennial(folder, "demo", "--exit", "--json", *arguments)
    assert code == 0, err
    summary: dict[str, Any] = json.loads(out)
    return summary


async def test_the_usual_story_has_everything_in_it_and_ends_with_something_to_do(tmp_path: Path) -> None:
    async with staying_demo(tmp_path) as demo:
        _has_everything(demo.summary)
        await as_the_rep(demo)
        await as_the_agent(demo)
        await as_the_customer(demo)


def _has_everything(summary: dict[str, Any]) -> None:
    assert {"account", "virtual_start", "virtual_end", "steps", "mails", "assets", "health", "renewals", "urls"} <= set(
        summary
    )
    kinds = [step["kind"] for step in summary["steps"]]
    for kind in ("adoption_outreach", "adoption_recovered", "expansion_offer", "answer_offer", "answer_renewal"):
        assert kinds.count(kind) == 1, kind
    assert kinds.index("adoption_outreach") < kinds.index("adoption_recovered") < kinds.index("expansion_offer")
    keys = [step["key"] for step in summary["steps"]]
    assert len(keys) == len(set(keys))
    instants = [_instant(step["at"]) for step in summary["steps"]]
    assert instants == sorted(instants)
    assert {mail["language"] for mail in summary["mails"]} == {"ja", "en"}
    terms = [(row["contract_id"], row["term"], row["origin"]) for row in summary["renewals"]]
    assert terms == [("CC-CLOUD", 1, "sold"), ("CC-CLOUD", 2, "accepted"), ("CC-ONSITE", 1, "sold")]
    seats = next(asset for asset in summary["assets"] if asset["product_code"] == "IB-WORKSPACE")
    assert [period["quantity"] for period in seats["periods"]] == [60, 70, 84, 84]
    _sales_waited_for_service(summary)
    _a_price_fell_and_one_call_settled_it(summary)
    _they_renewed_by_mail(summary)
    _every_amount_is_explained(summary)
    _it_ends_with_something_to_do(summary)


def _sales_waited_for_service(summary: dict[str, Any]) -> None:
    """The offer of more seats came due while the tills stood still; it went out after the case was resolved."""
    opened = _instant(_case(summary, "C-1077")["opened_at"])
    steps = [step for step in summary["steps"] if _instant(step["at"]) >= opened]
    titles = [step["title"] for step in steps]
    held = next(n for n, title in enumerate(titles) if "held back" in title and "Offer" in title)
    resolved = titles.index("Case C-1077 resolved: fixed")
    free = titles.index("Nothing holds sales back any more")
    offered = next(n for n, step in enumerate(steps) if step["kind"] == "expansion_offer")
    assert held < resolved < free < offered
    mails = [mail for mail in summary["mails"] if mail["subject"] == "More seats for InfintraBytes Workspace"]
    second = _instant(steps[free]["at"]).replace(microsecond=0)  # a mail says when to the second
    assert [_instant(mail["at"]) >= second for mail in mails] == [True]


def _a_price_fell_and_one_call_settled_it(summary: dict[str, Any]) -> None:
    case = _case(summary, "C-1041")
    opened, resolved = (_instant(case[key]) for key in ("opened_at", "resolved_at"))
    assert resolved - opened < timedelta(minutes=10)
    [memo] = [row for row in summary["billed"] if any("Price match" in line["description"] for line in row["lines"])]
    assert (memo["kind"], memo["total"]) == ("credit memo", "18000")
    assert any("差額ご返金" in mail["subject"] for mail in summary["mails"])


def _they_renewed_by_mail(summary: dict[str, Any]) -> None:
    """One mail to the service address brought the quote, one yes in reply the next term."""
    steps = {step["kind"]: step for step in summary["steps"] if step["kind"] in ("request_renewal", "answer_renewal")}
    asked, answered = (_instant(steps[kind]["at"]) for kind in ("request_renewal", "answer_renewal"))
    assert steps["request_renewal"]["title"] == "Renewal of CC-CLOUD asked for by the customer: quote Q-CC-CLOUD-2"
    assert timedelta(days=2) < answered - asked < timedelta(days=4)
    about = [_instant(mail["at"]) for mail in summary["mails"] if "CC-CLOUD" in mail["subject"]]
    assert sorted({at for at in about if at >= asked}) == [asked, answered]


def _it_ends_with_something_to_do(summary: dict[str, Any]) -> None:
    """A case burns and holds sales back, yesterday's purchase is cheaper today, and a renewal waits for the answer to its quote."""
    assert summary["health"]["band"] != "healthy"
    assert _case(summary, "C-1102")["resolved_at"] is None
    assert any("Sales is held back: case C-1102" in step["title"] for step in summary["steps"][-3:])
    [bought] = [step for step in summary["steps"] if step["title"] == "Order SO-2027-0291 accepted"]
    assert timedelta(hours=17) < _instant(summary["virtual_end"]) - _instant(bought["at"]) < timedelta(hours=18)
    asked = [mail for mail in summary["mails"] if "CC-ONSITE" in mail["subject"] and mail["language"] == "ja"]
    assert len(asked) == 4, "three notices to whoever decides, one word to the main contact"


def _every_amount_is_explained(summary: dict[str, Any]) -> None:
    """Lots x price x months make each amount, and what was billed is the sum of all, less what was given back."""
    explained = summary["explained"]
    for row in explained:
        monthly = sum((lot["units"] * Decimal(lot["unit_price"]) for lot in row["lots"]), Decimal(0))
        assert abs(monthly * Decimal(row["months"]) - Decimal(row["amount"])) < 10, row
    sign = {"invoice": 1, "credit memo": -1}
    billed = sum(sign[row["kind"]] * Decimal(row["total"]) for row in summary["billed"])
    bought = 12 * 98_000 + 2 * 98_000 + 3 * 89_000 + 3 * 150_000
    assert billed == sum(Decimal(row["amount"]) for row in explained) + bought - 18_000
    products = {row["product"].removeprefix("InfintraBytes ") for row in explained}
    assert products == {"Workspace", "Care Plus", "Care 360", "Backup", "On-site Care"}
    ends = {row["until"] for row in explained if row["product"] == "InfintraBytes Backup"}
    assert ends <= {row["until"] for row in explained if row["product"] == "InfintraBytes Workspace"}


def _instant(said: str) -> datetime:
    """The minute: journey and cases have a clock each, and what falls on one instant is done a moment later by either."""
    return datetime.fromisoformat(said).replace(second=0, microsecond=0)


def _case(summary: dict[str, Any], case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(case for case in summary["cases"] if case["id"] == case_id)
    return found


async def test_another_customer_lives_by_their_own_order(tmp_path: Path) -> None:
    """Two contracts in euros, no usage, one renewal refused, in a zone with clock changes; nothing of the usual story."""
    document = order(currency="EUR", lines=[])
    document["account"] |= {"time_zone": "Europe/Berlin", "country": "DE", "language": "de", "segment": "tech_touch"}
    second = {
        "contract_id": "K-SECOND",
        "term": {"start": "2025-01-31", "months": 6},
        "lines": [{"line_id": "9", "product": "SEATS", "quantity": 3, "unit_price": "9.99"}],
    }
    document |= {"activated_at": "2025-01-20T10:00:00+01:00", "contracts": [*document["contracts"], second]}
    document["contracts"][0]["term"] = {"start": "2025-02-01", "end": "2026-01-31"}
    contract = document["contracts"][0]["contract_id"]
    story = {
        "order": document,
        "usage": [],
        "renewals": {contract: "decline"},
        "decline_reason": "too dear",
        "months": 13,
    }
    (tmp_path / "story.json").write_text(json.dumps(story))
    summary = await lived(tmp_path, "--order", "story.json")
    terms = {(row["contract_id"], row["term"]): row for row in summary["renewals"]}
    assert terms[(contract, 1)]["status"] == "ended"
    assert terms[(contract, 1)]["status_reason"] == "declined"
    assert (contract, 2) not in terms
    assert {term for held, term in terms if held == "K-SECOND"} == {1, 2, 3}
    assert not any(step["kind"].startswith(("adoption_outreach", "expansion")) for step in summary["steps"])
    assert {asset["currency"] for asset in summary["assets"]} == {"EUR"}
    assert summary["virtual_start"] > "2026-11"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "neither YAML nor JSON"),
        ("[]", "orders"),
        ('{"orders": [{}]}', "order_id: is missing"),
        ('{"order": {}, "usage": [{"from_day": 1}]}', "usage[0]: give either share"),
        ('{"order": {}, "months": 0}', "months: must be at least 1"),
    ],
)
async def test_a_story_that_cannot_be_lived_is_refused_with_a_reason(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "story.json").write_text(content)
    code, out, err = await perennial(tmp_path, "demo", "--order", "story.json", "--exit", "--json")
    assert (code, out) == (1, "")
    assert says in " ".join(err.split())
    assert "Traceback" not in err
    assert not (tmp_path / ".perennial").exists()


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ({"tasks": {"kick_off": 3}}, "tasks.kick_off: is not known; there are"),
        ({"renewals": {"K-OTHER": "decline"}}, "renewals.K-OTHER: is not known; there are"),
        ({"offers": {"SO-OTHER.1": "ignore"}}, "offers.SO-OTHER.1: is not known; there are"),
        ({"segment": "platinum"}, "no playbook for 'platinum'; there are enterprise, standard"),
    ],
)
async def test_a_story_that_names_what_its_orders_lack_is_refused(
    tmp_path: Path, behaviour: dict[str, Any], says: str
) -> None:
    document = order()
    if "segment" in behaviour:
        document["account"]["segment"] = behaviour.pop("segment")
    (tmp_path / "story.json").write_text(json.dumps({"order": document, **behaviour}))
    code, out, err = await perennial(tmp_path, "demo", "--order", "story.json", "--exit", COLUMNS="500")
    assert (code, out) == (1, "")
    assert says in err
    assert not (tmp_path / ".perennial").exists()


async def test_a_feed_is_rehearsed_with_a_table_as_its_result(tmp_path: Path) -> None:
    arguments = ("--orders", str(SAMPLE), "--customers", "2", "--months", "2", "--exit")
    code, out, err = await perennial(tmp_path, "demo", *arguments, COLUMNS="200")
    assert code == 0, err
    assert re.search(r"\b2 │ customers, drawn by seed 1, 2 months each", out)
    assert re.search(r"\b0 │ done twice", out)
    assert re.search(r"\b2 │ order_accepted", out)
    assert "http" not in out


async def test_feeds_that_cannot_be_rehearsed_are_refused_before_anything_starts(tmp_path: Path) -> None:
    for arguments, says in (
        (("--orders", "missing.csv"), "no file missing.csv"),
        (("--orders", str(SAMPLE), "--order", "story.json"), "not both"),
        (("--months", "241"), "less than or equal to 240"),
    ):
        code, out, err = await perennial(tmp_path, "demo", "--exit", *arguments, COLUMNS="200")
        assert code != 0
        assert out == ""
        assert says in err
        assert "Traceback" not in err
    assert not (tmp_path / ".perennial").exists()


async def test_commands_without_servers_say_what_to_do(tmp_path: Path) -> None:
    for arguments in (("journey", "list"), ("asset", "list", "acme"), ("journey", "fast-forward", "acme", "90d")):
        code, _, err = await perennial(tmp_path, *arguments, TEMPORAL_ADDRESS="127.0.0.1:9")
        assert code == 1
        assert "perennial up" in err
        assert "Traceback" not in err
    code, _, err = await perennial(tmp_path, "journey", "fast-forward", "acme", "soon")
    assert code == 1
    assert "such as 90d" in err
    for endless in ("99999999d", "9" * 5000 + "h", "101y"):
        code, _, err = await perennial(tmp_path, "journey", "fast-forward", "acme", endless)
        assert code == 1
        assert "a hundred years at most" in err
