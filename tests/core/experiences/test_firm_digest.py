"""The firm's daily digest, laid out from positions: each large bank line once, and whose own digest is due."""

from datetime import UTC, date, datetime, timedelta

from runway_core.calculators.position import compute_position
from runway_core.domain.books import Books
from runway_core.domain.firm_digests import ToldCompany
from runway_core.experiences.firm_digest import FirmDigestView, lay_out_firm_digest
from runway_core.orchestrators.portfolio import PortfolioData
from runway_testkit.sample import AS_OF, sample_books

from tests.core.bank_lines import books_with, line


def digest_of(books: Books, told: tuple[ToldCompany, ...], last_digest_on: date | None = None) -> FirmDigestView:
    position = compute_position(books, [], computed_at=books.read_at, last_digest_on=last_digest_on)
    company = books.company
    data = PortfolioData(
        now=datetime(2026, 3, 2, 15, tzinfo=UTC),
        companies=[company],
        positions={company.company_id: position},
        connections={},
    )
    return lay_out_firm_digest(data, told, compared_with=AS_OF)


def test_the_daily_digest_tells_each_line_once() -> None:
    first = digest_of(books_with(line("1", "-12000", counterparty="Gusto"), line("2", "5000", text="WIRE IN")), ())
    again = digest_of(books_with(line("2", "5000", text="WIRE IN"), line("3", "8000")), first.told)
    last = digest_of(books_with(line("2", "5000", text="WIRE IN"), line("3", "8000")), again.told)

    assert [change for change in first.named[0].changes if "USD" in change][-2:] == [
        "12,000.00 USD went out to Gusto on 2026-03-02",
        "5,000.00 USD came in from WIRE IN on 2026-03-02",
    ]
    assert "8,000.00 USD came in from somebody on 2026-03-02" in again.named[0].changes
    assert not [change for change in again.named[0].changes if "WIRE IN" in change]
    assert not [one for one in last.named for change in one.changes if "came in" in change]


def test_it_says_how_many_companies_had_no_digest_of_their_own_for_a_week() -> None:
    due = [
        digest_of(sample_books(), (), last_digest_on=on).digests_due
        for on in (None, AS_OF - timedelta(days=7), AS_OF - timedelta(days=6))
    ]

    assert due == [1, 1, 0]
