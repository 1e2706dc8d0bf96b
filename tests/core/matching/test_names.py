import pytest
from hypothesis import given
from hypothesis import strategies as st
from runway_core.calculators.matching.names import (
    is_generic_name,
    normal_bank_text,
    normal_name,
    second_form,
    strip_bank_text,
)

NAME_WORDS = "The Nimbus Cloud & Co. Inc, GmbH KG A.B. O'Hara Söhne /DE/ Ltd and - 3M A S".split()  # noqa: SIM905 - a name
WORDS = st.lists(st.sampled_from(NAME_WORDS))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Nimbus Cloud, Inc.", "nimbus cloud"),
        ("NIMBUS CLOUD INC /DE/", "nimbus cloud"),
        ("Nimbus Cloud Inc / MA", "nimbus cloud"),
        ("The Hartford", "hartford"),
        ("Gallagher & Co., The", "gallagher"),
        ("A.B. Müller GmbH & Co. KG", "ab muller"),
        ("A B Muller", "ab muller"),
        ("Lowe's Companies Inc", "lowes"),
        ("Procter & Gamble", "procter and gamble"),
        ("Bygma Øresund A/S", "bygma oresund"),
        ("CRH public limited company", "crh"),
        ("Carver Contracting Pty. Ltd.", "carver contracting"),
        ("Take-Two Interactive", "take two interactive"),
        ("株式会社 東京", "株式会社 東京"),
    ],
)
def test_the_first_form_leaves_what_names_a_party(name: str, form: str) -> None:
    assert normal_name(name) == form


@pytest.mark.parametrize("name", ["Serenity Spa", "Apex PT", "Northwind UK", "Ledger Private", "Dine Ca"])
def test_legal_forms_abroad_that_are_words_here_stay(name: str) -> None:
    assert normal_name(name) == name.lower()


def test_a_name_of_nothing_but_legal_forms_keeps_a_word() -> None:
    assert normal_name("The Company Co") == "company"
    assert normal_name("The") == "the"
    assert normal_name(" ... ") == ""


def test_the_second_form_drops_words_that_say_little() -> None:
    assert second_form("Harbor Group Holdings, Inc.") == "harbor"
    assert second_form("Brown & Brown International Technologies") == "brown and brown"
    assert second_form("The Group, Inc.") == "group"


@given(WORDS)
def test_forms_of_forms_are_the_same(words: list[str]) -> None:
    name = " ".join(words)

    assert normal_name(normal_name(name)) == normal_name(name)
    assert second_form(second_form(name)) == second_form(name)


@given(st.text(max_size=60))
def test_no_text_breaks_the_forms(text: str) -> None:
    assert normal_name(text) == normal_name(text).strip()
    assert len(second_form(text).split()) <= len(normal_name(text).split())
    assert strip_bank_text(text) == strip_bank_text(text).strip()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SQ *NIMBUS CLOUD 206-555-0100 SEATTLE WA", "NIMBUS CLOUD"),
        ("TST* THE OAK ROOM - NEW YORK NY", "THE OAK ROOM"),
        ("PAYPAL *HARBORINS 402-935-7733 CA", "HARBORINS"),
        ("AMZN Mktp US*2K3RT5", ""),
        ("POS PURCHASE OFFICE SUPPLY HOUSE #0123 SAN FRANCISCO CA 94105 US", "OFFICE SUPPLY HOUSE"),
        ("CHECKCARD 0314 LANDLORD PROPERTIES LLC DENVER CO 24692164", "LANDLORD PROPERTIES LLC"),
        ("PURCHASE AUTHORIZED ON 03/14 NIMBUS CLOUD 866-712-7753 WA S382911 CARD 1234", "NIMBUS CLOUD"),
        ("ACH DEBIT CARVER CONTRACTING PPD", "CARVER CONTRACTING"),
        ("ACH DEBIT WEB HOSTING INC WEB", "WEB HOSTING INC"),
        ("BRIGHT AGENCY DES:PAYMENT ID:123456 INDN:SAMPLE CO ID:99887766 CCD", "BRIGHT AGENCY"),
        (
            "ORIG CO NAME:CARVER CONTRACTING ORIG ID:1234567890 DESC DATE:260314 CO ENTRY DESCR:PAYMENT SEC:CCD",
            "CARVER CONTRACTING",
        ),
        ("Zelle payment to Jo's Plumbing 2026-03-02", "JO'S PLUMBING"),
        ("NIMBUS CLOUD XXXX4242 14MAR26", "NIMBUS CLOUD"),
        ("DEBIT", ""),
    ],
)
def test_a_banks_text_loses_its_noise(text: str, left: str) -> None:
    assert strip_bank_text(text) == left


@pytest.mark.parametrize(
    "text",
    ["ACME SUPPLY CO", "BANK OF DENVER CO", "DELTA DENTAL SMALLVILLE WA", "MADE IN", "OREGON TRAIL OR", "SEATTLE WA"],
)
def test_what_may_be_a_name_is_not_taken_for_a_place(text: str) -> None:
    assert strip_bank_text(text) == text


def test_an_alias_is_kept_under_the_texts_normal_form() -> None:
    assert normal_bank_text("SQ *Nimbus Cloud, Inc. 03/14 SEATTLE WA") == "nimbus cloud"


def test_words_that_many_share_are_generic_alone_and_not_together_with_a_name() -> None:
    assert is_generic_name("consulting services")
    assert is_generic_name("2026 12")
    assert not is_generic_name("store 24")
    assert is_generic_name("")
    assert not is_generic_name("bright consulting services")
