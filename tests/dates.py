"""What depends on the calendar, lived as of days that calendars trip over: `poe dates`, or `python -m tests.dates 2027-01-31T10:00+09:00`.

Tests and command line are given the instant by `PERENNIAL_NOW`; journeys are moved there before their first message.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from activities.kernel.clock import present

TOKYO, BERLIN, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
WHAT = (
    "tests/workflows/holds/test_holds.py",
    "tests/workflows/journey/test_customer_journey.py",
    "tests/workflows/billing/test_billing.py",
    "tests/workflows/journey/test_requests.py",
    "tests/workflows/success/test_surveys.py",
    "tests/workers/cli",
    "tests/e2e/test_demo.py",
)


def days_to_try(today: date) -> list[datetime]:
    """The instants, the next of each kind: at the end of months, around leap days, where clocks change, at the turn of a year."""
    year = today.year + 1
    leap = next(y for y in range(year, year + 9) if y % 4 == 0)  # no century comes up before 2100
    march = max(date(year, 3, n) for n in range(25, 32) if date(year, 3, n).weekday() == 6)
    noon = [date(year, 1, 31), date(year, 2, 28), date(leap, 2, 29), *(date(year, 7, n) for n in range(27, 32))]
    return [
        *(datetime.combine(day, time(12), TOKYO) for day in noon),
        datetime.combine(march, time(0, 30), BERLIN),
        *(datetime.combine(date(year - 1, 12, 31), time(23, 30), zone) for zone in (TOKYO, NEW_YORK)),
    ]


def lived(at: datetime, tests: list[str]) -> bool:
    """True if the tests pass as of an instant; what they say is shown when they are done."""
    command = [sys.executable, "-m", "pytest", "-q", "--slow", "none", "--engine", *tests]
    given = {**os.environ, "PERENNIAL_NOW": at.isoformat()}
    done = subprocess.run(command, env=given, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"== as of {at.isoformat()}, a {at:%A}\n{done.stdout}", flush=True)
    return done.returncode == 0


def main() -> int:
    """1 if anything failed on any day; says which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("at", nargs="*", type=datetime.fromisoformat, help="instants instead of the usual ones")
    parser.add_argument("--tests", nargs="+", default=WHAT, help="test files instead of the usual ones")
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="days side by side (default: %(default)s)"
    )
    asked = parser.parse_args()
    days = asked.at or [day for day in days_to_try(present().date()) if day > present() + timedelta(hours=1)]
    with ThreadPoolExecutor(asked.at_once) as places:
        green = list(places.map(lambda day: lived(day, asked.tests), days))
    failed = [day.isoformat() for day, is_green in zip(days, green, strict=True) if not is_green]
    print(f"red as of {', '.join(failed)}" if failed else "green on every day")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
