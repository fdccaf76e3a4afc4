"""Bytecode of a test run, kept in pytest's own folder where Python is told to keep none.

Otherwise each of some fifty processes compiles everything again, which takes longer than what it is started for. pytest loads this
module before all others, so that they are compiled once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
