"""What every store promises of people, what proves them, and what was given out to them."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import LogDraft
from runway_core.domain.people import AccessToken, Credentials, Need, Person, TokenPurpose, firm_chain
from runway_core.domain.policy import Role
from runway_core.errors import InvalidRequest, NotFound, StaleRevision
from runway_core.ports.store import Store

from runway_testkit.desk_contract import PERSON
from runway_testkit.store_desk import START

FIRM = FirmId("own")
OTHERS = FirmId("others")


def make_person(person_id: str = "ada", *, firm_id: FirmId = FIRM, **fields: object) -> Person:
    """An owner who sees every company."""
    return Person(
        person_id=person_id,
        firm_id=firm_id,
        name="Ada Lovelace",
        email=f"{person_id}@firm.example",
        role=Role.OWNER,
        created_at=START,
    ).model_copy(update=fields)


def make_token(secret: str = "1", *, person_id: str = "ada", **fields: object) -> AccessToken:
    """A session of an hour."""
    return AccessToken(
        token_hash=secret * 64,
        token_id=f"token-{secret}",
        firm_id=FIRM,
        person_id=person_id,
        purpose=TokenPurpose.SESSION,
        created_at=START,
        seen_at=START,
        proved_at=START,
        ends_at=START + timedelta(hours=1),
    ).model_copy(update=fields)


def make_draft(what: str = "person_added") -> LogDraft:
    """An act on Ada."""
    return LogDraft(seen_at=START, rail="", kind="person", external_id="ada", what=what, attribution=PERSON)


async def read_acts(store: Store, firm_id: FirmId = FIRM) -> list[str]:
    """What the firm's own chain tells."""
    return [entry.draft.what async for entry in store.log.entries(firm_chain(firm_id))]


class PeopleContract:
    """Promises of people. They need a store and no company."""

    async def test_a_person_is_kept_as_saved_and_told_in_the_chain_of_the_firm(self, store: Store) -> None:
        """If this fails: are the assigned companies kept apart from `None`, which is all of them?"""
        assert not await store.people.has_people(FIRM)
        some = make_person("bo", companies=(CompanyId("acme"),), role=Role.VIEWER)
        saved = [await store.people.save_person(p, [make_draft()]) for p in (make_person(), some)]

        assert [person.version for person in saved] == [1, 1]
        assert list(await store.people.people(FIRM)) == saved
        assert await store.people.person_by_email(FIRM, " ADA@firm.example") == saved[0]
        assert await store.people.has_people(FIRM)
        assert await read_acts(store) == ["person_added", "person_added"]

    async def test_people_of_another_firm_are_not_there(self, store: Store) -> None:
        await store.people.save_person(make_person(), [make_draft()])
        await store.people.add_token(make_token())

        assert not await store.people.has_people(OTHERS)
        assert await store.people.person(OTHERS, "ada") is None
        assert await store.people.person_by_email(OTHERS, "ada@firm.example") is None
        assert await store.people.token(OTHERS, "1" * 64) is None
        assert list(await store.people.tokens(OTHERS, TokenPurpose.SESSION)) == []
        assert not await store.people.end_token(OTHERS, "token-1", [make_draft()])
        assert await read_acts(store, OTHERS) == []

    async def test_a_change_on_an_old_version_is_refused_and_not_told(self, store: Store) -> None:
        saved = await store.people.save_person(make_person(), [make_draft()])
        await store.people.save_person(saved.model_copy(update={"role": Role.VIEWER}), [make_draft("person_updated")])
        with pytest.raises(StaleRevision):
            await store.people.save_person(saved, [make_draft("person_updated")])
        with pytest.raises(StaleRevision):
            await store.people.save_person(make_person(), [make_draft()])

        assert await read_acts(store) == ["person_added", "person_updated"]

    async def test_an_address_belongs_to_one_person(self, store: Store) -> None:
        await store.people.save_person(make_person(), [make_draft()])
        with pytest.raises(InvalidRequest, match="address"):
            await store.people.save_person(make_person("bo", email="ada@firm.example"), [make_draft()])
        elsewhere = await store.people.save_person(make_person(firm_id=OTHERS), [make_draft()])

        assert elsewhere.version == 1
        assert await read_acts(store) == ["person_added"]

    async def test_what_proves_a_person_is_kept_and_a_code_counts_once(self, store: Store) -> None:
        """Two sign-ins with the same code of the second factor: the later one finds the version moved."""
        await store.people.save_person(make_person(), [])
        empty = await store.people.credentials(FIRM, "ada")
        wanted = empty.model_copy(
            update={
                "password_hash": SecretStr("$argon2id$…"),
                "totp_secret": SecretStr("JBSWY3DPEHPK3PXP"),
                "totp_step": 7,
                "recovery_hashes": ("aa", "bb"),
                "subject": "https://id.example|42",
            }
        )
        saved = await store.people.save_credentials(wanted, [make_draft("password_set")])
        with pytest.raises(StaleRevision):
            await store.people.save_credentials(wanted, [])

        assert (empty.version, saved.version) == (0, 1)
        assert await store.people.credentials(FIRM, "ada") == saved
        assert await store.people.person_by_subject(FIRM, "https://id.example|42") == await store.people.person(
            FIRM, "ada"
        )
        assert await store.people.person_by_subject(FIRM, "https://id.example|43") is None
        assert await read_acts(store) == ["password_set"]

    async def test_credentials_of_nobody_are_refused_and_a_subject_is_one_persons(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.people.save_credentials(Credentials(person_id="nobody", firm_id=FIRM), [])
        for person_id in ("ada", "bo"):
            await store.people.save_person(make_person(person_id), [])
        await store.people.save_credentials(Credentials(person_id="ada", firm_id=FIRM, subject="s"), [])
        with pytest.raises(InvalidRequest, match="sign-in service"):
            await store.people.save_credentials(Credentials(person_id="bo", firm_id=FIRM, subject="s"), [])

    async def test_what_was_given_out_is_found_by_its_hash_moved_and_taken_back(self, store: Store) -> None:
        key = make_token(
            "2",
            purpose=TokenPurpose.API_KEY,
            name="nightly export",
            needs=(Need.READ, Need.DECIDE),
            companies=(CompanyId("acme"),),
        )
        session = make_token(idle_seconds=900)
        for token in (session, key):
            await store.people.add_token(token, [make_draft("given_out")])
        later = session.model_copy(update={"seen_at": START + timedelta(minutes=5)})
        await store.people.move_token(later)

        assert await store.people.token(FIRM, "2" * 64) == key
        assert await store.people.token(FIRM, session.token_hash) == later
        assert list(await store.people.tokens(FIRM, TokenPurpose.API_KEY, "ada")) == [key]
        assert list(await store.people.tokens(FIRM, TokenPurpose.API_KEY, "bo")) == []
        assert await store.people.end_token(FIRM, "token-1", [make_draft("taken_back")])
        assert not await store.people.end_token(FIRM, "token-1", [make_draft("taken_back")])
        await store.people.move_token(later)
        assert await store.people.token(FIRM, session.token_hash) is None
        assert await read_acts(store) == ["given_out", "given_out", "taken_back"]

    async def test_sessions_are_ended_all_but_one_and_keys_stay(self, store: Store) -> None:
        for secret, fields in (("1", {}), ("2", {}), ("3", {"purpose": TokenPurpose.API_KEY}), ("4", {})):
            person = {"person_id": "bo"} if secret == "4" else {}
            await store.people.add_token(make_token(secret, **(fields | person)))
        ended = await store.people.end_tokens(FIRM, "ada", [TokenPurpose.SESSION], but="token-2")

        assert ended == 1
        held = [await store.people.token(FIRM, secret * 64) is not None for secret in "1234"]
        assert held == [False, True, True, True]

    async def test_whoever_is_disabled_loses_all_that_was_given_out(self, store: Store) -> None:
        saved = await store.people.save_person(make_person(), [])
        for secret, purpose in (("1", TokenPurpose.SESSION), ("2", TokenPurpose.API_KEY)):
            await store.people.add_token(make_token(secret, purpose=purpose))
        await store.people.add_token(make_token("3", person_id="bo"))
        gone = saved.model_copy(update={"is_disabled": True})
        await store.people.save_person(gone, [make_draft("person_disabled")], ends_tokens=True)

        assert [await store.people.token(FIRM, secret * 64) is not None for secret in "123"] == [False, False, True]

    async def test_what_has_run_out_is_dropped_when_more_is_given_out(self, store: Store) -> None:
        await store.people.add_token(make_token())
        later = START + timedelta(hours=2)
        fresh = make_token("2", created_at=later, seen_at=later, ends_at=later + timedelta(hours=1))
        await store.people.add_token(fresh)

        assert await store.people.token(FIRM, "1" * 64) is None
        assert await store.people.token(FIRM, "2" * 64) == fresh

    async def test_attempts_side_by_side_are_all_counted(self, store: Store) -> None:
        counts = await asyncio.gather(
            *(store.people.count_attempt(FIRM, "account", START, forget_seconds=60) for _ in range(8))
        )

        assert sorted(counts) == list(range(1, 9))
        assert await store.people.attempts(FIRM, "account") == (8, START)
        assert await store.people.attempts(FIRM, "address") == (0, None)
        assert await store.people.attempts(OTHERS, "account") == (0, None)

    async def test_attempts_are_forgotten_with_time_and_after_a_success(self, store: Store) -> None:
        for _ in range(3):
            await store.people.count_attempt(FIRM, "account", START, forget_seconds=60)
        later = START + timedelta(seconds=60)

        assert await store.people.count_attempt(FIRM, "account", later, forget_seconds=60) == 1
        await store.people.clear_attempts(FIRM, "account")
        assert await store.people.attempts(FIRM, "account") == (0, None)

    async def test_taking_an_attempt_off_leaves_the_others(self, store: Store) -> None:
        for _ in range(3):
            await store.people.count_attempt(FIRM, "address", START, forget_seconds=60)
        await asyncio.gather(*(store.people.uncount_attempt(FIRM, "address") for _ in range(2)))
        held = await store.people.attempts(FIRM, "address")
        for _ in range(2):
            await store.people.uncount_attempt(FIRM, "address")
        await store.people.uncount_attempt(FIRM, "account")

        assert held == (1, START)
        assert await store.people.attempts(FIRM, "address") == (0, START)
        assert await store.people.attempts(FIRM, "account") == (0, None)

    async def test_acts_side_by_side_make_one_chain(self, store: Store) -> None:
        await asyncio.gather(*(store.people.note(FIRM, [make_draft("sign_in_refused")]) for _ in range(6)))

        sequences = [entry.sequence async for entry in store.log.entries(firm_chain(FIRM))]
        assert sequences == list(range(1, 7))
