"""All pages together."""

from fastapi import APIRouter

from runway_app_http.ui import (
    company,
    console,
    console_forms,
    dead_letters,
    digest,
    digest_sending,
    failures,
    firm_policy,
    health,
    history,
    outlook,
    planned,
    policy,
    portfolio,
    questions,
    static_files,
    tray,
)


def build_pages() -> APIRouter:
    """All pages and what they load."""
    pages = APIRouter(include_in_schema=False)
    for page in (
        portfolio,
        digest,
        digest_sending,
        tray,
        console,
        console_forms,
        outlook,
        planned,
        questions,
        policy,
        firm_policy,
        company,
        history,
        health,
        dead_letters,
        failures,
        static_files,
    ):
        pages.include_router(page.router)
    return pages
