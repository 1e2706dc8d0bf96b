"""`make new-rail` makes a rail that works before its author has written a line."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from runway_testkit.scaffold import ScaffoldRefused, begin_rail, main

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the scaffold reads of a checkout."""
    for part in ("packages/rail-sample", "tests/contracts", "tests/rails/sample"):
        if (CHECKOUT / part).exists():
            shutil.copytree(CHECKOUT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def test_a_new_rail_has_the_six_files_an_entry_point_its_tests_and_a_page(checkout: Path) -> None:
    written = {path.relative_to(checkout).as_posix() for path in begin_rail(checkout, "acme")}

    package = "packages/rail-acme/src/runway_rail_acme"
    assert {
        f"{package}/{name}.py" for name in ("__init__", "settings", "transport", "wire", "mapping", "rail")
    } <= written
    assert {f"{package}/py.typed", "tests/rails/acme/test_acme_rail.py", "docs/howto/rails/acme.md"} <= written
    manifest = tomllib.loads((checkout / "packages/rail-acme/pyproject.toml").read_text(encoding="utf-8"))
    assert manifest["project"]["name"] == "runway-rail-acme"
    assert manifest["project"]["entry-points"]["runway"] == {"acme": "runway_rail_acme"}


def test_nothing_of_the_template_is_left_in_the_copy(checkout: Path) -> None:
    for path in begin_rail(checkout, "acme"):
        if path != checkout / "pyproject.toml":
            assert "sample" not in path.read_text(encoding="utf-8").lower(), path


def test_the_import_contracts_hold_for_the_new_rail_too(checkout: Path) -> None:
    begin_rail(checkout, "acme")

    linter = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert "runway_rail_acme" in linter["root_packages"]
    [packages] = [contract for contract in linter["contracts"] if contract["id"] == "packages"]
    assert "runway_rail_acme" in packages["layers"][1]


def test_the_new_rail_registers_and_reads_at_once(checkout: Path) -> None:
    begin_rail(checkout, "acme")
    program = (
        "import sys; sys.path.insert(0, 'packages/rail-acme/src')\n"
        "import runway_rail_acme\n"
        "show = lambda factory: print(factory.name, len(factory.abilities.kinds))\n"
        "runway_rail_acme.runway_register_rails(register=show)\n"
    )

    answer = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=True)

    assert answer.stdout.split() == ["acme", "5"]


@pytest.mark.parametrize("name", ["", "Acme", "9lives", "a", "acme-pay", "../acme", "acme rail"])
def test_a_name_that_no_package_can_have_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(ScaffoldRefused, match="cannot name a rail"):
        begin_rail(checkout, name)


def test_a_name_that_is_taken_is_refused_in_one_line(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rail", "acme", "--root", str(checkout)]) == 0
    capsys.readouterr()

    assert main(["rail", "acme", "--root", str(checkout)]) == 2

    complaint = capsys.readouterr().err
    assert "is there already" in complaint
    assert complaint.count("\n") == 1
