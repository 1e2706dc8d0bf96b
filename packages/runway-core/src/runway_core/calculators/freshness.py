"""How old the books are."""

from datetime import datetime, timedelta

from runway_core.domain.books import Books
from runway_core.domain.company import ConnectionState

TOO_OLD = timedelta(hours=72)
"""Beyond this nothing can be said about cash."""


def find_source_read_at(books: Books) -> datetime | None:
    """The rail's clock at the last whole pull, of the connection read longest ago; `None` when nothing was ever read.

    Connections that were switched off do not count, nor do new ones beside others that were read.
    """
    return min(
        (
            connection.source_read_at
            for connection in books.connections
            if connection.source_read_at is not None and connection.state is not ConnectionState.DISCONNECTED
        ),
        default=None,
    )
