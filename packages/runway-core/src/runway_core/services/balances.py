"""Balances of a company's accounts: now, over time, and at the end of days."""

from collections.abc import Sequence
from datetime import date, datetime

from runway_core.domain.identity import CompanyId, RecordKind
from runway_core.domain.ledger import Account, AccountKind, BalanceChange, BalanceClose
from runway_core.services.books import BooksService
from runway_core.services.scope import Scope

_CASH = frozenset({AccountKind.BANK, AccountKind.UNDEPOSITED_FUNDS, AccountKind.CREDIT_CARD})
_PAGE = 500


class BalanceService:
    """Reads balances from the mirror. Signs are the ledger's: assets positive, what is owed negative."""

    def __init__(self, scope: Scope, books: BooksService) -> None:
        self._scope = scope
        self._books = books

    async def get_balances(
        self, company_id: CompanyId, *, cash_only: bool = True, known_at: datetime | None = None
    ) -> Sequence[Account]:
        """Active accounts with their balances, by name: bank, undeposited funds and cards, or all.

        Raises:
            NotFound: no such company in this firm, or it was not known yet at `known_at`.
            InvalidRequest: `known_at` lies ahead.
        """
        await self._scope.company(company_id)
        if known_at is None:
            found = await self._read_accounts(company_id)
        else:
            found = list((await self._books.read(company_id, known_at=known_at)).accounts)
        kept = [a for a in found if a.is_active and (not cash_only or a.account_kind in _CASH)]
        return sorted(kept, key=lambda account: (account.full_name, account.external_id))

    async def _read_accounts(self, company_id: CompanyId) -> list[Account]:
        found: list[Account] = []
        after: str | None = None
        while True:
            page = await self._scope.store.mirror.find_records(company_id, RecordKind.ACCOUNT, limit=_PAGE, after=after)
            found += [m.record for m in page if isinstance(m.record, Account)]
            if len(page) < _PAGE:
                return found
            after = page[-1].record.external_id

    async def get_history(
        self, company_id: CompanyId, account_id: str, *, since: datetime | None = None
    ) -> Sequence[BalanceChange]:
        """Every balance that was seen of one account, oldest first.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.mirror.balance_history(company_id, account_id, since=since)

    async def get_closes(self, company_id: CompanyId, *, first_day: date, last_day: date) -> Sequence[BalanceClose]:
        """The last balance seen of each account on each day; days on which nothing was seen have none.

        Raises:
            NotFound: no such company in this firm.
        """
        await self._scope.company(company_id)
        return await self._scope.store.mirror.balance_closes(company_id, first_day=first_day, last_day=last_day)
