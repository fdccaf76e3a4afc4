"""What a command waits for before it does anything."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.core import TyperGroup

from workers.cli.commands import COMMANDS
from workers.cli.loading import Loader, Unloaded

FROM_FACTS = (
    "timelines", "reports", "service_reports", "price_reports", "assets", "keys", "staff", "tasks", "case_files", "cases", "mails",
)  # fmt: skip
"""Modules with commands that ask the database alone."""
HEAVY = ("temporalio", "gateway.client", "activities.frame.unit_of_work", "workers.documents", "workers.wiring")
MOST_OF_OURS = {"import workers.cli": 16, "import workers.cli.assets": 32, "import workers.cli.reports": 24}
"""Modules of the project that `perennial --help` loads, and commands that people ask for all day."""
NOT_FOR_WORK = ("fastapi", "uvicorn", "aiosmtpd", "prompt_toolkit", "mcp")
"""What a worker does without: pages, servers of mail, other programs' command lines, tools of agents."""
MOST_COUNTRIES = 8


def _loaded(script: str) -> set[str]:
    """The modules that are loaded after `script`, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(told.stdout.split())


def test_help_waits_for_nothing_and_facts_not_for_the_engine() -> None:
    ours = {"domain", "workflows", "activities", "gateway", "workers"}
    for script, most in MOST_OF_OURS.items():
        asked = _loaded(script)
        assert len({name for name in asked if name.partition(".")[0] in ours and "." in name}) <= most, script
        assert not [name for name in ("temporalio", "holidays", "domain.frame.customer") if name in asked], script
    read = _loaded("import " + ", ".join(f"workers.cli.{name}" for name in FROM_FACTS))
    assert not [name for name in HEAVY if name in read]


def test_workers_do_without_the_tools_of_agents() -> None:
    assert "mcp" not in _loaded("import workers.wiring, workers.cli.processes, workers.cli.access, workers.cli.gateway")


def test_a_worker_that_has_read_its_playbooks_has_loaded_only_what_it_works_with() -> None:
    read = _loaded(
        "import workers.wiring, workers.cli.processes\n"
        "from activities.playbooks import FOLDER, read_playbooks\n"
        "from activities.service_policies import FOLDER as BOOK, read_service_book\n"
        "read_playbooks(FOLDER), read_service_book(BOOK)\n"
        "import sys; countries = sys.modules.get('holidays.countries')\n"
        "assert countries is None or not hasattr(countries, 'Japan')"
    )
    assert not [name for name in NOT_FOR_WORK if name in read]
    assert len([name for name in read if name.startswith("holidays.countries.")]) <= MOST_COUNTRIES


@pytest.mark.parametrize("loader", COMMANDS, ids=lambda loader: loader.__name__)
def test_the_list_says_of_each_command_what_the_command_says_of_itself(loader: Loader) -> None:
    beside = Unloaded(loader)
    loaded = beside.load()
    assert loaded.name == beside.name
    assert loaded.help == beside.help
    for inner in loaded.commands.values() if isinstance(loaded, TyperGroup) else ():
        if isinstance(inner, Unloaded):
            assert inner.load().help == inner.help
