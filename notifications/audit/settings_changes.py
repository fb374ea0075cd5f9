"""Records changed settings in the audit trail when the worker starts.

Secrets are recorded as fingerprints, keyed with ``SECRET_KEY`` to prevent guessing: a
different fingerprint shows that the secret or ``SECRET_KEY`` was changed.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from notifications import audit_log
from notifications.audit.audit_events import SETTINGS_CHANGED
from notifications.models import AuditEntry, Installation

PLAIN = (
    "IM_SDK_APP_ID",
    "IM_ADMIN_ACCOUNT",
    "IM_REGION",
    "IM_CA_FILE",
    "IM_CALLS_PER_SECOND",
    "IM_RECIPIENTS_PER_CALL",
    "IM_CONTENT_MAX_BYTES",
    "IM_DAILY_QUOTA",
    "IM_SYNC_EVERY_HOURS",
    "IM_CONNECT_TIMEOUT",
    "IM_READ_TIMEOUT",
    "IM_RETRY_INTERNAL_ERROR",
    "IM_DEFAULT_CHANNEL",
    "IM_QUERY_AFTER_SECONDS",
    "IM_QUERY_AGAIN_AFTER_SECONDS",
    "IM_QUERY_GIVE_UP_HOURS",
    "IM_HISTORY_DAYS",
    "IM_REPEAT_LIVE_ROOMS",
    "TIME_ZONE",
    "LANGUAGE_CODE",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "USE_HTTPS",
    "TRUSTED_PROXIES",
    "SECOND_FACTOR",
    "PASSKEY_LOGIN",
    "SESSION_HOURS",
    "SESSION_IDLE_MINUTES",
)

ADDRESSES = ("IM_BASE_URL", "IM_PROXY_URL")  # may contain a password

# The settings that name the application at Tencent.
APPLICATION = ("IM_SDK_APP_ID", "IM_REGION", "IM_BASE_URL")

# Environment variable → setting.
SECRETS = {
    "IM_SECRET_KEY": "IM_SECRET_KEY",
    "IM_SECRET_KEY_NEXT": "IM_SECRET_KEY_NEXT",
    "SECRET_KEY_PREVIOUS": "SECRET_KEY_FALLBACKS",
}


def present_settings() -> dict[str, Any]:
    """The settings that affect sending and access, as JSON values."""
    return (
        {name: getattr(settings, name) for name in PLAIN}
        | _identity_providers()
        | {name: _address(getattr(settings, name)) for name in ADDRESSES}
        | {
            name: _fingerprint("".join(getattr(settings, setting)))
            for name, setting in SECRETS.items()
        }
    )


def _identity_providers() -> dict[str, Any]:
    """The settings of single sign-on, by the names of their variables."""
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return {
        f"OIDC_{app['provider_id'].upper()}_{name}": value
        for app in apps
        for name, value in {
            "ISSUER": app["settings"]["issuer"],
            "CLIENT_ID": app["client_id"],
            "CLIENT_SECRET": _fingerprint(app["secret"]),
            "ROLES_CLAIM": app["settings"]["roles_claim"],
            "ROLES": [f"{value}={role}" for value, role in app["settings"]["roles"]],
        }.items()
    }


def record_settings(actor: str) -> None:
    """Write an entry if the settings differ from those of the last such entry.

    The first entry contains all settings. Call it outside of a transaction.
    """
    if not _changed():
        return
    with transaction.atomic():
        # Of two workers that start at the same time, only one writes an entry.
        installation = Installation.present()
        Installation.objects.select_for_update().get(pk=installation.pk)
        if changed := _changed():
            audit_log.write(SETTINGS_CHANGED, actor, **changed)


def unchanged_since(*names: str) -> datetime | None:
    """When these settings got their present values; ``None`` if they never changed.

    An entry without one of these settings does not tell whether it changed.
    """
    present = present_settings()
    since = None
    for entry in _entries().iterator(chunk_size=10):
        known = _known(entry)
        if any(known.get(name, present[name]) != present[name] for name in names):
            return since or timezone.now()
        since = entry.at
    return None


def application_since() -> datetime | None:
    """When calls began to go to the present application; ``None`` if they always did."""
    return unchanged_since(*APPLICATION)


def _entries() -> QuerySet[AuditEntry]:
    """Newest first."""
    entries = AuditEntry.objects.filter(action=SETTINGS_CHANGED.word)
    return entries.order_by("-id")


def _known(entry: AuditEntry) -> dict[str, Any]:
    """The settings that an entry has; none if another program wrote it."""
    known: dict[str, Any] = entry.detail.get("now", {})
    return known


def _changed() -> dict[str, Any]:
    last = _entries().first()
    known = _known(last) if last else {}
    present = present_settings()
    after = {name: v for name, v in present.items() if known.get(name) != v}
    if not after:
        return {}
    before = {name: known.get(name) for name in after} if known else {}
    return {"before": before, "after": after, "now": present}


def _address(url: str) -> str:
    """The URL with a fingerprint in place of its username and password."""
    before, at, host = url.rpartition("@")
    if not at:
        return url
    scheme, _slashes, secret = before.rpartition("//")
    return f"{scheme}//{_fingerprint(secret)}@{host}"


def _fingerprint(secret: str) -> str:
    if not secret:
        return ""
    digest = salted_hmac(__name__, secret, algorithm="sha256").hexdigest()
    return f"fingerprint {digest[:16]}"
