"""Price pages from files: what they sell into the catalogue, what it costs into an edition of a price book."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from activities.catalogue.catalogue import save_catalogue, save_price_book
from activities.catalogue.price_pages import in_catalogue, newest_edition
from activities.kernel.pool import Pool
from domain.catalogue.catalogue import Catalogue, Product
from workers.feeds.catalogue_mapping import (
    CatalogueMapping,
    Edition,
    bundled,
    read_edition,
)
from workers.feeds.errors import FeedError
from workers.feeds.importing import Progress, unseen
from workers.feeds.mapping_file import load_mapping
from workers.feeds.rejects import Reason, Reject, RejectedError, by_reason, check_writable

READING = "reading price pages"
WRITING = "writing price books"
SUFFIXES = frozenset({".yml", ".yaml", ".json"})


@dataclass(frozen=True)
class CatalogueReport:
    """What became of price pages: `imported` and `rejected` make up `items`, each a plan or an add-on on one page.

    products: written, new or changed; editions: of price books, of which `editions_before` were there with the same prices.
    """

    files: int
    items: int
    imported: int
    rejected: int
    products: int
    editions: int
    editions_before: int
    reasons: dict[str, int]
    rejects_file: str
    seconds: float


@dataclass
class _Found:
    """Editions by book, currency and first day, each with its file; and what was rejected, by file and item."""

    editions: dict[tuple[str, str, date], tuple[Path, Edition]] = field(default_factory=dict)
    items: int = 0
    rejects: list[tuple[Path, str, Reject]] = field(default_factory=list)


async def import_catalogues(
    pool: Pool,
    places: Sequence[Path],
    *,
    rejects: Path,
    as_of: datetime,
    mapping: Path | None = None,
    progress: Progress = unseen,
) -> CatalogueReport:
    """Every price page in `places` (files, or folders of them) becomes an edition of a price book, valid from its day on.

    A product is in the catalogue as its latest page describes it; what has no price that everybody pays is in the
    catalogue alone. Running it again changes nothing. Raises FeedError if a place or the mapping cannot be used.
    """
    began = time.monotonic()
    check_writable(rejects)
    formats = [load_mapping(mapping, CatalogueMapping)] if mapping else bundled()
    files = list(_files(places))
    found = _Found()
    for number, file in enumerate(files, 1):
        _read(file, formats, found)
        progress(READING, number, len(files))
    products, before = await _write(pool, found, as_of, progress)
    _write_rejects(rejects, found)
    return CatalogueReport(
        files=len(files),
        items=found.items,
        imported=found.items - len(found.rejects),
        rejected=len(found.rejects),
        products=products,
        editions=len(found.editions),
        editions_before=before,
        reasons=by_reason(reject for _, _, reject in found.rejects),
        rejects_file=str(rejects),
        seconds=round(time.monotonic() - began, 1),
    )


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            inside = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES)
            if not inside:
                raise FeedError(f"{place} holds no price pages; they end in {', '.join(sorted(SUFFIXES))}")
            yield from inside
        elif place.is_file():
            yield place
        else:
            raise FeedError(f"{place} is neither a file nor a folder")


def _read(file: Path, formats: Sequence[CatalogueMapping], found: _Found) -> None:
    """Adds what a file says. A page of which nothing can be used is one rejected item."""
    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        mapping = next((each for each in formats if each.fits(document)), None)
        if mapping is None:
            raise RejectedError(Reason.MALFORMED, "no known format has these fields; say with --mapping where they are")
        edition = read_edition(document, mapping)
        key = (edition.book.name, edition.book.currency, edition.book.valid_from)
        other = found.editions.setdefault(key, (file, edition))
        if other[1].book != edition.book:
            raise RejectedError(Reason.DUPLICATE, f"{other[0]} has other prices of the same day, which count")
    except RejectedError as problem:
        found.items += 1
        found.rejects.append((file, "", problem.reject))
    except (OSError, UnicodeError, yaml.YAMLError) as problem:
        found.items += 1
        found.rejects.append((file, "", Reject(Reason.MALFORMED, f"cannot be read: {problem}")))
    else:
        found.items += edition.items
        found.rejects += [(file, item, reject) for item, reject in edition.rejects.items()]


async def _write(pool: Pool, found: _Found, as_of: datetime, progress: Progress) -> tuple[int, int]:
    """Book by book, each whole or not at all: how many products were written, how many editions were there before."""
    books: dict[str, list[Edition]] = defaultdict(list)
    for _, edition in sorted(found.editions.values(), key=lambda entry: entry[1].book.valid_from):
        books[edition.book.name].append(edition)
    written = before = 0
    for number, (name, editions) in enumerate(sorted(books.items()), 1):
        async with pool.acquire() as connection, connection.transaction():
            newest = await newest_edition(connection, name)
            codes = {product.code for edition in editions for product in edition.catalogue.products}
            known = await in_catalogue(connection, sorted(codes))
            written += len(await save_catalogue(connection, _latest(editions, newest, known), as_of=as_of))
            for edition in editions:
                before += not await save_price_book(connection, edition.book, as_of=as_of)
        progress(WRITING, number, len(books))
    return written, before


def _latest(editions: Sequence[Edition], newest: date, known: set[str]) -> Catalogue:
    """Every product as its latest page has it. What the catalogue has from a later page already stays as it is.

    newest: the first day of the latest edition on record; known: the products that the catalogue has.
    """
    products: dict[str, Product] = {}
    for edition in editions:
        for product in edition.catalogue.products:
            if newest <= edition.book.valid_from or product.code not in known:
                products[product.code] = product
    # An option may have left the catalogue while its plan is still there as an older page had it.
    kept = {
        code: product.having(
            options=tuple(option for option in product.options if option.product in products),
            rules=tuple(r for r in product.rules if r.option in products and r.other in products),
        )
        for code, product in products.items()
    }
    return Catalogue(products=tuple(kept.values()))


def _write_rejects(place: Path, found: _Found) -> None:
    """Every rejected item as a JSON line: its file, where it is in it, and why."""
    draft = place.with_name(f".{place.name}.part")
    with draft.open("w", encoding="utf-8") as out:
        for file, item, reject in found.rejects:
            line = {"file": str(file), "item": item, "reason": reject.reason.value, "explanation": reject.says}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    draft.replace(place)
