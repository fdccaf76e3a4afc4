"""The sandbox around workflows: it re-imports what it has to watch over, and nothing else."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from gateway.connection import DATA_CONVERTER
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, report_usage
from workers.wiring import PASSED_THROUGH, WORKFLOWS, sandbox

pytestmark = pytest.mark.engine  # the worker's sandbox

OURS = ("domain", "activities", "workers", "gateway", "workflows", "tests")
GUARDED = {"__main__", *sys.stdlib_module_names}
"""Modules of Python itself are wrapped by the sandbox, not imported anew; `__main__` is an empty one."""


async def test_every_module_outside_workflows_is_the_same_object_in_the_sandbox(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await report_usage(servers.client, account, users=8)
    await servers.client.fast_forward(account, timedelta(days=40))
    history = await servers.handle(account).fetch_history()

    instances: list[Any] = []
    create = SandboxedWorkflowRunner.create_instance

    def remembered(runner: SandboxedWorkflowRunner, details: Any) -> Any:
        instances.append(create(runner, details))
        return instances[-1]

    monkeypatch.setattr(SandboxedWorkflowRunner, "create_instance", remembered)
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=sandbox(), data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(history)

    assert len(instances) == len(WORKFLOWS) + 1  # one for each class to check it, and the journey
    watched = {workflow.__module__ for workflow in WORKFLOWS}
    imported: set[str] = set()
    for instance in instances:
        inside = dict(instance.importer.new_modules)
        anew = {name for name, module in inside.items() if module is not sys.modules.get(name)} - GUARDED
        own = anew - {"workflows"}
        assert len(own) == 1, sorted(anew)
        imported |= own
        ours = {name for name in inside if name.split(".")[0] in OURS}
        assert ours & {"domain.frame.state", "domain.service.case"}
        # A workflow sees no other layer.
        assert {name.split(".")[0] for name in ours} == {"domain", "workflows"}
    assert imported == watched


def test_what_passes_through_exists_and_is_no_driver() -> None:
    assert len(PASSED_THROUGH) == len(set(PASSED_THROUGH))
    assert not {"activities", "workers", "gateway", "asyncpg", "aiosmtplib", "workflows"} & set(PASSED_THROUGH)
    watched = {workflow.__module__ for workflow in WORKFLOWS}
    assert not watched & set(PASSED_THROUGH)
