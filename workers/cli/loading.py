"""Commands that are loaded when they are asked for: help, and what only reads facts, wait for nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

Loader = Callable[[], typer.Typer]
"""Imports the app of a command or of a group. Its name is that of the command, its docstring the line in the list."""


class Unloaded(TyperCommand):
    """A command by its name and one line, until somebody runs it."""

    def __init__(self, loader: Loader) -> None:
        super().__init__(loader.__name__.rstrip("_").replace("_", "-"), help=inspect.getdoc(loader))
        self._loader = loader

    def load(self) -> Any:
        """The command itself, or the group that is known by its name."""
        found = get_command(self._loader())
        if isinstance(found, TyperGroup):
            found = found.commands.get(self.name or "", found)
        found.name, found.help = self.name, found.help or self.help
        return found

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """That of the command itself, which is loaded now."""
        return self.load().make_context(*args, **kwargs)


def opened(app: typer.Typer, *loaders: Loader) -> typer.Typer:
    """The group `app`, with the commands that `loaders` import beside its own, in that order."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {**self.commands, **{str(one.name): one for one in map(Unloaded, loaders)}}

    app.info.cls = Group
    if app.registered_callback is None:  # a group, though all its commands are elsewhere
        app.callback()(_nothing)
    return app


def _nothing() -> None:  # without a docstring, which would become the group's help
    return
