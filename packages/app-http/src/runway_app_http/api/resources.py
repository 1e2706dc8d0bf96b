"""The resources of the JSON API, put together under `/v1`."""

from fastapi import APIRouter

from runway_app_http.api import (
    across,
    balances,
    bills,
    call_backs,
    chains,
    collections,
    companies,
    conflicts,
    dead_letters,
    decisions,
    digests,
    erasure,
    experiences,
    findings,
    firm_digest,
    fixes,
    health,
    history,
    invoices,
    me,
    planned_items,
    policy,
    portfolio,
    questions,
    scenarios,
    submissions,
    sync,
    views,
    webhooks,
    work,
)
from runway_app_http.problems import Problem


def build_api() -> APIRouter:
    """All resources, with the failures that any of them may answer."""
    api = APIRouter(
        prefix="/v1",
        responses={
            404: {"model": Problem, "description": "No such company, record or finding in this firm."},
            410: {"model": Problem, "description": "The company was erased, or the record is gone."},
            412: {"model": Problem, "description": "It was changed since the version in `If-Match`."},
            422: {"model": Problem, "description": "A value that cannot be; `errors` names the fields."},
            503: {"model": Problem, "description": "The database or a rail does not answer; see `Retry-After`."},
        },
    )
    for resource in (
        portfolio,
        views,
        across,
        work,
        companies,
        erasure,
        experiences,
        digests,
        firm_digest,
        findings,
        conflicts,
        fixes,
        questions,
        planned_items,
        policy,
        scenarios,
        decisions,
        submissions,
        collections,
        call_backs,
        bills,
        invoices,
        balances,
        history,
        sync,
        dead_letters,
        chains,
        health,
        webhooks,
        me,
    ):
        api.include_router(resource.router)
    api.include_router(history.custody_router)
    return api
