"""Beginning sessions, and ending them before they expire.

``present`` is always the stored key of the current session, which stays open.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.access.audit_events import SESSIONS_ENDED
from notifications.access.queries import clean_user_agent, open_sessions
from notifications.models import LoginSession
from notifications.permissions import lock_people, require


def begin_session(request: HttpRequest, user: User) -> None:
    """Call it at each login; a person who was logged in already gets a new key as well.

    OWASP ASVS 5.0, 7.2.4. Also deletes sessions that expired long ago.
    """
    store: Any = request.session
    if (origin := audit_log.current_origin()) is not None:
        store.address = origin.address
        store.browser = clean_user_agent(request.META.get("HTTP_USER_AGENT", ""))
    if store.row is not None and store.row.user_id == user.pk:
        store.restart()
    store.clear_expired()


def end_one(user: User, public_id: str, *, present: str) -> int:
    """End the user's session with this id. Returns 0 when it had ended already."""
    own = open_sessions([user.pk])
    return _end(
        user.get_username(), [row for row in own if row.public_id == public_id], present
    )


def end_others(user: User, *, present: str) -> int:
    """End the user's other sessions. Returns their number."""
    return _end(user.get_username(), open_sessions([user.pk]), present)


@transaction.atomic
def end_sessions_of(user: User, person: User, *, present: str = "") -> int:
    """End all sessions of ``person``. Returns their number.

    Raises ``PermissionDenied`` when ``user`` may not change this person.
    """
    # As stored now: the person may have become a superuser meanwhile.
    lock_people([user.pk, person.pk])
    user = require(user, "auth.change_user")
    person.refresh_from_db(fields=["is_superuser"])
    if person.is_superuser and not user.is_superuser:
        raise PermissionDenied(
            _("Only somebody who may do everything can log this person out.")
        )
    return _end(user.get_username(), open_sessions([person.pk]), present)


def end_after_change(actor: str, people: Iterable[int], *, present: str = "") -> int:
    """End the sessions of these people (ids), whose rights or password were changed.

    Call it in the transaction of the change, which checked the permission.
    """
    return _end(actor, open_sessions([*people]), present)


@transaction.atomic
def _end(actor: str, rows: Iterable[LoginSession], present: str) -> int:
    ended = [row for row in rows if row.session_key != present]
    LoginSession.objects.filter(pk__in=[row.pk for row in ended]).delete()
    counts = Counter(row.user.get_username() for row in ended if row.user)
    for name, count in sorted(counts.items()):
        audit_log.write(SESSIONS_ENDED, actor, person=name, sessions=count)
    return len(ended)
