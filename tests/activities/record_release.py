"""Records the statements of a release, which the schemas of later ones have to go on with while its workers still run.

    python -m tests.activities.record_release

Writes those of the present version to `tests/activities/releases`, once: what was released stays as it was.
"""

from __future__ import annotations

import gzip
import json
from importlib import metadata
from pathlib import Path

from tests.activities.test_statements import statements

RELEASES = Path(__file__).with_name("releases")


def recorded(path: Path) -> list[str]:
    """The statements of a release."""
    found: list[str] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def main() -> None:
    """Records the present version, unless that was done."""
    path = RELEASES / f"{metadata.version('perennial')}.json.gz"
    if path.exists():
        print(f"{path.name} is on record; a release of another version is recorded beside it")
        return
    RELEASES.mkdir(exist_ok=True)
    texts = sorted(set(statements().values()))
    path.write_bytes(gzip.compress(json.dumps(texts, ensure_ascii=False).encode(), mtime=0))
    print(f"{path.name}: {len(texts)} statements")


if __name__ == "__main__":
    main()
