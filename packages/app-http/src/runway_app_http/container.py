"""The composition root: the one file that names concrete adapters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dependency_injector import containers, providers
from fastapi import FastAPI
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.clock import SystemClock
from runway_core.runway import Runway
from runway_store_sql import SqlStore

from runway_app_http.scheduler import Ticker
from runway_app_http.settings import AppSettings
from runway_app_http.web import create_app


def make_app(runway: Runway, ticker: Ticker | None, settings: AppSettings) -> FastAPI:
    """The web app, with the ticker running beside it when there is one."""
    hooks = ([ticker.start], [ticker.stop]) if ticker is not None else ([], [])
    return create_app(runway, on_startup=hooks[0], on_shutdown=hooks[1], allowed_hosts=settings.allowed_hosts)


class Container(containers.DeclarativeContainer):
    """What is built once from the settings, and how the parts find one another."""

    settings = providers.Dependency(instance_of=AppSettings)
    clock = providers.Singleton(SystemClock)
    rails = providers.Singleton(RailRegistry.from_installed_plugins)
    store = providers.Singleton(
        SqlStore, settings.provided.database_url, secret_key=settings.provided.secret_key, clock=clock
    )
    runway = providers.Singleton(Runway.open, store=store, rails=rails, clock=clock)
    ticker = providers.Singleton(
        Ticker,
        runway=runway,
        interval_minutes=settings.provided.tick_minutes,
        at_once=settings.provided.companies_at_once,
    )
    app = providers.Factory(make_app, runway=runway, ticker=ticker, settings=settings)
    app_without_ticker = providers.Factory(make_app, runway=runway, ticker=None, settings=settings)


def build_container(settings: AppSettings) -> Container:
    """Wire everything for these settings; nothing is opened yet."""
    return Container(settings=settings)


@asynccontextmanager
async def open_runway(settings: AppSettings) -> AsyncIterator[Runway]:
    """The `Runway` of these settings, open for the length of a block.

    Raises:
        StoreUnavailable: the database cannot be reached or written.
        SchemaMismatch: the database is not migrated, or newer than this code.
    """
    async with build_container(settings).runway() as runway:
        yield runway
