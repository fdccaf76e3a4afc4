"""Conditions of plays, in CEL: short and flat, over the documented facts alone, tried before a playbook is used. They are asked in
activities; a workflow never evaluates one."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from domain.frame.plays import Play
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.success import plays
from domain.success.play_facts import PLAY_FACTS, PlayFact, PlayValue, facts_of
from domain.success.plays import Met

if TYPE_CHECKING:
    from cel import Program

DEEPEST: Final = 8
"""Brackets within brackets."""
_MOST_OPERATORS = 40
_MOST_SAMPLES = 1500
_OPERATORS = (
    "_&&_",
    "_||_",
    "!_",
    "_==_",
    "_!=_",
    "_<_",
    "_<=_",
    "_>_",
    "_>=_",
    "@in",
    "_+_",
    "_-_",
    "_*_",
    "_/_",
    "-_",
    "_?_:_",
)
_ALLOWED: Final = {*_OPERATORS, "size", "startsWith", "endsWith", "contains", "double", "int"}
_RECKONS: Final = frozenset({"_+_", "_-_", "_*_", "_/_", "size", "double", "int"})
"""Where these are, the customers to try it on are not all that there may be."""
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_MACRO = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(")
_OPERATOR = re.compile(r"&&|\|\||[=!<>]=|[<>+*/?!-]|\bin\b")


class ConditionError(ValueError):
    """A condition that cannot be used, and why."""


@lru_cache(maxsize=512)
def compiled(condition: str) -> Program:
    """The program of a condition. Raises ConditionError for one that does not parse, is too deep, or asks what nobody knows."""
    # It brings a command line of its own, which nobody waits for; and nobody without conditions waits for the rest.
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
    from cel import compile as compile_cel

    bare = _STRING.sub("''", condition)
    _check_size(bare)
    if found := _MACRO.search(bare):
        raise ConditionError(
            f"{found[1]}() goes through lists without a bound; ask with `in`, such as 'CRM' in products"
        )
    try:
        program = compile_cel(condition)
    except ValueError as error:
        raise ConditionError(f"it cannot be read: {_in_short(error)}") from error
    if unknown := [name for name in program.functions() if name not in _ALLOWED]:
        raise ConditionError(
            f"{unknown[0]} is not there; use comparisons, in, &&, ||, !, size, startsWith, endsWith, contains"
        )
    if unknown := [name for name in program.variables() if name not in PLAY_FACTS]:
        raise ConditionError(f"nobody knows {unknown[0]!r} of a customer; the facts are {', '.join(PLAY_FACTS)}")
    return program


def _check_size(bare: str) -> None:
    depth = deepest = 0
    for letter in bare:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ConditionError(
            f"it has {deepest} brackets within each other, and {DEEPEST} are read; say it in two plays"
        )
    if (operators := len(_OPERATOR.findall(bare))) > _MOST_OPERATORS:
        raise ConditionError(f"it has {operators} operators, and {_MOST_OPERATORS} are read; say it in two plays")


def _in_short(error: Exception) -> str:
    said = str(error).partition("Syntax error: ")
    return " ".join((said[2] or said[0]).split("\n")[0].split())[:160]


def check(condition: str) -> None:
    """Raises ConditionError for a condition that cannot be used: also one that fails or never holds, whatever the customer."""
    program = compiled(condition)
    samples, complete = _samples(condition, program.variables())
    complete = complete and not _RECKONS.intersection(program.functions())
    held = answered = False
    for sample in samples:
        try:
            answer = program.execute(sample)
        except ZeroDivisionError:
            continue  # with this customer alone, unless it is so with all
        except (TypeError, RuntimeError, ValueError, OverflowError) as error:
            said = str(error).split(". ")[0].split(" — ")[0]
            raise ConditionError(
                f"it fails: {said} (facts are typed; numbers such as 0.5 and 5 do not mix in sums)"
            ) from error
        if not isinstance(answer, bool):
            raise ConditionError(f"it says {answer!r}, and has to say true or false")
        held, answered = held or answer, True
    if not answered:
        raise ConditionError("it divides by nought, whatever the customer")
    if not held and complete:
        raise ConditionError("it never holds, whatever the customer")


def _samples(condition: str, names: list[str]) -> tuple[Iterator[dict[str, PlayValue]], bool]:
    """Customers to try it on: each fact as its example, as what the condition names, and beside that; true if that is all of them."""
    strings = [one[1:-1] for one in _STRING.findall(condition)]
    numbers = [float(one) for one in _NUMBER.findall(_STRING.sub("''", condition))]
    values = [_values(PLAY_FACTS[name], strings, numbers) for name in names]
    total = 1
    for some in values:
        total *= len(some)
    rows: Iterator[tuple[PlayValue, ...]]
    if total <= _MOST_SAMPLES:
        rows = itertools.product(*values)
    else:  # each value of each fact beside others, spread evenly
        rows = (
            tuple(some[(n * (2 * i + 1) + i) % len(some)] for i, some in enumerate(values))
            for n in range(_MOST_SAMPLES)
        )
    return (dict(zip(names, row, strict=True)) for row in rows), total <= _MOST_SAMPLES


def _values(fact: PlayFact, strings: list[str], numbers: list[float]) -> list[PlayValue]:
    like = fact.like
    if isinstance(like, bool):
        return [True, False]
    if isinstance(like, str):
        return list(fact.words or dict.fromkeys([like, *strings]))
    if isinstance(like, list):
        return [[], list(strings) or like, *([one] for one in strings)]
    near = [
        float(like),
        *(n + by for n in (*numbers, *(-one for one in numbers)) for by in (-1.0, -0.01, 0.0, 0.01, 1.0)),
    ]
    found = dict.fromkeys(n for n in near if fact.within is None or fact.within[0] <= n <= fact.within[1])
    return [int(n) for n in dict.fromkeys(map(int, found))] if isinstance(like, int) else list(found)


def met(situation: Situation, play: Play, step: Step) -> Met:
    """Whether the condition of a play holds now. One that cannot be answered, as a fact is missing, does not."""
    if play.when is None:
        return Met(True)
    try:
        program = compiled(play.when)
    except ConditionError as error:
        return Met(False, {}, f"its condition cannot be asked: {error}")
    names = set(program.variables())
    known = facts_of(situation, plays.about(situation, step), names)
    try:
        answer: Any = program.execute(dict(known))
    except Exception as error:  # whatever a library makes of it, no customer stops for a condition
        missing = ", ".join(sorted(names - known.keys()))
        why = f"nobody knows {missing} of them" if missing else f"its condition fails: {_in_short(error)}"
        return Met(False, known, why)
    if answer is True:
        return Met(True, known)
    return Met(False, known, f"its condition does not hold: {_shown(play.when, known)}")


def _shown(condition: str, known: Mapping[str, PlayValue]) -> str:
    values = ", ".join(f"{name} {value}" for name, value in known.items())
    return f"{condition} ({values})" if values else condition
