"""`python -m tests.oracles FILE... [--json]`: run case files and print what became of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.oracles import Verdict, read_cases, report, run_cases


def main() -> int:
    """Exit code 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracles", description="Run worked cases against the domain.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="case files (JSON)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    arguments = parser.parse_args()
    try:
        cases = [case for path in arguments.files for case in read_cases(path)]
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"cannot read the cases: {error}")
    summary = report(run_cases(cases))
    if arguments.json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        show(summary)
    return 1 if summary["totals"][Verdict.FAILED] else 0


def show(summary: dict[str, Any]) -> None:
    """The report as a table, with the cases that did not pass below."""
    console = Console()
    table = Table("operation", *(verdict.value for verdict in Verdict))
    for column in table.columns[1:]:
        column.justify = "right"
    for op, counts in summary["by_op"].items():
        table.add_row(op, *(str(counts[verdict.value]) for verdict in Verdict))
    table.add_section()
    totals = summary["totals"]
    table.add_row("total", *(str(totals[verdict.value]) for verdict in Verdict))
    console.print(table)
    for verdict in ("failures", "unsupported"):
        for item in summary[verdict]:
            console.print(f"{verdict}: {item['id']}: {item['why']}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
