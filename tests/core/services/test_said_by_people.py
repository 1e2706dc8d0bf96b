"""What people say about parties and bills: whom a text means, what is set aside, which details were called back."""

from decimal import Decimal

import pytest
from runway_core.domain.company import Company
from runway_core.domain.identity import RecordKey, RecordKind
from runway_core.domain.parties import Vendor
from runway_core.errors import InvalidRequest, NotFound

from tests.core.desk import FirmDesk, bank, bill

NORTON = RecordKey(RecordKind.VENDOR, "V1")


async def desk_with_a_vendor() -> tuple[FirmDesk, Company]:
    desk = FirmDesk()
    vendor = Vendor(external_id="V1", name="Norton Lumber", currency="USD", balance=Decimal("0.0000"))
    paid = bill("B2", open_balance=Decimal(0))
    acme = await desk.connect("Acme", bank(), vendor, bill("B1"), paid)
    await desk.runway.sync(acme.company_id)
    return desk, acme


async def test_a_confirmed_text_is_kept_under_its_normal_form() -> None:
    desk, acme = await desk_with_a_vendor()
    aliases = desk.runway.aliases
    alias = await aliases.confirm(acme.company_id, "POS DEBIT NRTN LMBR 8811 INC", NORTON, actor="ada")
    again = await aliases.confirm(acme.company_id, "POS DEBIT NRTN LMBR 8811 INC", NORTON, actor="bob")
    books = await desk.runway.books.read(acme.company_id)

    assert (alias.paper_id, alias.party, alias.changed_by) == ("nrtn lmbr", NORTON, "ada")
    assert again == alias
    assert books.aliases == (alias,)


async def test_a_forgotten_text_can_be_confirmed_again() -> None:
    desk, acme = await desk_with_a_vendor()
    aliases = desk.runway.aliases
    await aliases.confirm(acme.company_id, "NRTN LMBR", NORTON, actor="ada")
    await aliases.forget(acme.company_id, "nrtn lmbr", actor="ada")
    gone = list(await aliases.list(acme.company_id))
    back = await aliases.confirm(acme.company_id, "NRTN LMBR", NORTON, actor="ada")

    assert gone == []
    assert list(await aliases.list(acme.company_id)) == [back]
    assert back.version == 3


@pytest.mark.parametrize(
    ("text", "party", "error"),
    [
        (" ", NORTON, InvalidRequest),
        ("ACH DEBIT 4471", NORTON, InvalidRequest),
        ("NRTN", RecordKey(RecordKind.BILL, "B1"), InvalidRequest),
        ("NRTN", RecordKey(RecordKind.VENDOR, "V9"), NotFound),
    ],
)
async def test_a_text_that_can_mean_nobody_is_refused(text: str, party: RecordKey, error: type[Exception]) -> None:
    desk, acme = await desk_with_a_vendor()

    with pytest.raises(error):
        await desk.runway.aliases.confirm(acme.company_id, text, party, actor="ada")


async def test_money_is_set_aside_for_an_open_bill_once() -> None:
    desk, acme = await desk_with_a_vendor()
    earmarks = desk.runway.earmarks
    await earmarks.set_aside(acme.company_id, "B1", Decimal(60), actor="ada")
    more = await earmarks.set_aside(acme.company_id, "B1", Decimal(100), actor="ada", note="promised")
    held = list(await earmarks.list(acme.company_id))
    await earmarks.release(acme.company_id, "B1", actor="ada")

    assert held == [more]
    assert (more.amount, more.note, more.version) == (Decimal("100.0000"), "promised", 2)
    assert list(await earmarks.list(acme.company_id)) == []


@pytest.mark.parametrize(
    ("bill_id", "amount", "error"), [("B2", 10, InvalidRequest), ("B1", 0, InvalidRequest), ("B9", 10, NotFound)]
)
async def test_nothing_is_set_aside_for_a_paid_or_unknown_bill(
    bill_id: str, amount: int, error: type[Exception]
) -> None:
    desk, acme = await desk_with_a_vendor()

    with pytest.raises(error):
        await desk.runway.earmarks.set_aside(acme.company_id, bill_id, Decimal(amount), actor="ada")


async def test_the_last_call_to_a_vendor_counts_and_the_earlier_ones_are_logged() -> None:
    desk, acme = await desk_with_a_vendor()
    calls = desk.runway.call_backs
    await calls.note(acme.company_id, "V1", spoke_to="Ed", number_called="555-0100", actor="ada")
    last = await calls.note(
        acme.company_id, "V1", spoke_to="Ed Norton", number_called="555-0100", details_tail="4471", actor="ada"
    )
    with pytest.raises(NotFound):
        await calls.note(acme.company_id, "V9", spoke_to="Ed", number_called="555-0100", actor="ada")
    with pytest.raises(InvalidRequest, match="number you called"):
        await calls.note(acme.company_id, "V1", spoke_to="Ed", number_called=" ", actor="ada")

    assert list(await calls.list(acme.company_id)) == [last]
    assert last.version == 2
