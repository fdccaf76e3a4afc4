"""Histories of accounts from files: only what was before a day counts, labels find their accounts, what cannot be used is said."""

from __future__ import annotations

import csv
import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from domain.success.proof import prove
from workers.cli.health import app
from workers.feeds.errors import FeedError
from workers.feeds.histories import read_history
from workers.feeds.history_mapping import BacktestProfile, bundled, load_profile, write_profile

Rows = list[list[str]]
SAMPLE = Path(__file__).parents[2] / "data" / "online_retail_sample.csv"
COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]


def _written(file: Path, rows: Rows) -> Path:
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return file


def _orders(seed: int, customers: int = 120) -> Rows:
    """Order lines of a year: whoever orders often goes on, and some stop."""
    dice, rows = random.Random(seed), []
    for customer in range(customers):
        gap, day = dice.randint(5, 60), date(2026, 1, 1) + timedelta(days=dice.randint(0, 40))
        ends = day + timedelta(days=dice.choice([90, 200, 400]))
        while day < min(ends, date(2027, 1, 1)):
            number = f"{'C' if dice.random() < 0.05 else ''}{dice.randint(100000, 999999)}"
            for _ in range(dice.randint(1, 3)):
                code = dice.choice(["22423", "85123A", "POST", "21212"])
                rows.append(
                    [
                        number,
                        code,
                        "x",
                        str(dice.randint(1, 9)),
                        f"{day} 08:26:00",
                        "2.55",
                        str(12000 + customer),
                        "Japan",
                    ]
                )
            day += timedelta(days=max(1, round(dice.gauss(gap, gap / 4))))
    return rows


def test_permuting_the_future_changes_no_score(tmp_path: Path) -> None:
    profile, day = load_profile("online-retail"), date(2026, 7, 1)
    rows = _orders(1)
    later = [row for row in rows if row[4] >= day.isoformat()]
    customers, days = [row[6] for row in later], [row[4] for row in later]
    random.Random(2).shuffle(customers)
    random.Random(3).shuffle(days)
    mixed = [[*row[:4], at, row[5], customer, row[7]] for row, at, customer in zip(later, days, customers, strict=True)]
    before = [row for row in rows if row[4] < day.isoformat()]
    as_it_was, permuted = (
        read_history(profile, _written(tmp_path / name, [COLUMNS, *its]), days=[day])
        for name, its in (("a.csv", rows), ("b.csv", [*mixed, *before]))
    )
    assert [(one.account, one.values) for one in sorted(as_it_was.seen, key=lambda one: one.account)] == [
        (one.account, one.values) for one in sorted(permuted.seen, key=lambda one: one.account)
    ]
    assert [one.left for one in as_it_was.seen] != [one.left for one in permuted.seen]


def test_whoever_orders_nothing_for_so_long_has_left_and_what_is_no_order_does_not_count(tmp_path: Path) -> None:
    rows = [
        COLUMNS,
        ["1", "22423", "x", "2", "2026-01-01 08:00:00", "3", "17", "Japan"],
        ["C2", "22423", "x", "-1", "2026-05-01 08:00:00", "3", "17", "Japan"],  # a return is no order
        ["3", "POST", "x", "1", "2026-05-02 08:00:00", "3", "17", "Japan"],  # nor is postage
        ["4", "22423", "x", "5", "2026-03-31 08:00:00", "2", "18", "Japan"],
        ["5", "22423", "x", "5", "2026-07-08 23:00:00", "2", "18", "Japan"],  # the last day of the hundred
        ["6", "22423", "x", "5", "2026-03-31 08:00:00", "2", "", "Japan"],
        ["7", "22423", "x", "5", "2026-07-20 08:00:00", "2", "19", "Japan"],  # nobody knew of them in March
    ]
    history = read_history(
        load_profile("online-retail"), _written(tmp_path / "a.csv", rows), days=[date(2026, 3, 31), date(2026, 4, 1)]
    )
    found = {(one.account, one.day): one for one in history.seen}
    assert {key: one.left for key, one in found.items()} == {
        ("17", date(2026, 3, 31)): True,
        ("17", date(2026, 4, 1)): True,
        ("18", date(2026, 4, 1)): False,
    }
    values = found["18", date(2026, 4, 1)].values
    assert (values["orders"], values["revenue"], values["days_since_order"]) == (1, 10, 1)
    assert history.aside == {"rows of a.csv without an account": 1, "rows of a.csv that do not count": 2}


def test_a_day_after_which_too_little_is_known_needs_labels(tmp_path: Path) -> None:
    file = _written(tmp_path / "a.csv", [COLUMNS, *_orders(1)])
    with pytest.raises(FeedError, match=r"100 days from 2026-12-01 do not lie in .* give --labels FILE"):
        read_history(load_profile("online-retail"), file, days=[date(2026, 12, 1)])
    labels = _written(tmp_path / "left.csv", [["CustomerID", "lapsed"], ["12000", "1"], ["12001", "0"], ["77", "1"]])
    history = read_history(load_profile("online-retail"), file, labels)
    assert {(one.account, one.left) for one in history.seen} == {("12000", True), ("12001", False)}
    known = {row[6] for row in _orders(1) if not row[0].startswith("C") and row[1] != "POST"}
    assert history.aside["accounts without a label"] == len(known) - 2


QUARTERS = """
profile: sellers
version: 1
read: {account: seller, day: {quarter: quarter}, left: {column: gone}, active: {value: {column: month}, at_least: 3}}
inputs: [{name: orders, value: {column: orders}, weight: 1}, {name: month, value: {column: month}, weight: 1}]
"""


def _sellers(seed: int, quarter: str, *, labelled: bool = True) -> Rows:
    dice = random.Random(seed)
    head = ["quarter", "seller", "orders", "month", *(["gone"] if labelled else [])]
    rows = []
    for n in range(300):
        orders = dice.randint(1, 20)
        gone = str(int(dice.random() < 0.7 - orders / 30))
        rows.append([quarter, f"S{n}", str(orders), str(dice.randint(1, 3)), *([gone] if labelled else [])])
    return [head, *rows]


def test_a_profile_is_tried_fitted_and_tried_on_the_next_period_by_command(tmp_path: Path) -> None:
    (tmp_path / "sellers.yaml").write_text(QUARTERS)
    first = _written(tmp_path / "first.csv", _sellers(1, "2026Q3"))
    whole = _sellers(2, "2026Q4")
    second = _written(tmp_path / "second.csv", [row[:-1] for row in whole])
    labels = _written(
        tmp_path / "labels.csv", [["seller", "quarter", "gone"], *([row[1], row[0], row[4]] for row in whole[1:])]
    )
    run = CliRunner()
    fitted = tmp_path / "fitted.yaml"
    made = run.invoke(app, ["fit", str(first), "--profile", str(tmp_path / "sellers.yaml"), "--out", str(fitted)])
    assert made.exit_code == 0, made.output
    tried = run.invoke(app, ["backtest", str(second), "--labels", str(labels), "--profile", str(fitted), "--json"])
    assert tried.exit_code == 0, tried.output
    told = json.loads(tried.stdout)
    assert told["accounts"] == told["scored"] == 300
    assert told["auc_low"] > 0.6
    assert told["reliable"]
    assert told["auc_active"] is not None
    assert [one["quarter"] for one in told["quarters"]] == ["2026Q4"]
    assert told["tenths"][0]["foretold"] > told["tenths"][-1]["foretold"]
    shown = run.invoke(app, ["backtest", str(first), "--profile", str(tmp_path / "sellers.yaml")])
    assert "What carries it" in shown.stdout
    again = run.invoke(app, ["fit", str(first), "--profile", str(tmp_path / "sellers.yaml"), "--out", str(fitted)])
    assert "is there already" in str(again.exception)


def test_labels_of_another_quarter_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "sellers.yaml").write_text(QUARTERS)
    file = _written(
        tmp_path / "a.csv",
        [["quarter", "seller", "orders", "month"], ["2026Q4", "S1", "3", "2"], ["2026Q3", "S1", "3", "2"]],
    )
    labels = _written(tmp_path / "labels.csv", [["quarter", "seller", "gone"], ["2026Q4", "S1", "1"]])
    history = read_history(load_profile(str(tmp_path / "sellers.yaml")), file, labels)
    assert [(one.day, one.left) for one in history.seen] == [(date(2027, 1, 1), True)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"inputs": [{"name": "a", "value": {"column": "nothing"}, "weight": 1}]},
            "no column 'nothing'; it has quarter, seller",
        ),
        ({"inputs": [{"name": "a", "value": {"table": "mails", "take": "count"}, "weight": 1}]}, "no table 'mails'"),
        ({"inputs": [{"name": "a", "value": {"column": "orders"}, "weight": 0}]}, r"weight: must be more than 0"),
        ({"inputs": []}, "at least 1"),
        ({"read": {"account": "seller", "layout": "events"}}, "needs a table named `events`"),
        (
            {"read": {"account": "seller", "day": {"quarter": "quarter"}, "left": {"column": "gone"}}, "healthy": 30},
            "not below healthy",
        ),
        (
            {"read": {"account": "seller", "day": {"quarter": "quarter"}, "left": {"column": "churned"}}},
            "no column 'churned' that says who left",
        ),
    ],
)
def test_what_cannot_be_tried_is_said_with_what_would_be_right(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({**yaml.safe_load(QUARTERS), **change}))
    with pytest.raises(FeedError, match=says):
        read_history(load_profile(str(tmp_path / "p.yaml")), _written(tmp_path / "a.csv", _sellers(1, "2026Q4")))


def test_a_profile_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(FeedError, match="olist, online-retail, powerco, ravenstack"):
        load_profile("salesforce")


@pytest.mark.parametrize("name", bundled())
def test_profiles_at_hand_are_written_and_read_alike(name: str, tmp_path: Path) -> None:
    profile = load_profile(name)
    write_profile(profile, tmp_path / "again.yaml")
    assert load_profile(str(tmp_path / "again.yaml")) == profile
    assert isinstance(profile, BacktestProfile)


def test_real_orders_are_read(tmp_path: Path) -> None:
    history = read_history(
        load_profile("online-retail"), SAMPLE, _written(tmp_path / "l.csv", [["CustomerID", "left"], ["12764", "1"]])
    )
    assert [one.account for one in history.seen] == ["12764"]
    assert prove(load_profile("online-retail"), history.seen).auc is None


def test_accounts_with_tables_beside_them_are_found_in_a_folder(tmp_path: Path) -> None:
    _written(
        tmp_path / "ravenstack_accounts.csv",
        [
            ["account_id", "signup_date", "seats", "churn_flag"],
            ["A-1", "01-03-2024", "9", "TRUE"],
            ["A-2", "01-01-2024", "5", "FALSE"],
        ],
    )
    _written(
        tmp_path / "ravenstack_subscriptions.csv",
        [
            ["subscription_id", "account_id", "start_date", "mrr_amount"],
            ["S-1", "A-1", "02-03-2024", "100"],
            ["S-2", "A-2", "02-01-2024", "70"],
        ],
    )
    _written(
        tmp_path / "ravenstack_feature_usage.csv",
        [
            ["subscription_id", "usage_date", "usage_count", "feature_name", "error_count"],
            ["S-1", "30-06-2024", "4", "f1", "0"],
            ["S-1", "01-06-2024", "6", "f2", "1"],
            ["S-9", "01-06-2024", "6", "f2", "1"],
        ],
    )
    history = read_history(load_profile("ravenstack"), tmp_path)
    found = {one.account: one for one in history.seen}
    assert {name: (one.day, one.left) for name, one in found.items()} == {
        "A-1": (date(2024, 7, 1), True),
        "A-2": (date(2024, 7, 1), False),
    }
    assert found["A-1"].values["use"] == 10
    assert found["A-1"].values["breadth"] == 2
    assert found["A-1"].values["satisfaction"] is None
    assert found["A-1"].values["tenure"] == 122
    assert history.aside["tables missing: no ravenstack_support*.csv* beside ravenstack_accounts.csv"] == 1
    assert history.aside["rows of ravenstack_feature_usage.csv without an account"] == 1
