"""Who is signed in where something is laid out: pages greet them without being told by every route."""

from contextvars import ContextVar

from runway_core.domain.people import Person
from runway_core.services.sessions import SignedIn

signed_in_here: ContextVar[SignedIn | None] = ContextVar("signed_in_here", default=None)
"""Set by the gate for the length of a request."""


def person_here() -> Person | None:
    """Whoever is signed in; `None` outside requests and where nobody is."""
    here = signed_in_here.get()
    return None if here is None else here.person
