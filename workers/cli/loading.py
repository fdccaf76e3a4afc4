"""Commands that are loaded when they are asked for: help, and what only reads facts, wait for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True)
class Place:
    """Where a command or a group of commands is: a module of this package, and its app there; `help` is one line for the list."""

    module: str
    help: str
    app: str = "app"

    def load(self, name: str) -> Any:
        """The command `name`, or the group that is known by it."""
        found = get_command(getattr(import_module(f"{__package__}.{self.module}"), self.app))
        if isinstance(found, TyperGroup):
            found = found.commands.get(name, found)
        found.name, found.help = name, found.help or self.help
        return found


class Unloaded(TyperCommand):
    """A command by its name and one line, until somebody runs it."""

    def __init__(self, name: str, place: Place) -> None:
        super().__init__(name, help=place.help)
        self._name, self.place = name, place

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """That of the command itself, which is loaded now."""
        return self.place.load(self._name).make_context(*args, **kwargs)


def opened(app: typer.Typer, places: Mapping[str, Place]) -> typer.Typer:
    """The group `app`, with commands at `places` beside its own."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {**self.commands, **{name: Unloaded(name, place) for name, place in places.items()}}

    app.info.cls = Group
    if app.registered_callback is None:  # a group, though all its commands are elsewhere
        app.callback()(_nothing)
    return app


def _nothing() -> None:  # without a docstring, which would become the group's help
    return
