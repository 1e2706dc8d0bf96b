"""All pages together."""

from fastapi import APIRouter

from runway_app_http.ui import (
    account,
    across,
    across_digests,
    company,
    console,
    console_batch,
    console_forms,
    dead_letters,
    digest,
    digest_sending,
    failures,
    firm_digest,
    firm_policy,
    firm_tray,
    health,
    history,
    outlook,
    people,
    planned,
    policy,
    portfolio,
    questions,
    reconciliation,
    saved_views,
    scenarios,
    sign_in,
    sign_in_with,
    static_files,
    tray,
    webhooks,
    work,
)


def build_pages() -> APIRouter:
    """All pages and what they load."""
    pages = APIRouter(include_in_schema=False)
    for page in (
        portfolio,
        saved_views,
        firm_tray,
        across_digests,
        across,
        work,
        digest,
        digest_sending,
        tray,
        reconciliation,
        console,
        console_forms,
        console_batch,
        outlook,
        scenarios,
        planned,
        questions,
        policy,
        firm_policy,
        firm_digest,
        company,
        history,
        health,
        dead_letters,
        failures,
        sign_in,
        sign_in_with,
        account,
        people,
        webhooks,
        static_files,
    ):
        pages.include_router(page.router)
    return pages
