"""Every statement of the product fits the schema, also those that no test happens to run."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from activities.frame import search_statements
from activities.frame.account_filters import AccountFilter
from activities.frame.customers import reading
from activities.frame.effects import JOURNAL, PEOPLE_CHANGED
from activities.frame.handlers import Added, Sql
from activities.frame.situations import reads
from activities.frame.writes import HANDLERS
from activities.kernel.gathering import statement
from activities.kernel.inserts import Insert, Rows
from activities.kernel.queries import Statement
from activities.service.case_imports import _STAGES
from activities.success.usage_batches import STAGE
from domain.frame.situation import Needs
from domain.journey.customer_timeline import Audience, TimelineKind
from tests.conftest import Servers

ROOT = Path(__file__).parents[2]
FLOORS = ("activities", "gateway", "workers")
CALLS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "cursor", "copy_from_query"}

SAMPLES = {
    "workers.migrating._drop_half_made": "[{'row': {'dropping': 'drop index concurrently outbox_settled'}}]",
    "activities.assets.audit.audit": "[{'query': query} for query in _QUERIES]",
    "activities.billing.credits._target": "[{'line': one(asset_id=id)} for id in ('A', None)]",
    "activities.frame.customers.load_customer_and": "[{'beside': reads(needs)} for needs in ALL_NEEDS]",
    "activities.frame.effects.find_effect_and_read": "[{'text': HOLDING.format(reads=reading(reads(needs)))} for needs in ALL_NEEDS]",
    "activities.holds.hold_rows.load_service": "[{'review': review} for review in (True, False)]",
    "activities.frame.account_search._rows": "[{'query': query} for query, _ in searched]",
    "activities.journey.people_rows._change_account": "[{'table': table, 'column': column, 'still': ''} for table, column in"
    " (('contact', 'language'), ('contact', 'time_zone'), ('staff_task', 'staff_id'))]",
    "activities.journey.timeline.timeline_page": "[{'query': page_query(kinds, sees, 51, behind=b)} for b in (True, False)]",
    "activities.frame.unit_of_work.transaction": "[{'about': about} for about in ([], ['account/A'])]",
    "activities.kernel.gathering.write": "[{'text': statement([], [JOURNAL], PEOPLE_CHANGED, 2)}]",
    "activities.kernel.news.tell": "[{'said': telling(['account/A', 'case/C'])}]",
    "activities.kernel.pruning.forget": "[{'statement': one} for one in (_EVENTS, _USAGE, _MAILS, _WORDS)]",
    "activities.service.case_imports._keep": "[{'table': 'service_policy', 'column': 'policy_id'},"
    " {'table': 'business_calendar', 'column': 'calendar_id'}]",
    "activities.service.case_rows.find_case": "[{'lock': lock} for lock in (True, False)]",
    "activities.success.usage_batches._beside": "[{'self': one(_staged=staged)} for staged in (True, False)]",
    "activities.success.usage._save": "[{'statement': one} for one in (_OF_PRODUCTS, _OF_FEATURES)]",
    "activities.service.case_writes._save_row": "[{'sets': f'{quoted([name])} = $2'} for name in _COLUMNS]",
}
"""What is put together where it is run: by module and function, what its names stand for there, in each way that differs."""
ELSEWHERE = {
    "activities.frame.handlers.__call__": Sql,
    "activities.playbooks.conditions.": "executes conditions of playbooks, no statement",
    "gateway.payloads.key_store.": "of another database than that of the schema",
    "activities.journey.erasing_rows.": "goes through the columns that its table names, each of which a test tries",
    "activities.journey.copying.": "reads and fills whatever tables the schema has",
    "activities.kernel.inserts.": Insert,
    "activities.kernel.queries.__call__": Statement,
    "workers.backups._copy_engine": "of the engine's own file, in SQLite",
    "workers.embedded.postgres.": "of the server itself, before there is a schema",
    "workers.migrating._drop_half_made": "drops an index that was found, by its name",
    "workers.feeds.cases.": "prepares a file, no statement",
}
"""Who runs what others hand over: all of these are found by their kind, or are no statements on the schema."""


def one(**attributes: Any) -> Any:
    return type("One", (), attributes)


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def searched() -> list[tuple[str, Any]]:
    """The statements by which customers are found, with all that can be wanted of them."""
    found = []
    for given, after in ((AccountFilter(), None), (EVERYTHING, (2, "name", "account"))):
        wanted = search_statements.Wanted(given, after, 51)
        one_text, parts = search_statements.in_one_text("ab cd"), search_statements.in_several("ab cd")
        number = search_statements.in_one_text("03-1234")
        for way in (one_text, number):
            found += [search_statements.texts_with(way, 9), search_statements.details(["a"], way)]
            found += [search_statements.at_place(way, place, walk, wanted) for place in range(4) for walk in (0, 9)]
            found += [search_statements.gathered_at(way, place, wanted) for place in (2, 3)] + [
                search_statements.names_with(way, 9)
            ]
        found += [search_statements.of_these([("a", 1)], wanted)]
        found += [search_statements.several_at(parts, place, walk, wanted) for place in (2, 3) for walk in (0, 9)]
        found += [search_statements.several_gathered(parts, wanted), search_statements.several_among(parts, ["a"])]
        found += [search_statements.some_of(wanted, 9), search_statements.texts_with(number, None, ["a"])]
        found += [search_statements.of_all(wanted), search_statements.details(["a"], None)]
    return found


EVERYTHING = AccountFilter(segment="s", owner="o", band="watch", hold="block", of_staff="s", seen_by="s", among=("a",))
HELPERS = {
    "statement": statement,
    "JOURNAL": JOURNAL,
    "PEOPLE_CHANGED": PEOPLE_CHANGED,
    "searched": searched(),
    "one": one,
    "quoted": quoted,
    "kinds": list(TimelineKind),
    "sees": Audience.SERVICE.sees,
    "reads": reads,
    "reading": reading,
    "ALL_NEEDS": [Needs(ledger=ledger, service=service) for ledger in (False, True) for service in (False, True)],
}


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield importlib.import_module(name), ast.parse(path.read_text(encoding="utf-8"))


def runs(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Every place that runs a statement: the function that it is in, and the statement as it stands there."""
    inside: dict[ast.AST, str] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            inside.update(dict.fromkeys(ast.walk(function), function.name))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CALLS
            and node.args
        ):
            yield inside.get(node, ""), node.args[0]


def forms(module: ModuleType, function: str, given: ast.expr) -> list[str]:
    """A statement in each of its forms."""
    code = compile(ast.Expression(given), module.__name__, "eval")
    try:
        return [str(eval(code, vars(module)))]
    except NameError:
        names = SAMPLES.get(f"{module.__name__}.{function}")
        assert names is not None, (
            f"{module.__name__}.{function} puts a statement together: give samples of what it makes"
        )
        scopes = eval(names, {**vars(module), **HELPERS})
        return [str(eval(code, {**vars(module), **scope})) for scope in scopes]


def statements() -> dict[str, str]:
    """Every statement, by where it is run; those of our own helpers by the name of the constant."""
    found = {kind.__name__: handler.text for kind, handler in HANDLERS.items() if isinstance(handler, Sql)}
    found |= {
        f"{kind.__name__} together": statement([handler.insert], [])
        for kind, handler in HANDLERS.items()
        if isinstance(handler, Added)
    }
    for module, tree in modules():
        for name, value in vars(module).items():
            for n, kept in enumerate(value if isinstance(value, list) else [value]):
                kept = kept.insert if isinstance(kept, Rows) else kept
                if isinstance(kept, Insert | Statement | Sql):
                    text = kept.statement if isinstance(kept, Insert) else kept.text
                    found[f"{module.__name__}.{name}#{n}"] = text
                if isinstance(kept, Insert | Added):
                    insert = kept.insert if isinstance(kept, Added) else kept
                    found[f"{module.__name__}.{name}#{n} together"] = statement([insert], [])
        for function, given in runs(tree):
            where = f"{module.__name__}.{function}"
            if not any(where.startswith(known) for known in ELSEWHERE):
                found.update(
                    {f"{where}:{given.lineno}#{n}": text for n, text in enumerate(forms(module, function, given))}
                )
    return found


async def test_every_statement_fits_the_schema(servers: Servers) -> None:
    found, wrong = statements(), {}
    async with servers.pool.acquire() as connection:
        for where, text in found.items():
            transaction = connection.transaction()
            await transaction.start()
            if "case_imports" in where:
                await connection.execute(_STAGES)
            if "usage_batches" in where and text != STAGE:
                await connection.execute(STAGE)
            for part in filter(str.strip, text.split(";") if ";" in text else [text]):
                try:
                    if text != _STAGES:
                        await connection.prepare(part)
                except asyncpg.PostgresError as error:
                    wrong[where] = f"{error}: {part[:200]}"
                    break
            await transaction.rollback()
    assert wrong == {}
    assert len(found) > 300


def test_a_statement_that_is_put_together_is_not_left_out() -> None:
    module = importlib.import_module("activities.journey.timeline")
    given = ast.parse("f'select {column} from account'", mode="eval").body
    with pytest.raises(AssertionError, match="give samples"):
        forms(module, "anything", given)
