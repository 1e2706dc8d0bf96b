"""What any HTTP rail needs: transport, retry, call budget, OAuth, webhook signatures."""

from runway_rail_kit.budget import CallBudget, Window
from runway_rail_kit.factory_parts import BudgetShelf, read_settings
from runway_rail_kit.http_factory import HttpRailFactory
from runway_rail_kit.oauth import AccessTokens, Grant, GrantRefused, OAuthClient, OAuthSecrets
from runway_rail_kit.payloads import UNREADABLE
from runway_rail_kit.shared_budget import SharedBudget
from runway_rail_kit.signatures import is_signed, verify_hmac
from runway_rail_kit.trail import PageTrail
from runway_rail_kit.transport import (
    Answer,
    HttpTransport,
    NoAnswer,
    Pauses,
    TransportLimits,
    repeat_read,
    repeat_while_unavailable,
)

__all__ = [
    "UNREADABLE",
    "AccessTokens",
    "Answer",
    "BudgetShelf",
    "CallBudget",
    "Grant",
    "GrantRefused",
    "HttpRailFactory",
    "HttpTransport",
    "NoAnswer",
    "OAuthClient",
    "OAuthSecrets",
    "PageTrail",
    "Pauses",
    "SharedBudget",
    "TransportLimits",
    "Window",
    "is_signed",
    "read_settings",
    "repeat_read",
    "repeat_while_unavailable",
    "verify_hmac",
]
