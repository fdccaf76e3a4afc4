"""The playbooks on file, one per segment: read when a worker starts, checked before anything runs by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from activities.playbooks.conditions import ConditionError, check
from activities.playbooks.lines import Lines, line_of, lines_of
from domain.frame.playbook import Playbook
from domain.frame.plays import Play
from domain.kernel.refusals import MendableError

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


def read_playbook(path: Path) -> Playbook:
    """The playbook in a file. Raises PlaybookError, which names each fault with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(f"{path} cannot be read: {error}") from error
    return playbook_in(text, path.name)


def playbook_in(text: str, name: str) -> Playbook:
    """The playbook that a text is, which is called `name`. Raises PlaybookError, which names each fault with its line."""
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PlaybookError(
            f"{name}:{mark.line + 1 if mark else 1}: is no YAML: {error.problem or error.context}"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise PlaybookError(f"{name}:1: is no YAML: {' '.join(str(error).split())}") from error
    try:
        playbook = Playbook.model_validate(document)
    except ValidationError as error:
        said = [
            (tuple(one["loc"]), f"{_field(one['loc'])}{one['msg'].removeprefix('Value error, ')}")
            for one in error.errors()
        ]
        raise PlaybookError(_faults(name, said, lines_of(text))) from error
    faults: list[tuple[tuple[int | str, ...], str]] = []
    for section, number, play in _all_plays(playbook):
        if play.when is not None:
            try:
                check(play.when)
            except ConditionError as error:
                place = (section, number, "when")
                faults.append((place, f"{_field(place)}{error}; the condition is: {play.when}"))
    if faults:
        raise PlaybookError(_faults(name, faults, lines_of(text)))
    return playbook


def _all_plays(playbook: Playbook) -> list[tuple[str, int, Play]]:
    """Each play with the section that it stands in, and its place there."""
    sections = (("plays", playbook.plays), ("people", playbook.people))
    return [(section, number, play) for section, plays in sections for number, play in enumerate(plays)]


def _field(place: Sequence[int | str]) -> str:
    said = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return f"{said}: " if said else ""


def _faults(name: str, faults: Sequence[tuple[tuple[int | str, ...], str]], lines: Lines) -> str:
    """Each fault on a line of its own, by the file and the line of what is wrong, or of what it is missing in."""
    return "\n".join(f"{name}:{line_of(lines, place)}: {said}" for place, said in faults)


def _read(path: Path) -> Playbook:
    playbook = read_playbook(path)
    if playbook.segment != path.stem:
        raise PlaybookError(f"{path.name} is for segment {playbook.segment!r}; name the file {playbook.segment}.yaml")
    return playbook
