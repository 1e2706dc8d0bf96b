"""Saved views on the command line: kept by name, and looked through by `runway portfolio --view`."""

from tests.cli.conftest import Run


def test_the_portfolio_is_shown_through_a_saved_view(run: Run, acme: str) -> None:
    run("companies", "add", "Bistro", "--tag", "food")
    saved = run("views", "save", "Food first", "?tag=food&sort=-name", "--json")
    shown = run("portfolio", "--view", "FOOD first", "--json").document
    otherwise = run("portfolio", "--view", "food first", "--search", "acme", "--json").document

    assert saved.document["query"] == "tag=food&sort=-name"
    assert [row["name"] for row in shown["rows"]] == ["Bistro"]
    assert (shown["matching"], shown["total"], otherwise["matching"]) == (1, 2, 0)


def test_a_view_is_listed_renamed_and_removed(run: Run) -> None:
    run("views", "save", "Red", "status=red", "--shared")
    renamed = run("views", "rename", "red", "In trouble")
    listed = run("views", "list")
    removed = run("views", "remove", "in TROUBLE", "--json")
    gone = run("portfolio", "--view", "In trouble")

    assert "In trouble: renamed" in renamed.out
    assert "status=red" in listed.out
    assert removed.document["is_closed"]
    assert run("views", "list", "--json").document["items"] == []
    assert (gone.code, gone.err.splitlines()[0]) == (2, gone.err.strip())
    assert "no saved view 'In trouble'; saved are none yet" in gone.err


def test_a_view_of_filters_that_there_are_not_is_wrong_use(run: Run) -> None:
    ran = run("views", "save", "Wrong", "colour=red")

    assert ran.code == 2
    assert "colour" in ran.err
