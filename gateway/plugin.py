"""What every client and worker that speaks with Perennial has in common, as one plugin of Temporal's: it goes into either."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions, pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.plugin import SimplePlugin
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from gateway.failures import SmallFailureConverter
from gateway.logged import Logged

_PASSED_THROUGH = ("domain", "gateway", "pydantic", "pydantic_core")
"""What the sandbox of a caller's workflow takes from the process as it is: words and models, which do no I/O by being imported."""


class CompactPayloadConverter(PydanticPayloadConverter):
    """JSON without the fields that nobody set: histories of years stay small."""

    def __init__(self) -> None:
        super().__init__(ToJsonOptions(exclude_unset=True))


class PerennialPlugin(SimplePlugin):
    """How payloads are written, how workflows run, and a line of log for each activity.

    A failure converter that a client has stays its own, and its codec, unless one comes along. A worker keeps its sandbox, which lets
    our models through.

    Args:
        codec: what payloads go through on their way to the server and back, such as an encryption.
        own: for a worker of Perennial's own workflows. They run in the process as they are: a sandbox would import them anew for each
            journey and look through every call, which costs it more than the journey itself. That they are deterministic is kept
            by `tests/replay`, the linter, and `tests/workflows/test_purity.py`.
    """

    def __init__(self, *, codec: PayloadCodec | None = None, own: bool = False) -> None:
        super().__init__(
            "perennial",
            data_converter=partial(_converter, codec=codec, own=own),
            workflow_runner=UnsandboxedWorkflowRunner() if own else _opened,
            interceptors=[Logged()],
        )


def _converter(theirs: DataConverter | None, codec: PayloadCodec | None = None, own: bool = True) -> DataConverter:
    found = replace(theirs or pydantic_data_converter, payload_converter_class=CompactPayloadConverter)
    if own:
        found = replace(found, failure_converter_class=SmallFailureConverter)
    return found if codec is None else replace(found, payload_codec=codec)


def _opened(theirs: WorkflowRunner | None) -> WorkflowRunner:
    """A worker's own way to run workflows, with our models let through if it is the sandbox."""
    if isinstance(theirs, SandboxedWorkflowRunner):
        return replace(theirs, restrictions=theirs.restrictions.with_passthrough_modules(*_PASSED_THROUGH))
    return theirs or SandboxedWorkflowRunner()


OWN = PerennialPlugin(own=True)
"""What our own processes have."""
DATA_CONVERTER = _converter(None)
