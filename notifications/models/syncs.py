"""Syncs of the list of groups with Tencent: runs, their items and their changes.

waiting → running → completed | failed | cancelled

A run that was killed is still *running*: the next worker continues at ``step`` and
``next``, with the items that are not done.
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class GroupSyncQuerySet(models.QuerySet["GroupSync"]):
    def open(self) -> "GroupSyncQuerySet":
        """The run that has not ended; there is at most one."""
        return self.filter(status__in=GroupSync.OPEN)


class GroupSync(models.Model):
    """One run of a sync. Its items and changes are counted from their rows."""

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
    # The part of the list that is read now, and the start of its next page: a number
    # from Tencent that can exceed 32 bits.
    step = models.PositiveSmallIntegerField(default=0)
    next = models.BigIntegerField(default=0)
    is_listed = models.BooleanField(default=False)
    # Numbers of members change often: counted, not listed as changes.
    members_updated = models.PositiveIntegerField(default=0)
    # Why it failed: Tencent's code, or a value of notifications.tencent.outcomes.Reason.
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
        """Whether the schedule requested the run, not a person."""
        return self.requested_by == self.SCHEDULE


class SyncItem(models.Model):
    """A group that a run has to query; deleted when the run has ended."""

    # No separate index, as below: two others begin with this column, and PostgreSQL
    # would prefer the separate one and scan the whole run for each group.
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
    """A change of one group by a run, or the group's failure to be read."""

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
    # Values of the changed fields by field name.
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
