"""`runway webhooks`: the secret is printed once, and what is done is said."""

import pytest

from tests.cli.conftest import Run

ADDRESS = "http://127.0.0.1:1/hook"


@pytest.fixture
def webhook(run: Run, acme: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """One about Acme's findings, at an address where nobody listens."""
    monkeypatch.setenv("RUNWAY_WEBHOOKS_ALLOW_PRIVATE", "true")
    added = run("webhooks", "add", ADDRESS, "--event", "finding.opened", "--company", "Acme", "--json")

    assert added.code == 0, added.err
    assert added.document["secret"].startswith("whsec_")
    assert added.document["webhook"]["companies"] == [acme]
    name: str = added.document["webhook"]["subscription_id"]
    return name


def test_a_webhook_is_shown_without_its_secret(run: Run, webhook: str) -> None:
    listed, shown = run("webhooks", "list"), run("webhooks", "show", webhook, "--json")

    assert ADDRESS in listed.out
    assert "finding.opened" in listed.out
    assert (shown.document["state"], shown.document["event_types"]) == ("active", ["finding.opened"])
    assert "whsec_" not in listed.out + shown.out


def test_it_is_paused_resumed_and_removed(run: Run, webhook: str) -> None:
    states = [run("webhooks", act, webhook, "--json").document["state"] for act in ("pause", "resume")]
    removed = run("webhooks", "remove", webhook)

    assert states == ["paused", "active"]
    assert removed.out.strip() == f"{webhook} is removed"
    assert run("webhooks", "list", "--json").document == {"items": []}


def test_rotating_prints_another_secret(run: Run, webhook: str) -> None:
    secrets = [run("webhooks", "rotate", webhook, "--json").document["secret"] for _ in range(2)]

    assert len(set(secrets)) == 2
    assert "it is not shown again" in run("webhooks", "rotate", webhook, "--grace-hours", "0").out


def test_a_test_that_nobody_takes_says_so_and_is_kept(run: Run, webhook: str) -> None:
    tried = run("webhooks", "test", webhook, "--json")
    listed = run("webhooks", "deliveries", webhook, "--state", "failed", "--json").document["items"]
    table = run("webhooks", "deliveries", webhook)
    again = run("webhooks", "replay", webhook, "--state", "failed", "--since", "2026-01-01", "--json")

    assert (tried.code, tried.document["state"]) == (3, "failed")
    assert [(one["event_type"], one["last_error"]) for one in listed] == [
        ("webhook.test", "the receiver at 127.0.0.1 gave no answer")
    ]
    assert "webhook.test" in table.out
    assert again.document == {"replayed": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "http://plain.example/"], "must be an https address"),
        (["add", "https://a.example/", "--event", "bill.seen"], "bill.seen"),
        (["add", "https://a.example/", "--company", "Nobody"], "Nobody"),
        (["show", "wh_none"], "no webhook"),
        (["replay", "wh_none"], "say which"),
        (["replay", "wh_none", "--since", "spring"], "2026-03-31"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(run: Run, acme: str, arguments: list[str], said: str) -> None:
    ran = run("webhooks", *arguments)

    assert acme
    assert ran.code == 2
    assert said in ran.err
