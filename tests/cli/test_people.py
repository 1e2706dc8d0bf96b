"""People, their keys and the key of secrets, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_an_owner_is_made_and_makes_others(run: Run) -> None:
    run("companies", "add", "Acme", "--json")
    refused = run("people", "add", "bo@firm.example", "--role", "viewer")
    made = run("people", "add", "ada@firm.example", "--owner", "--json").document
    run("people", "add", "bo@firm.example", "--role", "viewer", "--company", "Acme", "--json")
    changed = run("people", "change", "bo", "--role", "controller", "--all-companies", "--json").document
    last = run("people", "change", "ada", "--role", "viewer")
    disabled = run("people", "disable", "bo", "--json").document
    listed = run("people", "list", "--json").document["people"]

    assert "first person" in refused.error_lines[0]
    assert made["link"].startswith("http://localhost:8000/welcome?link=")
    assert (changed["role"], changed["companies"]) == ("controller", None)
    assert "last owner" in last.error_lines[0]
    assert disabled["is_disabled"]
    assert [(one["person_id"], one["role"]) for one in listed] == [("ada", "owner"), ("bo", "controller")]


def test_a_command_with_a_key_goes_no_further_than_its_person(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("companies", "add", "Acme")
    run("companies", "add", "Bolt")
    run("people", "add", "ada@firm.example", "--owner")
    run("people", "add", "bo@firm.example", "--role", "viewer", "--company", "Acme")
    key = run("keys", "add", "bo", "reports", "--may", "read", "--json").document["key"]
    listed = run("keys", "list", "--json").document["keys"]
    monkeypatch.setenv("RUNWAY_API_KEY", key)
    seen = run("companies", "list", "--json").document
    refused = [run("companies", "set", "Acme", "--owner", "bo"), run("people", "list")]
    hidden = run("companies", "set", "Bolt", "--owner", "bo")
    monkeypatch.delenv("RUNWAY_API_KEY")
    ended = run("keys", "end", listed[0]["key_id"])
    monkeypatch.setenv("RUNWAY_API_KEY", key)

    assert key.startswith("rw_")
    assert key not in str(listed)
    assert [company["name"] for company in seen["items"]] == ["Acme"]
    assert [answer.error_lines[0].split("[")[-1].split(":")[0] for answer in refused] == ["not-allowed"] * 2
    assert "[not-found:" in hidden.error_lines[0]
    assert ended.code == 0
    assert "[sign-in-needed:" in run("companies", "list").error_lines[0]


def test_the_key_of_secrets_comes_from_a_file_or_a_command(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "key").write_text("k" * 40)
    monkeypatch.setenv("RUNWAY_SECRET_KEY_FILE", "key")
    run("companies", "add", "Acme")
    assert run("secrets", "rotate", "--json").document == {"moved": 0}
    monkeypatch.setenv("RUNWAY_SECRET_KEY_COMMAND", "printf kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk")
    assert "the key comes from one of them" in run("secrets", "rotate").error_lines[0]
    monkeypatch.delenv("RUNWAY_SECRET_KEY_FILE")
    assert run("secrets", "rotate", "--json").document == {"moved": 0}
    monkeypatch.setenv("RUNWAY_SECRET_KEY_COMMAND", "false")
    failed = run("secrets", "rotate")
    assert "run it by hand" in failed.error_lines[0]


def test_an_address_that_others_reach_is_not_served_without_people(run: Run) -> None:
    run("companies", "add", "Acme")
    refused = run("serve", "--host", "0.0.0.0", "--port", "0")

    assert refused.code == 2
    assert "runway people add" in refused.error_lines[0]
