"""Every line of a feed finds its order or its reason; a file that cannot be used is said to be so before anything happens."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from domain.orders.order import read_order
from tests.workers.feeds.builders import COLUMNS, SAMPLE, feed, line, sample_rows
from workers.feeds.countries import country_code
from workers.feeds.documents import order_document
from workers.feeds.errors import FeedError
from workers.feeds.files import is_json_lines
from workers.feeds.mapping import Mapping, mapping_for
from workers.feeds.mapping_file import BUNDLED, load_mapping
from workers.feeds.rejects import Reason, Work
from workers.feeds.scanning import Scan, Scanner


def scan(file: Path, mapping: Path | None = None, limit: int | None = None) -> tuple[Mapping, Scan]:
    rules, header = mapping_for(file, mapping)
    return rules, Scanner(rules, header).scan(file, limit)


def mapping_file(folder: Path, old: str, new: str) -> Path:
    """The bundled mapping with a change."""
    text = (BUNDLED / "online_retail.yaml").read_text()
    assert old in text
    place = folder / "mapping.yaml"
    place.write_text(text.replace(old, new))
    return place


def test_sample_is_split_as_the_raw_lines_say() -> None:
    _, found = scan(SAMPLE)

    expected: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for row in sample_rows():
        if not row[6]:
            expected["no_customer"] += 1
        elif row[0].startswith("C"):
            expected["cancelled_order"] += 1
        elif not row[1][0].isdigit():
            expected["not_a_product"] += 1
        elif Decimal(row[5]) == 0:
            expected["no_price"] += 1
        elif tuple(row) in seen:
            expected["duplicate_line"] += 1
        else:
            expected["imported"] += 1
        seen.add(tuple(row))
    got = Counter(reject.reason.value for reject in found.rejects.values())
    got["imported"] = sum(len(order.lines) for order in found.orders.values())
    assert got == expected
    assert found.lines == len(sample_rows()) == expected.total()


def test_orders_hold_the_lines_of_their_invoices() -> None:
    rules, found = scan(SAMPLE)
    rows = dict(enumerate(sample_rows(), start=2))

    for order in found.orders.values():
        document = order_document(order, rules, found.names)
        read = read_order(document)
        for item in read.lines:
            row = rows[int(item.line_id)]
            assert (row[0], row[6], row[1]) == (read.order_id, read.account.account_id, item.product)
            assert (int(row[3]), Decimal(row[5])) == (item.quantity, item.unit_price)
        first = min(rows[int(item.line_id)][4] for item in read.lines)
        assert document["activated_at"] == rules.instant(rules.local_time(first)).isoformat()


def test_each_kind_of_dirt_has_its_reason(tmp_path: Path) -> None:
    file = feed(
        tmp_path,
        line(),  # 2
        line(customer=""),
        line(order="C2"),
        line(code="post"),
        line(quantity="0"),
        line(quantity="-3"),
        line(price="0"),
        line(price="-1"),
        line(country="Atlantis"),  # 10
        line(),
        line(customer="99"),
        line(quantity="2.5"),
        line(quantity="many"),
        line(price="1,5"),  # 15
        line(price="NaN"),
        line(date="04/01/2011"),
        line(order=""),
        "",
        line() + ",one more",  # 20
        "1,85123A",
        line(code="85<>"),
        line(quantity="20000000"),
        line(quantity="7"),
    )

    _, found = scan(file)

    assert [(number, reject.reason.value) for number, reject in sorted(found.rejects.items())] == [
        (3, "no_customer"),
        (4, "cancelled_order"),
        (5, "not_a_product"),
        (6, "return"),
        (7, "return"),
        (8, "no_price"),
        (9, "no_price"),
        (10, "unknown_country"),
        (11, "duplicate_line"),
        (12, "mixed_order"),
        *((number, "malformed") for number in range(13, 24)),
    ]
    assert [entry.line for entry in found.orders["1"].lines] == [2, 24]
    assert found.rejects[11].says == "the same in every column as line 2"
    assert "Atlantis" in found.rejects[10].says
    assert "'04/01/2011' is no date of the form %Y-%m-%d" in found.rejects[17].says
    assert "quantity" in found.rejects[23].says


def test_line_numbers_count_lines_of_the_file(tmp_path: Path) -> None:
    file = feed(tmp_path, '1,85123A,"LAN\nTERN",6,2011-01-04 10:00:00,2.55,17850,United Kingdom', line(customer=""))

    _, found = scan(file)

    assert [entry.line for entry in found.orders["1"].lines] == [2]
    assert list(found.rejects) == [4]
    assert found.names == {"85123A": "LAN TERN"}


def test_product_has_its_commonest_name(tmp_path: Path) -> None:
    names = ["LANTERN", "LANTERN RED", "LANTERN RED", "", "damaged"]
    file = feed(tmp_path, *(line(order=str(n), name=name) for n, name in enumerate(names)), line(code="X1", name=""))

    rules, found = scan(file)

    assert found.names["85123A"] == "LANTERN RED"
    products = order_document(found.orders["1"], rules, found.names)["products"]
    assert {"code": "X1", "name": "X1", "kind": "goods"} in products


def test_limit_leaves_orders_whole(tmp_path: Path) -> None:
    orders = ["1", "1", "2", "3", "2"]
    file = feed(tmp_path, *(line(order=order, quantity=str(n + 1)) for n, order in enumerate(orders)))

    _, found = scan(file, limit=3)

    assert {key: [entry.line for entry in order.lines] for key, order in found.orders.items()} == {
        "1": [2, 3],
        "2": [4, 6],
    }
    assert (found.lines, found.beyond) == (4, 1)


def test_rejects_can_be_read_again(tmp_path: Path) -> None:
    rules, found = scan(SAMPLE)
    place = tmp_path / "rejects.csv"
    Work(SAMPLE, place).ended(found.lines, found.lines - len(found.rejects), found.rejects, rules.layout)

    with place.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert {int(row["line"]): row["reason"] for row in rows} == {n: r.reason.value for n, r in found.rejects.items()}
    assert rows[0].keys() == {*COLUMNS.split(","), "line", "reason", "explanation"}
    _, again = scan(place)
    lost = [reject for reject in found.rejects.values() if reject.reason is not Reason.DUPLICATE]
    assert Counter(r.reason for r in again.rejects.values()) == Counter(r.reason for r in lost)


def test_rejects_keep_the_fields_of_malformed_lines(tmp_path: Path) -> None:
    file = feed(tmp_path, line() + ",more,and more", "1,2")
    rules, found = scan(file)
    place = tmp_path / "rejects.csv"
    Work(file, place).ended(found.lines, found.lines - len(found.rejects), found.rejects, rules.layout)

    with place.open(newline="") as text:
        rows = list(csv.reader(text))
    assert [len(row) for row in rows] == [11, 11, 11]
    assert rows[1][7] == "United Kingdom,more,and more"
    assert rows[2][:3] == ["1", "2", ""]


def test_gzip_is_read_like_plain_text(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(SAMPLE.read_bytes()))

    assert scan(packed)[1] == scan(SAMPLE)[1]


def test_dates_are_read_by_the_feeds_clock_and_keep_its_hours_when_moved() -> None:
    rules = load_mapping(BUNDLED / "online_retail.yaml", Mapping)
    local = rules.local_time("2011-03-21 09:00:00")

    assert rules.instant(local) == datetime(2011, 3, 21, 9, tzinfo=UTC)
    assert rules.instant(local, weeks=1) == datetime(2011, 3, 28, 8, tzinfo=UTC), "summer time began between"


def test_every_country_of_the_sample_is_known_with_its_zone_and_language() -> None:
    rules, found = scan(SAMPLE)
    names = {row[7] for row in sample_rows()}

    assert {name: rules.account.country_of(name) for name in names} == {
        "United Kingdom": "GB",
        "Germany": "DE",
        "EIRE": "IE",
        "Japan": "JP",
        "Channel Islands": "JE",
        "European Community": "EU",
        "Unspecified": "ZZ",
        "USA": "US",
        "Czech Republic": "CZ",
        "Lebanon": "LB",
        "Brazil": "BR",
        "Australia": "AU",
        "Switzerland": "CH",
        "Netherlands": "NL",
    }
    assert country_code("Atlantis") is None
    japanese = next(order for order in found.orders.values() if order.country == "JP")
    account = order_document(japanese, rules, found.names)["account"]
    assert (account["time_zone"], account["language"]) == ("Asia/Tokyo", "ja")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x00PK junk", "binary data"),
        (b"\xff\xfe\x12\x80 no text", "is no text in utf-8-sig"),
        (b"\x1f\x8b\x08\x00broken", "damaged gzip"),
        (COLUMNS.replace(",", ";").encode() + b"\n1;2\n", "its delimiter seems to be ';'"),
        (line().encode() + b"\n", "no known feed has the columns"),
        (COLUMNS.replace("Country", "InvoiceNo").encode(), "names the column 'InvoiceNo' twice"),
        (f'{COLUMNS}\n{line()}\n2,"never closed,3\n'.encode(), "no proper CSV at line 3"),
        (f"{COLUMNS}\n{line(name='CAFÉ')}\n".encode("cp1252"), "is no text in utf-8-sig"),
    ],
    ids=["empty", "binary", "not text", "gzip", "delimiter", "no header", "column twice", "quote", "encoding"],
)
def test_file_that_cannot_be_used_is_said_to_be_so(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "feed.csv"
    file.write_bytes(content)

    with pytest.raises(FeedError) as told:
        assert is_json_lines(file) or scan(file)

    assert said in str(told.value)
    assert str(file) in str(told.value)


def test_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"nowhere\.csv cannot be read: No such file"):
        is_json_lines(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("order_id: InvoiceNo", "order_id: Invoice", "has no column 'Invoice'; it has InvoiceNo, StockCode"),
        ("order_id: InvoiceNo", "orderid: InvoiceNo", "columns.orderid: is not a field"),
        ("@customers.example", "@gmail.com", "reserved domain"),
        ('id: "{customer_id}"', 'id: "{customer}"', "account.id"),
        ('"{customer_id}-1"', '"1"', "must hold {customer_id}"),
        ("currency: GBP", "currency: GBX", "unknown currency 'GBX'"),
        ("JP: Asia/Tokyo", "JP: Asia/Kioto", "account.time_zones.JP: unknown time zone 'Asia/Kioto'"),
        ('"^C"', '"(C"', "is no regular expression"),
        ("title: Online Retail", "encoding: utf-9\ntitle: x", "unknown encoding 'utf-9'"),
        ("columns:", "columns: [", "cannot be read"),
    ],
)
def test_wrong_mapping_is_said_to_be_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(FeedError) as told:
        scan(SAMPLE, mapping_file(tmp_path, old, new))

    assert said in str(told.value)


def test_mapping_of_ones_own(tmp_path: Path) -> None:
    mapping = mapping_file(tmp_path, "  country: Country\n", "")
    mapping.write_text(f'delimiter: ";"\nencoding: cp1252\n{mapping.read_text().replace("Description", "Désignation")}')
    file = tmp_path / "feed.csv"
    header = COLUMNS.replace("Description", "Désignation")
    file.write_bytes(f"{header}\n{line(name='CAFÉ')}\n".replace(",", ";").encode("cp1252"))

    _, found = scan(file, mapping)

    assert found.names == {"85123A": "CAFÉ"}
    assert found.orders["1"].country == "GB"
