"""Copying the list of groups from Tencent: one run, what it has to ask, what it changed.

waiting → running → completed | failed | cancelled

A run that was killed is still *running*: the next worker goes on from ``step`` and
``next``, with the items that are not done.
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class GroupSyncQuerySet(models.QuerySet["GroupSync"]):
    def open(self) -> "GroupSyncQuerySet":
        """Not ended: one at most."""
        return self.filter(status__in=GroupSync.OPEN)


class GroupSync(models.Model):
    """One run. Its counts come from the rows of items and changes."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        COMPLETED = "completed", _("Finished")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Stopped")

    SCHEDULE = "schedule"
    OPEN = frozenset({Status.WAITING, Status.RUNNING})

    status = models.CharField(
        _("state"), max_length=10, choices=Status, default=Status.WAITING
    )
    requested_by = models.CharField(_("by"), max_length=150)  # or SCHEDULE
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("ended"), null=True)
    # Which part of the list is read now, and where the next page of it begins: a
    # number of Tencent that can exceed 32 bits.
    step = models.PositiveSmallIntegerField(default=0)
    next = models.BigIntegerField(default=0)
    is_listed = models.BooleanField(default=False)
    # Numbers of members change all the time: counted, not listed as changes.
    members_updated = models.PositiveIntegerField(default=0)
    # Why it failed: Tencent's code, else a word of notifications.im.outcomes.Reason.
    error_code = models.IntegerField(null=True)
    reason = models.CharField(max_length=20, blank=True)
    error_info = models.TextField(blank=True)

    objects: ClassVar = GroupSyncQuerySet.as_manager()

    class Meta:
        verbose_name = _("group sync")
        verbose_name_plural = _("group syncs")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["waiting", "running"], finished_at__isnull=True
                )
                | models.Q(
                    status__in=["completed", "failed", "cancelled"],
                    finished_at__isnull=False,
                ),
                name="group_sync_ended_has_time",
            ),
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(status__in=["waiting", "running"]),
                name="group_sync_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.status}"

    @property
    def has_ended(self) -> bool:
        return self.status not in self.OPEN

    @property
    def is_scheduled(self) -> bool:
        """Whether nobody asked for it."""
        return self.requested_by == self.SCHEDULE


class SyncItem(models.Model):
    """A group that a run has to ask for; removed when the run has ended."""

    # Without an index of its own, as below: two others begin with it, and PostgreSQL
    # would take that one and look through the whole run for each group.
    sync = models.ForeignKey(
        GroupSync, models.CASCADE, related_name="items", db_index=False
    )
    group_id = models.CharField(max_length=48)
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sync", "group_id"], name="sync_item_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["sync", "id"],
                condition=models.Q(is_done=False),
                name="sync_item_to_do",
            )
        ]

    def __str__(self) -> str:
        return self.group_id


class SyncChange(models.Model):
    """What a run changed in one group, or why it could not read it."""

    class Kind(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        CLOSED = "closed", _("Closed")
        REOPENED = "reopened", _("Open again")
        UNKNOWN_TYPE = "unknown_type", _("Unknown type")
        NOT_READ = "not_read", _("Not read")

    sync = models.ForeignKey(
        GroupSync, models.CASCADE, related_name="changes", db_index=False
    )
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    group_id = models.CharField(_("group ID"), max_length=48)
    name = models.CharField(_("group"), max_length=100, blank=True)
    # Fields of the group by name, as they were and as they are.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["sync", "kind", "id"], name="sync_change_by_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.group_id}"
