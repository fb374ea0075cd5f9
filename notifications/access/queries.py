"""Second factors and sessions of people, as pages show them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications import permissions
from notifications.models import LoginSession, RecoveryCode, stored_key

# What the setting SECOND_FACTOR may be.
OPTIONAL, SENDERS, EVERYBODY = "optional", "senders", "everybody"

DEMANDS = (OPTIONAL, SENDERS, EVERYBODY)

# Whoever may do one of these is among the "senders"; a superuser may do all.
WEIGHTY = (permissions.SEND, "auth.change_user", "auth.change_group")


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What a person may know of the own one; ``set_up_at`` is ``None`` without one."""

    set_up_at: datetime | None
    codes_left: int
    is_demanded: bool
    has_password: bool

    @property
    def is_set_up(self) -> bool:
        return self.set_up_at is not None


def device_of(person: User) -> TOTPDevice | None:
    """The authenticator app that is asked for after the password."""
    found: TOTPDevice | None = TOTPDevice.objects.filter(
        user=person, confirmed=True
    ).first()
    return found


def has_second_factor() -> Exists:
    """For a query of people: whether each has one."""
    return Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def is_required_for(person: User) -> bool:
    """Whether the setting ``SECOND_FACTOR`` wants this person to have one."""
    if settings.SECOND_FACTOR == OPTIONAL:
        return False
    if settings.SECOND_FACTOR == SENDERS:
        return any(person.has_perm(permission) for permission in WEIGHTY)
    return True  # everybody; a word that check refuses opens nothing


def second_factor_of(person: User) -> SecondFactor:
    device = device_of(person)
    return SecondFactor(
        set_up_at=device.created_at if device else None,
        codes_left=RecoveryCode.objects.filter(user=person).count(),
        is_demanded=is_required_for(person),
        has_password=person.has_usable_password(),
    )


BROWSER_MAX_LENGTH = 200

SHOWN_OF_UNKNOWN = 40


# What a browser says of itself holds the names of others, too: the first found is it.
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
    """Those of these people (ids) that have not ended, the one used last first."""
    now = timezone.now()
    found = LoginSession.objects.filter(user__in=people, expire_date__gt=now)
    return found.select_related("user").order_by("-seen_at", "session_key")


def browser_of(user_agent: str) -> str:
    """What is kept of the header: no more than fits, and only what can be shown."""
    return "".join(filter(str.isprintable, user_agent))[:BROWSER_MAX_LENGTH]


def browser_label(user_agent: str) -> str:
    """Such as “Firefox on Windows”; of an unknown one the beginning of its own words."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        known = {"browser": browser, "system": system}
        return _("%(browser)s on %(system)s") % known
    if len(user_agent) > SHOWN_OF_UNKNOWN:
        return user_agent[:SHOWN_OF_UNKNOWN] + "…"
    return user_agent or "–"


def _first(names: list[tuple[str, str]], user_agent: str) -> str:
    return next((name for sign, name in names if sign in user_agent), "")


def end_reason(session_key: str) -> str:
    """A sentence for whoever sent the key of a session that is over.

    Empty when nobody was logged in there.
    """
    row = LoginSession.objects.filter(pk=stored_key(session_key)).first()
    if row is None:
        return _(
            "You are logged out. Perhaps an administrator ended your session, or your "
            "roles or your password were changed."
        )
    if row.user_id is None:
        return ""
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
