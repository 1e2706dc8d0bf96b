from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.name_index import NameIndex
from runway_core.calculators.matching.name_match import NamedParty, NameProof
from runway_core.domain.identity import RecordKey, RecordKind
from runway_testkit.sample import sample_books

NAMES = (
    "Nimbus Cloud, Inc.", "Carver Contracting LLC", "Bright Agency", "Harbor Insurance Group", "Office Supply House",
    "Landlord Properties", "Granite Works", "Bright Consulting", "Misc. Vendor", "Services, Inc.",
)  # fmt: skip


def vendor(number: int | str) -> RecordKey:
    return RecordKey(RecordKind.VENDOR, f"V{number}")


def parties(names: Sequence[str] = NAMES) -> list[NamedParty]:
    return [NamedParty(vendor(number), (name,)) for number, name in enumerate(names)]


def index(*more: NamedParty, aliases: dict[str, RecordKey] | None = None) -> NameIndex:
    return NameIndex([*parties(), *more], aliases=aliases)


def test_a_confirmed_alias_goes_before_all_else() -> None:
    found = index(aliases={"carver contracting": vendor(0)}).match("ACH DEBIT CARVER CONTRACTING LLC PPD")

    assert found is not None
    assert (found.proof, found.party, found.may_act) == (NameProof.ALIAS, vendor(0), True)
    assert "a person confirmed" in found.evidence[0]


def test_an_alias_of_a_party_that_is_gone_says_nothing() -> None:
    found = index(aliases={"carver contracting": vendor("gone")}).match("Carver Contracting")

    assert found is not None
    assert (found.proof, found.party) == (NameProof.FIRST_FORM, vendor(1))


def test_a_tax_id_goes_before_the_name_and_a_bank_account_after_it() -> None:
    names = index(
        NamedParty(vendor("t"), ("Tern",), tax_id="12-3456789"), NamedParty(vendor("b"), (), bank_account="77")
    )

    by_tax = names.match("Nimbus Cloud", tax_id="123456789", bank_account="77")
    by_account = names.match("Nimbus Cloud", tax_id="999", bank_account="77")

    assert by_tax is not None
    assert (by_tax.proof, by_tax.party, by_tax.may_act) == (NameProof.TAX_ID, vendor("t"), True)
    assert by_account is not None
    assert (by_account.proof, by_account.party, by_account.may_act) == (NameProof.BANK_ACCOUNT, vendor("b"), True)


def test_a_tax_id_of_two_vendors_points_to_both_and_acts_for_none() -> None:
    twins = [NamedParty(vendor(n), (f"Tern {n}",), tax_id="12-3456789") for n in ("x", "y")]
    found = index(*twins).match("Somebody", tax_id="12 3456789")

    assert found is not None
    assert [candidate.party for candidate in found.candidates] == [vendor("x"), vendor("y")]
    assert not found.may_act


@pytest.mark.parametrize("text", ["NIMBUS CLOUD", "The Nimbus Cloud Co.", "SQ *NIMBUS CLOUD 206-555-0100 SEATTLE WA"])
def test_an_equal_first_form_acts_alone(text: str) -> None:
    found = index().match(text)

    assert found is not None
    assert (found.proof, found.party, found.may_act) == (NameProof.FIRST_FORM, vendor(0), True)


def test_two_vendors_with_one_first_form_are_both_told_and_nothing_is_done() -> None:
    found = index(NamedParty(vendor("again"), ("Nimbus Cloud LLC",))).match("Nimbus Cloud")

    assert found is not None
    assert {candidate.party for candidate in found.candidates} == {vendor(0), vendor("again")}
    assert not found.may_act


def test_an_equal_second_form_suggests() -> None:
    found = index().match("HARBOR INSURANCE HOLDINGS")

    assert found is not None
    assert (found.proof, found.party, found.may_act) == (NameProof.SECOND_FORM, vendor(3), False)


def test_likeness_suggests_with_a_lead_and_says_what_is_shared() -> None:
    found = index().match("NIMBUS CLOUD SERVICES EMEA")

    assert found is not None
    assert (found.proof, found.party, found.may_act) == (NameProof.SIMILARITY, vendor(0), False)
    assert "shares cloud, nimbus" in found.evidence[0]


def test_likeness_to_two_without_a_lead_is_no_match_but_both_are_listed() -> None:
    twins = NameIndex(parties(("Tern Harbor East", "Tern Harbor West")))

    assert twins.match("Tern Harbor") is None
    assert {candidate.party for candidate in twins.suggest("Tern Harbor")} == {vendor(0), vendor(1)}


@pytest.mark.parametrize("text", ["", "Services LLC", "Consulting Services", "PAYMENT", "Misc. Vendor", "1234"])
def test_words_that_say_nothing_match_nobody(text: str) -> None:
    assert index().match(text) is None
    assert index().suggest(text) == ()


def test_a_stranger_matches_nobody() -> None:
    assert index().match("Quartz Bakery") is None
    assert index().match("Elm Insurance") is None


def test_vendors_and_customers_of_the_sample_are_known_by_their_names() -> None:
    books = sample_books()
    by_vendor = NameIndex.of_vendors(books.vendors).match("ACH DEBIT HARBOR INSURANCE PPD")
    by_customer = NameIndex.of_customers(books.customers).match("Granite Works Inc.")

    assert by_vendor is not None
    assert by_vendor.party == RecordKey(RecordKind.VENDOR, "V5")
    assert by_customer is not None
    assert by_customer.party == RecordKey(RecordKind.CUSTOMER, "C3")


@given(
    st.randoms(use_true_random=False), st.sampled_from([*NAMES, "Bright", "Nimbus", "Harbor Insurance", "Cloud Agency"])
)
def test_the_order_of_parties_never_matters(random: Random, text: str) -> None:
    shuffled = parties()
    random.shuffle(shuffled)

    assert NameIndex(shuffled).match(text) == index().match(text)
    assert NameIndex(shuffled).suggest(text) == index().suggest(text)


@given(st.sampled_from(NAMES[:8]), st.sampled_from(["{}", "ACH {} CCD", "{} LLC", "The {}", "POS DEBIT {} AUSTIN TX"]))
def test_every_vendor_is_found_by_its_own_name_with_any_noise(name: str, frame: str) -> None:
    found = index().match(frame.format(name))

    assert found is not None
    assert found.may_act
    assert found.candidates[0].name == name


def test_a_second_form_of_two_parties_suggests_neither() -> None:
    assert NameIndex(parties(("Tern Holdings", "Tern Group"))).match("Tern International") is None


def test_a_bare_number_that_is_left_of_a_name_is_no_evidence() -> None:
    found = NameIndex(parties(("24 Group", "Elm Hospital"))).match("24 Holdings")

    assert found is None or found.proof is NameProof.SIMILARITY


def test_a_vendor_whose_name_says_nothing_is_never_suggested() -> None:
    assert NameIndex(parties(("Services, Inc.", "Elm Hospital"))).suggest("Services Payment Elms") == ()
