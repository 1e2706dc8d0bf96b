"""Which rails are installed: found through the entry point group `runway`, asked through one hook."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
        self._origins: dict[str, tuple[str, str]] = {}
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
        for plugin, distribution in manager.list_plugin_distinfo():
            registry._origins[_top_package(getattr(plugin, "__name__", ""))] = (
                distribution.metadata["Name"],
                distribution.version,
            )
        manager.hook.runway_register_rails(register=registry._add)
        return registry

    def _add(self, factory: RailFactory) -> None:
        if factory.name in self._rails:
            held = self._rails[factory.name].distribution
            raise InvalidRequest(f"two plugins offer a rail named {factory.name!r} ({held} is one): uninstall one")
        # A rail of the embedding app itself, handed over without a plugin, has no distribution of its own.
        package = _top_package(type(factory).__module__)
        distribution, version = self._origins.get(package, (package, ""))
        self._rails[factory.name] = InstalledRail(factory=factory, distribution=distribution, version=version)

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


def _top_package(module: str) -> str:
    return module.partition(".")[0]
