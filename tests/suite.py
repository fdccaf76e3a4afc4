"""The whole suite at once: side by side in processes, each with a stack of its own, and what is slow left to the night.

A run that names files does just these, in one process, slow ones too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PROCESSES = 4
"""More than a small machine has cores: most of a test is waiting for a server."""
LONG_FIRST = ("e2e", "accountant", "workflows", "workers", "gateway", "activities")
"""Folders whose tests begin first, so that no process is left with a long one at the end."""

ON_ENGINE = ("e2e", "workers")
"""Folders whose customers live on Temporal's own server: processes begin and end there, and whole lives are lived."""

TOGETHER = (
    "tests/activities/assets/test_portfolio.py",
    "tests/reader/test_reader.py",
    "tests/test_deployment.py",
    "tests/workers/cli/test_assets.py",
)
"""Modules whose tests share something costly, and so go to one process."""


class WhoeverIsFree(LoadScopeScheduling):  # type: ignore[misc] # its package says nothing of types
    """Each process that is free takes the next test, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::", maxsplit=1)[0]
        return module if module in TOGETHER else nodeid


def add_options(parser: pytest.Parser) -> None:
    """`--slow`: what runs of the tests that kill processes and live for years."""
    parser.addoption(
        "--slow",
        choices=("none", "one", "all"),
        help="tests marked slow: none, one of each kind, or all (what is usual: none of the whole suite, all of files that are named)",
    )
    parser.addoption(
        "--engine",
        action="store_true",
        help="every customer lives on Temporal's own server, also where a test does not need it",
    )
    parser.addoption(
        "--anew",
        action="store_true",
        help="what is on file of lives (timelines, fingerprints) is written anew instead of compared; in one process",
    )


def on_engine(item: pytest.Item) -> bool:
    """Whether the customers of a test live on Temporal's own server."""
    return bool(item.config.getoption("--engine") or item.get_closest_marker("engine") or _folder(item) in ON_ENGINE)


def side_by_side(config: pytest.Config) -> None:
    """Several processes for the whole suite, unless `-n` says otherwise."""
    if not config.pluginmanager.hasplugin("dsession") and not config.pluginmanager.hasplugin("xdist"):
        return
    if _is_whole(config) and config.option.numprocesses is None and not config.option.usepdb and not is_process(config):
        config.option.numprocesses = PROCESSES
        config.option.dist = "loadscope"
        config.option.loadscopereorder = False
        # Several of Temporal's servers share few cores: threads beyond one only get into each other's way.
        os.environ.setdefault("GOMAXPROCS", "1")


def scheduler(config: pytest.Config, log: Producer) -> WhoeverIsFree | None:
    """Who gets which test; null for what xdist does by itself."""
    return WhoeverIsFree(config, log) if _is_whole(config) and config.option.dist == "loadscope" else None


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Orders the tests and leaves out the slow ones that are not wanted."""
    items.sort(key=_turn)
    wanted = config.getoption("--slow") or ("none" if _is_whole(config) else "all")
    if wanted == "all":
        return
    kept, left, kinds = [], [], set()
    for item in items:
        slow = item.get_closest_marker("slow")
        if slow is None or (wanted == "one" and slow.args[0] not in kinds):
            kept.append(item)
            if slow is not None:
                kinds.add(slow.args[0])
        else:
            left.append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def _turn(item: pytest.Item) -> int:
    folder = _folder(item)
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(item.config.rootpath).parts[1]


def _is_whole(config: pytest.Config) -> bool:
    """No file or folder was named."""
    named: Sequence[str] = config.args
    return list(named) == list(config.getini("testpaths"))


def is_usual(config: pytest.Config) -> bool:
    """Neither the nightly run, which does more, nor one that looks for something."""
    more = config.getoption("--engine") or config.getoption("--slow") == "all" or config.option.usepdb
    return not more and config.getoption("--hypothesis-profile", None) != "nightly"


def is_process(config: pytest.Config) -> bool:
    """This is one of the processes, not the one that shares out the work."""
    return hasattr(config, "workerinput")
