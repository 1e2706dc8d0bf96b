from itertools import pairwise
from typing import Any

import pytest
from runway_core.calculators.hygiene.checks.vendor_duplicate import VendorDuplicate
from runway_core.domain.execution import PaymentDetails
from runway_core.domain.parties import Vendor
from runway_testkit.books_making import amount, bill, make_books


def vendor(external_id: str, name: str, **more: Any) -> Vendor:
    values: dict[str, Any] = {"currency": "USD", "balance": amount(0)}
    return Vendor(external_id=external_id, name=name, **(values | more))


def pairs(*vendors: Vendor, **more: Any) -> set[tuple[str, ...]]:
    findings = VendorDuplicate().find(make_books(vendors=vendors, **more))
    return {tuple(subject.external_id for subject in finding.subjects) for finding in findings}


def are_one(one: str, other: str) -> bool:
    return pairs(vendor("V1", one), vendor("V2", other)) == {("V1", "V2")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Norton Lumber Inc.", "NORTON LUMBER, LLC"),
        ("The Norton Lumber Co.", "Norton Lumber"),
        ("Söhne & Co.", "Sohne"),
        ("Pay Pal", "PayPal Inc"),
        ("Marta Kowalska", "Kowalska, Marta"),
        ("Meridian Holdings", "Meridian"),
        ("Norton Lumber Supply", "Norton Lumber"),
        ("Granite Produce", "Granit Produce"),
        ("Granite Produce", "Garnite Produce"),
        ("Granite Produce", "Granite Prodice"),
    ],
)
def test_names_that_are_one_name_are_found(one: str, other: str) -> None:
    assert are_one(one, other)
    assert are_one(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Granite Produce", "Granite Dairy"),
        ("Depot 12", "Depot 13"),
        ("Oak Street 101", "Oak Street 103"),
        ("NB Bancorp", "FB Bancorp"),
        ("Ada", "Ida"),
        ("Office Supplies", "Office Supply"),
        ("Misc.", "Misc"),
        ("Granite Produce", "Granit Prodice"),
        ("Norton", "Norton Supply Services"),
    ],
)
def test_names_that_only_resemble_one_another_are_not(one: str, other: str) -> None:
    assert not are_one(one, other)


def test_the_name_of_the_company_counts_as_well() -> None:
    assert pairs(vendor("V1", "John Smith", company_name="Smith Plumbing LLC"), vendor("V2", "Smith Plumbing"))


def test_a_merged_vendor_is_inactive_and_no_duplicate() -> None:
    assert not pairs(vendor("V1", "Norton Lumber"), vendor("V2", "Norton Lumber", is_active=False))


def test_a_vendor_of_another_currency_must_be_another_record() -> None:
    assert not pairs(vendor("V1", "Norton Lumber"), vendor("V2", "Norton Lumber (EUR)", currency="EUR"))


def test_one_mail_address_or_one_phone_number_is_enough() -> None:
    one = vendor("V1", "International Business Machines", email="AP@ibm.example", phone="+1 (212) 555-0100")
    by_mail = vendor("V2", "IBM", email="ap@ibm.example ")
    by_phone = vendor("V3", "Big Blue", phone="212 555 0100")

    assert pairs(one, by_mail, by_phone) == {("V1", "V2"), ("V1", "V3")}


def test_an_address_that_many_share_is_somebody_elses() -> None:
    sharing = [vendor(f"V{n}", name, email="bills@payer.example") for n, name in enumerate(("Ada", "Bo", "Cy"))]

    assert not pairs(*sharing)
    assert pairs(*sharing[:2])


def test_of_three_alike_the_neighbours_pair() -> None:
    assert pairs(*(vendor(f"V{n}", "Norton Lumber") for n in range(3))) == {("V0", "V1"), ("V1", "V2")}


def test_the_busier_one_is_kept_and_both_are_shown_side_by_side() -> None:
    details = PaymentDetails(rail="ramp", vendor_id="V2", account_tail="4410")
    books = make_books(
        vendors=(vendor("V1", "Norton Lumber"), vendor("V2", "Norton Lumber Inc.")),
        bills=(bill("A", vendor_id="V2"), bill("B", vendor_id="V2"), bill("C", vendor_id="V1")),
        payment_details=(details,),
    )

    (finding,) = VendorDuplicate().find(books)

    assert finding.fixes[0].label == "Merge Norton Lumber into Norton Lumber Inc. in the ledger"
    assert [e.value for e in finding.evidence if e.name == "uses"] == ["1", "2"]
    assert [e.value for e in finding.evidence if e.name == "account_tail"] == ["none", "4410"]


def test_many_vendors_cost_no_square() -> None:
    """Each is one slip away from its neighbour in the alphabet, and from nobody else."""
    names = [f"{chr(97 + n % 26) * 5}{chr(97 + n // 26 % 26) * 5}{chr(97 + n // 676) * 5} depot" for n in range(1500)]

    assert not pairs(*(vendor(f"V{n:04}", name) for n, name in enumerate(names)))
    assert all(not are_one(one, other) for one, other in pairwise(names[:20]))
