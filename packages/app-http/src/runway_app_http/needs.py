"""What every address needs of whoever calls it: the one table. An address that is not in it is closed.

`tests/app/test_needs.py` calls each address of the app with each lesser role, with an unassigned company and with
another firm's; an address without a line here fails it.
"""

import re
from functools import cache

from runway_core.domain.people import Need

OPEN = None
"""Whoever can reach the server: probes, what proves itself, and the way in."""

COMPANY = "/companies/{company_id}"

_READ = (
    "GET /", "GET /portfolio.csv", "GET /health", "GET /work", "GET /work.csv", "GET /v1/work",
    "GET /tray", "GET /tray.csv", "GET /health.csv", "GET /across", "GET /across/{act_id}",
    "GET /v1/tray", "GET /v1/tray/{check}", "GET /v1/across", "GET /v1/across/{act_id}",
    "GET /digest", "GET /v1/digest",
    "GET /v1/portfolio", "GET /v1/companies", "GET /v1/health", "GET /v1/me",
    "GET /policy", "GET /v1/policy", "GET /v1/policy/history",  # the firm's own
    "GET /v1/chains/{correlation_id}",
    "GET /deadletters", "GET /v1/deadletters", "GET /v1/deadletters/{letter_id}",  # of companies that one sees
    "GET /openapi.json", "GET /metrics",
    "GET /v1/views", "GET /v1/views/{view_id}",
    # One's own views; of shared ones the service asks for more.
    "POST /views", "POST /views/{view_id}", "POST /v1/views", "POST /v1/views/{view_id}",
    "POST /v1/views/{view_id}/remove",
    # Whatever is read of one company; `**` stands for all that may follow.
    f"GET {COMPANY}**", f"GET /v1{COMPANY}**",
    # Posted because they carry much, and nothing of them is kept.
    f"POST /v1{COMPANY}/what-if", f"POST /v1{COMPANY}/decisions/check", f"POST /v1{COMPANY}/fixes/preview",
    f"POST /v1{COMPANY}/questions/preview",
    # One's own account.
    "GET /account", "GET /account/second-factor", "POST /account/**", "GET /sign-in/again", "POST /sign-in/again",
)  # fmt: skip

_DECIDE = (
    f"POST {COMPANY}/sync", f"POST {COMPANY}/findings/{{finding_id}}", f"POST {COMPANY}/findings/{{finding_id}}/fix",
    f"POST {COMPANY}/fixes", f"POST {COMPANY}/fixes/{{fix_id}}/undo",
    f"POST {COMPANY}/conflicts/{{conflict_id}}", f"POST /v1{COMPANY}/conflicts/{{conflict_id}}",
    f"POST {COMPANY}/console/**", f"POST {COMPANY}/digest/mail",
    f"POST {COMPANY}/planned", f"POST {COMPANY}/planned/{{item_id}}",
    f"POST {COMPANY}/scenarios", f"POST {COMPANY}/scenarios/{{scenario_id}}/drop",
    f"POST {COMPANY}/questions", f"POST {COMPANY}/questions/{{question_id}}",
    f"POST /v1{COMPANY}/sync", f"POST /v1{COMPANY}/findings/{{finding_id}}",
    f"POST /v1{COMPANY}/fixes", f"POST /v1{COMPANY}/fixes/{{fix_id}}/undo",
    f"POST /v1{COMPANY}/digests",
    f"POST /v1{COMPANY}/questions", f"POST /v1{COMPANY}/questions/{{question_id}}/**",
    f"POST /v1{COMPANY}/planned-items", f"POST /v1{COMPANY}/planned-items/{{item_id}}",
    f"POST /v1{COMPANY}/scenarios", f"POST /v1{COMPANY}/scenarios/{{scenario_id}}/drop",
    f"POST /v1{COMPANY}/decisions", f"POST /v1{COMPANY}/decisions/batch",
    f"POST /v1{COMPANY}/decisions/{{decision_id}}/**",
    f"POST /v1{COMPANY}/collections/**", f"POST /v1{COMPANY}/call-backs",
    "POST /across", "POST /across/digests", "POST /across/{act_id}/undo", "POST /v1/across/preview", "POST /v1/across",
    "POST /v1/across/{act_id}/undo",  # of assigning the service asks for more
    "POST /digest", "POST /v1/digest",  # of the whole firm: the service asks for all of it
    "POST /deadletters", "POST /v1/deadletters",
)  # fmt: skip

_MANAGE = (
    f"POST {COMPANY}/policy", f"POST {COMPANY}/policy/vendors",
    f"POST /v1{COMPANY}/policy", f"POST /v1{COMPANY}/policy/revert", f"POST /v1{COMPANY}/policy/rules",
    "POST /policy", "POST /v1/policy", "POST /v1/policy/revert",  # of the whole firm: the service asks for all of it
)  # fmt: skip

_ADMIN = (
    f"POST /v1{COMPANY}/erasure",
    "GET /v1/webhooks**",
    "POST /v1/webhooks**",  # of the whole firm: the service asks for all of it
    "GET /hooks",
    "POST /hooks",
    "GET /hooks/{subscription_id}",
    "POST /hooks/{subscription_id}",
    "GET /people",
    "POST /people",
    "GET /people/{person_id}",
    "POST /people/{person_id}",
)

_OPEN = (
    "GET /healthz", "GET /readyz", "GET /static/{name}", "GET /errors/{code}",
    "POST /webhooks/{rail}",  # proves itself by its signature
    "GET /sign-in", "POST /sign-in", "GET /sign-in/code", "POST /sign-in/code",
    "GET /sign-in/with", "GET /sign-in/with/back",
    "GET /welcome", "POST /welcome",
    "POST /sign-out",
)  # fmt: skip

NEEDS: dict[str, Need | None] = {
    **dict.fromkeys(_READ, Need.READ),
    **dict.fromkeys(_DECIDE, Need.DECIDE),
    **dict.fromkeys(_MANAGE, Need.MANAGE),
    **dict.fromkeys(_ADMIN, Need.ADMIN),
    **dict.fromkeys(_OPEN, OPEN),
}
"""By method and path."""


class UnknownAddress(LookupError):
    """No line of the table speaks of this address."""


@cache
def _compile(line: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\}|\*\*)", line)
    written = ("[^/]+" if part.startswith("{") else ".*" if part == "**" else re.escape(part) for part in parts if part)
    return re.compile("".join(written))


def _rank(line: str) -> tuple[int, int, int]:
    """Lines that say more come first."""
    return "**" in line, line.count("{"), -len(line)


_RANKED = sorted(NEEDS, key=_rank)


def _find_line(call: str) -> str | None:
    return next((line for line in _RANKED if _compile(line).fullmatch(call)), None)


def find_need(method: str, path: str) -> Need | None:
    """What a call needs; `None` is nothing. `path` is a path or the template of one.

    Raises:
        UnknownAddress: the table does not say.
    """
    line = _find_line(f"{'GET' if method == 'HEAD' else method} {path}")
    if line is None:
        raise UnknownAddress(f"{method} {path}")
    return NEEDS[line]
