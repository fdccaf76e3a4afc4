"""`perennial erase …`: a person or a customer goes for good, with a certificate that can be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape

from domain.kernel.refusals import MendableError, Refusal
from workers.cli.common import UserError, console, facts, waited
from workers.cli.output import Json, print_json, show_table
from workers.cli.servers import By, Connections, connections, trusted

if TYPE_CHECKING:
    from activities.journey.erasing_rows import Whom
    from domain.frame.access import Principal
    from domain.journey.erasures import Certificate, ErasedWord
    from domain.journey.traces import Traces
    from gateway.erasing import Erasures

app = typer.Typer(no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account's id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would go; nothing is changed.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log; name nobody.")]
Given = Annotated[
    list[Path] | None, typer.Argument(help="Certificates, or folders of them; else those of PERENNIAL_ERASURES.")
]

_WITHIN = 60.0
"""Seconds for which a command waits for the engine; after it a batch goes on."""


@app.command()
@waited
async def person(
    account: Account,
    contact: Annotated[str, typer.Argument(help="The contact's id.")],
    dry_run: DryRun = False,
    reason: Reason = "",
    by: By = None,
) -> None:
    """A contact goes for good: name, addresses, what they wrote; ids, dates and figures stay."""
    await _erase(account, contact, reason, by, dry_run=dry_run)


@app.command()
@waited
async def customer(account: Account, dry_run: DryRun = False, reason: Reason = "", by: By = None) -> None:
    """A customer whose journey is closed goes for good, everybody of theirs and all that was said; ids, dates and figures stay."""
    await _erase(account, None, reason, by, dry_run=dry_run)


async def _erase(account: str, contact: str | None, reason: str, by: str | None, *, dry_run: bool) -> None:
    from activities.journey.erasing_rows import Whom

    whom = Whom(account, contact)
    async with connections() as servers:
        erasures = _erasures(servers)
        if dry_run:
            found = await erasures.foresee(whom)
            show_table(("what", "how many"), [*found.cells.items(), ("pieces of the search", found.search_pieces),
                ("mails that stay without their words", found.mails),
                *((f"runs of {id}", count) for id, count in sorted(found.runs.items())),
                *((f"by a person's look: {column}", count) for column, count in found.doubtful.items())], "Nothing would go.")  # fmt: skip
            console.print("Nothing was changed.")
            return
        erasure_id = await erasures.erase(await trusted(servers.pool, by), whom, reason)
        await _finish(servers, erasures, whom, erasure_id)


async def _finish(servers: Connections, erasures: Erasures, whom: Whom, erasure_id: str) -> None:
    """Files and engine follow the tables, and the certificate is printed, or why there is none yet."""
    folder = servers.settings.erasures_here()
    ids = {"erasure_id": erasure_id, "account_id": whom.account_id, "contact_id": whom.contact_id}
    if folder is not None and not (folder / f"{erasure_id}.json").exists():  # the digests of one from before are kept
        _keep(folder, erasure_id, ids)
    why = "Some run still names them, or Temporal is away"
    try:
        files = _forget_files(await erasures.words_of(erasure_id))
        certificate = await erasures.finish(erasure_id, _WITHIN, files)
    except MendableError as error:
        certificate, why = None, f"No certificate yet: {error}"
    if certificate is None:
        console.print(
            f"{erasure_id}: gone from all tables. {why}: the batch `erase_batch` goes on;"
            f" `perennial erase show {erasure_id}` prints the certificate then."
        )
        return
    document = certificate.model_dump(mode="json")
    _keep(folder, erasure_id, document)
    print_json(document)


def _keep(folder: Path | None, erasure_id: str, document: dict[str, Any]) -> None:
    """Beside the databases, so that a backup of theirs does not bring anybody back for good."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{erasure_id}.json").write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")


def _forget_files(traces: Traces) -> int:
    """The mails of somebody in the mailbox of the stack in this folder go; how many."""
    return sum(_box(folder).forget(traces.are_in) for folder in _mailboxes())


def _mailboxes() -> Iterator[Path]:
    from gateway.here import DATA_DIR, DEMO_DIR, running_on

    return (folder / "mailbox" for folder in (DATA_DIR, DEMO_DIR) if running_on(folder) is not None)


def _box(folder: Path) -> Any:
    from workers.embedded.mailbox import Mailbox

    return Mailbox(folder)


def _erasures(servers: Connections) -> Erasures:
    from gateway.erasing import Erasures

    return Erasures(servers.client, servers.pool, "cli")


@app.command()
@waited
async def check(
    certificate: Annotated[Path, typer.Argument(help="A certificate as `perennial erase` printed it.")],
) -> None:
    """Whether a certificate is as it was signed, and nothing of whom it is of is back: in tables, histories and files."""
    read = _read(certificate)
    async with connections() as servers:
        found = await _erasures(servers).check(read)
        if not found:
            words = await _erasures(servers).words_of(read.erasure_id)
            found = [
                f"mail {mail.id} of the mailbox is theirs"
                for folder in _mailboxes()
                for mail in _box(folder).of(words.are_in)
            ]
    for one in found:
        console.print(f"[red]{one}[/]")
    if found:
        raise typer.Exit(1)
    console.print(f"{read.erasure_id}: signed by key {read.key}, and nothing is back.")


@app.command()
@waited
async def again(given: Given = None, by: By = None) -> None:
    """Once more, for all who were erased: after a backup from before was restored."""
    async with connections() as servers:
        folder = servers.settings.erasures_here()
        paths = [*_files(given or ([folder] if folder is not None else []))]
        if not paths:
            raise UserError("no certificate is here; name files or folders, or set PERENNIAL_ERASURES")
        who, erasures = await trusted(servers.pool, by), _erasures(servers)

        async def refused(paths: list[Path]) -> dict[Path, str]:
            return {path: why for path in paths if (why := await _again(servers, erasures, who, path))}

        left = await refused(paths)
        if len(left) < len(paths):  # one may have waited for another
            left = await refused([*left])
    for path, why in left.items():
        console.print(f"[red]{path.stem}: not erased again: {escape(why)}[/]")
    if left:
        raise typer.Exit(1)


async def _again(servers: Connections, erasures: Erasures, who: Principal, path: Path) -> str | None:
    """One of them once more; or why not, so that the others get their turn."""
    try:
        whom, words = _said(path)
        erasure_id = await erasures.erase(who, whom, "again, after a restore", again=words)
    except (Refusal, MendableError) as error:
        return str(error)
    await _finish(servers, erasures, whom, erasure_id)
    return None


def _said(path: Path) -> tuple[Whom, list[ErasedWord]]:
    """Whom a file is of, which may have been left before there was a certificate."""
    from activities.journey.erasing_rows import Whom
    from domain.journey.erasures import ErasedWord

    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        words = [ErasedWord.model_validate(one) for one in said.get("words", ())]
        return Whom(said["account_id"], said["contact_id"]), words
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no certificate ({type(error).__name__})") from error


def _files(given: list[Path]) -> Iterator[Path]:
    for one in given:
        if one.is_dir():
            yield from sorted(one.glob("*.json"))
        else:
            yield one


@app.command("list")
@waited
async def list_all(as_json: Json = False) -> None:
    """Everybody who was erased, by ids, the latest first; those of whom the engine still knows are open."""
    from activities.journey.erasing_rows import list_erasures

    async with facts() as connection:
        rows = await list_erasures(connection)
    if as_json:
        print_json(rows)
        return
    show_table(("erasure", "account", "contact", "at (UTC)", "by", "over (UTC)"), [
        (row["erasure_id"], row["account_id"], row["contact_id"] or "(the customer)", row["at"], row["by"],
         row["over_at"] or "open") for row in rows
    ], "Nobody was erased.")  # fmt: skip


@app.command()
@waited
async def show(erasure_id: str) -> None:
    """The certificate of an erasure."""
    from activities.journey.erasing_rows import find_erasure

    async with facts() as connection:
        rows = await find_erasure(connection, erasure_id)
    if not rows:
        raise UserError(f"no erasure is called {erasure_id!r}; `perennial erase list` shows them")
    if rows[0]["certificate"] is None:
        raise UserError(f"{erasure_id} is not over: some run still names them; `erase_batch` looks again every hour")
    print_json(rows[0]["certificate"])


def _read(path: Path) -> Certificate:
    from domain.journey.erasures import Certificate

    try:
        text = path.read_text(encoding="utf-8")
        read = Certificate.model_validate_json(text)
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no certificate: {error}") from error
    if more := _unsigned(json.loads(text), read.model_dump(mode="json")):
        raise UserError(f"{path} says what nobody signed, or a later release did: {', '.join(more)}")
    return read


def _unsigned(said: Any, read: Any, at: str = "") -> list[str]:
    """The fields of a document that are not among what was read of it."""
    match said, read:
        case dict(), dict():
            more = [f"{at}{name}" for name in said if name not in read]
            return more + [
                one for name in said if name in read for one in _unsigned(said[name], read[name], f"{at}{name}.")
            ]
        case list(), list():
            return [one for a, b in zip(said, read, strict=False) for one in _unsigned(a, b, at)]
        case _:
            return []
