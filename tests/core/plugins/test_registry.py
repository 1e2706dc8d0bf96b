"""Which rails there are, and who brought them."""

import pytest
from runway_core.errors import InvalidRequest, NotFound
from runway_core.plugins.registry import RailRegistry

from tests.core.desk import HookedRailFactory


def test_rails_are_listed_by_name_with_the_package_that_brought_them() -> None:
    registry = RailRegistry([HookedRailFactory(page_size=1, name="zinc"), HookedRailFactory(page_size=1, name="acme")])

    assert list(registry.installed) == ["acme", "zinc"]
    assert {(rail.distribution, rail.version) for rail in registry.installed.values()} == {("tests", "")}


def test_installed_plugins_are_found_with_their_distribution_and_version() -> None:
    installed = RailRegistry.from_installed_plugins().installed

    assert {"qbo", "sample"} <= set(installed)
    assert installed["sample"].distribution == "runway-rail-sample"
    assert installed["sample"].version
    assert installed["sample"].factory.name == "sample"


def test_two_rails_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="two plugins offer a rail named 'acme'"):
        RailRegistry([HookedRailFactory(page_size=1, name="acme"), HookedRailFactory(page_size=1, name="acme")])


def test_a_rail_that_is_not_there_is_named_with_those_that_are() -> None:
    registry = RailRegistry([HookedRailFactory(page_size=1, name="acme")])

    with pytest.raises(NotFound, match=r"'qbo' is installed \(installed: acme\)"):
        registry.factory("qbo")
    with pytest.raises(NotFound, match="installed: none"):
        RailRegistry().factory("qbo")


def test_what_is_installed_cannot_be_changed_from_outside() -> None:
    installed = RailRegistry([HookedRailFactory(page_size=1, name="acme")]).installed

    with pytest.raises(TypeError):
        installed["more"] = installed["acme"]  # type: ignore[index] # that is the test
