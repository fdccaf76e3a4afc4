"""The playbooks on file, one per segment: read when a worker starts, checked before anything runs by them."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from domain.frame.playbook import Playbook
from domain.kernel.refusals import MendableError, Refusal

FOLDER = Path(__file__).parent


class PlaybookError(MendableError, ValueError):
    """A playbook's file is wrong; the message names the file, the field and what would be right."""


class Playbooks:
    """The current playbook of each segment."""

    def __init__(self, playbooks: list[Playbook]) -> None:
        self._by_segment = {playbook.segment: playbook for playbook in playbooks}

    def current(self, segment: str) -> Playbook | None:
        """The playbook by which new customers of a segment are planned."""
        return self._by_segment.get(segment)

    def titles(self) -> dict[str, dict[str, str]]:
        """The titles of all tasks: by language, and by their English ones."""
        found: dict[str, dict[str, str]] = {}
        for playbook in self._by_segment.values():
            for task in playbook.onboarding.tasks:
                for language, title in task.title.items():
                    found.setdefault(language, {})[task.title["en"]] = title
        return found

    def segments(self) -> list[str]:
        """The segments that have a playbook."""
        return sorted(self._by_segment)


def read_playbooks(folder: Path = FOLDER) -> Playbooks:
    """Every `*.yaml` in `folder`. Raises PlaybookError for one that cannot be used."""
    playbooks = [_read(path) for path in sorted(folder.glob("*.yaml"))]
    if not playbooks:
        raise PlaybookError(f"{folder} holds no playbook; put one YAML file per segment there")
    return Playbooks(playbooks)


def _read(path: Path) -> Playbook:
    try:
        playbook = Playbook.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise PlaybookError(f"{path.name} is no YAML: {error}") from error
    except ValidationError as error:
        raise PlaybookError(str(Refusal.from_validation("InvalidPlaybook", path.name, error))) from error
    if playbook.segment != path.stem:
        raise PlaybookError(f"{path.name} is for segment {playbook.segment!r}; name the file {playbook.segment}.yaml")
    return playbook
