"""What depends on what: which rails are to be read again when another one brought news."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from runway_core.domain.identity import RecordKind
from runway_core.ports.ledger_rail import RailFactory, RailRole


@dataclass(frozen=True, slots=True)
class Dependency:
    """When a rail of one role brings news of these kinds, the company's rails of another role are read again."""

    name: str  # for people: "a payment there moves the bank"
    source: RailRole
    kinds: frozenset[RecordKind]
    target: RailRole


@runtime_checkable
class DeclaresDependencies(Protocol):
    """What a `RailFactory` has besides when more depends on its news than the core knows."""

    @property
    def dependencies(self) -> Sequence[Dependency]:
        """Dependencies whose source is this rail; their `source` is one of its roles."""
        ...


def find_declared(factory: RailFactory) -> Sequence[Dependency]:
    """What a rail declares itself."""
    return factory.dependencies if isinstance(factory, DeclaresDependencies) else ()
