"""Feeds for tests: the real sample under ids of its own, and small files with known dirt."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Collection
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "online_retail_sample.csv"
COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

_numbers = itertools.count(1)


def sample_rows() -> list[list[str]]:
    """The sample's lines, without the header."""
    with SAMPLE.open(newline="") as text:
        return list(csv.reader(text))[1:]


def sample_of_its_own(folder: Path, customers: Collection[str] | None = None) -> tuple[Path, str]:
    """The sample, or the lines of some of its customers, with a suffix on each invoice and customer: no other test has these ids."""
    suffix = f"-sample{next(_numbers)}"
    file = folder / f"sample{suffix}.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS.split(","))
        for row in sample_rows():
            if customers is None or row[6] in customers:
                writer.writerow([f"{row[0]}{suffix}", *row[1:6], f"{row[6]}{suffix}" if row[6] else "", row[7]])
    return file, suffix


def feed(folder: Path, *lines: str, header: str = COLUMNS) -> Path:
    """A feed with these lines below the header."""
    file = folder / f"feed-{next(_numbers)}.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def line(
    order: str = "1",
    code: str = "85123A",
    name: str = "LANTERN",
    quantity: str = "6",
    date: str = "2011-01-04 10:00:00",
    price: str = "2.55",
    customer: str = "17850",
    country: str = "United Kingdom",
) -> str:
    """A line of a feed; a good one unless a field says otherwise."""
    return ",".join([order, code, name, quantity, date, price, customer, country])
