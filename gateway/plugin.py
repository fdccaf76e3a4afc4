"""What every client and worker that speaks with Perennial has in common, as one plugin of Temporal's: it goes into either."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions, pydantic_data_converter
from temporalio.converter import CompositePayloadConverter, DataConverter, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.worker import Interceptor, UnsandboxedWorkflowRunner, WorkflowInterceptorClassInput, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.frame.calls import RequestCall
from domain.kernel.legible import InTheClear, Legible
from domain.service.case_progress import CaseCall
from gateway.failures import SealedFailureConverter, SmallFailureConverter
from gateway.logged import Logged
from gateway.payloads.enclosing import Document, Enclosing, data_keys_of
from gateway.payloads.packing import AS_IT_IS, IN_THE_CLEAR, OF_CUSTOMER, Packing, as_it_is, is_to_pack, unpacked
from gateway.payloads.sealing import Sealing, is_demanded, keys_of

_PASSED_THROUGH = ("domain", "gateway", "pydantic", "pydantic_core")
"""What the sandbox of a caller's workflow takes from the process as it is: words and models, which do no I/O by being imported."""


def _json() -> PydanticPayloadConverter:
    """JSON without the fields that nobody set: histories of years stay small."""
    return PydanticPayloadConverter(ToJsonOptions(exclude_unset=True))


_shared_json = cache(_json)


class CompactPayloadConverter(CompositePayloadConverter):
    """Compact JSON. Each run of a workflow has a converter of its own.

    `shares`: what is learned of types, which is much, stays with the process. Not so beside a sandbox, in which each run has types of its own.
    """

    shares = False

    def __init__(self) -> None:
        super().__init__(*(_shared_json if self.shares else _json)().converters.values())

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Values as payloads; what whoever asks has to read is marked for the codec."""
        found = super().to_payloads(values)
        for value, payload in zip(values, found, strict=True):
            if isinstance(value, Legible):
                payload.metadata[AS_IT_IS] = b""
        return found


class EnclosingPayloadConverter(CompactPayloadConverter):
    """As compact, for a codec that seals what customers say with keys of their own."""

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Values as payloads; documents of customers are marked for the codec."""
        found = super().to_payloads(values)
        for value, payload in zip(values, found, strict=True):
            if isinstance(value, Document | RequestCall | CaseCall):
                payload.metadata[OF_CUSTOMER] = b""
        return found


class DemandingPayloadConverter(EnclosingPayloadConverter):
    """As enclosing, where nothing may come in the clear: what did can be told."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Values of payloads; a document that came as plain JSON says so."""
        found = super().from_payloads(payloads, type_hints)
        return [
            InTheClear(value) if IN_THE_CLEAR in payload.metadata and type(value) is dict else value
            for value, payload in zip(found, payloads, strict=True)
        ]


class OwnCompact(CompactPayloadConverter):
    """For our own workflows."""

    shares = True


class OwnEnclosing(EnclosingPayloadConverter):
    """For our own workflows."""

    shares = True


class OwnDemanding(DemandingPayloadConverter):
    """For our own workflows."""

    shares = True


class NamesHidden(Interceptor):
    """Tells workflows that their search attributes, which no codec reaches, name nobody."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> None:
        """Intercepts nothing: the function's presence is what is told."""
        from workflows.visibility import NAMES_HIDDEN  # a client, which runs no workflows, does without what they know

        input.unsafe_extern_functions[NAMES_HIDDEN] = lambda: True


class PerennialPlugin(SimplePlugin):
    """How payloads are written, how workflows run, and a line of log for each activity.

    A failure converter that a client has stays its own, and its codec, unless one comes along; who has none reads what we have packed.
    A worker keeps its sandbox, which lets our models through.

    Args:
        codec: what payloads go through on their way to the server and back, such as an encryption. Our own are packed without one.
        own: for a worker of Perennial's own workflows. They run in the process as they are: a sandbox would import them anew for each
            journey and look through every call, which costs it more than the journey itself. That they are deterministic is kept
            by `tests/replay`, the linter, and `tests/workflows/test_purity.py`.
    """

    def __init__(self, *, codec: PayloadCodec | None = None, own: bool = False) -> None:
        hides = isinstance(codec, Packing) and codec.is_secret
        super().__init__(
            "perennial",
            data_converter=partial(_converter, codec=codec, own=own),
            workflow_runner=UnsandboxedWorkflowRunner() if own else _opened,
            interceptors=[Logged(), NamesHidden()] if hides else [Logged()],
        )


def _converter(theirs: DataConverter | None, codec: PayloadCodec | None = None, own: bool = True) -> DataConverter:
    kind: type[CompactPayloadConverter] = OwnCompact if own else CompactPayloadConverter
    if isinstance(codec, Enclosing):
        kind = OwnEnclosing if own else EnclosingPayloadConverter
    if isinstance(codec, Sealing) and codec.demands:
        kind = OwnDemanding if own else DemandingPayloadConverter
    found = replace(theirs or pydantic_data_converter, payload_converter_class=kind)
    if codec is None:
        codec = Packing() if own else found.payload_codec or Packing(as_it_is)
    if own:
        sealed = isinstance(codec, Packing) and codec.is_secret
        found = replace(found, failure_converter_class=SealedFailureConverter if sealed else SmallFailureConverter)
    return replace(found, payload_codec=codec)


def _opened(theirs: WorkflowRunner | None) -> WorkflowRunner:
    """A worker's own way to run workflows, with our models let through if it is the sandbox."""
    if isinstance(theirs, SandboxedWorkflowRunner):
        return replace(theirs, restrictions=theirs.restrictions.with_passthrough_modules(*_PASSED_THROUGH))
    return theirs or SandboxedWorkflowRunner()


OWN = PerennialPlugin(own=True)
"""What our own processes have where nothing is sealed."""


def own_plugin() -> PerennialPlugin:
    """What our own processes have: sealed if the environment names keys, and neither packed nor sealed if it says so, for processes that
    read nothing else yet. Raises KeysError for keys that cannot be used."""
    keys = keys_of(os.environ)
    if keys is None:
        data_keys_of(os.environ, keys)
    if not is_to_pack(os.environ):
        return PerennialPlugin(own=True, codec=Packing(as_it_is, unpacked if keys is None else keys.opened))
    if keys is None:
        return OWN
    own, demands = data_keys_of(os.environ, keys), is_demanded(os.environ)
    codec = Sealing(keys, demands=demands) if own is None else Enclosing(keys, own, demands=demands)
    return PerennialPlugin(own=True, codec=codec)
