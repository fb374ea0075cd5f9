"""Sessions."""

from hashlib import sha256

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SESSION_KEY_MAX_LENGTH = 40  # of Django's column

# Key of an anonymous session that follows an expired one: the primary key of that one.
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
