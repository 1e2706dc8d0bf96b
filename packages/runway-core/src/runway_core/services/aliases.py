"""Aliases: a person says once whom a text means, and from then on it is certain."""

from collections.abc import Sequence

from runway_core.calculators.matching.names import normal_bank_text
from runway_core.domain.aliases import NameAlias
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.papers import PaperDesk, clean_text
from runway_core.services.scope import Scope

PARTIES = frozenset({RecordKind.VENDOR, RecordKind.CUSTOMER})


class AliasService:
    """Keeps the names that people confirmed."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._desk = PaperDesk(scope)

    async def list(self, company_id: CompanyId) -> Sequence[NameAlias]:
        """The confirmed names of a company, by their normal form.

        Raises:
            NotFound: no such company in this firm.
        """
        return sorted(await self._desk.list(company_id, NameAlias), key=lambda alias: alias.paper_id)

    async def confirm(self, company_id: CompanyId, text: str, party: RecordKey, *, actor: str) -> NameAlias:
        """Say that a text, such as a bank's, means a vendor or customer. It replaces what the text meant before.

        Raises:
            NotFound: no such company in this firm, or the mirror holds no such vendor or customer.
            InvalidRequest: the text has no name in it, or the party is no vendor or customer.
        """
        alias, _ = await self.prepare(company_id, text, party, actor=actor)
        return await self._desk.save(company_id, alias, actor=actor)

    async def prepare(
        self, company_id: CompanyId, text: str, party: RecordKey, *, actor: str
    ) -> tuple[NameAlias, NameAlias | None]:
        """The alias that `confirm` would save, and the one that stands, to be saved together with other papers.

        Raises:
            NotFound: no such company in this firm, or the mirror holds no such vendor or customer.
            InvalidRequest: the text has no name in it, or the party is no vendor or customer.
        """
        text = clean_text(text, "the text", is_needed=True)
        form = normal_bank_text(text)
        if not form:
            raise InvalidRequest(f"{text!r} has no name in it once rail words and numbers are taken off")
        if party.kind not in PARTIES:
            raise InvalidRequest(f"{party} is no vendor or customer")
        company = await self._scope.company(company_id)
        held = (await self._scope.store.mirror.read_records(company_id, [party])).get(party)
        if held is None or held.is_deleted:
            raise NotFound(f"{company.name!r} has no {party}")
        values = {"text": text, "party": party, "is_closed": False}
        before = await self._desk.find(company_id, NameAlias, form)
        made = self._desk.make(NameAlias, form, actor=actor, values=values)
        standing = None if before is None or before.is_closed else before
        return made if before is None else self._desk.change(before, values), standing

    async def forget(self, company_id: CompanyId, text: str, *, actor: str) -> NameAlias:
        """Take a confirmed name back; names are matched by their likeness again. Repeating is harmless.

        Raises:
            NotFound: no such company in this firm, or the text was never confirmed.
        """
        alias = await self._desk.read(company_id, NameAlias, normal_bank_text(text))
        return await self._desk.save(company_id, self._desk.change(alias, {"is_closed": True}), actor=actor)
