"""How files write numbers, dates and yes: read as the mapping says, and not at all where it leaves two ways open."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from workers import feeds
from workers.feeds.asset_mapping import AssetMapping, read_periods
from workers.feeds.case_mapping import instant_of as case_instant
from workers.feeds.files import guarded, read_header, unguarded
from workers.feeds.mapping import Mapping
from workers.feeds.mapping_file import load_mapping
from workers.feeds.spelling import DateFormats, Spelling, parsed_date

GERMAN = {"decimal": ",", "thousands": "."}
ENGLISH = {"decimal": ".", "thousands": ","}
SWISS = {"decimal": ".", "thousands": "'"}
FRENCH = {"decimal": ",", "thousands": " "}


@pytest.mark.parametrize(
    ("rules", "text", "number"),
    [
        (GERMAN, "1.000", "1000"),
        (GERMAN, "1.355,90", "1355.90"),
        (GERMAN, "9,99", "9.99"),
        (GERMAN, "-1.234.567,5", "-1234567.5"),
        (GERMAN, "1000", "1000"),
        (ENGLISH, "1,000", "1000"),
        (ENGLISH, "1.000", "1.000"),
        (ENGLISH, "１，０００．５", "1000.5"),
        ({"thousands": "."}, "1.000,5", "1000.5"),
        ({"thousands": ","}, "1,000.5", "1000.5"),
        ({"decimal": "."}, "1.000", "1"),
        ({"decimal": ","}, "1,5", "1.5"),
        (SWISS, "12'000.50", "12000.50"),
        (SWISS, "12\u2019000.50", "12000.50"),
        (FRENCH, "12 000,50", "12000.50"),
        (FRENCH, "12\u202f000,50", "12000.50"),
        ({}, "12.50", "12.5"),
        ({}, "10.0", "10"),
        ({}, "0.125", "0.125"),
        ({}, "５", "5"),
        ({}, "１２００", "1200"),
        ({}, "1234.567", "1234.567"),
    ],
)
def test_numbers_are_read_as_the_mapping_says(rules: dict[str, Any], text: str, number: str) -> None:
    assert Spelling.model_validate(rules).number(text) == Decimal(number)


@pytest.mark.parametrize("rules", [{}, GERMAN, ENGLISH, SWISS, FRENCH, {"decimal": "."}])
@pytest.mark.parametrize("text", [
    "1_000", "1e3", "1E+3", "NaN", "inf", "", "1..0", "--1", "$12", "¥1200", "0x10", "1.0.0,5", "ten", "1.", ".5",
    "12\u00b2", "49.0\u00b9", "49\u2082", "\u2460", "\u3251", "\u00bd",
])  # fmt: skip
def test_what_is_no_number_is_none_in_any_mapping(rules: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"is no number|two ways"):
        Spelling.model_validate(rules).number(text)


@pytest.mark.parametrize(
    ("rules", "text", "says"),
    [
        ({}, "1.000", "two ways; say `decimal` and `thousands`"),
        ({}, "1,000", "two ways"),
        ({}, "9,99", "two ways"),
        ({}, "1.355,90", "say `decimal` and `thousands`"),
        (GERMAN, "49.90", "no number such as 12.345,50"),
        (GERMAN, "1.0000", "no number such as 12.345,50"),
        (GERMAN, "0.125", "no number such as 12.345,50"),
        ({"decimal": ","}, "1.000", "no number such as 12345,50"),
        ({"decimal": "."}, "1,000", "no number such as 12345.50"),
        (ENGLISH, "1,00,000", "no number such as 12,345.50"),
    ],
)
def test_what_can_be_read_in_two_ways_is_read_in_none(rules: dict[str, Any], text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Spelling.model_validate(rules).number(text)


@pytest.mark.parametrize("offset", ["+09:00", "+0900", "Z", "-08:00"])
def test_an_instant_of_a_feed_has_the_offset_that_it_says_else_the_feeds_zone(offset: str) -> None:
    formats = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S")
    assert TypeAdapter(DateFormats).validate_python(list(formats)) == formats
    said = datetime.fromisoformat(f"2026-03-31T09:00:00{offset}")
    assert case_instant(f"2026-03-31T09:00:00{offset}", formats, "Asia/Tokyo") == said
    assert case_instant("2026-03-31 09:00:00", formats, "Asia/Tokyo") == datetime(2026, 3, 31, tzinfo=UTC)
    orders = load_mapping(Path(feeds.__file__).parent / "mappings" / "online_retail.yaml", Mapping)
    feed = orders.having(date_format=formats, time_zone="Asia/Tokyo")
    for text in (f"2026-03-31T09:00:00{offset}", said.astimezone(ZoneInfo("Asia/Tokyo")).strftime(formats[1])):
        assert feed.instant(feed.local_time(text)) == said


def test_dates_of_several_formats_are_read_unless_they_differ() -> None:
    formats = ("%d.%m.%Y", "%Y-%m-%d")
    assert parsed_date("01.02.2026", formats) == parsed_date("2026-02-01", formats)
    assert parsed_date("２０２６-02-01", formats) == parsed_date("2026-02-01", formats)
    both = ("%d/%m/%Y", "%m/%d/%Y")
    assert parsed_date("31/01/2026", both).day == 31
    assert parsed_date("02/02/2026", both).day == 2
    with pytest.raises(ValueError, match=r"two ways, as 2026-02-01 \(%d/%m/%Y\) or 2026-01-02 \(%m/%d/%Y\)"):
        parsed_date("01/02/2026", both)
    for text in ("46023", "02/29/2026", "令和8年4月1日", ""):
        with pytest.raises(ValueError, match="is no date of the form"):
            parsed_date(text, both)


def test_words_for_yes_and_no_are_the_mappings() -> None:
    rules = Spelling.model_validate({"yes": ["ja", "WAHR", "○"], "no": ["nein", "×"]})
    assert [rules.flag(text) for text in ("Ja", "wahr", "○", "TRUE", "1", "１")] == [True] * 6
    assert [rules.flag(text) for text in ("Nein", "×", "", "0", "No")] == [False] * 5
    with pytest.raises(ValueError, match="add it to `yes` or `no`"):
        Spelling().flag("ja")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"decimal": ",", "thousands": ","}, "both ','"),
        ({"yes": ["x"], "no": ["X"]}, "yes and no"),
        ({"yes": ["0"]}, "yes and no"),
        ({"no": ["true"]}, "yes and no"),
        ({"decimal": ";"}, "decimal"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(rules: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Spelling.model_validate(rules)


MAPPING = """
title: Installed base
delimiter: ";"
columns: {asset_id: Anlage, account_id: Kunde, product: Produkt, start: Von, end: Bis, quantity: Menge, unit_price: Preis,
          contract_id: Vertrag, contract_start: Von, contract_end: Bis, auto_renew: Auto}
date_format: ["%d.%m.%Y", "%Y-%m-%d"]
currency: EUR
account: {id: "de{customer_id}", country: DE, time_zone: Europe/Berlin, owner: {staff_id: s-1, name: Ann, email: ann@s.example}}
"""
FILE = """Anlage;Kunde;Produkt;Von;Bis;Menge;Preis;Vertrag;Auto
B-1;1;CRM;01.01.2026;31.12.2026;1.000;1.355,90;V-1;ja
B-2;2;CRM;2026-01-01;31.12.2026;12;9,99;V-2;nein
B-3;3;CRM;01.01.2026;31.12.2026;１２;49.90;V-3;1
B-4;4;CRM;01.01.2026;31.12.2026;1e3;10;V-4;1
B-5;5;CRM;01.01.2026;31.12.2026;1,5;10;V-5;1
"""


def test_a_file_of_assets_is_read_as_its_mapping_says(tmp_path: Path) -> None:
    file = tmp_path / "assets.csv"
    file.write_text(FILE, encoding="utf-8")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING + 'decimal: ","\nthousands: "."\nyes: [ja, on, yes]\nno: [nein, off]\n')
    said = load_mapping(mapping, AssetMapping)
    assert (said.yes, said.no) == (("ja", "on", "yes"), ("nein", "off"))
    feed = read_periods(file, said, read_header(file, said.layout))
    read = {
        id: (one["periods"][0]["quantity"], one["periods"][0]["unit_price"], one["contract"]["auto_renew"])
        for id, (_, one) in feed.documents.items()
    }
    assert read == {"B-1": (1000, "1355.90", True), "B-2": (12, "9.99", False)}
    assert [reject.says for _, reject in sorted(feed.rejects.items())] == [
        "asset B-3: unit_price: '49.90' is no number such as 12.345,50",
        "asset B-4: quantity: '1e3' is no number such as 12.345,50",
        "asset B-5: quantity: '1,5' is no whole number",
    ]
    plain = AssetMapping.model_validate(yaml.safe_load(MAPPING))
    unsaid = read_periods(file, plain, read_header(file, plain.layout))
    assert "B-1" not in unsaid.documents
    assert "can be read in two ways" in unsaid.rejects[2].says


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+cmd", "@SUM(A1)", "-2+3+cmd", "\t=1", "=1+1", "'=1", "-", ""])
def test_a_cell_of_a_rejects_file_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    assert guarded(cell)[:1] not in set("=+@\t\r")
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["-12.50", "+3", "-1.000,5", "Tea", "5"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert guarded(cell) == cell
