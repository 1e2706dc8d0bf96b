"""What tests of the databases look at: the statements that run, and how a database means to answer a query."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Select, event


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that any connection runs."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def explain(connection: Connection, query: Select[*tuple[Any, ...]]) -> str:
    is_postgres = connection.dialect.name == "postgresql"
    compiled = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    rows = connection.exec_driver_sql(f"{'EXPLAIN' if is_postgres else 'EXPLAIN QUERY PLAN'} {compiled}")
    return "\n".join(str(row[-1]) for row in rows)
