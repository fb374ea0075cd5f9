"""Workers and their shared state: leases, slots, the sending switch, the installation.

``lease`` and ``next_slot`` are seconds of the engine clock
(``notifications.rate_limit.clock``), which is independent of the wall clock; ``boot_id``
identifies the start of the machine from which they count.
"""

import uuid
from typing import ClassVar

from django.db import connection, models
from django.utils.translation import gettext_lazy as _


class SendingSwitch(models.Model):
    """The switch for all sending: while it is off, no worker claims a delivery."""

    is_off = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("switch for all sending")
        verbose_name_plural = _("switches for all sending")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(id=1), name="sending_switch_only_one"
            )
        ]

    def __str__(self) -> str:
        return "off" if self.is_off else "on"

    @classmethod
    def present(cls) -> "SendingSwitch":
        """The only row, or an unsaved one with the defaults if there is none."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class Installation(models.Model):
    """Identifies this database, so that a worker's state file fits no other one."""

    key = models.UUIDField(default=uuid.uuid4, unique=True)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        permissions: ClassVar = [
            ("view_system", _("May see the System page and check the connection"))
        ]

    def __str__(self) -> str:
        return str(self.key)

    @classmethod
    def present(cls) -> "Installation":
        """The only row, created at the first call."""
        installation, _is_new = cls.objects.get_or_create(pk=1)
        return installation


# Idle workers on PostgreSQL listen to this channel.
WAKE_CHANNEL = "notifier_work"


def wake_workers() -> None:
    """Notify idle workers when the current transaction commits.

    SQLite has no notifications; there a worker polls four times per second.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {WAKE_CHANNEL}")


class Worker(models.Model):
    """One run of ``manage.py send_worker``."""

    name = models.CharField(_("worker"), max_length=100)
    boot_id = models.CharField(max_length=40)
    # The time of the last renewal. Other workers only compare whether it has changed.
    lease = models.FloatField()
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField()
    # Set by the worker when it stops, or by the recovery that declares it dead.
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(name=""), name="worker_has_name")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["lease"],
                condition=models.Q(ended_at__isnull=True),
                name="worker_not_ended",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class TaskDeaths(models.Model):
    """How often a task of the workers has died of an unexpected error."""

    task = models.CharField(max_length=50, unique=True)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    last_error = models.CharField(max_length=100)  # name of the exception's class

    class Meta:
        verbose_name = _("deaths of a task")
        verbose_name_plural = _("deaths of tasks")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(task=""), name="task_deaths_have_task"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task}: {self.count}"


class Pace(models.Model):
    """The next free slot for one REST call of one app, shared by all workers."""

    name = models.CharField(max_length=100, unique=True)
    boot_id = models.CharField(max_length=40)
    next_slot = models.FloatField(default=0)
    # After a frequency-limit code the rate is lower until this time.
    slow_until = models.FloatField(default=0)
    # The total of claimed calls: a decrease reveals a restored backup.
    claimed = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("pace")
        verbose_name_plural = _("paces")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(name=""), name="pace_has_name"),
            models.CheckConstraint(
                condition=models.Q(next_slot__gte=0, slow_until__gte=0),
                name="pace_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name
