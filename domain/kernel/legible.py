"""What whoever asks reads as it is, in whatever way payloads are kept otherwise."""

from __future__ import annotations

from typing import Any


class Legible:
    """An answer that callers read who know nothing of how we write: the bare command line, clients in other languages."""


class Answer(Legible, dict[str, Any]):
    """What an update is answered."""


class InTheClear(dict[str, Any]):
    """A document that came unsealed where nothing may."""
