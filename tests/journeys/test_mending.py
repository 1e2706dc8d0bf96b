"""A finding is mended through the real rail: previewed, written, confirmed by the next pull, taken back."""

from typing import Any

from tests.journeys.conftest import Desk


def previews(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """What can be written and taken back, by company: fixes of fields that hold something now."""
    found = []
    for row in desk.ask("portfolio")["rows"]:
        for group in desk.ask("tray", row["company_id"])["groups"]:
            for item in group["rows"]:
                if not any(fix["fields"] for fix in item["tracked"]["finding"]["fixes"]):
                    continue
                ended = desk.run("fix", row["company_id"], item["finding_id"], "--json")
                fix = ended.document["items"][0]["fix"]
                if fix is not None and all(write["before"] for write in fix["writes"]):
                    found.append((row["company_id"], fix))
    return found


def fields_of(plan: dict[str, Any]) -> list[str]:
    """The fields of the record that a plan changes; accounts stand within the lines."""
    return ["lines" if write["field"] == "line_account" else write["field"] for write in plan["writes"]]


def test_a_fix_is_previewed_written_confirmed_and_taken_back(desk: Desk) -> None:
    desk.connect()
    desk.ask("sync")
    company, plan = previews(desk)[0]
    record = f"{plan['record']['kind']}:{plan['record']['external_id']}"
    entries = len(desk.ask("history", record, "--company", company)["items"])

    written = desk.ask("fix", company, plan["finding_id"], "--write")["items"][0]["fix"]
    again = desk.ask("fix", company, plan["finding_id"][:12], "--write")["items"][0]["fix"]
    desk.ask("sync", company)
    confirmed = desk.ask("fixes", company)["items"][0]
    mended = desk.ask("history", record, "--company", company)["items"]
    undoing = desk.ask("fix", company, plan["finding_id"], "--undo")["items"][0]["fix"]
    desk.ask("sync", company)
    fixes = {fix["paper_id"]: fix for fix in desk.ask("fixes", company)["items"]}
    put_back = desk.ask("history", record, "--company", company)["items"]

    assert (written["state"], again) == ("waiting", written)
    assert written["writes"] == plan["writes"]
    assert (confirmed["paper_id"], confirmed["state"]) == (written["paper_id"], "confirmed")
    assert len(mended) == entries + 1
    assert set(fields_of(plan)) <= mended[-1]["changed"].keys()
    # The ledger tells times in whole seconds: both writes may have been made in one.
    assert put_back[-1]["changed"].keys() - {"modified_at"} == mended[-1]["changed"].keys() - {"modified_at"}
    for name in fields_of(plan):
        assert put_back[-1]["content"][name] == mended[-1]["changed"][name][0]
    assert len(put_back) == entries + 2
    assert (fixes[written["paper_id"]]["state"], fixes[undoing["paper_id"]]["state"]) == ("undone", "confirmed")
    assert desk.ask("log", "verify")["is_sound"] is True


def test_findings_are_asked_about_in_one_message_and_its_answers_come_back(desk: Desk) -> None:
    desk.connect()
    desk.ask("sync")
    company = next(row["company_id"] for row in desk.ask("portfolio")["rows"] if row["findings_open"] > 1)
    rows = [row for group in desk.ask("tray", company)["groups"] for row in group["rows"]]
    one, two = rows[0]["finding_id"], rows[-1]["finding_id"]

    preview = desk.run("questions", "ask", company, one[:10], two[:10], "--preview")
    message = desk.ask("questions", "ask", company, one, two)
    desk.ask("questions", "sent", company, message["paper_id"], "--to", "ed@acme.example")
    asked = desk.ask("tray", company, "--state", "asked")["matching"]
    answered = desk.ask("questions", "answer", company, message["paper_id"], "2=it is right")
    listed = desk.run("questions", "list", company)

    assert "Please answer under each number." in preview.out
    assert asked == 2
    assert [item["answer"] for item in answered["items"]] == [None, "it is right"]
    assert "1 of 2" in listed.out
    assert desk.ask("tray", company, "--state", "asked")["matching"] == 1
    assert "2. it is right" in desk.run("questions", "show", company, message["paper_id"]).out
