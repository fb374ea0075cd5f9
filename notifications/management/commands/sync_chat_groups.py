"""``manage.py sync_chat_groups``: copy the list of groups from Tencent, and wait."""

import time
from typing import Any

from django.core.management.base import CommandError

from notifications.delivery.heartbeat import has_live_worker
from notifications.groups.sync.presentation import explain_failure, summary
from notifications.groups.sync.queries import change_counts, progress_of
from notifications.groups.sync.services import request_sync_by
from notifications.management.base import FAILED, RecordedCommand, account
from notifications.models import GroupSync

LOOK_EVERY = 1.0


class Command(RecordedCommand):
    help = (
        "Ask for a sync of the chat groups with Tencent, and wait for its end. A running "
        "worker (send_worker) does it; one that is open already is waited for. Progress "
        "goes to stderr, what changed to stdout. Exit code 1: it failed, was stopped, or "
        "no worker is running."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sync = request_sync_by(f"sync_chat_groups ({account()})")
        told = ""
        while not sync.has_ended:
            if not has_live_worker():
                raise CommandError(
                    f"Sync {sync.pk} is asked for, but no worker is running. Start "
                    "manage.py send_worker: it begins at once.",
                    returncode=FAILED,
                )
            progress = progress_of(sync)
            now = f"{progress.done:,} of {progress.total:,} groups read"
            if now != told:
                self.stderr.write(now)
                told = now
            time.sleep(LOOK_EVERY)
            sync.refresh_from_db()
        self._tell_end(sync)

    def _tell_end(self, sync: GroupSync) -> None:
        parts = summary(sync, change_counts(sync)) or ["nothing changed"]
        self.stdout.write(f"Sync {sync.pk}: {', '.join(parts)}")
        if failure := explain_failure(sync):
            mark = f" ({failure.mark})" if failure.mark else ""
            raise CommandError(
                f"It failed. {failure.meaning}{mark} {failure.remedy}",
                returncode=FAILED,
            )
        if sync.status == GroupSync.Status.CANCELLED:
            raise CommandError("It was stopped.", returncode=FAILED)
