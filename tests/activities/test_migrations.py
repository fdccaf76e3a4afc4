"""The schema's migrations: each has a version of its own, and a way back."""

from __future__ import annotations

from pathlib import Path

import activities

FILES = sorted((Path(activities.__file__).parent / "migrations").glob("*.sql"))


def test_no_two_migrations_share_a_version() -> None:
    versions = [path.name.split("_", 1)[0] for path in FILES]
    assert len(versions) == len(set(versions)) > 1


def test_every_migration_says_how_it_is_taken_back() -> None:
    for path in FILES:
        up, down = path.read_text(encoding="utf-8").split("-- migrate:down")
        assert "-- migrate:up" in up
        assert down.strip(), path.name
