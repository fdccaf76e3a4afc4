"""`perennial health`: why a score is what it is, how well a health score tells who leaves, tried on the past, and profiles fitted to it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from activities.health_profiles import read_score_profiles
from activities.kernel.clock import present
from activities.success.own_history import own_history, quarters
from domain.success.fitting import NothingToFitError, fit
from domain.success.own_past import LEAVES_WITHIN, prove_own
from domain.success.proof import Auc, Proof, Seen, prove
from workers.cli.common import UserError, console, database, progress_console
from workers.cli.loading import opened
from workers.cli.output import Json, print_json, table
from workers.feeds.errors import FeedError
from workers.feeds.histories import History, read_history
from workers.feeds.history_mapping import BacktestProfile, bundled, load_profile, write_profile


def explain() -> typer.Typer:
    """Why a customer's score is what it is: each input with its points, its weight and what it brings, and what would change it."""
    from workers.cli.health_scores import app

    return app


def run() -> typer.Typer:
    """Scores the health of all customers now, as a schedule does every night, and tells the journeys whose band is another one."""
    from workers.cli.health_scores import app

    return app


app = opened(typer.Typer(no_args_is_help=True), explain, run)

_DAY = ["%Y-%m-%d"]
_BAR = 24

TheFile = Annotated[
    Path,
    typer.Argument(help="Accounts as of days, or events of accounts: CSV, plain or gzipped; or a folder of tables."),
]
TheProfile = Annotated[str, typer.Option("--profile", help=f"A YAML file, or one of {', '.join(bundled())}.")]
MaybeFile = Annotated[
    Path | None,
    typer.Argument(help="As of `health fit`; without one the company's own tables, with --since."),
]
MaybeProfile = Annotated[
    str | None,
    typer.Option(
        "--profile", help="Of a file: a YAML file or a name. The own tables are scored by the profiles that run."
    ),
]
TheLabels = Annotated[Path | None, typer.Option("--labels", help="Who left, where the file does not say so.")]
AsOf = Annotated[
    list[datetime] | None,
    typer.Option("--as-of", formats=_DAY, help="For events: as of this day; may be given several times."),
]
Since = Annotated[datetime | None, typer.Option("--since", formats=_DAY, help="Only accounts as of this day or later.")]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=_DAY, help="Only accounts as of days before this one.")
]


@app.callback()
def _group() -> None:
    """Health scores: why one is what it is, how well they told who left, and profiles fitted to the past."""


@app.command()
def backtest(
    file: MaybeFile = None,
    profile: MaybeProfile = None,
    labels: TheLabels = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Scores accounts of the past as of each day, and says how well the score told who left afterwards.

    Without a file it is the company's own customers at each quarter since a day.
    """
    if file is None:
        if labels is not None or as_of or profile is not None:
            raise UserError("--labels, --as-of and --profile go with a file; the own tables have theirs")
        proof, history = _own_past(since, until)
    elif profile is None:
        raise UserError(f"a file needs a profile: --profile names a YAML file, or one of {', '.join(bundled())}")
    else:
        chosen, history = _read(profile, file, labels, as_of, since, until)
        with progress_console.status("trying the score"):
            proof = prove(chosen, history.seen)
    if as_json:
        print_json(_as_json(proof, history))
    else:
        _show(proof, history)


@app.command("fit")
def fit_(
    file: TheFile,
    profile: TheProfile,
    out: Annotated[Path, typer.Option("--out", help="Where the fitted profile goes: a YAML file.")],
    labels: TheLabels = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Fits a profile's curves and weights to one period of the past, to be tried on the next one."""
    if out.exists() and not force:
        raise UserError(f"{out} is there already; name another file, or say --force")
    chosen, history = _read(profile, file, labels, as_of, since, until)
    days = sorted({one.day for one in history.seen})
    try:
        with progress_console.status(f"fitting {chosen.profile} to {len(history.seen):,} accounts"):
            fitted = fit(chosen, history.seen, f"{file.name}, {days[0]} to {days[-1]}")
    except NothingToFitError as error:
        raise UserError(str(error)) from error
    write_profile(fitted, out)
    before, after = (prove(one, history.seen).auc for one in (chosen, fitted))
    console.print(
        f"{out}: {len(fitted.inputs)} inputs, fitted to {len(history.seen):,} accounts as of {days[0]} to {days[-1]}."
    )
    if before and after:
        console.print(
            f"On these same accounts {after.value:.3f} of pairs are in the right order ({before.value:.3f} before)."
            " Try it on a later period: only that counts."
        )


def _own_past(since: datetime | None, until: datetime | None) -> tuple[Proof, History]:
    """The proof over the company's own tables. Without any quarter to look back on it says so."""
    if since is None:
        raise UserError("name a file with --profile, or --since a day to look back on the company's own customers")
    days = [day for day in quarters(since.date(), present().date()) if until is None or day < until.date()]
    if not days:
        days_left = LEAVES_WITHIN.days
        raise UserError(
            f"no quarter since {since.date()} is {days_left} days ago: it is not known yet who left; name an earlier day"
        )
    history = History(seen=asyncio.run(_seen(days)))
    return prove_own(read_score_profiles(), history.seen), history


async def _seen(days: list[date]) -> list[Seen]:
    with progress_console.status(f"scoring {len(days)} quarters") as status:
        async with database() as pool:
            return await own_history(pool, days, lambda seen: status.update(f"{seen:,} accounts as of their quarters"))


def _read(
    profile: str,
    file: Path,
    labels: Path | None,
    as_of: list[datetime] | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[BacktestProfile, History]:
    chosen = load_profile(profile)
    with progress_console.status(f"reading {file.name}"):
        history = read_history(chosen, file, labels, [day.date() for day in as_of or ()])
    history.seen = [one for one in history.seen if _between(one, since, until)]
    if not history.seen:
        raise FeedError(f"{file} has no accounts as of a day between {_day(since)} and {_day(until)}")
    return chosen, history


def _between(one: Seen, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or one.day >= since.date()) and (until is None or one.day < until.date())


def _day(given: datetime | None) -> date | str:
    return given.date() if given else "always"


def _as_json(proof: Proof, history: History) -> dict[str, Any]:
    """The proof as JSON: `auc` with its interval, the same of those still active, lift, tenths, quarters and inputs."""
    of = {
        "profile": proof.profile,
        "version": proof.version,
        "accounts": proof.accounts,
        "scored": proof.scored,
        "left": proof.left,
    }
    return {
        **of,
        **_interval("auc", proof.auc),
        **_interval("auc_active", proof.active),
        "auc_rule": _rounded(proof.rule),
        "lift": _rounded(proof.lift),
        "reliable": proof.reliable,
        "says": proof.says,
        "tenths": [{**asdict(one), "foretold": _rounded(one.foretold)} for one in proof.tenths],
        "quarters": [asdict(one) for one in proof.quarters],
        "inputs": [
            {**asdict(one), "alone": _rounded(one.alone), "without": _rounded(one.without)} for one in proof.inputs
        ],
        "aside": history.aside,
    }


def _interval(name: str, found: Auc | None) -> dict[str, float | None]:
    keys = (name, f"{name}_low", f"{name}_high")
    return dict(zip(keys, (found.value, found.low, found.high) if found else (None, None, None), strict=True))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _show(proof: Proof, history: History) -> None:
    console.print(f"[bold]{proof.profile}[/bold], version {proof.version}: {proof.says}", highlight=False)
    console.print(
        f"{proof.accounts:,} accounts as of their days, {proof.scored:,} could be scored, {proof.left:,} left"
        f" ({proof.left / proof.scored:.1%})."
        if proof.scored
        else "None could be scored.",
        highlight=False,
    )
    for name, found in (("all", proof.auc), ("still active", proof.active)):
        if found:
            console.print(f"  pairs in the right order, {name}: {_with_interval(found)}", highlight=False)
    if proof.rule is not None:
        console.print(f"  the same figures by rank, with equal weights: {proof.rule:.3f}", highlight=False)
    if proof.lift is not None:
        console.print(f"  of the riskiest tenth {proof.lift:.1f} times as many left as of all", highlight=False)
    console.print(_tenths(proof), _quarters(proof), _inputs(proof))
    for why, many in history.aside.items():
        progress_console.print(f"left aside: {many:,} {why}", highlight=False)


def _with_interval(found: Auc) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _tenths(proof: Proof) -> Table:
    told = any(one.foretold is not None for one in proof.tenths)
    most = max((one.left / one.accounts for one in proof.tenths), default=0) or 1
    rows = []
    for one in proof.tenths:
        share = one.left / one.accounts
        foretold = [f"{one.foretold:.1%}"] if one.foretold is not None else []
        bar = "█" * round(_BAR * share / most)
        rows.append((f"{one.lowest:.0f} to {one.highest:.0f}", one.accounts, f"{share:.1%}", *foretold, bar))
    names = ("score", ">accounts", ">left", *([">foretold"] if told else []), "")
    return table(names, rows, title="By tenths of the score, the riskiest first")


def _quarters(proof: Proof) -> Table:
    rows = [
        (
            one.quarter,
            one.accounts,
            one.left,
            f"{one.false_greens:,} of {one.healthy:,}",
            f"{one.false_reds:,} of {one.critical:,}",
        )
        for one in proof.quarters
    ]
    names = ("as of", ">accounts", ">left", ">healthy, yet left", ">critical, yet stayed")
    return table(names, rows, title="By quarter")


def _inputs(proof: Proof) -> Table:
    rows = [
        (
            one.name,
            f"{one.weight:g}",
            one.known,
            *(f"{value:.3f}" if value is not None else "" for value in (one.alone, one.without)),
        )
        for one in proof.inputs
    ]
    return table(("input", ">weight", ">known of", ">by itself", ">score without it"), rows, title="What carries it")
