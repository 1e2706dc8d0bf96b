"""What people know and decide, at the command line: planned items, policy, what-ifs."""

from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Run

AHEAD = datetime.now(UTC).year + 5  # well ahead of any forecast, and not so far that it looks like a slip


def test_money_is_planned_moved_and_dropped(run: Run, acme: str) -> None:
    added = run("plan", "add", acme, "Owed to the builder", "--on", f"{AHEAD}-03-13", "--amount", "50,000", "--json")
    item = added.document["item"]
    moved = run("plan", "move", acme, item["paper_id"], "--on", f"{AHEAD}-03-20", "--version", "1", "--json")
    stale = run("plan", "move", acme, item["paper_id"], "--amount", "1", "--version", "1")
    listed = run("plan", "list", acme)
    dropped = run("plan", "drop", acme, item["paper_id"], "--reason", "paid by card", "--json")

    assert (added.code, item["amount"], item["version"]) == (0, "50000.00", 1)
    assert (moved.document["item"]["on"], moved.document["item"]["version"]) == (f"{AHEAD}-03-20", 2)
    assert (stale.code, len(stale.error_lines)) == (2, 1)
    assert "stale-revision" in stale.err
    assert f"{AHEAD}-03-20" in listed.out
    assert "−50,000.00 USD" in listed.out
    assert dropped.document["item"]["note"] == "paid by card"
    assert run("plan", "list", acme, "--json").document["items"] == []
    assert len(run("plan", "list", acme, "--all", "--json").document["items"]) == 1


def test_a_policy_is_set_setting_by_setting(run: Run, acme: str) -> None:
    run("policy", "set", acme, "payroll_cover_days=21", 'vendor_tiers={"V1": 1}', "hurdle_rate=0.12")
    shown = run("policy", "show", acme, "--json").document
    history = run("policy", "history", acme)

    assert (shown["version"], shown["payroll_cover_days"], shown["hurdle_rate"]) == (1, 21, "0.12")
    assert shown["vendor_tiers"] == {"V1": 1}
    assert "payroll_cover_days" in run("policy", "show", acme).out
    assert history.code == 0
    assert run("policy", "history", acme, "--json").document["items"][0]["what"] == "policy_added"


def test_a_company_follows_the_firms_policy_until_it_sets_its_own(run: Run, acme: str) -> None:
    run("firm-policy", "set", "payroll_cover_days=21", "bank_warn_hours=12")
    run("policy", "set", acme, "payroll_cover_days=7")
    mine = run("policy", "show", acme, "--json").document
    followed = run("policy", "follow", acme, "payroll_cover_days", "--json").document
    back = run("policy", "revert", acme, "1", "--json").document
    tried = run("policy", "rules", acme, "--with", 'rules=["amount_tiers"]', "--json").document
    run("firm-policy", "reset", "bank_warn_hours")
    firm = run("firm-policy", "revert", "1", "--json").document

    assert (mine["payroll_cover_days"], mine["bank_warn_hours"], mine["firm_version"]) == (7, 12, 1)
    assert (followed["payroll_cover_days"], followed["own"]) == (21, [])
    assert (back["payroll_cover_days"], back["version"]) == (7, 3)
    assert [line["rule"] for line in tried["rules"] if line["is_on"]] == ["amount_tiers"]
    assert (firm["version"], firm["bank_warn_hours"]) == (3, 12)
    assert run("firm-policy", "history").code == run("firm-policy", "show").code == 0
    assert "set here" in run("policy", "show", acme).out


def test_call_backs_of_a_company_without_vendors(run: Run, acme: str) -> None:
    note = ("call-backs", "note", acme, "V1", "--spoke-to", "Ms Elm", "--number", "1")

    assert "note one with" in run("call-backs", "list", acme).out
    assert "has no vendor 'V1'" in run(*note).err


def test_a_what_if_is_asked_kept_shown_and_dropped(run: Run, acme: str) -> None:
    asked = run("what-if", acme, "--add", f"{AHEAD}-03-20:-5000:roof", "--cash", "-500", "--json")
    kept = run("scenarios", "keep", acme, "New roof", "--add", f"{AHEAD}-03-20:-5000:roof", "--json")
    shown = run("scenarios", "show", acme, "new roof")
    dropped = run("scenarios", "drop", acme, "New roof")

    assert asked.document["scenario"] is None
    assert kept.document["scenario"]["amendments"][0]["amount"] == "-5000.00"
    assert "as it would be" in shown.out
    assert dropped.out.strip() == "dropped New roof"
    assert run("scenarios", "list", acme, "--json").document["items"] == []


def test_a_company_without_fixes_lists_none(run: Run, acme: str) -> None:
    assert run("fixes", acme, "--json").document["items"] == []
    assert "0 fixes, 0 waiting" in run("fixes", acme).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "add", "ACME", "Rent", "--on", "soon", "--amount", "5"], "'soon' is no day"),
        (["plan", "confirm", "ACME", "none"], "no planned item 'none'"),
        (["policy", "set", "ACME", "cover"], "not NAME=VALUE"),
        (["policy", "set", "ACME", "colour=red"], "no setting of a policy"),
        (["what-if", "ACME"], "what would be different"),
        (["what-if", "ACME", "--pay", "145"], "not ID:DAY"),
        (["what-if", "ACME", "--add", "2099-03-20"], "not DAY:AMOUNT"),
        (["scenarios", "show", "ACME", "none"], "no scenario 'none'"),
        (["fix", "ACME", "none"], "is none of the findings"),
        (["questions", "ask", "ACME", "none"], "is none of the findings"),
        (["questions", "answer", "ACME", "none", "yes"], "not NUMBER=ANSWER"),
        (["questions", "sent", "ACME", "none", "--to", "Ed"], "no question 'none'"),
        (["fix", "ACME", "none", "--write", "--undo"], "do not go together"),
    ],
)
def test_wrong_use_is_one_line(run: Run, acme: str, arguments: list[str], said: str) -> None:
    ran = run(*[acme if part == "ACME" else part for part in arguments])

    assert (ran.code, ran.out, len(ran.error_lines)) == (2, "", 1), ran.err
    assert said in ran.err
