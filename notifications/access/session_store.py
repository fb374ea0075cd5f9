"""Where sessions are kept (``SESSION_ENGINE``): rows of ``LoginSession``.

Django's own store in the database, and with each session whose it is, from where, since
when, and when it was last used. ``expire_date`` is the earlier of its two ends, so that
a request needs no further query to know that a session is over. The key in the cookie is
nowhere in the database, only its digest.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Q
from django.utils import timezone

from notifications.models import LoginSession, stored_key

# So long the row of a session that ended by itself stays: whoever comes back reads why.
KEPT_AFTER_END = timedelta(days=7)


class SessionStore(DatabaseStore):
    """``address`` and ``browser`` are set at a login; the session keeps them."""

    address = ""
    browser = ""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: LoginSession | None = None

    @classmethod
    def get_model_class(cls) -> type[LoginSession]:
        return LoginSession

    def _get_session_from_db(self) -> LoginSession | None:
        found = LoginSession.objects.filter(
            pk=stored_key(self.session_key or ""), expire_date__gt=timezone.now()
        )
        self.row = found.first()
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
        """The row to be written. It is a new session when it is of another person."""
        user = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        now = timezone.now()
        before = self.row
        if before is None or before.user_id != user:
            before = LoginSession(begun_at=now, seen_at=now)
        self.row = LoginSession(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=end_of(before.begun_at, before.seen_at),
            user_id=user,
            begun_at=before.begun_at,
            seen_at=before.seen_at,
            address=before.address or self.address,
            browser=before.browser or self.browser,
        )
        return self.row

    def begin_anew(self) -> None:
        """A new key, and the time of its age from now on: for who logs in once more."""
        self.row = None
        self.cycle_key()

    def see(self, now: datetime) -> None:
        """Somebody used the session; it stays open for longer."""
        if self.row is None:
            return
        self.row.seen_at = now
        self.row.expire_date = end_of(self.row.begun_at, now)
        LoginSession.objects.filter(pk=self.row.pk).update(
            seen_at=self.row.seen_at, expire_date=self.row.expire_date
        )

    @classmethod
    def clear_expired(cls) -> None:
        """Those of nobody at once: anybody can begin one, and as many as he likes."""
        now = timezone.now()
        over = Q(expire_date__lt=now - KEPT_AFTER_END)
        LoginSession.objects.filter(over | Q(expire_date__lt=now, user=None)).delete()


def end_of(begun_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends by itself: of its age, or because nobody uses it."""
    return min(
        begun_at + timedelta(hours=settings.SESSION_HOURS),
        seen_at + timedelta(minutes=settings.SESSION_IDLE_MINUTES),
    )
