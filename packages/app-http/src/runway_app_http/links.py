"""Addresses that people are given, whoever gives them out: a page or a command."""

from urllib.parse import urlencode

from pydantic import SecretStr


def link_address(base: str, link: SecretStr) -> str:
    """Where somebody sets a password, once."""
    return f"{base.rstrip('/')}/welcome?{urlencode({'link': link.get_secret_value()})}"
