"""What any HTTP rail needs: transport, retry, call budget, OAuth, webhook signatures."""

from runway_rail_kit.budget import CallBudget, Window
from runway_rail_kit.oauth import AccessTokens, Grant, GrantRefused, OAuthClient, OAuthSecrets
from runway_rail_kit.shared_budget import SharedBudget
from runway_rail_kit.signatures import is_signed, verify_hmac
from runway_rail_kit.transport import Answer, HttpTransport, NoAnswer, TransportLimits, repeat_while_unavailable

__all__ = [
    "AccessTokens",
    "Answer",
    "CallBudget",
    "Grant",
    "GrantRefused",
    "HttpTransport",
    "NoAnswer",
    "OAuthClient",
    "OAuthSecrets",
    "SharedBudget",
    "TransportLimits",
    "Window",
    "is_signed",
    "repeat_while_unavailable",
    "verify_hmac",
]
