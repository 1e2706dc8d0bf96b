"""What a command is given: settings, a `Runway`, one way to answer. `command` adds what all commands take."""

import getpass
import inspect
import os
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console, RenderableType
from rich.text import Text
from runway_core.runway import Runway

from runway_app_http.cli.failures import INTERRUPTED, silence_output
from runway_app_http.collector import tune_collector
from runway_app_http.logs import LogLevel, configure_logs
from runway_app_http.loops import run_async
from runway_app_http.plain import to_json
from runway_app_http.settings import AppSettings, load_settings

Answer = TypeVar("Answer")
OpenRunway = Callable[[AppSettings], AbstractAsyncContextManager[Runway]]
PLAIN_WIDTH = 140
"""How wide tables are where nobody's terminal says."""


class LevelName(StrEnum):
    """Levels of the log, for `--log-level`."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class FormatName(StrEnum):
    """Forms of the log, for `--log-format`."""

    CONSOLE = "console"
    JSON = "json"


@dataclass(frozen=True)
class Session:
    """One run of one command."""

    as_json: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    default_level: LogLevel = "warning"

    @cached_property
    def settings(self) -> AppSettings:
        """The settings with this command's flags; logging follows them from the first look on.

        Raises:
            InvalidRequest: wrong settings.
        """
        settings = load_settings(self.flags)
        configure_logs(level=settings.log_level or self.default_level, form=settings.log_format)
        return settings

    @cached_property
    def actor(self) -> str:
        """Who acts, for the log."""
        if self.settings.actor:
            return self.settings.actor
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "command-line"

    def run(self, work: Callable[[Runway], Awaitable[Answer]]) -> Answer:
        """Open the `Runway`, let `work` ask it, and close it.

        Raises:
            RunwayError: whatever `work` met.
        """
        return self.run_alone(self._opened(work))

    def run_alone(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run `work` to its end in an event loop; Ctrl-C ends it without a traceback."""
        try:
            return run_async(work)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    async def _opened(self, work: Callable[[Runway], Awaitable[Answer]]) -> Answer:
        # Loaded here: a command that opens no `Runway`, and the help of one that does, need no database library.
        open_runway: OpenRunway = import_module("runway_app_http.container").open_runway
        tune_collector()
        async with open_runway(self.settings) as runway:
            return await work(await self.as_caller(runway))

    async def as_caller(self, runway: Runway) -> Runway:
        """The `Runway` as the person of `RUNWAY_API_KEY` may use it; without one, as whoever runs this machine may.

        Raises:
            SignInNeeded: the key is unknown, taken back or out of date.
        """
        key = self.settings.api_key
        if key is None:
            return runway
        caller, _ = await runway.people.find_key(key.get_secret_value())
        return runway.for_caller(caller)

    def show(self, document: object, lay_out: Callable[[], RenderableType], *, currency: str | None = None) -> None:
        """Print the answer: one JSON document, or what `lay_out` makes of it for a person."""
        try:
            if self.as_json:
                sys.stdout.write(to_json(document, currency=currency).decode() + "\n")
            else:
                stdout_console().print(lay_out())
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read it has seen enough: `runway portfolio | head`
            silence_output()


class BooksConsole(Console):
    """A console for text out of other people's books: it is shown as it is, and never steers the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Take a cell's text without its control characters."""
        return super().render_str(_CONTROL.sub(" ", text), **options)

    def on_broken_pipe(self) -> None:
        """Whoever read it has seen enough: that is no fault."""
        silence_output()


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def stdout_console() -> Console:
    """Standard output for people; wide where it is no terminal, so that nothing is cut in a file."""
    probe = Console()
    width = PLAIN_WIDTH if not probe.is_terminal and not os.environ.get("COLUMNS") else None
    return BooksConsole(highlight=False, markup=False, emoji=False, width=width)


def stderr_console() -> Console:
    """Standard error for people: progress and remarks."""
    return BooksConsole(stderr=True, highlight=False, markup=False, emoji=False)


_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.", show_default=False)]
_DATABASE = Annotated[str | None, typer.Option("--database-url", help="Which database.", envvar=None, metavar="URL")]
_LEVEL = Annotated[LevelName | None, typer.Option("--log-level", help="What to log on standard error.")]
_FORMAT = Annotated[FormatName | None, typer.Option("--log-format", help="How to log.")]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_COMMON = (
    _parameter("as_json", _JSON, False),
    _parameter("database_url", _DATABASE, None),
    _parameter("log_level", _LEVEL, None),
    _parameter("log_format", _FORMAT, None),
)

Work = Callable[..., int | None]


def command(
    app: typer.Typer, name: str, *, example: str, default_level: LogLevel = "warning"
) -> Callable[[Work], Work]:
    """Register a command on `app`: its first argument is the `Session`, its result the exit code (`None` is 0).

    Every command so registered takes `--json`, `--database-url`, `--log-level` and `--log-format`, and shows `example`
    in its help.
    """

    def register(work: Work) -> Work:
        own = list(inspect.signature(work).parameters.values())[1:]

        def run(**values: Any) -> int | None:
            flags = {part.name: values.pop(part.name) for part in _COMMON}
            as_json = flags.pop("as_json")
            return work(Session(as_json=as_json, flags=flags, default_level=default_level), **values)

        parameters = [part.replace(kind=inspect.Parameter.KEYWORD_ONLY) for part in own] + list(_COMMON)
        run.__name__ = work.__name__
        run.__doc__ = work.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what `inspect` reads first
        run.__annotations__ = {part.name: part.annotation for part in parameters}
        app.command(name, epilog=f"Example: {example}", no_args_is_help=False)(run)
        return work

    return register


def group(name: str, purpose: str) -> typer.Typer:
    """A group of commands; alone it shows its help."""
    return typer.Typer(name=name, help=purpose, no_args_is_help=True, rich_markup_mode=None)
