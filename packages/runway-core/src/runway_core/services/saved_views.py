"""Saved views of the portfolio: each person's own, and those that the firm shares."""

from collections.abc import Sequence

from runway_core.domain.people import Need
from runway_core.domain.saved_views import SavedView
from runway_core.errors import InvalidRequest, NotFound
from runway_core.services.house_papers import HouseDesk
from runway_core.services.papers import build, demand_version
from runway_core.services.scope import Scope

LONGEST_NAME = 100
LONGEST_QUERY = 1000
MOST_VIEWS = 100
"""So many views one person may see: more are not found again by looking."""


class SavedViewService:
    """Keeps views by name. A person's own are seen by nobody else; a shared one is changed by whoever may decide.

    Where nobody signs in there are no persons, and every view is shared.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._house = HouseDesk(scope)

    @property
    def _me(self) -> str | None:
        return None if self._scope.caller is None else self._scope.caller.person_id

    async def list(self) -> Sequence[SavedView]:
        """The caller's own views and the shared ones, by name."""
        held = await self._house.list(SavedView)
        return sorted((view for view in held if view.person_id in (None, self._me)), key=order_of)

    async def get(self, view_id: str) -> SavedView:
        """One view that the caller sees.

        Raises:
            NotFound: no such view, or it was removed, or it is somebody else's.
        """
        view = await self._house.find(SavedView, view_id)
        if view is None or view.is_closed or view.person_id not in (None, self._me):
            raise NotFound(f"no saved view {view_id[:40]!r}")
        return view

    async def find(self, name: str) -> SavedView:
        """The view of this name, whatever its case: the caller's own goes before a shared one.

        Raises:
            NotFound: there is none.
        """
        wanted, views = _fold(name), await self.list()
        found = [view for view in views if _fold(view.name) == wanted]
        if not found:
            names = ", ".join(repr(view.name) for view in views[:5]) or "none yet"
            raise NotFound(f"no saved view {name[:100]!r}; saved are {names}")
        return min(found, key=lambda view: view.is_shared)

    async def save(
        self, name: str, query: str, *, actor: str, is_shared: bool = False, version: int | None = None
    ) -> SavedView:
        """Keep a view by name, or replace the one of that name among the caller's own, or among the shared ones.

        Raises:
            InvalidRequest: no name, one that is too long, or more views than are found again.
            NotAllowed: the caller may only look, and wants to share.
            StaleRevision: the view of that name was changed since `version`, or meanwhile.
        """
        person_id = None if is_shared else self._me
        views = await self.list()
        held = _named(views, name, person_id)
        if held is None and len(views) >= MOST_VIEWS:
            raise InvalidRequest(f"{len(views)} views are saved: remove one before another is saved")
        values = {"name": _clean_name(name), "query": _clean_query(query), "person_id": person_id, "is_closed": False}
        if held is None:
            now = self._scope.clock.now()
            made = {"paper_id": self._scope.new_id(), "changed_at": now, "changed_by": actor}
            held = build(SavedView, made | values)
        demand_version(held, version)
        return await self._keep(build(SavedView, held.__dict__ | values), actor=actor)

    async def rename(self, view_id: str, name: str, *, actor: str, version: int | None = None) -> SavedView:
        """Call a view otherwise.

        Raises:
            NotFound: no such view.
            InvalidRequest: no name, one that is too long, or one that another view has.
            NotAllowed: the caller may only look, and the view is shared.
            StaleRevision: it was changed since `version`, or meanwhile.
        """
        view = await self.get(view_id)
        demand_version(view, version)
        other = _named(await self.list(), name, view.person_id)
        if other is not None and other.paper_id != view.paper_id:
            raise InvalidRequest(f"another view is called {other.name!r}: choose another name, or remove that one")
        return await self._keep(build(SavedView, view.__dict__ | {"name": _clean_name(name)}), actor=actor)

    async def remove(self, view_id: str, *, actor: str, version: int | None = None) -> SavedView:
        """Remove a view; the log keeps what it was. The companies it showed are not touched.

        Raises:
            NotFound: no such view.
            NotAllowed: the caller may only look, and the view is shared.
            StaleRevision: it was changed since `version`, or meanwhile.
        """
        view = await self.get(view_id)
        demand_version(view, version)
        return await self._keep(build(SavedView, view.__dict__ | {"is_closed": True}), actor=actor)

    async def _keep(self, view: SavedView, *, actor: str) -> SavedView:
        """What is one's own touches nobody else: looking suffices for it."""
        return await self._house.save(view, actor=actor, need=Need.DECIDE if view.is_shared else Need.READ)


def order_of(view: SavedView) -> tuple[str, int, str]:
    """By name; of two of one name the shared one comes last."""
    return view.name.casefold(), int(view.is_shared), view.paper_id


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _named(views: Sequence[SavedView], name: str, person_id: str | None) -> SavedView | None:
    wanted = _fold(name)
    return next((view for view in views if view.person_id == person_id and _fold(view.name) == wanted), None)


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"a view needs a name of 1 to {LONGEST_NAME} printable signs")
    return name


def _clean_query(query: str) -> str:
    if len(query) > LONGEST_QUERY or not query.isprintable():
        raise InvalidRequest(f"a view's filters have at most {LONGEST_QUERY} printable signs")
    return query.removeprefix("?")
