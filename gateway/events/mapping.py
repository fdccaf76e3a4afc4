"""Mapping files: what an event of a foreign system becomes here. YAML, each value an expression in JMESPath, checked when it is loaded.

`request` is the document that is asked: every text in it is an expression, `{each: …, as: …}` a list made of a list; a field whose value
is null is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from pydantic import Field, StringConstraints, ValidationError

from activities.kernel.yaml_words import Words
from activities.playbooks.lines import Lines, line_of, lines_of
from domain.frame.request_kinds import Asker
from domain.journey.registry import BEGINNINGS, CASE, JOURNEY
from domain.kernel.base import Received
from domain.kernel.refusals import MendableError, Refusal
from gateway.events.functions import KNOWN, MappingFunctions, plain

BUNDLED = Path(__file__).parent / "mappings"
ASKS_AS = Asker.PROGRAM | Asker.SERVICE
"""As whom a source asks: a program, and of cases what service may."""
USAGE = "record_usage"
_MOST_ITEMS = 1000

Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Place = tuple[int | str, ...]


class Scheme(StrEnum):
    """How a source signs what it sends."""

    SHOPIFY = "shopify"
    STRIPE = "stripe"
    HUBSPOT = "hubspot"
    STANDARD = "standard"
    BEARER = "bearer"


class MappingError(MendableError, ValueError):
    """A mapping is wrong: each fault with the line and the field that it is in."""


class EventError(ValueError):
    """An event that the mapping cannot make anything of: which rule, which field, and why."""


class MappingRule(Received):
    """What one kind of event becomes: `do` is what is asked, of the `account`, of the account that is `linked` to a foreign id, or of
    a `case`. `when` says which events it is for."""

    name: Annotated[str, StringConstraints(pattern=r"^[\w .:/-]{1,60}$")]
    when: Expression = "`true`"
    do: str
    account: Expression | None = None
    linked: Expression | None = None
    case: Expression | None = None
    request: dict[str, Any]


class EventMapping(Received):
    """A source's events. `id` names an event (by default what it says), `each` finds several in one delivery."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    signature: Scheme
    id: Expression | None = None
    each: Expression | None = None
    tables: dict[str, dict[str, Any]] = {}
    rules: Annotated[tuple[MappingRule, ...], Field(min_length=1, max_length=100)]


@dataclass(frozen=True)
class Asked:
    """What an event asks: an operation with its request, of an account, of whoever is linked to a foreign id, or of a case."""

    rule: str
    operation: str
    request: dict[str, Any]
    account: str | None = None
    linked: str | None = None
    case: str | None = None


class Compiled:
    """A mapping that was checked, ready to be applied."""

    def __init__(self, mapping: EventMapping) -> None:
        self.mapping = mapping

    def id_of(self, item: Any, headers: Mapping[str, str]) -> str | None:
        """The id that an event has where it comes from; null if the mapping does not say, or the event has none."""
        if self.mapping.id is None:
            return None
        found = self._search(self.mapping.id, item, self._functions(item, headers), ("id",))
        return plain(found)[:200] if isinstance(found, str | int) and not isinstance(found, bool) else None

    def items(self, document: Any, headers: Mapping[str, str]) -> list[Any]:
        """The events of one delivery."""
        if self.mapping.each is None:
            return [document]
        found = self._search(self.mapping.each, document, self._functions(document, headers), ("each",))
        items = found if isinstance(found, list) else [] if found is None else [found]
        if len(items) > _MOST_ITEMS:
            raise EventError(f"each: {len(items)} events in one delivery; at most {_MOST_ITEMS} are taken")
        return items

    def asked_by(self, item: Any, headers: Mapping[str, str]) -> list[Asked]:
        """What an event asks, by every rule that is for it, in their order. Raises EventError."""
        functions = self._functions(item, headers)
        found = []
        for number, rule in enumerate(self.mapping.rules):
            place: Place = ("rules", number)
            if not self._search(rule.when, item, functions, (*place, "when")):
                continue
            named = {
                what: self._name(expression, item, functions, (*place, what))
                for what in ("account", "linked", "case")
                if (expression := getattr(rule, what)) is not None
            }
            request = self._made(rule.request, item, functions, (*place, "request"))
            found.append(Asked(rule.name, rule.do, request, **named))
        return found

    def _functions(self, item: Any, headers: Mapping[str, str]) -> jmespath.Options:
        return jmespath.Options(custom_functions=MappingFunctions(item, headers, self.mapping.tables))

    def _name(self, expression: str, item: Any, functions: jmespath.Options, place: Place) -> str:
        found = self._search(expression, item, functions, place)
        if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
            raise EventError(f"{field_of(place)}: {expression} gives nothing")
        return plain(found)

    def _made(self, tree: Any, item: Any, functions: jmespath.Options, place: Place) -> Any:
        """The document that a tree of expressions makes of an event."""
        match tree:
            case str():
                return _told(self._search(tree, item, functions, place))
            case {"each": each, "as": of} if len(tree) == 2:
                found = self._search(each, item, functions, (*place, "each"))
                if found is not None and not isinstance(found, list):
                    raise EventError(f"{field_of((*place, 'each'))}: {each} gives no list")
                return [self._made(of, one, functions, (*place, "as")) for one in found or ()]
            case dict():
                made = {name: self._made(inner, item, functions, (*place, name)) for name, inner in tree.items()}
                return {name: value for name, value in made.items() if value is not None}
            case list():
                return [self._made(inner, item, functions, (*place, number)) for number, inner in enumerate(tree)]
            case _:
                return tree

    def _search(self, expression: str, item: Any, functions: jmespath.Options, place: Place) -> Any:
        try:
            return _compiled(expression).search(item, options=functions)
        except (JMESPathError, ValueError, TypeError, ArithmeticError) as error:
            raise EventError(f"{field_of(place)}: {_in_a_line(error)}") from error


def _told(value: Any) -> Any:
    """What an expression found, as requests have it: no fractions in binary, nothing that is null."""
    match value:
        case float():
            return plain(value)
        case dict():
            return {str(name): _told(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_told(inner) for inner in value]
        case _:
            return value


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)


def read_mapping(text: str, name: str) -> Compiled:
    """The mapping in a YAML text. Raises MappingError, which names each fault with its line in the file of that name."""
    try:
        document = yaml.load(text, Loader=Words)
        lines = lines_of(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise MappingError(f"{name} is no YAML: {error}") from error
    try:
        mapping = EventMapping.model_validate(document)
    except ValidationError as error:
        said = Refusal.from_validation("InvalidMapping", "", error).problems
        places = [tuple(one["loc"]) for one in error.errors()]
        shown = [(places[min(n, len(places) - 1)], str(problem)) for n, problem in enumerate(said)]
        raise MappingError(_faults(name, shown, lines)) from error
    if faults := [(place, f"{field_of(place)}: {says}") for place, says in _wrong(mapping)]:
        raise MappingError(_faults(name, faults, lines))
    return Compiled(mapping)


@lru_cache(maxsize=64)
def kept_mapping(text: str, source: str) -> Compiled:
    """The mapping of a source, as it is on record."""
    return read_mapping(text, f"the mapping of {source}")


def _faults(name: str, faults: Sequence[tuple[Place, str]], lines: Lines) -> str:
    return "\n".join(f"{name}:{line_of(lines, place)}: {said}" for place, said in faults)


def field_of(place: Place) -> str:
    """A place as people write it: `rules[0].request.order_id`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _wrong(mapping: EventMapping) -> Iterator[tuple[Place, str]]:
    """What is wrong with a mapping beyond its form."""
    for name in ("id", "each"):
        if (expression := getattr(mapping, name)) is not None:
            yield from _wrong_expression(expression, (name,), mapping)
    seen = set[str]()
    for number, rule in enumerate(mapping.rules):
        place: Place = ("rules", number)
        if rule.name in seen:
            yield (*place, "name"), f"{rule.name!r} is the name of a rule before; each has a name of its own"
        seen.add(rule.name)
        yield from _wrong_operation(rule, place)
        for what in ("when", "account", "linked", "case"):
            if (expression := getattr(rule, what)) is not None:
                yield from _wrong_expression(expression, (*place, what), mapping)
        yield from _wrong_tree(rule.request, (*place, "request"), mapping)


def _wrong_operation(rule: MappingRule, place: Place) -> Iterator[tuple[Place, str]]:
    """What is asked is one of the requests that a source may make, and it says of whom."""
    kind = JOURNEY.get(rule.do) or CASE.get(rule.do)
    if rule.do != USAGE and (kind is None or kind.internal or not kind.asked_by & ASKS_AS):
        known = sorted(name for name, one in (JOURNEY | CASE).items() if one.asked_by & ASKS_AS and not one.internal)
        yield (*place, "do"), f"{rule.do!r} cannot be asked by a source; use one of {USAGE}, {', '.join(known)}"
        return
    if kind is not None:
        fields = set(kind.model.model_fields)
        for name in sorted(rule.request.keys() - fields):
            yield (*place, "request", name), f"is no field of {rule.do}; it has {', '.join(sorted(fields))}"
    if rule.do in JOURNEY and rule.do not in BEGINNINGS and (rule.account is None) == (rule.linked is None):
        yield (*place, "do"), "say of whom: give `account`, an id of ours, or `linked`, a foreign one"
    if rule.do in CASE and rule.do not in BEGINNINGS and rule.case is None:
        yield (*place, "do"), "say of which: give `case`"


def _wrong_tree(tree: Any, place: Place, mapping: EventMapping) -> Iterator[tuple[Place, str]]:
    match tree:
        case str():
            yield from _wrong_expression(tree, place, mapping)
        case dict():
            for name, inner in tree.items():
                yield from _wrong_tree(inner, (*place, name), mapping)
        case list():
            for number, inner in enumerate(tree):
                yield from _wrong_tree(inner, (*place, number), mapping)


def _wrong_expression(expression: str, place: Place, mapping: EventMapping) -> Iterator[tuple[Place, str]]:
    try:
        parsed = _compiled(expression).parsed
    except (JMESPathError, ValueError) as error:
        yield place, f"{expression!r} is no expression: {_in_a_line(error)}"
        return
    for name, given in _calls(parsed):
        if name not in KNOWN:
            yield place, f"there is no function {name}(); there are {', '.join(sorted(KNOWN))}"
            continue
        wanted = KNOWN[name]["signature"]
        most = len(wanted) if not (wanted and wanted[-1].get("variadic")) else len(given) or 1
        if not len(wanted) <= len(given) <= most:
            yield place, f"{name}() takes {len(wanted)}, and is given {len(given)}"
        elif name == "lookup" and given[0]["type"] == "literal" and given[0]["value"] not in mapping.tables:
            yield (
                place,
                f"there is no table {given[0]['value']!r}; there are {', '.join(sorted(mapping.tables)) or 'none'}",
            )


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """The functions that a parsed expression calls, each with what it is given."""
    if node["type"] == "function_expression":
        yield node["value"], node["children"]
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _calls(child)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
