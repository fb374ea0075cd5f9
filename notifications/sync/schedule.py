"""Runs that nobody asked for: every so many hours.

The first one is asked for by a person, unless the list of groups is empty: a list that
people chose by hand must not fill up by itself after an update.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from notifications.models import ChatGroup, GroupSync


def is_due(now: datetime) -> bool:
    """Whether the worker is to ask for a run by itself."""
    hours = int(settings.IM_SYNC_EVERY_HOURS)
    if not hours or GroupSync.objects.open().exists():
        return False
    last = GroupSync.objects.order_by("-pk").first()
    if last is None:
        return not ChatGroup.objects.exists()
    due: bool = last.created_at <= now - timedelta(hours=hours)
    return due


def ask_if_due(now: datetime) -> None:
    """Ask for a run when one is due; another worker may have been faster."""
    if not is_due(now):
        return
    try:
        with transaction.atomic():
            GroupSync.objects.create(requested_by=GroupSync.SCHEDULE, created_at=now)
    except IntegrityError:
        return
