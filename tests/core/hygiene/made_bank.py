"""Made-up companies with a bank beside their books, and the defects planted between the two.

Everything comes from a seed. Each movement is told once: to the ledger on its day, to the bank some days later. The
sound part is full of what must not be found: equal amounts that come round, old cheques, fresh lines, transfers whose
legs stand days apart, two purchases of one day, pending lines that were replaced.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from runway_core.domain.bank import BankLineSource, BankTransaction, Reconciliation
from runway_core.domain.bills import PaymentMethod
from runway_core.domain.books import Books
from runway_core.domain.company import CompanySettings, Connection, ConnectionState
from runway_core.domain.field_changes import FieldChange
from runway_core.domain.identity import ConnectionId
from runway_core.domain.ledger import AccountKind, Deposit, Purchase, Transfer
from runway_testkit.books_making import READ_AT, amount, connection, day, make_books

from tests.core.hygiene.bank_making import RAIL, account, bank_balance, bank_line
from tests.core.hygiene.planted import Defects

DAYS = 150
_SHOPS = ("SQ *CORNER DELI", "FUEL STOP 0042 TOLEDO OH", "PARCEL POST", "WIRE TRANSFER FEE", "ACH TRANSFER STAX LLC")
_OUT = ("ACH DEBIT NIMBUS CLOUD", "HARBOR PROPERTIES LP", "ZELLE PAYMENT TO DANA FOX", "POS PURCHASE HARDWARE")
_IN = ("ACH CREDIT BOLT INC", "WIRE IN FROM ORION SAVINGS BANK", "MOBILE DEPOSIT", "STRIPE TRANSFER")


@dataclass(slots=True)
class MadeBank:
    """One company in the making: movements on both sides, and what was planted."""

    rng: Random
    posted: dict[str, Decimal] = field(default_factory=dict)  # what the bank has, opening included
    held: dict[str, Decimal] = field(default_factory=dict)
    lines: list[BankTransaction] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)
    reconciled: dict[str, int] = field(default_factory=dict)  # account → days ago
    alone: list[BankTransaction] = field(default_factory=list)  # lines that only the bank knows
    read_hours: int = 0  # how long ago the bank was read
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)  # further accounts
    excluded: tuple[str, ...] = ()
    unread: set[str] = field(default_factory=set)  # accounts without a bank rail
    planted: Defects = field(default_factory=set)
    number: int = 0

    def next_id(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def cents(self, low: int = 5, high: int = 4000) -> Decimal:
        return amount(f"{self.rng.randint(low, high)}.{self.rng.randint(0, 99):02d}")

    def plant(self, check: str, *records: tuple[str, str]) -> None:
        self.planted.add((check, frozenset(records)))

    def bank(self, account_id: str, on: int, moved: Decimal, text: str, **more: Any) -> BankTransaction | None:
        """A posted line, unless it lies ahead."""
        if on > 0:
            return None
        line = bank_line(self.next_id("N"), on, str(moved), text, account_id=account_id, **more)
        self.lines.append(line)
        self.posted[account_id] = self.posted.get(account_id, amount(0)) + moved
        return line

    def spend(self, on: int, total: Decimal, *, number: str | None = None, account_id: str = "bank") -> Purchase:
        """A purchase in the ledger; with a number a cheque."""
        made = Purchase(
            external_id=self.next_id("E"), document_date=day(on), currency="USD", total=total, number=number,
            method=PaymentMethod.CHECK if number else PaymentMethod.TRANSFER, account_id=account_id,
        )  # fmt: skip
        self.purchases.append(made)
        self.held[account_id] = self.held.get(account_id, amount(0)) - total
        return made

    def receive(self, on: int, total: Decimal, *, account_id: str = "bank") -> Deposit:
        """A deposit in the ledger."""
        made = Deposit(
            external_id=self.next_id("D"), document_date=day(on), currency="USD", total=total, account_id=account_id
        )
        self.deposits.append(made)
        self.held[account_id] = self.held.get(account_id, amount(0)) + total
        return made

    def move(self, on: int, total: Decimal, source: str, target: str) -> Transfer:
        """A transfer in the ledger."""
        made = Transfer(
            external_id=self.next_id("X"), document_date=day(on), currency="USD", total=total,
            from_account_id=source, to_account_id=target,
        )  # fmt: skip
        self.transfers.append(made)
        self.held[source] = self.held.get(source, amount(0)) - total
        self.held[target] = self.held.get(target, amount(0)) + total
        return made


def make_bank_company(seed: int) -> tuple[Books, Defects]:
    """One company's books on the day they are looked at, and what is wrong with them."""
    made = MadeBank(Random(f"bank:{seed}"))
    for account_id, opened in (("bank", 90_000), ("savings", 20_000), ("card", 0), ("petty", 500)):
        made.held[account_id] = made.posted[account_id] = amount(opened)
    made.unread.add("petty")
    made.read_hours = made.rng.randint(0, 24)
    made.connections = [connection(), _bank_connection(ConnectionState.ACTIVE, hours=made.read_hours)]
    made.reconciled = {"bank": made.rng.randint(2, 45), "savings": made.rng.randint(2, 45), "card": 45, "petty": 30}
    _begin(made)
    _make_flow(made)
    for planter in _PLANTERS:
        if made.rng.random() < 0.35:
            planter(made)
    for line in made.alone:
        if (day(0) - line.booked_on).days > 5:
            made.plant("BK03", ("account", line.account_id))
    return _close(made), made.planted


def _bank_connection(state: ConnectionState, *, hours: int) -> Connection:
    read_at = READ_AT - timedelta(hours=hours)
    return connection(connection_id=ConnectionId("bank-link"), rail=RAIL, state=state, last_success_at=read_at)


def _begin(made: MadeBank) -> None:
    """A first movement on each account, so that the bank's history covers all that follows."""
    for account_id in ("bank", "savings", "card"):
        total = made.cents()
        made.bank(account_id, -DAYS - 40, -total, "OPENING FEE")
        made.spend(-DAYS - 40, total, account_id=account_id)
    made.spend(-3, amount(12), account_id="petty")


def _make_flow(made: MadeBank) -> None:
    rng = made.rng
    rent, coffee = made.cents(900, 3000), amount("4.50")
    for on in range(-DAYS, 1):
        for _ in range(rng.randint(0, 2)):
            total = made.cents()
            made.spend(on, total)
            made.bank("bank", on + rng.randint(0, 3), -total, rng.choice(_OUT))
        if rng.random() < 0.3:
            total = made.cents(100, 9000)
            made.receive(on, total)
            made.bank("bank", on + rng.randint(0, 2), total, rng.choice(_IN))
        if rng.random() < 0.12:
            _write_cheque(made, on, seen_after=rng.choice((3, 9, 24, 60, 85)))
        if on % 7 == 0:
            made.spend(on, coffee)
            made.spend(on, coffee)
            for _ in range(2):  # two purchases of one day, alike to the cent
                made.bank("bank", on + 1, -coffee, _SHOPS[0])
        if on % 30 == 0:
            made.spend(on, rent)
            made.bank("bank", on + 2, -rent, _OUT[1])
        if on % 14 == 0:
            _transfer(made, on, apart=rng.randint(0, 4))
            _pay_card(made, on - 1)
        if rng.random() < 0.2:
            total = made.cents(5, 300)
            made.spend(on, total, account_id="card")
            made.bank("card", on + rng.randint(0, 3), -total, rng.choice(_SHOPS))
        if rng.random() < 0.05:
            _announce(made, on)


def _write_cheque(made: MadeBank, on: int, *, seen_after: int) -> None:
    total, number = made.rng.choice((amount(250), made.cents())), str(1000 + made.number)
    made.spend(on, total, number=number)
    made.bank("bank", on + seen_after, -total, f"CHECK {number}", cheque_number=number)


def _transfer(made: MadeBank, on: int, *, apart: int) -> None:
    total = made.rng.choice((amount(500), amount(1000)))
    made.move(on, total, "bank", "savings")
    made.bank("bank", on, -total, "ONLINE TRANSFER TO SAVINGS 4411")
    made.bank("savings", on + apart, total, "ONLINE TRANSFER FROM CHK 9921")


def _pay_card(made: MadeBank, on: int) -> None:
    total = made.cents(50, 900)
    made.move(on, total, "bank", "card")
    made.bank("bank", on + 1, -total, "CREDIT CARD AUTOPAY 8831")
    made.bank("card", on + 2, total, "PAYMENT RECEIVED THANK YOU")


def _announce(made: MadeBank, on: int) -> None:
    """A pending line and the posted one that names it."""
    total = made.cents(5, 200)
    made.spend(on, total)
    announced = bank_line(made.next_id("P"), on, str(-total), _SHOPS[1], is_pending=True)
    if made.bank("bank", on + 2, -total, _SHOPS[1], replaces_id=announced.external_id) is not None:
        made.lines.append(announced)


def _plant_drift(made: MadeBank) -> None:
    """An opening entry that is wrong; beside it an account that is off by cents."""
    wrong, cents = made.rng.sample(("bank", "savings", "card"), 2)
    made.posted[wrong] += made.rng.choice((-1, 1)) * made.rng.choice((amount(1), made.cents()))
    made.posted[cents] += amount("0.99")
    made.plant("BK01", ("account", wrong))


def _plant_stale(made: MadeBank) -> None:
    is_expired = made.rng.random() < 0.5
    made.read_hours = made.rng.randint(1, 20) if is_expired else made.rng.randint(25, 72)
    state = ConnectionState.RECONNECT_NEEDED if is_expired else ConnectionState.FAILING
    made.connections[1] = _bank_connection(state, hours=made.read_hours)
    made.plant("BK02", ("connection", "bank-link"))


def _plant_only_bank(made: MadeBank) -> None:
    """Lines that wait in the feed, some too young to be told."""
    rng = made.rng
    for _ in range(rng.randint(1, 4)):
        which, on = rng.choice(("bank", "card")), -rng.randint(0, 60)
        line = made.bank(which, on, -made.cents(), rng.choice(_SHOPS))
        made.alone.extend(filter(None, (line,)))


def _plant_only_ledger(made: MadeBank) -> None:
    """Payments that never came to the bank; beside them some that still may."""
    rng = made.rng
    for _ in range(rng.randint(1, 3)):
        is_cheque, is_late = rng.random() < 0.4, rng.random() < 0.6
        late = (91, 140) if is_cheque else (31, 140)
        age = rng.randint(*late) if is_late else rng.randint(0, 90 if is_cheque else 30)
        paid = made.spend(
            -age, rng.choice((amount(250), made.cents())), number=f"9{made.number}" if is_cheque else None
        )
        if is_late:
            made.plant("BK04", ("purchase", paid.external_id))


def _plant_import(made: MadeBank) -> None:
    """A file that overlaps what the feed had read already, in the file's own words."""
    rng = made.rng
    since = -rng.randint(10, 100)
    fed = [
        line
        for line in made.lines
        if line.account_id == "bank" and not line.is_pending and line.amount != amount("-4.50")
    ]
    for line in fed:
        if since <= (line.booked_on - day(0)).days < since + rng.randint(1, 4):
            later = line.booked_on + timedelta(days=rng.randint(0, 2))
            text = line.text if line.cheque_number else f"{line.text} {later:%m/%d} 206-555-0100"
            made.lines.append(
                line.model_copy(
                    update={
                        "external_id": made.next_id("F"), "text": text, "source": BankLineSource.IMPORT,
                        "import_id": "march.csv", "rail": "", "booked_on": later, "replaces_id": None,
                    }
                )
            )  # fmt: skip
            made.plant("BK05", ("bank_transaction", line.external_id), ("bank_transaction", made.lines[-1].external_id))


def _plant_left_behind(made: MadeBank) -> None:
    """A pending line that nobody took away; and one that announces a second purchase alike."""
    rng = made.rng
    total, second = made.cents(5, 200), made.cents(5, 200)
    on = -rng.randint(1, 9)
    for moved, announced in ((total, on - rng.randint(0, 3)), (second, on + 1)):
        made.spend(on, moved)
        line = made.bank("bank", on, -moved, _SHOPS[2])
        made.lines.append(bank_line(made.next_id("P"), min(announced, 0), str(-moved), _SHOPS[2], is_pending=True))
        if line is not None and announced <= on:
            made.plant("BK05", ("bank_transaction", line.external_id), ("bank_transaction", made.lines[-1].external_id))


def _plant_one_sided(made: MadeBank) -> None:
    rng = made.rng
    on, total = -rng.randint(0, 60), made.cents(200, 3000)
    arrives, is_told = rng.random() < 0.3, rng.random() < 0.5
    sign, text = rng.choice(((-1, "INTERNET XFER TO SAV 0042"), (1, "TRANSFER FROM SAVINGS REF 77")))
    line = made.bank("bank", on, sign * total, text if is_told else "ACCOUNT ACTIVITY", is_transfer=not is_told)
    assert line is not None
    made.alone.append(line)
    if arrives:
        other = made.bank("savings", min(0, on + rng.randint(-4, 4)), -sign * total, "ACCOUNT ACTIVITY")
        made.alone.extend(filter(None, (other,)))
    elif on < -4:
        made.plant("BK07", ("bank_transaction", line.external_id))


def _plant_unreconciled(made: MadeBank) -> None:
    which = made.rng.choice(("bank", "savings", "card"))
    if made.rng.random() < 0.3:
        del made.reconciled[which]
    else:
        made.reconciled[which] = made.rng.randint(46, 200)
    made.plant("BK10", ("account", which))


def _plant_unmapped(made: MadeBank) -> None:
    """An account that no rail reads; beside it one that slept, one that is set aside, one in another currency."""
    rng = made.rng
    for account_id, on in (("used", -rng.randint(0, 60)), ("slept", -rng.randint(61, 100)), ("trust", -9)):
        made.held[account_id] = amount(100)
        made.unread.add(account_id)
        made.reconciled[account_id] = 5
        made.spend(on, amount(40), account_id=account_id)
    made.excluded = ("trust",)
    made.plant("BK12", ("account", "used"))
    if rng.random() < 0.5:
        made.held["foreign"] = made.posted["foreign"] = amount(70)
        made.extra["foreign"] = {"currency": "CAD"}
        made.reconciled["foreign"] = 5
        made.plant("BK12", ("account", "foreign"))


def _plant_late_change(made: MadeBank) -> None:
    """Entries changed after their account was reconciled; beside them some changed before, or dated later."""
    rng = made.rng
    for paid in rng.sample(made.purchases, 6):
        days = made.reconciled.get(paid.account_id or "")
        if days is None:
            continue
        seen_days = rng.randint(0, 40)
        made.changes.append(
            FieldChange(
                record=paid.key, field="total", before=str(paid.total + 5), after=str(paid.total),
                seen_at=READ_AT - timedelta(days=seen_days, hours=1), rail="qbo",
            )
        )  # fmt: skip
        if paid.document_date <= day(-days) and seen_days < days - 1:
            made.plant("BK11", ("purchase", paid.external_id))


_PLANTERS: tuple[Callable[[MadeBank], None], ...] = (
    _plant_drift,
    _plant_stale,
    _plant_only_bank,
    _plant_only_ledger,
    _plant_import,
    _plant_left_behind,
    _plant_one_sided,
    _plant_unreconciled,
    _plant_unmapped,
    _plant_late_change,
)


def _close(made: MadeBank) -> Books:
    """The books as they stand, every list in an order of its own."""
    kinds = {"card": AccountKind.CREDIT_CARD}
    accounts = tuple(
        account(
            account_id, str(balance), account_kind=kinds.get(account_id, AccountKind.BANK),
            name="Petty Cash" if account_id == "petty" else account_id.capitalize(), **made.extra.get(account_id, {}),
        )
        for account_id, balance in made.held.items()
    )  # fmt: skip
    read_at = READ_AT - timedelta(hours=made.read_hours)
    balances = tuple(
        bank_balance(account_id, str(posted), read_at=read_at)
        for account_id, posted in made.posted.items()
        if account_id not in made.unread
    )
    reconciliations = tuple(
        Reconciliation(account_id=account_id, through=day(-days), reconciled_at=READ_AT - timedelta(days=days - 1))
        for account_id, days in made.reconciled.items()
    )
    lists: dict[str, tuple[Any, ...]] = {
        "connections": tuple(made.connections),
        "accounts": accounts,
        "bank_balances": balances,
        "bank_transactions": tuple(made.lines),
        "reconciliations": reconciliations,
        "changes": tuple(made.changes),
        "purchases": tuple(made.purchases),
        "deposits": tuple(made.deposits),
        "transfers": tuple(made.transfers),
    }
    shuffled = {name: tuple(made.rng.sample(records, len(records))) for name, records in lists.items()}
    return make_books(settings=CompanySettings(excluded_account_ids=made.excluded), **shuffled)
