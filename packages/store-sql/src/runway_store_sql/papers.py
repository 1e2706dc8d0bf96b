"""Working papers on SQL: one row a paper with its whole value as JSON, each change logged in its transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from runway_core.domain.announcements import ANNOUNCING, find_paper_news
from runway_core.domain.changes import Attribution
from runway_core.domain.identity import CompanyId, FirmId
from runway_core.domain.log_entry import to_microseconds
from runway_core.domain.paper_changes import plan_papers
from runway_core.domain.paper_kinds import FOLLOWING_PAPERS, PAPER_CLASSES
from runway_core.domain.papers import Paper, PaperKey, PaperKind, WorkingPaper
from runway_core.domain.people import firm_of_chain, is_firm_chain
from runway_core.domain.record import encode_plain
from runway_core.errors import NotFound
from sqlalchemy import Connection, false, select

from runway_store_sql.announcing import announce
from runway_store_sql.bulk import among, upsert_rows
from runway_store_sql.chain import append_entries, lock_head, move_head
from runway_store_sql.engine import Database
from runway_store_sql.tables import companies, working_papers


def decode_paper(kind: str, document: bytes) -> WorkingPaper:
    """Read one stored paper."""
    return PAPER_CLASSES[PaperKind(kind)].model_validate_json(document)


def _paper_row(company_id: CompanyId, paper: WorkingPaper) -> tuple[object, ...]:
    return (
        company_id,
        paper.paper_kind.value,
        paper.paper_id,
        paper.version,
        paper.is_closed,
        to_microseconds(paper.changed_at),
        paper.changed_by,
        encode_plain(paper),
    )


def _read_held(connection: Connection, company_id: CompanyId, keys: Iterable[PaperKey]) -> dict[PaperKey, WorkingPaper]:
    """What is stored under `keys`, in one query; other papers of the same ids may come with it."""
    wanted = sorted(set(keys))
    table = working_papers
    query = select(table.c.paper_kind, table.c.document).where(
        table.c.company_id == company_id,
        among(connection, table.c.paper_kind, sorted({key.kind.value for key in wanted})),
        among(connection, table.c.paper_id, [key.paper_id.replace("\x00", "") for key in wanted]),
    )
    papers = [decode_paper(*row) for row in connection.execute(query)]
    return {paper.key: paper for paper in papers}


class SqlWorkingPapers:
    """The `WorkingPapers` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_papers(
        self, company_id: CompanyId, papers: Sequence[Paper], *, attribution: Attribution, at: datetime
    ) -> Sequence[Paper]:
        """Store papers and log each change; see the port."""

        def write(connection: Connection) -> Sequence[Paper]:
            known = select(companies.c.firm_id).where(
                companies.c.company_id == company_id, companies.c.erased_at.is_(None)
            )
            firm_id = firm_of_chain(company_id) if is_firm_chain(company_id) else connection.scalar(known)
            if firm_id is None:
                raise NotFound(f"no company {company_id!r}")
            head = lock_head(connection, company_id)  # savers of one company take turns from here on
            held = _read_held(connection, company_id, [paper.key for paper in papers])
            plan = plan_papers(held, papers, attribution=attribution, at=at)
            if plan.changed:
                _, after = append_entries(connection, company_id, head, list(plan.drafts))
                upsert_rows(connection, working_papers, [_paper_row(company_id, paper) for paper in plan.changed])
                is_due = any(paper.paper_kind not in FOLLOWING_PAPERS for paper in plan.changed)
                move_head(connection, company_id, after, is_due=is_due)
            if any(isinstance(paper, ANNOUNCING) for paper in plan.changed):
                find = partial(find_paper_news, company_id, held, plan.changed, at=at)
                announce(connection, FirmId(firm_id), find, at=at)
            return plan.results

        return await self._database.write(write, company_id=company_id)

    async def papers(
        self, company_id: CompanyId, kind: type[Paper], *, include_closed: bool = False, limit: int | None = None
    ) -> Sequence[Paper]:
        """The papers of one kind, the last changed first, then by id; closed ones only on request."""
        table = working_papers
        query = select(table.c.document).where(
            table.c.company_id == company_id, table.c.paper_kind == kind.paper_kind.value
        )
        if not include_closed:
            query = query.where(table.c.is_closed == false())
        query = query.order_by(table.c.changed_at.desc(), table.c.paper_id)
        if limit is not None:
            query = query.limit(limit)
        documents = await self._database.read(lambda connection: connection.scalars(query).all(), company_id=company_id)
        return [kind.model_validate_json(document) for document in documents]

    async def papers_of(
        self, company_id: CompanyId, kind: type[Paper], paper_ids: Sequence[str]
    ) -> Mapping[str, Paper]:
        """The papers of these ids that are there, closed or not, by id, in one query."""
        table = working_papers
        wanted = sorted({paper_id for paper_id in paper_ids if "\x00" not in paper_id})

        def read(connection: Connection) -> Sequence[bytes]:
            query = select(table.c.document).where(
                table.c.company_id == company_id,
                table.c.paper_kind == kind.paper_kind.value,
                among(connection, table.c.paper_id, wanted),
            )
            return connection.scalars(query).all()

        documents = await self._database.read(read, company_id=company_id) if wanted else []
        papers = [kind.model_validate_json(document) for document in documents]
        return {paper.paper_id: paper for paper in papers}

    async def paper(self, company_id: CompanyId, kind: type[Paper], paper_id: str) -> Paper | None:
        """One paper, closed or not; `None` when it is not there."""
        if "\x00" in paper_id:  # no database holds such an id, and PostgreSQL does not even look for it
            return None
        table = working_papers
        query = select(table.c.document).where(
            table.c.company_id == company_id,
            table.c.paper_kind == kind.paper_kind.value,
            table.c.paper_id == paper_id,
        )
        document = await self._database.read(lambda connection: connection.scalar(query), company_id=company_id)
        return None if document is None else kind.model_validate_json(document)
