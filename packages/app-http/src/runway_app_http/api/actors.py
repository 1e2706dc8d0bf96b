"""Who acts when a program calls: `api`, with the key of the call where it carries one."""

from typing import Annotated

from fastapi import Depends, Header

IdempotencyKey = Annotated[str | None, Header(description="Names this call; see `idempotency.py`.")]


def name_actor(idempotency_key: IdempotencyKey = None) -> str:
    """The actor of a call; the key stands in the log."""
    return "api" if idempotency_key is None else f"api:{idempotency_key}"


ApiActor = Annotated[str, Depends(name_actor)]
"""The actor of a call, as the log names it."""
