"""What every store promises of the banks behind the books: mirrored like the rest, and seen through ledger accounts."""

from datetime import date, timedelta
from decimal import Decimal

from runway_core.domain.bank import BankAccount, BankAccountKind, BankLine
from runway_core.domain.books import Books
from runway_core.domain.company import Connection
from runway_core.domain.identity import ConnectionId, RecordKey, RecordKind

from runway_testkit.desk_contract import DeskContract
from runway_testkit.store_desk import BY, START, StoreDesk, make_account

READ_AT = START - timedelta(hours=2)


def make_bank_account(external_id: str = "b1", *, name: str = "Checking", posted: str = "980.0000") -> BankAccount:
    """An account at the bank, read two hours ago."""
    return BankAccount(
        external_id=external_id,
        feed="bankfeed",
        name=name,
        mask="4321",
        bank_account_kind=BankAccountKind.CHECKING,
        currency="USD",
        posted=Decimal(posted),
        read_at=READ_AT,
    )


def make_bank_line(external_id: str = "t1", *, account: str = "b1", amount: str = "-40.0000", on: date) -> BankLine:
    """A line of that account."""
    return BankLine(
        external_id=external_id,
        bank_account_id=account,
        booked_on=on,
        currency="USD",
        amount=Decimal(amount),
        text="CHECK 1001",
    )


class BankContract(DeskContract):
    """Promises of what a verification rail brings."""

    async def test_the_bank_is_seen_through_the_ledgers_accounts(self, desk: StoreDesk) -> None:
        """If this fails: does `load_books` link bank accounts, and leave out lines whose entries may be too old?"""
        await desk.put(make_account())
        await desk.put(
            make_bank_account(),
            make_bank_account("b2", name="Elsewhere").model_copy(update={"currency": "EUR"}),
            make_bank_line(on=date(2026, 2, 27)),
            make_bank_line("other", account="b2", on=date(2026, 2, 27)),
            make_bank_line("old", on=date(2025, 3, 31)),
            make_bank_line("gone", on=date(2026, 2, 26)),
        )
        await desk.commit(desk.make_page(deleted=[RecordKey(RecordKind.BANK_TRANSACTION, "gone")]))
        books = await load(desk)

        (balance,) = books.bank_balances
        (line,) = books.bank_transactions
        assert (balance.account_id, balance.posted, balance.read_at, balance.rail) == (
            "35",
            Decimal("980.0000"),
            READ_AT,
            "bankfeed",
        )
        assert (line.external_id, line.account_id, line.amount, line.rail) == (
            "t1",
            "35",
            Decimal("-40.0000"),
            "bankfeed",
        )

    async def test_a_stated_link_goes_before_what_looks_alike(self, desk: StoreDesk) -> None:
        await desk.put(make_account(), make_account("36").model_copy(update={"name": "Operating"}))
        await desk.store.registry.add_connection(
            Connection(
                connection_id=ConnectionId("acme-bank"),
                company_id=desk.id,
                firm_id=desk.company.firm_id,
                rail="bankfeed",
                settings={"ledger_accounts": {"b1": "36"}},
                created_at=START,
            ),
            attribution=BY,
        )
        await desk.put(make_bank_account())

        assert [balance.account_id for balance in (await load(desk)).bank_balances] == ["36"]

    async def test_a_new_balance_at_the_bank_is_seen_at_the_next_reading(self, desk: StoreDesk) -> None:
        await desk.put(make_account(), make_bank_account())
        before = await load(desk)
        await desk.put(make_bank_account(posted="975.0000"))
        after = await load(desk)

        assert [one.posted for one in (*before.bank_balances, *after.bank_balances)] == [Decimal(980), Decimal(975)]
        assert after.log_sequence == before.log_sequence + 1


async def load(desk: StoreDesk) -> Books:
    """The company's books since the beginning of 2025."""
    return await desk.store.mirror.load_books(
        desk.company, as_of=date(2026, 3, 2), history_from=date(2025, 1, 1), read_at=desk.now
    )
