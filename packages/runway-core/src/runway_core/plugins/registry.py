"""Which rails are installed: found through the entry point group `runway`, asked through one hook."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from types import MappingProxyType

import pluggy

from runway_core.errors import InvalidRequest, NotFound
from runway_core.plugins import hookspecs
from runway_core.ports.ledger_rail import RailFactory


@dataclass(frozen=True, slots=True)
class InstalledRail:
    """One rail and the distribution that brought it."""

    factory: RailFactory
    distribution: str
    version: str


class RailRegistry:
    """The rails that connections may name."""

    def __init__(self, factories: Iterable[RailFactory] = ()) -> None:
        self._rails: dict[str, InstalledRail] = {}
        for factory in factories:
            self._add(factory)

    @classmethod
    def from_installed_plugins(cls) -> "RailRegistry":
        """Load every plugin of the entry point group `runway` and let each register its rails.

        Raises:
            InvalidRequest: two plugins offer a rail of the same name.
        """
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.load_setuptools_entrypoints(hookspecs.PROJECT)
        registry = cls()
        manager.hook.runway_register_rails(register=registry._add)
        return registry

    def _add(self, factory: RailFactory) -> None:
        if factory.name in self._rails:
            held = self._rails[factory.name].distribution
            raise InvalidRequest(f"two plugins offer a rail named {factory.name!r} ({held} is one): uninstall one")
        distribution, number = _origin(type(factory).__module__)
        self._rails[factory.name] = InstalledRail(factory=factory, distribution=distribution, version=number)

    @property
    def installed(self) -> Mapping[str, InstalledRail]:
        """Every rail by name."""
        return MappingProxyType(dict(sorted(self._rails.items())))

    def factory(self, name: str) -> RailFactory:
        """The factory of a rail.

        Raises:
            NotFound: no installed plugin offers it.
        """
        rail = self._rails.get(name)
        if rail is None:
            known = ", ".join(sorted(self._rails)) or "none"
            raise NotFound(
                f"no rail named {name!r} is installed (installed: {known}); try `pip install runway-rail-{name}`"
            )
        return rail.factory


def _origin(module: str) -> tuple[str, str]:
    """The distribution and version that a module came from; a rail of the embedding app itself has none."""
    top = module.partition(".")[0]
    names = packages_distributions().get(top, [])
    if not names:
        loaded = sys.modules.get(top)
        return top, str(getattr(loaded, "__version__", ""))
    try:
        return names[0], version(names[0])
    except PackageNotFoundError:
        return names[0], ""
