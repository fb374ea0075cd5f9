"""Sessions, used usernames, and changes that need a second administrator."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SESSION_KEY_MAX_LENGTH = 40  # of Django's column

# Key of an anonymous session that follows one that ended: the primary key of that one.
FORMER_SESSION = "former_session"


def stored_key(session_key: str) -> str:
    """The digest that the database stores instead of the key in the cookie.

    A row or a backup does not give access to a session. The key has 165 random bits: a
    plain digest suffices.
    """
    return sha256(session_key.encode()).hexdigest()[:SESSION_KEY_MAX_LENGTH]


def is_in_browser(session_key: str) -> bool:
    """Whether the key is a whole signed session, of which the database has no row."""
    return ":" in session_key


class LoginSession(AbstractBaseSession):
    """A session, with the details by which its owner recognizes it.

    ``session_key`` is the digest of the key in the cookie (``stored_key``).
    ``expire_date`` is the earlier of two limits: of idle time and of age.
    """

    # Set from the right password on, also while a second factor is awaited.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions"
    )
    begun_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=200, blank=True)
    # What was entered on Write after the session had expired, until the next login.
    kept_values = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @property
    def public_id(self) -> str:
        """The id of the session on pages."""
        return self.session_key[:16]


class UsedUsername(models.Model):
    """A username that a person has or had: the history names people by it.

    ``key`` ignores case and width. ``user`` is empty for a person who was deleted in SQL.
    """

    key = models.CharField(max_length=450, primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("used username")
        verbose_name_plural = _("used usernames")

    def __str__(self) -> str:
        return self.key


APPROVAL_LIFETIME = timedelta(days=3)


def approval_expiry() -> datetime:
    return timezone.now() + APPROVAL_LIFETIME


class Approval(models.Model):
    """A change that needs a second person; see ``notifications/approvals.py``.

    ``kind`` is the word of a kind, ``object_number`` the primary key of the row that it
    changes, ``subject`` its name.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waits for a second person")
        APPROVED = "approved", _("approved")
        ALONE = "alone", _("done, since there is no second person")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    kind = models.CharField(max_length=20)
    object_number = models.BigIntegerField()
    subject = models.CharField(max_length=150)
    values = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=approval_expiry)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.PENDING
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    # When the person concerned was shown it, at a login.
    seen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["object_number", "-id"], name="approval_by_object")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "object_number"],
                condition=models.Q(status="pending"),
                name="approval_pending_once",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", decided_at__isnull=True)
                | models.Q(
                    status__in=["approved", "alone", "cancelled", "expired"],
                    decided_at__isnull=False,
                ),
                name="approval_is_decided",
            ),
            # The person who requested it never approves it.
            models.CheckConstraint(
                condition=~models.Q(status="approved")
                | models.Q(decided_by__isnull=False)
                & ~models.Q(decided_by=models.F("requested_by")),
                name="approval_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def is_open(self) -> bool:
        is_pending = self.status == self.Status.PENDING
        return is_pending and self.expires_at > timezone.now()
