"""``manage.py sync_chat_groups``: request a sync of the groups and wait for its end."""

import time
from typing import Any

from django.core.management.base import CommandError

from notifications.delivery.heartbeat import has_live_worker
from notifications.groups.sync.presentation import explain_failure, summary
from notifications.groups.sync.queries import change_counts, progress_of
from notifications.groups.sync.services import request_sync_by
from notifications.management.base import FAILED, RecordedCommand, os_user
from notifications.models import GroupSync

POLL_SECONDS = 1.0


class Command(RecordedCommand):
    help = (
        "Request a sync of the chat groups from Tencent and wait until it has ended. A "
        "running worker (send_worker) does the sync. If a sync is already open, wait for "
        "that one. Progress goes to stderr, the changes to stdout. Exit code 1: the sync "
        "failed or was stopped, or no worker is running."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sync = request_sync_by(f"sync_chat_groups ({os_user()})")
        last_line = ""
        while not sync.has_ended:
            if not has_live_worker():
                raise CommandError(
                    f"Sync {sync.pk} is requested, but no worker is running. Start "
                    "manage.py send_worker, which begins at once.",
                    returncode=FAILED,
                )
            progress = progress_of(sync)
            line = f"{progress.done:,} of {progress.total:,} groups read"
            if line != last_line:
                self.stderr.write(line)
                last_line = line
            time.sleep(POLL_SECONDS)
            sync.refresh_from_db()
        self._write_result(sync)

    def _write_result(self, sync: GroupSync) -> None:
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
