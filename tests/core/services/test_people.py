"""Who works in a firm: added, changed and disabled with a trace, and never without an owner."""

import pytest
from runway_core.calculators.decided import find_needs
from runway_core.domain.decisions import DecisionOutcome
from runway_core.domain.identity import CompanyId
from runway_core.domain.people import GRANTS, Caller, Need, TokenPurpose
from runway_core.domain.policy import AmountTier, Role
from runway_core.errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    PolicyBlocked,
    ProofNeeded,
    SignInNeeded,
    SignInRefused,
    StaleRevision,
    TooManyRequests,
)
from runway_core.runway import Runway
from runway_core.services.sessions import ACCOUNT, SessionRules

from tests.core.desk import FirmDesk, bank, bill

DAYS = 30


async def firm_of_two() -> tuple[FirmDesk, Runway]:
    """A firm with an owner and a bookkeeper."""
    desk = FirmDesk()
    await desk.runway.people.add("ada@firm.example", role=Role.OWNER, actor="setup", name="Ada")
    await desk.runway.people.add("bo@firm.example", role=Role.BOOKKEEPER, actor="ada")
    return desk, desk.runway


async def acts(runway: Runway) -> list[tuple[str, str, str]]:
    """What the chain of the firm tells: the act, on whom, by whom."""
    log = runway.scope.store.log
    return [
        (entry.draft.what, entry.draft.external_id, entry.draft.attribution.actor)
        async for entry in log.entries(runway.people.chain)
    ]


async def test_the_first_person_of_a_firm_is_an_owner() -> None:
    people = FirmDesk().runway.people
    with pytest.raises(InvalidRequest, match="first person"):
        await people.add("bo@firm.example", role=Role.CONTROLLER, actor="setup")

    assert not await people.exist()
    owner = await people.add("Ada.L@Firm.Example", role=Role.OWNER, actor="setup")
    assert (owner.person_id, owner.email, owner.companies) == ("ada.l", "ada.l@firm.example", None)
    assert await people.exist()


async def test_each_act_stands_in_the_chain_without_names_and_addresses() -> None:
    _, runway = await firm_of_two()
    await runway.people.change("bo", {"role": Role.CONTROLLER}, actor="ada")
    await runway.people.change("bo", {"role": Role.CONTROLLER}, actor="ada")  # says the same: nothing happens
    await runway.people.change("bo", {"email": "bo@new.example"}, actor="ada")
    await runway.people.change("bo", {"is_disabled": True}, actor="ada")

    assert await acts(runway) == [
        ("person_added", "ada", "setup"),
        ("person_added", "bo", "ada"),
        ("person_updated", "bo", "ada"),
        ("person_updated", "bo", "ada"),
        ("person_disabled", "bo", "ada"),
    ]
    entries = [entry async for entry in runway.scope.store.log.entries(runway.people.chain)]
    assert b'"role":["bookkeeper","controller"]' in entries[2].draft.changed
    assert not any(b"firm.example" in entry.canonical or b"new.example" in entry.canonical for entry in entries)


async def test_a_firm_keeps_an_owner() -> None:
    _, runway = await firm_of_two()
    for changes in ({"role": Role.CONTROLLER}, {"is_disabled": True}):
        with pytest.raises(InvalidRequest, match="last owner"):
            await runway.people.change("ada", changes, actor="ada")
    await runway.people.change("bo", {"role": Role.OWNER}, actor="ada")
    demoted = await runway.people.change("ada", {"role": Role.VIEWER}, actor="bo")

    assert demoted.role is Role.VIEWER


async def test_a_change_thought_out_on_an_old_version_is_refused() -> None:
    _, runway = await firm_of_two()
    await runway.people.change("bo", {"name": "Bo B."}, actor="ada")

    with pytest.raises(StaleRevision):
        await runway.people.change("bo", {"role": Role.VIEWER}, actor="ada", version=1)


async def test_only_companies_of_the_firm_are_assigned() -> None:
    _, runway = await firm_of_two()
    with pytest.raises(NotFound):
        await runway.people.change("bo", {"companies": (CompanyId("nobody's"),)}, actor="ada")


async def test_only_owners_look_after_people() -> None:
    _, runway = await firm_of_two()
    bo = runway.for_caller(Caller("bo", Role.CONTROLLER, GRANTS[Role.CONTROLLER], None))
    for act in (
        bo.people.list(),
        bo.people.get("ada"),
        bo.people.add("cy@firm.example", role=Role.VIEWER, actor="bo"),
        bo.people.change("bo", {"role": Role.OWNER}, actor="bo"),
        bo.people.invite("ada", actor="bo"),
        bo.people.sign_out("ada", actor="bo"),
        bo.people.drop_second_factor("ada", actor="bo"),
        bo.people.make_key("ada", "mine", needs=[Need.READ], days=DAYS, actor="bo"),
        bo.people.keys(),
    ):
        with pytest.raises(NotAllowed):
            await act

    assert (await bo.people.get("bo")).person_id == "bo"


async def test_a_link_counts_once_it_is_the_newest_and_a_week_old_at_most() -> None:
    desk, runway = await firm_of_two()
    first = await runway.people.invite("bo", actor="ada")
    second = await runway.people.invite("bo", actor="ada")
    with pytest.raises(SignInRefused):
        await runway.people.find_invited(first.get_secret_value())
    person, _ = await runway.people.find_invited(second.get_secret_value())
    desk.later(days=7)

    assert person.person_id == "bo"
    with pytest.raises(SignInRefused):
        await runway.people.find_invited(second.get_secret_value())


async def test_a_key_acts_for_its_person_and_never_goes_further() -> None:
    """The same person through a key is the same person: two hands are not two people."""
    desk, runway = await firm_of_two()
    acme, bolt = [await desk.connect(name, bank()) for name in ("Acme", "Bolt")]
    token, secret = await runway.people.make_key(
        "bo", "nightly", needs=[Need.DECIDE, Need.READ], days=DAYS, actor="bo", companies=[acme.company_id]
    )
    caller, _ = await runway.people.find_key(secret.get_secret_value())

    assert secret.get_secret_value().startswith("rw_")
    assert len(secret.get_secret_value()) >= 46
    assert (caller.person_id, caller.needs) == ("bo", {Need.READ, Need.DECIDE})
    assert [c.name for c in await runway.for_caller(caller).companies.list()] == ["Acme"]
    with pytest.raises(NotFound):
        await runway.for_caller(caller).companies.get(bolt.company_id)
    await runway.people.change("bo", {"role": Role.VIEWER}, actor="ada")
    lowered, _ = await runway.people.find_key(secret.get_secret_value())
    assert lowered.needs == {Need.READ}
    await runway.people.change("bo", {"companies": (bolt.company_id,)}, actor="ada")
    moved, _ = await runway.people.find_key(secret.get_secret_value())
    assert moved.companies == frozenset()
    await runway.people.end_key(token.token_id, actor="ada")
    with pytest.raises(SignInNeeded):
        await runway.people.find_key(secret.get_secret_value())


async def test_a_key_ends_with_its_time_and_with_its_person() -> None:
    desk, runway = await firm_of_two()
    _, brief = await runway.people.make_key("bo", "brief", needs=[Need.READ], days=1, actor="bo")
    _, long = await runway.people.make_key("bo", "long", needs=[Need.READ], days=DAYS, actor="bo")
    desk.later(days=1)
    with pytest.raises(SignInNeeded):
        await runway.people.find_key(brief.get_secret_value())
    await runway.people.find_key(long.get_secret_value())
    await runway.people.change("bo", {"is_disabled": True}, actor="ada")
    await runway.people.change("bo", {"is_disabled": False}, actor="ada")

    with pytest.raises(SignInNeeded):
        await runway.people.find_key(long.get_secret_value())


@pytest.mark.parametrize(
    ("needs", "days", "name"),
    [([Need.ADMIN], 30, "x"), ([], 30, "x"), ([Need.READ], 0, "x"), ([Need.READ], 367, "x"), ([Need.READ], 30, "  ")],
)
async def test_a_key_that_cannot_be_is_refused(needs: list[Need], days: int, name: str) -> None:
    _, runway = await firm_of_two()
    with pytest.raises(InvalidRequest):
        await runway.people.make_key("bo", name, needs=needs, days=days, actor="bo")


async def test_only_its_person_and_owners_end_a_key() -> None:
    _, runway = await firm_of_two()
    token, _ = await runway.people.make_key("ada", "mine", needs=[Need.READ], days=DAYS, actor="ada")
    bo = runway.for_caller(Caller("bo", Role.BOOKKEEPER, GRANTS[Role.BOOKKEEPER], None))

    with pytest.raises(NotFound):
        await bo.people.end_key(token.token_id, actor="bo")


async def come_by_key(runway: Runway, person_id: str, needs: list[Need], *companies: CompanyId) -> Runway:
    """Runway as a program sees it."""
    _, secret = await runway.people.make_key(
        person_id, "program", needs=needs, days=DAYS, actor=person_id, companies=companies or None
    )
    caller, _ = await runway.people.find_key(secret.get_secret_value())
    return runway.for_caller(caller)


async def test_a_program_makes_no_stronger_hand_for_itself() -> None:
    desk, runway = await firm_of_two()
    acme, bolt = [await desk.connect(name, bank()) for name in ("Acme", "Bolt")]
    weak = await come_by_key(runway, "ada", [Need.READ], acme.company_id)
    strong = await come_by_key(runway, "ada", [Need.READ, Need.ADMIN], acme.company_id)

    with pytest.raises(NotAllowed):
        await weak.people.make_key("ada", "more", needs=[Need.READ], days=DAYS, actor="ada")
    for person_id in ("ada", "bo"):
        with pytest.raises(InvalidRequest, match="decide"):
            await strong.people.make_key(person_id, "more", needs=[Need.DECIDE], days=DAYS, actor="ada")
        made, _ = await strong.people.make_key(person_id, "same", needs=[Need.READ], days=DAYS, actor="ada")
        assert made.companies == (acme.company_id,)
    with pytest.raises(NotFound):
        await strong.people.make_key(
            "ada", "more", needs=[Need.READ], days=DAYS, actor="ada", companies=[bolt.company_id]
        )


async def test_a_program_signs_nobody_out_and_ends_its_own_key_alone() -> None:
    _, runway = await firm_of_two()
    kept, _ = await runway.people.make_key("ada", "kept", needs=[Need.READ], days=DAYS, actor="ada")
    weak = await come_by_key(runway, "ada", [Need.READ, Need.DECIDE])
    secret = await begin(runway, "ada")
    with pytest.raises(NotAllowed):
        await weak.people.sign_out("ada", actor="ada")
    with pytest.raises(NotFound):
        await weak.people.end_key(kept.token_id, actor="ada")
    assert weak.scope.caller is not None
    await weak.people.end_key(weak.scope.caller.key_id or "", actor="ada")

    assert await runway.sessions.find(secret) is not None
    assert [key.name for key in await runway.people.keys("ada")] == ["kept"]


async def begin(runway: Runway, person_id: str = "bo") -> str:
    person = await runway.people.get(person_id)
    secret = await runway.sessions.begin(person, TokenPurpose.SESSION, SessionRules(), how="password")
    return secret.get_secret_value()


async def test_a_session_ends_when_unused_and_after_a_days_work() -> None:
    desk, runway = await firm_of_two()
    used, unused = await begin(runway), await begin(runway)
    for _ in range(23):
        desk.later(minutes=30)
        last = await runway.sessions.find(used)
        assert last is not None
    assert await runway.sessions.find(unused) is None
    desk.later(minutes=31)

    assert await runway.sessions.find(used) is None


async def test_whoever_is_disabled_or_signed_out_has_no_session() -> None:
    _, runway = await firm_of_two()
    disabled, kept = await begin(runway), await begin(runway, "ada")
    await runway.people.change("bo", {"is_disabled": True}, actor="ada")

    assert await runway.sessions.find(disabled) is None
    signed_in = await runway.sessions.find(kept)
    assert signed_in is not None
    assert await runway.people.sign_out("ada", actor="ada") == 1
    assert await runway.sessions.find(kept) is None


async def test_a_role_counts_from_the_next_request_on() -> None:
    _, runway = await firm_of_two()
    secret = await begin(runway)
    await runway.people.change("bo", {"role": Role.VIEWER}, actor="ada")
    signed_in = await runway.sessions.find(secret)

    assert signed_in is not None
    assert not signed_in.caller.may(Need.DECIDE)


async def test_a_sensitive_act_wants_a_fresh_proof() -> None:
    desk, runway = await firm_of_two()
    secret = await begin(runway)
    desk.later(minutes=15)
    old = await runway.sessions.find(secret)
    assert old is not None
    with pytest.raises(ProofNeeded):
        runway.sessions.demand_proof(old.token)
    await runway.sessions.prove(old.token)
    fresh = await runway.sessions.find(secret)

    assert fresh is not None
    runway.sessions.demand_proof(fresh.token)


async def test_pauses_grow_with_each_attempt_and_end_with_a_success() -> None:
    desk, runway = await firm_of_two()
    waits = []
    for _ in range(9):
        try:
            await runway.sessions.take_turn("account:x", ACCOUNT)
            waits.append(0)
        except TooManyRequests as refused:
            waits.append(refused.retry_after_seconds)
            desk.later(seconds=refused.retry_after_seconds)
            await runway.sessions.take_turn("account:x", ACCOUNT)

    assert waits == [0, 0, 0, 0, 0, 15, 30, 60, 120]
    await runway.sessions.clear_turns("account:x")
    await runway.sessions.take_turn("account:x", ACCOUNT)
    assert ACCOUNT.wait_seconds(10_000) == 900


async def test_pauses_are_per_subject() -> None:
    _, runway = await firm_of_two()
    for _ in range(5):
        await runway.sessions.take_turn("account:x", ACCOUNT)
    await runway.sessions.take_turn("account:y", ACCOUNT)

    with pytest.raises(TooManyRequests):
        await runway.sessions.take_turn("account:x", ACCOUNT)


async def test_a_decision_is_approved_under_ones_own_name_and_role() -> None:
    """Whatever name and role a signed-in person gives: the policy hears who they are."""
    desk, runway = await firm_of_two()
    acme = await desk.connect("Acme", bank(balance=100_000), bill("B1", 5000))
    await runway.sync(acme.company_id)
    tiers = (AmountTier(below=None, roles=(Role.CONTROLLER, Role.OWNER)),)
    await runway.policies.change(acme.company_id, {"amount_tiers": tiers}, actor="ada")
    ada, bo = (
        runway.for_caller(Caller(name, role, GRANTS[role], None))
        for name, role in (("ada", Role.OWNER), ("bo", Role.CONTROLLER))
    )
    decided = await bo.decisions.decide(acme.company_id, "B1", DecisionOutcome.PAY, actor="somebody")
    half = await bo.decisions.approve(acme.company_id, decided.paper_id, actor="ada", role=Role.OWNER)
    again = await bo.decisions.approve(acme.company_id, decided.paper_id, actor="cy", role=Role.CONTROLLER)
    whole = await ada.decisions.approve(acme.company_id, decided.paper_id, actor="bo", role=Role.CONTROLLER)

    assert decided.steps[0].by == "bo"
    assert [(a.by, a.role) for a in half.approvals] == [("bo", Role.CONTROLLER)]
    assert again == half
    assert [(a.by, a.role) for a in whole.approvals] == [("bo", Role.CONTROLLER), ("ada", Role.OWNER)]
    assert set(find_needs(half.results, half.approvals)) == {"approval by owner", "a noted call-back"}
    assert set(find_needs(whole.results, whole.approvals)) == {"a noted call-back"}  # the roles are content


async def test_a_viewer_approves_nothing_even_past_the_door_of_the_app() -> None:
    desk, runway = await firm_of_two()
    acme = await desk.connect("Acme", bank(balance=100_000), bill("B1", 500))
    await runway.sync(acme.company_id)
    decided = await runway.decisions.decide(acme.company_id, "B1", DecisionOutcome.PAY, actor="ada")
    viewer = runway.for_caller(Caller("vi", Role.VIEWER, GRANTS[Role.VIEWER], None))

    with pytest.raises((InvalidRequest, NotAllowed, PolicyBlocked)):
        await viewer.decisions.approve(acme.company_id, decided.paper_id, actor="ada", role=Role.OWNER)
    with pytest.raises(NotAllowed):
        await viewer.sync(acme.company_id)
