"""Commands that are loaded when they are asked for: loading all of them takes a second and more."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from runway_app_http.collector import tune_collector

AnyCommand = TyperCommand | TyperGroup


class CommandsOnDemand(Mapping[str, AnyCommand]):
    """Commands and groups by name, in the order of the help; `places` says where each is, as `module:attribute`."""

    def __init__(self, package: str, places: Mapping[str, str]) -> None:
        self._package = package
        self._places = places

    def __getitem__(self, name: str) -> AnyCommand:
        module, _, attribute = self._places[name].partition(":")
        holder = typer.Typer(rich_markup_mode=None)
        holder.add_typer(getattr(import_module(f"{self._package}.{module}"), attribute))
        tune_collector()  # what was loaded stays
        found = get_group(holder).commands[name]
        assert isinstance(found, TyperCommand | TyperGroup)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class GroupOnDemand(TyperGroup):
    """A group that knows the names of its commands, and loads one when it runs, or when its help is shown."""

    def __init__(self, *, commands: CommandsOnDemand, **more: Any) -> None:
        super().__init__(**more)
        self.commands = commands  # type: ignore[assignment]  # it is only read

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002  (what the library passes)
        """The names alone."""
        return list(self.commands)
