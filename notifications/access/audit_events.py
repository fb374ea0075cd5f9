"""Events of the audit trail: logins, second factors, people and roles."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications import permissions
from notifications.access.services.sso_refusals import SsoRefusalReason
from notifications.audit.presentation import changes, choice
from notifications.audit_log import Detail, Event, Values
from notifications.ui.audit_events import DIGEST

_BY = Detail(
    "by", _("Way"), choice({"sso": _("single sign-on"), "passkey": _("passkey")})
)

_reason = choice(dict(SsoRefusalReason.choices))


def _refused(values: Values) -> Iterator[str]:
    """The reason of a refused login; a password login has only one possible reason."""
    if "why" in values:
        yield _reason(values["why"])
    elif values.get("by") != "passkey":
        yield gettext("Name and password did not match.")


LOGGED_IN = Event(
    "logged_in",
    _("logged in"),
    pgettext_lazy("action", "Logged in."),
    _BY,
    Detail(
        "second_factor",
        _("Second factor"),
        choice(
            {
                "awaited": _("not given yet"),
                "app": _("code of the app"),
                "recovery": _("recovery code"),
                "passkey": _("passkey"),
            }
        ),
    ),
)

LOGIN_REFUSED = Event(
    "login_refused", _("login refused"), _("A login was refused."), _BY, _refused
)

LOGGED_OUT = Event(
    "logged_out", _("logged out"), pgettext_lazy("action", "Logged out.")
)

LOCKED_OUT = Event(
    "locked_out",
    _("locked out after wrong logins"),
    _("Locked out for a while: too many wrong logins from one address."),
)

SESSIONS_ENDED = Event(
    "sessions_ended",
    _("logged out everywhere"),
    ngettext_lazy(
        "Ended %(n)d session of %(person)s.", "Ended %(n)d sessions of %(person)s.", "n"
    ),
    count="sessions",
)

_KIND = Detail(
    "kind",
    pgettext_lazy("second factor", "Kind"),
    choice({"app": _("authenticator app"), "passkey": _("passkey")}),
)

FACTOR_SET = Event(
    "factor_set", _("second factor set up"), _("Set up a second factor."), _KIND
)

FACTOR_REFUSED = Event(
    "factor_refused",
    _("second factor refused"),
    _("A wrong code was given after the password."),
)

FACTOR_REMOVED = Event(
    "factor_removed",
    _("second factor removed"),
    _("Removed the second factor of %(person)s."),
    _KIND,
)

RECOVERY_USED = Event(
    "recovery_used", _("recovery code used"), _("Logged in with a recovery code.")
)

RECOVERY_MADE = Event(
    "recovery_made", _("new recovery codes"), _("Made new recovery codes.")
)


def _roles(names: Any) -> str:
    return ", ".join(permissions.role_label(name) for name in names)


def _permissions(names: Any) -> str:
    return "; ".join(
        str(permissions.PERMISSION_LABELS.get(name, name)) for name in names
    )


_person_changes = changes(
    Detail("username", _("Username")),
    Detail("first_name", _("First name")),
    Detail("last_name", _("Last name")),
    Detail("email", _("Email")),
    Detail("is_active", _("May log in")),
    Detail("is_staff", _("May use the console")),
    Detail("is_superuser", _("May do everything")),
    Detail("roles", _("Roles"), _roles),
    Detail("subject", _("Subject at single sign-on")),
)

_role_changes = changes(
    Detail("name", _("Name")), Detail("permissions", _("What it allows"), _permissions)
)

PERSON_ADDED = Event(
    "person_added", _("person added"), _("Added %(person)s."), _person_changes
)

PERSON_CHANGED = Event(
    "person_changed", _("person changed"), _("Changed %(person)s."), _person_changes
)

PASSWORD_CHANGED = Event(
    "password_changed",
    _("password changed"),
    _("Changed the password of %(person)s."),
    Detail("by", _("Way"), choice({"link": _("link for a new password")})),
)

LINK_MADE = Event(
    "link_made",
    _("link for a new password"),
    _("Made a link with which %(person)s sets a new password."),
    Detail(
        "way",
        _("Way"),
        choice(
            {"mail": _("by mail to the person"), "shown": _("shown to be handed on")}
        ),
    ),
)

ROLE_ADDED = Event(
    "role_added", _("role added"), _("Added the role “%(role)s”."), _role_changes
)

ROLE_CHANGED = Event(
    "role_changed", _("role changed"), _("Changed the role “%(role)s”."), _role_changes
)

ROLE_DELETED = Event(
    "role_deleted",
    _("role deleted"),
    _("Deleted the role “%(role)s”."),
    _role_changes,
    Detail("people", _("People who had it")),
    Detail("named", _("Names")),
    DIGEST,
)
