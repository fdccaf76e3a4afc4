"""An installed base from a file: assets with their histories and contracts into the facts, and then into the journeys."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from activities.assets.ledger import load_record
from activities.frame.handlers import Place
from activities.journey import imported_assets as store
from activities.journey.people_rows import REACH_BACK, place_accounts
from activities.journey.reports import zone_of_account
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.orders.order_rows import KEEP_PLAYBOOK, add_products, known_products
from activities.playbooks import Playbooks
from domain.assets.errors import AssetError
from domain.assets.model import AssetRecord
from domain.journey.installed_base import INVALID_ASSET, ImportedAsset, TakenOver, read_asset, take_over
from domain.journey.writes import KeepPlaybook, PlaceAccount, ReachBack
from domain.kernel.refusals import Refusal
from domain.orders.order import TERM_KINDS, OrderedProduct, PricePer
from domain.orders.writes import AddProducts
from gateway.client import PerennialClient
from workers.feeds.asset_mapping import AssetFeed, AssetMapping, read_periods
from workers.feeds.errors import FeedError
from workers.feeds.files import Layout, is_json_lines, json_rows
from workers.feeds.importing import CONCURRENCY, READING, Progress, side_by_side, unseen
from workers.feeds.mapping_file import fitting
from workers.feeds.rejects import FileReport, Reason, Reject, RejectedError, Work, unwrapped

IMPORTING = "importing assets"
_CODES = {reason.value: reason for reason in Reason}


@dataclass(frozen=True, kw_only=True)
class AssetReport(FileReport):
    """What became of a file.

    assets: on record now, of which `assets_before` were so before; contracts: new ones; journeys: told of what came.
    """

    assets: int
    assets_before: int
    contracts: int
    accounts: int
    journeys: int


@dataclass
class _Tally:
    assets: int = 0
    before: int = 0
    contracts: int = 0
    journeys: int = 0
    imported_lines: int = 0
    rejects: dict[int, Reject] = field(default_factory=dict)


@dataclass(frozen=True)
class _Asset:
    lines: tuple[int, ...]
    document: ImportedAsset


async def import_assets(
    client: PerennialClient,
    pool: Pool,
    playbooks: Playbooks,
    file: Path,
    *,
    rejects: Path,
    mapping: Path | None = None,
    concurrency: int = CONCURRENCY,
    progress: Progress = unseen,
) -> AssetReport:
    """Every asset of `file`, CSV (with a mapping) or JSON Lines, is taken over whole with its history, or rejected whole.

    Accounts, contracts and products that the file brings along are written with their first asset. Running it again, also
    after a crash in the middle, ends with the same facts. Raises FeedError before anything is imported if the file or the
    mapping cannot be used.
    """
    work = Work(file, rejects)
    feed, layout = _read(file, mapping)
    progress(READING, feed.lines, feed.lines)
    tally = _Tally(rejects=dict(feed.rejects))
    accounts = _by_account(feed, tally)
    total = sum(len(assets) for assets in accounts.values())
    takeover = _Takeover(client, pool, playbooks, tally, lambda: progress(IMPORTING, tally.assets, total))
    await side_by_side(accounts.items(), takeover.account, concurrency)
    return AssetReport(
        **work.ended(feed.lines, tally.imported_lines, tally.rejects, layout),
        assets=tally.assets,
        assets_before=tally.before,
        contracts=tally.contracts,
        accounts=len(accounts),
        journeys=tally.journeys,
    )


def _read(file: Path, mapping: Path | None) -> tuple[AssetFeed, Layout | None]:
    """What a file says, and how it is written if it is CSV."""
    if is_json_lines(file):
        return _json_documents(file), None
    if mapping is None:
        raise FeedError(f"{file} is CSV; say with --mapping what its columns hold")
    rules, header = fitting(file, AssetMapping, mapping)
    return read_periods(file, rules, header), rules.layout


def _json_documents(file: Path) -> AssetFeed:
    feed = AssetFeed()
    for line, text in json_rows(file):
        feed.lines += 1
        try:
            document = unwrapped(json.loads(text))
        except ValueError as error:
            feed.rejects[line] = Reject(Reason.MALFORMED, f"no JSON: {error}" if text else "the line is empty")
            continue
        if not isinstance(document, dict) or not isinstance(document.get("asset_id"), str):
            feed.rejects[line] = Reject(Reason.MALFORMED, "asset_id: is missing")
        elif document["asset_id"] in feed.documents:
            first = feed.documents[document["asset_id"]][0][0]
            feed.rejects[line] = Reject(Reason.DUPLICATE, f"asset {document['asset_id']} is on line {first} already")
        else:
            feed.documents[document["asset_id"]] = ([line], document)
    return feed


def _by_account(feed: AssetFeed, tally: _Tally) -> dict[str, list[_Asset]]:
    """The documents that can be read, by account; an asset that is part of another comes behind it."""
    accounts: dict[str, list[_Asset]] = defaultdict(list)
    for lines, raw in feed.documents.values():
        try:
            document = read_asset(raw)
        except (AssetError, Refusal) as error:
            tally.rejects.update(dict.fromkeys(lines, _reject(str(raw["asset_id"]), error)))
        else:
            accounts[document.account_id].append(_Asset(tuple(lines), document))
    for assets in accounts.values():
        assets.sort(key=lambda asset: (_is_part(asset.document), asset.lines))
    return accounts


def _is_part(document: ImportedAsset) -> bool:
    return document.ledger is not None and document.ledger.asset.parent_id is not None


def _reject(asset_id: str, error: AssetError | Refusal | RejectedError) -> Reject:
    if isinstance(error, RejectedError):
        return error.reject._replace(says=f"asset {asset_id}: {error}")
    if isinstance(error, AssetError):
        return Reject(_CODES.get(error.code, Reason.HISTORY), f"asset {asset_id}: {error.code}: {error}")
    reason = Reason.MALFORMED if error.type == INVALID_ASSET else Reason.REFUSED
    return Reject(reason, f"asset {asset_id}: {error}")


class _Takeover:
    """Takes over account by account: each asset in a transaction of its own, then the journey is told."""

    def __init__(
        self, client: PerennialClient, pool: Pool, playbooks: Playbooks, tally: _Tally, told: Callable[[], None]
    ) -> None:
        self._client = client
        self._pool = pool
        self._playbooks = playbooks
        self._tally = tally
        self._told = told

    async def account(self, found: tuple[str, list[_Asset]]) -> None:
        """Everything that the file has of one account."""
        account_id, assets = found
        as_of = await self._now(account_id)
        accepted = []
        async with self._pool.acquire() as connection:
            for asset in assets:
                try:
                    async with connection.transaction():
                        await self._asset(connection, asset.document, as_of)
                except (AssetError, Refusal, RejectedError) as error:
                    reject = _reject(asset.document.asset_id, error)
                    self._tally.rejects.update(dict.fromkeys(asset.lines, reject))
                else:
                    accepted.append(asset.document)
                    self._tally.assets += 1
                    self._tally.imported_lines += len(asset.lines)
                self._told()
            await self._tell(connection, account_id, accepted)

    async def _now(self, account_id: str) -> datetime:
        try:
            return await self._client.now(account_id)
        except Refusal:
            return present()

    async def _asset(self, connection: Connection, document: ImportedAsset, as_of: datetime) -> None:
        zone = await zone_of_account(connection, document.account_id)
        its_zone = zone or (document.account.time_zone if document.account else None)
        if its_zone is None:
            raise RejectedError(
                Reason.NO_CUSTOMER,
                f"account {document.account_id!r} is not on record; bring it along as `account`",
            )
        product, new_product = await _product(connection, document)
        taken = take_over(document, product.name, its_zone, as_of)
        if known := await load_record(connection, document.asset_id):
            _check_same(known, taken.change.after)
            self._tally.before += 1
            return
        new_contract = await _is_new_contract(connection, document)
        if zone is None:
            await self._open_account(connection, document, taken, as_of)
        place = Place(connection, document.account_id, as_of)
        if new_product:
            await add_products(place, [AddProducts((product,))])
        if (parent := taken.asset.asset.parent_id) and await load_record(connection, parent) is None:
            raise RejectedError(Reason.REFUSED, f"its bundle {parent} is not on record")
        await store.save_taken_over(connection, taken, document.serial_number, contract=new_contract, as_of=as_of)
        await REACH_BACK(place, [ReachBack(taken.asset.start)])
        self._tally.contracts += new_contract

    async def _open_account(
        self, connection: Connection, document: ImportedAsset, taken: TakenOver, as_of: datetime
    ) -> None:
        account = document.account
        if account is None:
            raise AssertionError("an account without a zone is brought along")
        playbook = self._playbooks.current(account.segment)
        if playbook is None:
            known = ", ".join(self._playbooks.segments())
            raise RejectedError(Reason.REFUSED, f"no playbook for segment {account.segment!r}; use one of {known}")
        placed = PlaceAccount(
            account=account,
            playbook=playbook,
            since=taken.asset.start,
            time_zone=account.time_zone,
            language=account.language,
            contacts=dict(enumerate(document.contacts)),
        )
        place = Place(connection, account.account_id, as_of)
        await KEEP_PLAYBOOK(place, [KeepPlaybook(playbook)])
        await place_accounts(place, [placed])

    async def _tell(self, connection: Connection, account_id: str, accepted: Sequence[ImportedAsset]) -> None:
        """Has the journey look after what no journey was told of yet."""
        pending = await store.not_taken_up(connection, account_id)
        if not accepted or not pending.assets:
            return
        content = "\n".join([account_id, *pending.contracts, *pending.assets])
        import_id = f"import-{hashlib.sha256(content.encode()).hexdigest()[:24]}"
        await self._client.take_up_holdings(
            account_id, import_id=import_id, assets=len(pending.assets), contracts=pending.contracts
        )
        await store.note_taken_up(connection, pending)
        self._tally.journeys += 1


def _check_same(known: AssetRecord, new: AssetRecord) -> None:
    """An asset that was imported before may have changed since; its beginnings are the same, whatever the day of each import.

    A name is none of them: it is the product's, and a file may write it in several ways.
    """
    same = {"invoiced_from": known.asset.invoiced_from, "name": known.asset.name}
    if known.asset != new.asset.having(**same) or known.actions[: len(new.actions)] != new.actions:
        raise RejectedError(
            Reason.REFUSED,
            "it is on record already, with another history; nothing was changed",
        )


async def _product(connection: Connection, document: ImportedAsset) -> tuple[OrderedProduct, bool]:
    """The asset's product, and whether it is new to the catalogue."""
    code = document.product
    known = await known_products(connection, [code])
    product = known.get(code) or next((p for p in document.products if p.code == code), None)
    if product is None:
        raise RejectedError(
            Reason.REFUSED,
            f"unknown product {code!r}; bring it along in `products` with its name and kind",
        )
    if (product.kind in TERM_KINDS) is (document.per is PricePer.ONCE):
        how = "for a term; give `per` month or year" if product.kind in TERM_KINDS else "once; give `per` once"
        raise RejectedError(Reason.REFUSED, f"{code!r} is {product.kind.value}, sold {how}")
    return product, code not in known


async def _is_new_contract(connection: Connection, document: ImportedAsset) -> bool:
    """Whether the asset brings its contract along; one on record must be the same customer's."""
    contract_id = document.held_under
    if contract_id is None:
        return False
    holder = await store.account_of_contract(connection, contract_id)
    if holder is None and document.contract is None:
        raise RejectedError(
            Reason.REFUSED,
            f"contract {contract_id!r} is not on record; bring it along with its term",
        )
    if holder not in (None, document.account_id):
        raise RejectedError(Reason.REFUSED, f"contract {contract_id!r} belongs to another account")
    return holder is None
