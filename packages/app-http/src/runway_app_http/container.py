"""The composition root: the one file that names concrete adapters."""

import os
import platform
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dependency_injector import containers, providers
from pydantic import SecretStr
from runway_core.domain.service_levels import FreshnessObjective
from runway_core.errors import InvalidRequest
from runway_core.plugins.registry import RailRegistry
from runway_core.ports.anchors import AnchorSink
from runway_core.ports.clock import Clock, SystemClock
from runway_core.ports.log_archives import ArchiveCopies
from runway_core.ports.store import Store
from runway_core.runway import Runway
from runway_core.services.health import AlertTeller
from runway_core.sync.engine import Beat, EngineSettings, SyncEngine
from runway_core.sync.freshness import TimeToLive
from runway_core.sync.health import ServiceSettings
from runway_core.sync.schedule import Intervals
from runway_store_sql import BackupReport, FolderAnchorSink, SqlStore

from runway_app_http.alerting import MailTeller, WebhookTeller
from runway_app_http.announcer import make_announcer
from runway_app_http.mailer import Mailer, SmtpMailer, check_addresses
from runway_app_http.secret_keys import read_secret_key
from runway_app_http.settings import AppSettings


def make_anchor_sinks(settings: AppSettings) -> Sequence[AnchorSink]:
    """Where anchors of the log are written to.

    Raises:
        InvalidRequest: an address that is none of a bucket.
    """
    folders = [FolderAnchorSink(folder) for folder in settings.anchor_folders]
    if settings.anchor_bucket is None:
        return folders
    bucket = _load_bucket()
    sink: AnchorSink = bucket.BucketAnchorSink(_open_bucket(bucket, settings.anchor_bucket, settings))
    return [*folders, sink]


def make_archive_copies(settings: AppSettings) -> ArchiveCopies | None:
    """Where archived months of the log are kept beside their folder; `None` where no bucket is set.

    Raises:
        InvalidRequest: an address that is none of a bucket.
    """
    if settings.log_archive_bucket is None:
        return None
    bucket = _load_bucket()
    copies: ArchiveCopies = bucket.BucketCopies(_open_bucket(bucket, settings.log_archive_bucket, settings))
    return copies


def _load_bucket() -> ModuleType:
    """Loaded where a bucket is set alone: its library takes fifty milliseconds, which every command would pay."""
    return import_module("runway_app_http.bucket")


def _open_bucket(bucket: ModuleType, address: str, settings: AppSettings) -> object:
    return bucket.open_bucket(
        address,
        endpoint=settings.bucket_endpoint,
        region=settings.bucket_region,
        key_id=settings.bucket_key_id,
        key_secret=settings.bucket_key_secret,
    )


def make_service_settings(settings: AppSettings) -> ServiceSettings:
    """What is promised of freshness, how far apart pulls are, what metered rails allow."""
    rails = {rail: timedelta(minutes=minutes) for rail, minutes in settings.tick_minutes_by_rail.items()}
    return ServiceSettings(
        intervals=Intervals(
            usual=timedelta(minutes=settings.tick_minutes), rails=rails, heard_percent=settings.heard_percent
        ),
        quotas=settings.quotas,
        quota_live_percent=settings.quota_live_percent,
        objective=FreshnessObjective(fresh_minutes=settings.fresh_minutes, percent=settings.fresh_percent),
        late_minutes=settings.late_minutes,
        time_to_live=TimeToLive(
            critical=timedelta(minutes=settings.critical_minutes),
            standard=timedelta(minutes=settings.standard_minutes),
            history=timedelta(minutes=settings.history_minutes),
        ),
    )


def make_alert_tellers(settings: AppSettings, clock: Clock) -> Sequence[AlertTeller]:
    """Who is told of alerts, beside the program's log.

    Raises:
        InvalidRequest: an address that cannot be, no secret to sign with, or mail without a mail server.
    """
    tellers: list[AlertTeller] = []
    if settings.alert_webhook_url is not None:
        secret = settings.alert_webhook_secret or SecretStr("")
        private = settings.alert_allow_private
        tellers.append(WebhookTeller(settings.alert_webhook_url, secret, clock=clock, allow_private=private))
    if settings.alert_mail_to:
        mailer = make_mailer(settings)
        if mailer is None:
            raise InvalidRequest("RUNWAY_ALERT_MAIL_TO is set and RUNWAY_SMTP_URL is not: say who carries the mail")
        tellers.append(MailTeller(mailer, check_addresses(settings.alert_mail_to), clock=clock))
    return tellers


class Container(containers.DeclarativeContainer):
    """What is built once from the settings, and how the parts find one another."""

    settings = providers.Dependency(instance_of=AppSettings)
    clock = providers.Singleton(SystemClock)
    rails = providers.Singleton(RailRegistry.from_installed_plugins)
    store = providers.Singleton(
        SqlStore,
        settings.provided.database_url,
        secret_key=providers.Callable(read_secret_key, settings),
        other_secret_keys=settings.provided.other_secret_keys,
        log_key=settings.provided.log_key,
        log_key_before=settings.provided.log_key_before,
        log_archive=settings.provided.log_archive_folder,
        archive_copies=providers.Callable(make_archive_copies, settings),
        clock=clock,
    )
    anchor_sinks = providers.Singleton(make_anchor_sinks, settings)
    service = providers.Singleton(make_service_settings, settings)
    alert_tellers = providers.Singleton(make_alert_tellers, settings, clock)
    announcer = providers.Singleton(
        make_announcer,
        base=settings.provided.served_address,
        allow_private=settings.provided.webhooks_allow_private,
    )
    runway = providers.Singleton(
        Runway.open,
        store=store,
        rails=rails,
        clock=clock,
        anchor_sinks=anchor_sinks,
        service=service,
        alert_tellers=alert_tellers,
        announcer=announcer,
    )


def build_container(settings: AppSettings) -> Container:
    """Wire everything for these settings; nothing is opened yet.

    Raises:
        InvalidRequest: a database address that cannot be read, when the store is first asked for.
    """
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


def make_store(settings: AppSettings) -> Store:
    """The configured database, not opened: for migrating it and looking at it.

    Raises:
        InvalidRequest: a database address that cannot be read.
    """
    store: Store = build_container(settings).store()
    return store


async def rotate_secrets(settings: AppSettings, *, new_key: bool) -> int:
    """Keep everything under the newest key; returns how much was under an older one.

    Raises:
        InvalidRequest: a new key is wanted where keys are given by settings.
        StoreUnavailable: something was kept under a key that this process does not have.
    """
    store: SqlStore = build_container(settings).store()
    async with store:
        return await store.rotate_secrets(new_key=new_key)


async def grant_app_role(settings: AppSettings, role: str) -> None:
    """Let a role of PostgreSQL run the app and nothing beyond it.

    Raises:
        InvalidRequest: no such role, one that passes row level security, or an embedded database.
    """
    store: SqlStore = build_container(settings).store()
    async with store:
        await store.grant_app_role(role)


async def back_up(settings: AppSettings, target: Path) -> BackupReport:
    """Write the configured database into a file.

    Raises:
        InvalidRequest: the file exists, or this role does not see every row.
        StoreUnavailable: the database cannot be reached, or the file cannot be written.
    """
    store: SqlStore = build_container(settings).store()
    return await store.back_up(target)


async def restore(settings: AppSettings, source: Path) -> BackupReport:
    """Make the configured database of a backup.

    Raises:
        InvalidRequest: the file is no sound backup, or the database holds something.
        SchemaMismatch: the backup is newer than this code.
    """
    store: SqlStore = build_container(settings).store()
    return await store.restore(source)


def find_rails() -> RailRegistry:
    """The rails that plugins offer, without a database.

    Raises:
        InvalidRequest: two plugins offer a rail of the same name.
    """
    return RailRegistry.from_installed_plugins()


def make_engine(
    runway: Runway, settings: AppSettings, *, works: bool = True, plans: bool = True, more_beats: Sequence[Beat] = ()
) -> SyncEngine:
    """What keeps an open `Runway` fresh, at the pace of the settings: one that plans, one that works, or both.

    One that plans looks at `more_beats` besides.
    """
    engine = runway.engine(
        f"{platform.node()}:{os.getpid()}",
        intervals=make_service_settings(settings).intervals,
        settings=EngineSettings(at_once=settings.companies_at_once),
        works=works,
        plans=plans,
    )
    if plans:
        engine.beats = (*engine.beats, *more_beats)
    return engine


def make_mailer(settings: AppSettings) -> Mailer | None:
    """The mail server of the settings; `None` where none is set.

    Raises:
        InvalidRequest: an address that cannot be read, or a mail server without a sender.
    """
    if settings.smtp_url is None:
        return None
    if settings.mail_from is None:
        raise InvalidRequest("RUNWAY_SMTP_URL is set and RUNWAY_MAIL_FROM is not: say who sends the digests")
    return SmtpMailer(settings.smtp_url, settings.mail_from)
