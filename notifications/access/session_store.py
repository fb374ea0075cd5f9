"""Session engine (``SESSION_ENGINE``): sessions are rows of ``LoginSession``.

Sessions without a login are signed cookies: they store nothing in the database. From the
right password on, a session is a row, which can be ended and whose values change once.

Extends Django's database store with the user, address, start and last use of each
session. ``expire_date`` is the earlier of the two limits (age and idle time), so that a
request needs no further query to detect that a session has ended. The database holds
only a digest of the key in the cookie.
"""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.account.utils import url_str_to_user_pk
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core import signing
from django.utils import timezone

from notifications.models import LoginSession, is_in_browser, stored_key

SALT = "notifications.session"

# Seconds for which a session in the browser is valid, such as during single sign-on.
BROWSER_LIFETIME = 15 * 60

# A browser keeps 4096 bytes with the name: what is longer is not kept.
MAX_COOKIE = 3800

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

    def load(self) -> dict[str, Any]:
        key = self.session_key or ""
        if not is_in_browser(key):
            return super().load()
        try:
            data: dict[str, Any] = signing.loads(
                key, salt=SALT, max_age=BROWSER_LIFETIME
            )
        except signing.BadSignature:
            self._session_key = None
            return {}
        return data

    def save(self, must_create: bool = False) -> None:
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # of the base class
        if _person_of(data) is None:
            self.delete()
            self.row = None
            key = signing.dumps(data, salt=SALT, compress=True)
            if len(key) > MAX_COOKIE:
                key = signing.dumps({}, salt=SALT)
            self._session_key = key
        elif must_create or not is_in_browser(self.session_key or ""):
            super().save(must_create)
        else:
            self.create()

    def exists(self, session_key: str) -> bool:
        return LoginSession.objects.filter(pk=stored_key(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key and not is_in_browser(key):
            LoginSession.objects.filter(pk=stored_key(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> LoginSession:
        """Return the row to save. Another person begins a new session."""
        user = _person_of(data)
        now = timezone.now()
        previous = self.row
        if previous is None or previous.user_id != user:
            previous = LoginSession(begun_at=now, seen_at=now)
        self.row = LoginSession(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined]  # of the base class
            session_data=self.encode(data),
            expire_date=expiry(previous.begun_at, previous.seen_at),
            user_id=user or 0,
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
        end = timezone.now() - RETENTION
        LoginSession.objects.filter(expire_date__lt=end).delete()


def _person_of(data: dict[str, Any]) -> int | None:
    """The id of the person who is logged in, or whose second factor is awaited."""
    if SESSION_KEY in data:
        return int(data[SESSION_KEY])
    login = data.get(LOGIN_SESSION_KEY) or {}
    return url_str_to_user_pk(login["user_pk"]) if login.get("user_pk") else None


def expiry(begun_at: datetime, seen_at: datetime) -> datetime:
    """Return when a session expires: by its age or by its idle time."""
    return min(
        begun_at + timedelta(hours=settings.SESSION_HOURS),
        seen_at + timedelta(minutes=settings.SESSION_IDLE_MINUTES),
    )
