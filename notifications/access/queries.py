"""Queries for second factors and sessions, and their presentation on pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import permissions
from notifications.models import LoginSession, is_in_browser, stored_key

# Values of the setting SECOND_FACTOR.
OPTIONAL, SENDERS, EVERYBODY = "optional", "senders", "everybody"

# People logged in by this backend need no code: the provider checks its own factors.
SSO_BACKEND = "notifications.access.backends.SsoBackend"

SECOND_FACTOR_MODES = (OPTIONAL, SENDERS, EVERYBODY)

# A person with one of these permissions is one of the "senders"; superusers have all.
SENSITIVE_PERMISSIONS = (permissions.SEND, "auth.change_user", "auth.change_group")


Type = Authenticator.Type

# Types of second factors; recovery codes only replace one.
FACTORS = (Type.TOTP, Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """A person's second factors, for pages."""

    app: Authenticator | None
    passkeys: list[Authenticator]
    recovery_codes_left: int
    is_required: bool
    has_password: bool

    @property
    def is_set_up(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def uses_single_sign_on(person: User) -> bool:
    return bool(SocialAccount.objects.filter(user=person).exists())


def has_factor(person: User, types: Sequence[str] = FACTORS) -> bool:
    factors = Authenticator.objects.filter(user=person, type__in=types)
    return bool(factors.exists())


def has_second_factor() -> Exists:
    """Return an annotation for users: whether a second factor is set up."""
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=FACTORS)
    return Exists(factors)


def is_required_for(person: User) -> bool:
    """Whether the setting ``SECOND_FACTOR`` requires one of this person."""
    if settings.SECOND_FACTOR == OPTIONAL:
        return False
    if settings.SECOND_FACTOR == SENDERS:
        return any(person.has_perm(permission) for permission in SENSITIVE_PERMISSIONS)
    return True  # "everybody"; an unknown value, which a check reports, is as strict


def must_set_up(person: User) -> bool:
    """Whether a login with the password must set up a factor before it is complete."""
    if settings.PASSKEY_LOGIN == "only":
        return not has_factor(person, [Type.WEBAUTHN])
    return is_required_for(person) and not has_factor(person)


def second_factors_of(person: User) -> SecondFactors:
    rows = list(Authenticator.objects.filter(user=person).order_by("pk"))
    apps = [row for row in rows if row.type == Type.TOTP]
    codes = [row for row in rows if row.type == Type.RECOVERY_CODES]
    return SecondFactors(
        app=apps[0] if apps else None,
        passkeys=[row for row in rows if row.type == Type.WEBAUTHN],
        recovery_codes_left=sum(len(row.wrap().get_unused_codes()) for row in codes),
        is_required=is_required_for(person),
        has_password=person.has_usable_password(),
    )


BROWSER_MAX_LENGTH = 200

UNKNOWN_BROWSER_MAX_LENGTH = 40


# User agents also contain the names of other browsers: the first match counts.
BROWSERS = [
    ("MicroMessenger/", "WeChat"),
    ("QQBrowser/", "QQ Browser"),
    ("UCBrowser/", "UC Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
]

SYSTEMS = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "HarmonyOS"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
]


def open_sessions(people: list[int]) -> QuerySet[LoginSession]:
    """Return the open sessions of these people (ids), the last used first."""
    now = timezone.now()
    sessions = LoginSession.objects.filter(user__in=people, expire_date__gt=now)
    return sessions.select_related("user").order_by("-seen_at", "session_key")


def clean_user_agent(user_agent: str) -> str:
    """Return the printable characters of the header, cut to the column's length."""
    return "".join(filter(str.isprintable, user_agent))[:BROWSER_MAX_LENGTH]


def browser_label(user_agent: str) -> str:
    """Return a label such as “Firefox on Windows”, or the start of an unknown header."""
    browser = _first_match(BROWSERS, user_agent)
    system = _first_match(SYSTEMS, user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if len(user_agent) > UNKNOWN_BROWSER_MAX_LENGTH:
        return user_agent[:UNKNOWN_BROWSER_MAX_LENGTH] + "…"
    return user_agent or "–"


def _first_match(names: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for token, name in names if token in user_agent), "")


def end_reason(session_key: str) -> str:
    """Return the reason why the session with this key ended, as a sentence.

    Empty for a session without a login.
    """
    if is_in_browser(session_key):
        return ""
    row = LoginSession.objects.filter(pk=stored_key(session_key)).first()
    if row is None:
        return _(
            "You are logged out. Perhaps an administrator ended your session, or your "
            "roles or your password were changed."
        )
    hours, minutes = settings.SESSION_HOURS, settings.SESSION_IDLE_MINUTES
    if row.expire_date >= row.begun_at + timedelta(hours=hours):
        return ngettext(
            "You were logged out: it was %(n)d hour after you had logged in.",
            "You were logged out: it was %(n)d hours after you had logged in.",
            hours,
        ) % {"n": hours}
    return ngettext(
        "You were logged out after %(n)d minute without a click.",
        "You were logged out after %(n)d minutes without a click.",
        minutes,
    ) % {"n": minutes}
