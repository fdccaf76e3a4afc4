"""One entry for each kind of request: everything that handlers, activities, schemas, the command line and the docs know of it.

An area lists its entries in its `entries.py`; `domain/journey/registry.py` lists all areas.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, Flag, auto
from functools import cached_property
from types import NoneType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel

from domain.frame.calls import RequestCall
from domain.frame.situation import NOTHING, Needs
from domain.frame.state import JourneyState
from domain.kernel.base import Received
from domain.kernel.requests import read_request

_Request = TypeVar("_Request", bound=Received)


class Asker(Flag):
    """In which role somebody may ask."""

    CUSTOMER = auto()
    SALES = auto()
    SUCCESS = auto()
    SERVICE = auto()
    OPERATOR = auto()
    PROGRAM = auto()
    """another program of ours: the order system, the inbox, an import, another journey"""
    FINANCE = auto()
    ADMIN = auto()
    """what nobody else may ask"""


SELLERS = Asker.SALES | Asker.SUCCESS
CUSTOMERS = SELLERS | Asker.CUSTOMER
"""The customer, or whoever speaks for them."""
AGENTS = Asker.SERVICE
CALLERS = AGENTS | Asker.CUSTOMER
OPERATORS = Asker.OPERATOR
PROGRAMS = Asker.PROGRAM


@dataclass(frozen=True)
class RequestKind(Generic[_Request]):
    """A kind of request, by the name of its `update`.

    `words` name it in the bars of the Temporal UI, the first sentence of `says` (by default the model's docstring) describes it;
    `example` is a whole request, as JSON. `activity` answers it, by default one of the update's name, which asks the pure `rule`
    what is to be done and writes it into `stage`; without a rule the activity is written by hand.
    """

    update: str
    model: type[_Request]
    rule: Callable[..., Any] | None
    words: str
    asked_by: Asker
    example: str
    says: str = ""
    activity: str = ""
    prefix: str = ""
    """before the name of the update in that of its activity"""
    stage: str = "relationship"
    needs: Needs = NOTHING
    agents: bool = False
    """the rule of a case looks at who takes cases, even if the case has an owner"""
    beside: Callable[[RequestCall, str], Any] | None = None
    """what the rule is told beside situation and request: of the call, and of the key under which it is done once"""
    journal: Callable[[Any], str] | None = None
    """what the journal calls it, if that is not the name of the activity"""
    allowed: Callable[[JourneyState, Any, datetime], None] | None = None
    """refuses at once what the journey's own state says against it"""
    lever: bool = False
    """what is `allowed` is looked at once more when its turn has come"""
    opens: bool = False
    """it can begin a journey or a case, or begin it anew"""
    reads: Callable[[Any], _Request] | None = None
    belongs: Callable[[Any, str], None] | None = None
    """refuses what was sent to another workflow, by the workflow's id"""
    id_field: str = "request_id"
    binding: bool = False
    """it changes what a customer has agreed to or owns, gives money or approves of it: asked by a tool, it waits for a person"""
    internal: bool = False
    """asked by programs of this very system alone; the gateway offers it to nobody"""

    @property
    def answered_by(self) -> str:
        """The name of its activity."""
        return self.activity or f"{self.prefix}{self.update}"

    @property
    def known_as(self) -> str:
        """What its id counts within: an order is the same however it comes in."""
        return self.answered_by if self.id_field == "request_id" else self.id_field.removesuffix("_id")

    @property
    def is_in_a_role(self) -> bool:
        """True for what may be more to whoever asks it in a higher role."""
        return "role" in self.model.model_fields

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the request, with its example."""
        return {**self.model.model_json_schema(), "examples": [json.loads(self.example)]}

    def decide(self, *facts: Any) -> Any:
        """What its rule decides, of the situation, the request, and what is told and looked up beside them."""
        if self.rule is None:
            raise TypeError(f"{self.update} has no rule; its activity is written by hand")
        return self.rule(*facts)

    def read(self, document: Any) -> _Request:
        """The request in a JSON document. Raises `Refusal` that names each field that is wrong."""
        return self.reads(document) if self.reads else read_request(self.model, document)

    @cached_property
    def text(self) -> str:
        """What it is about, in one or some paragraphs."""
        return self.says or inspect.getdoc(self.model) or ""

    @cached_property
    def description(self) -> str:
        """One sentence and the fields, for the Temporal UI."""
        sentence = self.text.partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")
        return f"{sentence}: {self.fields}"

    @cached_property
    def fields(self) -> str:
        """Its fields, with those of their parts as far as there is room."""
        fields = _fields_of(self.model, aside=_COMMON, parts=True)
        return fields if len(fields) <= ROOM else _fields_of(self.model, aside=_COMMON)


ROOM = 500
_COMMON = frozenset({"request_id", "expected_version"})
"""What all requests may have is said once, not of each."""


def _fields_of(model: type[BaseModel], *, aside: frozenset[str] = frozenset(), parts: bool = False) -> str:
    """Such as `{contract_id, decision: accept|decline, reason?}`; what may be left out has a question mark."""
    fields = [(name, field) for name, field in model.model_fields.items() if name not in aside]
    fields.sort(key=lambda field: (not field[1].is_required(), field[0] == "by"))
    named = (
        f"{name}{'' if field.is_required() else '?'}{_values(field.annotation, parts=parts)}" for name, field in fields
    )
    return f"{{{', '.join(named)}}}"


def _values(annotation: Any, *, parts: bool) -> str:
    """What is in a field, if that is more than a value: `: accept|decline`, `: [{asset_id, …}]`."""
    of = [one for one in get_args(annotation) if one not in (NoneType, Ellipsis)]
    if get_origin(annotation) is Literal:
        return f": {'|'.join(map(str, of))}"
    if get_origin(annotation) is tuple:
        return f": [{(parts and _values(of[0], parts=parts).removeprefix(': ')) or '…'}]"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f": {'|'.join(one.value for one in annotation)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f": {_fields_of(annotation) if parts else '{…}'}"
    return next(filter(None, (_values(one, parts=parts) for one in of)), "")
