"""Companies and their settings from the command line."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from runway_core.runway import Runway
from runway_store_sql import SqlStore

from tests.cli.conftest import Run


def test_a_company_is_added_and_listed(run: Run, acme: str) -> None:
    [company] = run("companies", "list", "--json").document["items"]

    assert company["company_id"] == acme
    assert (company["name"], company["home_currency"], company["time_zone"]) == (
        "Acme Hardware", "USD", "America/Chicago",
    )  # fmt: skip
    assert company["connections"] == []
    assert "Acme Hardware" in run("companies", "list").out


def test_settings_change_one_by_one(run: Run, acme: str) -> None:
    run("companies", "set", "acme", "--buffer", "10,000", "--owner", "ada", "--tag", "retail", "--tag", "ohio")
    payroll = ("--series", "payroll:biweekly:2026-03-20:18400.00")
    changed = run("companies", "set", acme, *payroll, "--series", "rent:monthly:2026-04-01:2500", "--json").document

    assert changed["settings"]["buffer"] == "10000.00"
    assert (changed["owner"], changed["tags"]) == ("ada", ["retail", "ohio"])
    assert [(s["series_kind"], s["rhythm"], s["first_day"], s["amount"]) for s in changed["settings"]["series"]] == [
        ("payroll", "biweekly", "2026-03-20", "18400.00"),
        ("rent", "monthly", "2026-04-01", "2500.00"),
    ]


def test_a_series_is_replaced_by_its_kind_and_can_be_removed(run: Run, acme: str) -> None:
    run("companies", "set", acme, "--series", "payroll:biweekly:2026-03-20:18400")
    replaced = run("companies", "set", acme, "--series", "payroll:weekly:2026-03-20:9200", "--json").document
    removed = run("companies", "set", acme, "--series", "payroll:none", "--owner", "", "--json").document

    assert [s["rhythm"] for s in replaced["settings"]["series"]] == ["weekly"]
    assert removed["settings"]["series"] == []


@pytest.mark.parametrize(
    "text", ["payroll", "payroll:daily:2026-03-20:5", "wages:weekly:2026-03-20:5", "payroll:weekly:soon:5"]
)
def test_a_series_of_another_form_is_refused(run: Run, acme: str, text: str) -> None:
    ran = run("companies", "set", acme, "--series", text)

    assert (ran.code, len(ran.error_lines)) == (2, 1), ran.err
    assert "KIND:RHYTHM:FIRST_DAY:AMOUNT" in ran.err


def test_who_changed_it_stands_in_the_log(run: Run, acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNWAY_ACTOR", "grace")
    run("companies", "set", acme, "--owner", "ada")

    entries = run("log", "show", acme, "--json").document["items"]

    assert entries[-1]["actor"] == "grace"
    assert entries[-1]["content"]["owner"] == "ada"


def test_an_ambiguous_name_asks_for_the_id(run: Run, acme: str) -> None:
    run("companies", "add", "Acme Plumbing")

    ran = run("digest", "acme")

    assert ran.code == 2
    assert acme in ran.err


def test_names_with_control_characters_do_not_steer_the_terminal(run: Run) -> None:
    run("companies", "add", "Ev\x1b[31mil [bold]Co[/bold]")

    shown = run("companies", "list").out

    assert "\x1b" not in shown
    assert "[bold]Co[/bold]" in shown


def test_a_company_never_read_is_shown_as_such(run: Run, acme: str) -> None:
    view = run("portfolio", "--json").document

    assert [(row["name"], row["status"], row["opening_cash"]) for row in view["rows"]] == [
        ("Acme Hardware", "grey", None)
    ]
    assert "Acme Hardware" in run("portfolio").out


def test_an_unread_company_answers_every_question(run: Run, acme: str) -> None:
    for command in ("digest", "tray", "console", "outlook"):
        ran = run(command, acme)
        assert ran.code == 0, ran.err
        assert run(command, acme, "--json").document["company"]["company_id"] == acme


def test_syncing_a_company_without_connection_says_how_to_connect(run: Run, acme: str) -> None:
    ran = run("sync", acme)

    assert ran.code == 2
    assert "connect it with `runway connect`" in ran.err


def test_flags_come_before_the_environment_and_that_before_the_file(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "runway.toml").write_text('database_url = "sqlite:///of-file.db"\nactor = "of-file"\n', encoding="utf-8")
    run("companies", "add", "By file")
    monkeypatch.setenv("RUNWAY_DATABASE_URL", "sqlite:///of-environment.db")
    run("companies", "add", "By environment")
    run("companies", "add", "By flag", "--database-url", "sqlite:///of-flag.db")

    for name in ("file", "environment", "flag"):
        [company] = asyncio.run(_names(f"sqlite:///of-{name}.db"))
        assert company == f"By {name}"


async def _names(url: str) -> list[str]:
    async with Runway.open(store=SqlStore(url), rails=[]) as runway:
        return [company.name for company in await runway.companies.list()]


def test_the_database_is_made_checked_and_kept(run: Run, folder: Path) -> None:
    missing = run("db", "check")
    made = run("db", "upgrade", "--json")
    again = run("db", "upgrade", "--json")

    assert (missing.code, len(missing.error_lines)) == (4, 1)
    assert "runway db upgrade" in missing.err
    assert made.document["is_current"] is True
    assert again.document["schema_revision"] == made.document["schema_revision"]
    assert run("db", "check").code == 0
    assert (folder / "runway.db").is_file()


def test_the_log_verifies_and_a_changed_entry_is_named(run: Run, acme: str) -> None:
    sound = run("log", "verify", "--json")
    forge_first_entry()
    broken = run("log", "verify", "--json")

    assert (sound.code, sound.document["is_sound"]) == (0, True)
    assert (broken.code, broken.document["is_sound"]) == (1, False)
    assert broken.document["items"][0]["broken_at"] == 1
    assert "entry 1 is broken" in broken.err


def forge_first_entry() -> None:
    """Change an entry as one could who owns the file: past the triggers."""
    with closing(sqlite3.connect("runway.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE log_entries SET canonical = CAST(canonical || x'00' AS BLOB) WHERE sequence = 1")


def test_what_is_not_in_the_log_is_said(run: Run, acme: str) -> None:
    ran = run("history", "bill:145")

    assert (ran.code, len(ran.error_lines)) == (2, 1)
    assert "the log knows no bill:145" in ran.err


def test_rails_and_doctor_describe_what_is_installed(run: Run, acme: str) -> None:
    rails = {rail["name"]: rail for rail in run("rails", "--json").document["items"]}
    doctor = run("doctor", "--json")

    assert "ledger" in rails["qbo"]["roles"]
    assert rails["qbo"]["version"]
    assert (doctor.code, doctor.document["is_well"]) == (0, True)
    assert {one["what"] for one in doctor.document["items"]} == {"settings", "rails", "database"}


def test_doctor_hides_the_password_of_the_database(run: Run) -> None:
    ran = run("doctor", "--database-url", "postgresql://ada:hunter2@127.0.0.1:1/books")

    assert ran.code == 4
    assert "hunter2" not in ran.out + ran.err
