"""Celery with Redis as the carrier of wake-ups between Runway's schedulers and workers."""

from runway_queue_celery.broker import CeleryBroker

__all__ = ["CeleryBroker"]
