"""Where people see a record at its vendor: an address for a browser, made without asking anybody."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from runway_core.domain.identity import RecordKey
from runway_core.ports.ledger_rail import RailFactory


@runtime_checkable
class LinksRecords(Protocol):
    """What the factory of a rail may do beside opening rails."""

    def link_record(self, settings: Mapping[str, Any], key: RecordKey) -> str | None:
        """The https address of a record's page at the vendor, by a connection's settings.

        `None` where the vendor has no page for such a record, or the settings name no place that people can open.
        """
        ...


def find_record_link(factory: RailFactory, settings: Mapping[str, Any], key: RecordKey) -> str | None:
    """The address of a record's page at the vendor; `None` where the rail knows none. Only https is taken."""
    if not isinstance(factory, LinksRecords):
        return None
    link = factory.link_record(settings, key)
    return link if link is not None and link.startswith("https://") else None
