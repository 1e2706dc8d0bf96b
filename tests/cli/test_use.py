"""How commands are used: help, wrong use, wrong settings; each error is one line that says what to do."""

import subprocess
import sys
from pathlib import Path

import pytest
from runway_app_http.cli.failures import choose_exit_code
from runway_core.errors import InvalidRequest, LeaseHeld, NotFound, RailAccessLost, RailUnavailable, SchemaMismatch

from tests.cli.conftest import Run

COMMANDS = [
    "demo", "sandbox serve", "db upgrade", "db check", "companies list", "companies add", "companies set", "connect",
    "erase", "rails", "sync", "portfolio", "digest", "tray", "console", "outlook", "health", "quarantine list",
    "quarantine show", "quarantine replay", "quarantine discard", "log show", "log verify", "history", "serve",
    "scheduler", "doctor",
    "worker", "deadletters list", "deadletters show", "deadletters replay", "deadletters discard", "chain",
    "fix", "fixes", "plan list", "plan add", "plan confirm", "plan move", "plan fulfil", "plan drop", "policy show",
    "policy set",
    "policy history", "questions list", "questions ask", "questions show", "questions sent", "questions answer",
    "questions drop",
    "what-if", "scenarios list", "scenarios keep", "scenarios show", "scenarios drop", "decide", "approve", "release",
    "withdraw", "remind",
    "people list", "people add", "people link", "people change", "people disable", "people enable", "people sign-out",
    "people drop-second-factor", "keys list", "keys add", "keys end", "secrets rotate", "decide-batch",
    "firm-policy show", "firm-policy set", "firm-policy reset", "firm-policy revert", "firm-policy history",
    "call-backs list", "call-backs note", "db grant", "custody", "work",
    "digests show", "digests send", "submit", "reconcile", "conflicts list", "conflicts show", "conflicts resolve",
    "conflicts reopen", "views list", "views save", "views rename", "views remove",
    "webhooks list", "webhooks show", "webhooks add", "webhooks pause", "webhooks resume", "webhooks rotate",
    "webhooks remove", "webhooks test", "webhooks deliveries", "webhooks replay",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_and_takes_json(run: Run, command: str) -> None:
    ran = run(*command.split(), "--help")

    assert ran.code == 0
    assert f"Example: runway {command}" in ran.out
    assert "--json" in ran.out
    assert "--database-url" in ran.out


def test_every_command_stands_in_the_list(run: Run) -> None:
    listed = {line.split()[0] for line in run("--help").out.partition("Commands:")[2].splitlines() if line.strip()}

    assert listed == {command.split()[0] for command in COMMANDS}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["digest"], "Missing argument 'COMPANY'"),
        (["portfolio", "--colour"], "No such option"),
        (["portfolio", "--limit", "500"], "less than or equal to 100"),
        (["portfolio", "--status", "purple"], "purple"),
        (["tray", "acme", "--fail-on", "grave"], "grave"),
        (["history", "biil:145"], "'biil' is no kind of record"),
        (["history", "bill"], "not KIND:ID"),
        (["companies", "add", "Acme", "--currency", "usd"], "home_currency"),
        (["companies", "add", "Acme", "--time-zone", "Mars/Olympus"], "not a time zone"),
        (["companies", "add", " "], "a company needs a name"),
        (["companies", "add", "Acme", "--buffer", "lots"], "'lots' is no amount"),
        (["companies", "add", "Acme", "--buffer", "-5"], "negative"),
        (["connect", "qbo"], "say which company"),
        (["connect", "sandbox"], "--ready-file"),
        (["connect", "sandbox", "--ready-file", "absent.json"], "cannot be read"),
        (["sandbox", "serve", "--chaos", "mayhem"], "no chaos profile 'mayhem'"),
        (["sandbox", "serve", "--rails", "stripes"], "served are qbo, plaid"),
        (["demo", "--clients", "0"], "--clients"),
        (["demo", "--rails", "plaid", "--no-serve"], "without qbo there are no companies"),
        (["sync", "--rail", "qbo"], "no company is connected to 'qbo'"),
        (["sync", "nobody"], "no company 'nobody'"),
        (["digest", "nobody"], "no company 'nobody'"),
        (["doctor", "xero"], "no rail named 'xero'"),
        (["portfolio", "--cursor", "abc"], "the cursor is not one of ours"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(run: Run, arguments: list[str], said: str) -> None:
    ran = run(*arguments)

    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.error_lines) == 1, ran.err
    assert ran.error_lines[0].startswith("runway: ")
    assert said in ran.err


def test_a_group_alone_shows_its_help(run: Run) -> None:
    ran = run("companies")

    assert ran.code == 2
    assert "Usage: runway companies" in ran.err
    assert "set" in ran.err


def test_errors_name_the_page_that_says_more(run: Run) -> None:
    ran = run("digest", "nobody")

    assert "[not-found: docs/errors/not-found.md]" in ran.err


def test_the_exit_code_tells_whose_trouble_it_is() -> None:
    codes = [
        choose_exit_code(error)
        for error in (
            InvalidRequest("x"), NotFound("x"), RailUnavailable("x"), RailAccessLost("x"), SchemaMismatch("x"),
            LeaseHeld("x"),
        )
    ]  # fmt: skip

    assert codes == [2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RUNWAY_PORT", "eight", "port"),
        ("RUNWAY_TICK_MINUTES", "0", "tick_minutes"),
        ("RUNWAY_LOG_LEVEL", "loud", "log_level"),
        ("RUNWAY_ALLOWED_HOSTS", "example.com", "lists are written as JSON"),
        ("RUNWAY_DATABASE_URL", "oracle://books", "oracle"),
        ("RUNWAY_CONFIG", "absent.toml", "absent.toml"),
    ],
)
def test_wrong_settings_are_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)

    ran = run("companies", "list")

    assert (ran.code, len(ran.error_lines)) == (2, 1), ran.err
    assert said in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 99999", "port"),
        ("ports = 1", "'ports' is no setting"),
        ("port: 1", "is not TOML"),
        ('qbo_client_secret = 5\nqbo_environment = "moon"', "qbo_environment"),
    ],
)
def test_a_wrong_settings_file_is_one_line(run: Run, folder: Path, text: str, said: str) -> None:
    (folder / "runway.toml").write_text(text, encoding="utf-8")

    ran = run("companies", "list")

    assert (ran.code, len(ran.error_lines)) == (2, 1), ran.err
    assert said in ran.err


def test_a_wrong_secret_is_not_repeated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_SECRET_KEY", "hunter2-hunter2")
    monkeypatch.setenv("RUNWAY_PORT", "hunter3")

    ran = run("companies", "list")

    assert ran.code == 2
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all/books.db", "/nowhere/at/all"),
        ("postgresql://nobody@127.0.0.1:1/books", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_reached_is_exit_code_4(run: Run, url: str, said: str) -> None:
    ran = run("portfolio", "--database-url", url)

    assert (ran.code, len(ran.error_lines)) == (4, 1), ran.err
    assert said in ran.err


def test_a_file_that_is_no_database_is_exit_code_4(run: Run, folder: Path) -> None:
    (folder / "notes.txt").write_text("milk, eggs, and the wages of March\n" * 40, encoding="utf-8")

    ran = run("portfolio", "--database-url", "sqlite:///notes.txt")

    assert (ran.code, len(ran.error_lines)) == (4, 1), ran.err
    assert "notes.txt" in ran.err


def test_output_that_nobody_reads_any_more_is_no_fault(folder: Path) -> None:
    program = Path(sys.executable).parent / "runway"
    with subprocess.Popen([program, "rails"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        ran.stdout.close()

        assert ran.stderr.read() == b""
        assert ran.wait() == 0
