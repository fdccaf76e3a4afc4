"""Activities run by a test itself, with as much time as a worker gives them: the library's second is over on a busy machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from temporalio.testing import ActivityEnvironment


def patient() -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, start_to_close_timeout=timedelta(seconds=30))
    return environment
