"""What the vendor answers when it refuses: one flat body, with a status that says little (facts/plaid.md 6)."""

from __future__ import annotations


class PlaidFaultError(Exception):
    """A refusal in the vendor's words."""

    def __init__(self, error_type: str, error_code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.error_code = error_code
        self.status = status

    def body(self, request_id: str) -> dict[str, object]:
        """Build the body; everything but the request id is the same each time."""
        return {
            "display_message": None,
            "error_code": self.error_code,
            "error_message": str(self),
            "error_type": self.error_type,
            "request_id": request_id,
        }


LOGIN_REQUIRED_TEXT = (
    "the login details of this item have changed (credentials, MFA, or required user action) and a user login is "
    "required to update this information. use Link's update mode to restore the item to a good state"
)


def login_required() -> PlaidFaultError:
    """The person must sign in at the bank again."""
    return PlaidFaultError("ITEM_ERROR", "ITEM_LOGIN_REQUIRED", LOGIN_REQUIRED_TEXT)


def unknown_token() -> PlaidFaultError:
    """The access token is none, or its item was removed."""
    return PlaidFaultError(
        "INVALID_INPUT",
        "INVALID_ACCESS_TOKEN",
        "could not find matching access token; the Item may have been removed",
    )


def invalid_keys() -> PlaidFaultError:
    """The app's own keys are wrong."""
    return PlaidFaultError("INVALID_INPUT", "INVALID_API_KEYS", "invalid client_id or secret provided")


def missing_fields(*names: str) -> PlaidFaultError:
    """The request lacks what it must carry."""
    listed = ", ".join(names)
    return PlaidFaultError("INVALID_REQUEST", "MISSING_FIELDS", f"the following required fields are missing: {listed}")


def invalid_field(message: str) -> PlaidFaultError:
    """A member of the request makes no sense."""
    return PlaidFaultError("INVALID_REQUEST", "INVALID_FIELD", message)


def invalid_body() -> PlaidFaultError:
    """The body is not a JSON object."""
    return PlaidFaultError("INVALID_REQUEST", "INVALID_BODY", "body could not be parsed as JSON")


def not_found() -> PlaidFaultError:
    """No such address."""
    return PlaidFaultError("INVALID_REQUEST", "NOT_FOUND", "requested route not found", status=404)


def mutated_while_paging() -> PlaidFaultError:
    """The set changed between two pages: begin again at the first cursor."""
    return PlaidFaultError(
        "TRANSACTIONS_ERROR",
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
        "Underlying transaction data changed since last page was fetched. Please restart pagination from last update.",
    )


def too_many(error_code: str) -> PlaidFaultError:
    """More calls than the vendor takes in a minute; it says nothing of when to come back."""
    return PlaidFaultError(
        "RATE_LIMIT_EXCEEDED", error_code, "rate limit exceeded for attempts to access this item", status=429
    )


def server_error() -> PlaidFaultError:
    """The vendor's own trouble."""
    return PlaidFaultError("API_ERROR", "INTERNAL_SERVER_ERROR", "an unexpected error occurred", status=500)


def institution_down() -> PlaidFaultError:
    """The bank does not answer the vendor."""
    return PlaidFaultError(
        "INSTITUTION_ERROR",
        "INSTITUTION_NOT_RESPONDING",
        "this institution is not currently responding to this request. please try again soon",
    )
