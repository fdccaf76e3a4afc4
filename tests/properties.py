"""How many examples a property is tried with: a test says what is usual for it, the profile says how much of that.

Profiles are chosen with pytest's `--hypothesis-profile`: `dev` (the default), `ci`, `nightly`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings

SHARES = {"dev": 0.25, "ci": 1.0, "nightly": 20.0}
FEWEST = 10


def register() -> None:
    """The profiles, `dev` loaded. What runs before a change is taken draws the same examples every time; the night looks for new ones.

    A slow machine fails no property: how fast things are is measured by the benchmarks.
    """
    for name in SHARES:
        settings.register_profile(name, deadline=None, derandomize=name != "nightly", print_blob=True, database=None)
    settings.load_profile("dev")


def examples(usual: int, **changes: Any) -> settings:
    """The settings of a property that is usually tried with so many examples; `changes` as Hypothesis has them."""
    share = SHARES.get(settings.get_current_profile_name(), 1.0)
    return settings(max_examples=max(FEWEST, int(usual * share)), **changes)
