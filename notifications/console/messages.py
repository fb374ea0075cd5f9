"""The storage of messages (``MESSAGE_STORAGE``)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.base import BaseStorage, Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest, HttpResponse


class MessageStorage(BaseStorage):
    """In the session; without a session, in a signed cookie.

    A message would otherwise create a session, so that anonymous requests fill the
    table of sessions.
    """

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # Untyped: the methods of a storage are not in Django's stubs.
        self._cookie: Any = CookieStorage(request)
        # With the prefix of the session's cookie.
        name = settings.SESSION_COOKIE_NAME.replace("sessionid", "messages")
        self._cookie.cookie_name = name
        self._session: Any = SessionStorage(request)

    def _get(self, *_args: Any, **_kwargs: Any) -> tuple[list[Message], bool]:
        from_cookie, _all = self._cookie._get()
        from_session, _all = self._session._get()
        return [*(from_cookie or ()), *(from_session or ())], True

    def _store(
        self,
        messages: Sequence[Message],
        response: HttpResponse,
        *_args: Any,
        **_k: Any,
    ) -> list[Message]:
        """Called after ``_get``, which loads the session."""
        has_session = not self.request.session.is_empty()
        self._session._store(messages if has_session else [], response)
        if not has_session or self._cookie.cookie_name in self.request.COOKIES:
            self._cookie._store([] if has_session else messages, response)
        return []
