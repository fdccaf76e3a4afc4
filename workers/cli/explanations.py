"""`perennial journey explain`: from a mail, a task, an invoice or a step to the rule, the playbook, the facts of then, the person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from gateway.views.explanations import NOT_KNOWN, explanation_of
from workers.cli.common import console
from workers.cli.output import print_json, show_table
from workers.cli.servers import connections


async def show_explanation(account: str, part: str | None, *, as_json: bool) -> None:
    """Prints why what is called so was done or is to come; without a name what comes next and what was done last.

    Raises `Refusal` for an account that is not known, and for what nobody finds.
    """
    async with connections() as servers:
        found = await explanation_of(servers.client, servers.pool, account, part)
    if as_json:
        print_json(found)
    elif part is None:
        _show_all(account, found)
    else:
        for name, value in _lines(found):
            console.print(f"[bold]{name}[/]: {escape(value)}", soft_wrap=True, highlight=False)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield found["key"], f"{found['what']} ({'done' if found['done'] else 'to come'}, {found['at']})"
    yield "why", found["why"]
    yield "playbook", found["playbook"]
    if found["done"]:
        cause = found["planned_by"]
        yield "planned by", f"{cause['key']} on {cause['at'][:10]}" if cause else "nothing on record"
        yield "asked by", found["by"] or "nobody: it came by itself"
        yield from (("fact", f"{name}: {value}") for name, value in found["facts"].items())
        if not found["facts"]:
            yield "facts", f"as of then they are {NOT_KNOWN}: nothing was stored with it"
        for message in found["messages"]:
            yield "message", f"{message['template']} to {message['to']}: {message['status']}"
        for document in found["documents"]:
            yield (
                "document",
                f"{document['id']}, {document['total']} {document['currency']}: {'; '.join(document['lines'] or [])}",
            )
        for task in found["tasks"]:
            yield "task", f"{task['title']}, of {task['person']}, due {str(task['due'])[:10]}"
        if found["follows"]:
            yield "brought", ", ".join(found["follows"])
    elif found["to"]:
        yield "to", found["to"]
    if found.get("others"):
        yield "also called so", ", ".join(found["others"])


def _show_all(account: str, found: dict[str, Any]) -> None:
    console.print(f"[bold]{escape(account)}[/], by the playbook {found['playbook']}", highlight=False)
    show_table(
        ("next", "what", "why"),
        [(one["at"][:10], one["what"], one["why"]) for one in found["next"]],
        "Nothing is planned.",
    )
    rows = [(one["at"][:10], one["what"], one["why"], one["by"]) for one in found["latest"]]
    show_table(("done", "what", "why", "asked by"), rows, "Nothing was done yet.")
    console.print(
        "`perennial journey explain ACCOUNT STEP` says more of one: by its key or a part of it, a mail's id, an invoice, a task."
    )
