"""Amounts as bodies send them: decimal text, exact; whole numbers are taken too."""

from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

SentAmount = Annotated[Decimal, WithJsonSchema({"type": "string", "examples": ["1598.35"]})]
"""An amount in a request."""
