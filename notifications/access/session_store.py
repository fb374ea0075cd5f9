"""Session engine (``SESSION_ENGINE``): sessions are rows of ``LoginSession``.

Extends Django's database store with the user, address, start and last use of each
session. ``expire_date`` is the earlier of the two limits (age and idle time), so that a
request needs no further query to detect that a session has ended. The database holds
only a digest of the key in the cookie.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Q
from django.utils import timezone

from notifications.models import LoginSession, stored_key
from notifications.models.access import FORMER_PERSON

# Rows of expired sessions stay this long, so that the login page can show the reason.
RETENTION = timedelta(days=7)


class SessionStore(DatabaseStore):
    """The login sets ``address`` and ``browser``; they are saved with the session."""

    address = ""
    browser = ""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: LoginSession | None = None

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        return LoginSession

    def _get_session_from_db(self) -> LoginSession | None:
        self.row = LoginSession.objects.filter(
            pk=stored_key(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if self.row is None:
            self._session_key = None
        return self.row

    def exists(self, session_key: str) -> bool:
        return LoginSession.objects.filter(pk=stored_key(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            LoginSession.objects.filter(pk=stored_key(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:
        """Return the row to save. Another person begins a new session."""
        user = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        now = timezone.now()
        previous = self.row
        if previous is None or previous.user_id != user:
            previous = LoginSession(begun_at=now, seen_at=now)
        self.row = LoginSession(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]  # of the base class
            session_data=self.encode(data),
            expire_date=expiry(previous.begun_at, previous.seen_at),
            user_id=user,
            begun_at=previous.begun_at,
            seen_at=previous.seen_at,
            address=previous.address or self.address,
            browser=previous.browser or self.browser,
        )
        return self.row

    def restart(self) -> None:
        """Begin a new session with a new key, when the same person logs in again."""
        self.row = None
        self.cycle_key()

    def succeed(self, session_key: str) -> None:
        """Note the person of an expired session in this one, which is anonymous.

        Once for each expired session: repeated requests with its key store nothing.
        """
        expired = LoginSession.objects.filter(
            pk=stored_key(session_key), expire_date__lte=timezone.now()
        ).exclude(user=None)
        person = expired.values_list("user_id", flat=True).first()
        if person is not None and expired.update(user=None):
            self[FORMER_PERSON] = person

    def record_activity(self, now: datetime) -> None:
        """Extend the session after a request of its person."""
        if self.row is None:
            return
        self.row.seen_at = now
        self.row.expire_date = expiry(self.row.begun_at, now)
        LoginSession.objects.filter(pk=self.row.pk).update(
            seen_at=self.row.seen_at, expire_date=self.row.expire_date
        )

    @classmethod
    def clear_expired(cls) -> None:
        """Delete expired sessions; anonymous ones, whose number has no limit, at once."""
        now = timezone.now()
        is_old = Q(expire_date__lt=now - RETENTION)
        LoginSession.objects.filter(is_old | Q(expire_date__lt=now, user=None)).delete()


def expiry(begun_at: datetime, seen_at: datetime) -> datetime:
    """Return when a session expires: by its age or by its idle time."""
    return min(
        begun_at + timedelta(hours=settings.SESSION_HOURS),
        seen_at + timedelta(minutes=settings.SESSION_IDLE_MINUTES),
    )
