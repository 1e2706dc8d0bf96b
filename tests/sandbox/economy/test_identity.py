from __future__ import annotations

import zoneinfo
from collections import Counter
from datetime import date

from runway_sandbox.economy import build_world, company_identity


def test_ten_thousand_companies_have_names_and_realms_of_their_own() -> None:
    for seed in (0, 1, 77):
        identities = [company_identity(index, seed) for index in range(12_000)]

        assert len({one.name for one in identities}) == 12_000
        assert len({one.realm_id for one in identities}) == 12_000
        assert all(one.realm_id.isdigit() for one in identities)


def test_most_companies_are_american_and_a_few_canadian() -> None:
    currencies = Counter(company_identity(index, 5).home_currency for index in range(1_000))

    assert 20 <= currencies["CAD"] <= 110
    assert currencies["USD"] + currencies["CAD"] == 1_000
    zones = {company_identity(index, 5).time_zone for index in range(200)}
    assert zones <= zoneinfo.available_timezones()


def test_a_world_knows_its_companies_before_it_builds_them() -> None:
    world = build_world(clients=3, seed=8, bills=30, as_of=date(2026, 3, 2))

    assert len(world) == 3
    built = list(world.companies())
    assert [(one.realm_id, one.name, one.home_currency, one.time_zone) for one in built] == list(world.identities)
    assert len(built[2].records["Bill"]) == 30
