"""Settings in the audit trail: what the worker found at its start, where it differs.

No secret is written. In its place stands a fingerprint, made with ``SECRET_KEY`` so that
nobody can try out keys against it: another one tells that the secret was changed, or
``SECRET_KEY`` was.
"""

from typing import Any

from django.conf import settings
from django.db import transaction
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
    "TIME_ZONE",
    "LANGUAGE_CODE",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "USE_HTTPS",
    "TRUSTED_PROXIES",
    "SECOND_FACTOR",
    "SESSION_HOURS",
    "SESSION_IDLE_MINUTES",
    "OIDC_ISSUER",
    "OIDC_ROLES_CLAIM",
)

ADDRESSES = ("IM_BASE_URL", "IM_PROXY_URL")  # with a password in them, perhaps

# The variable, and the setting that holds it.
SECRETS = {
    "IM_SECRET_KEY": "IM_SECRET_KEY",
    "IM_SECRET_KEY_NEXT": "IM_SECRET_KEY_NEXT",
    "SECRET_KEY_PREVIOUS": "SECRET_KEY_FALLBACKS",
    "OIDC_CLIENT_SECRET": "OIDC_RP_CLIENT_SECRET",
}


def present_settings() -> dict[str, Any]:
    """The settings that matter for what is sent and who may come in, as JSON values."""
    return (
        {name: getattr(settings, name) for name in PLAIN}
        | {"OIDC_ROLES": [f"{value}={role}" for value, role in settings.OIDC_ROLES]}
        | {name: _address(getattr(settings, name)) for name in ADDRESSES}
        | {
            name: _fingerprint("".join(getattr(settings, setting)))
            for name, setting in SECRETS.items()
        }
    )


def record_settings(actor: str) -> None:
    """Write an entry when the settings are not those of the last such entry.

    The first one holds all of them. Call it outside of a transaction.
    """
    if not _changed():
        return
    with transaction.atomic():
        # Of two workers that start at the same time, one finds the other's entry.
        installation = Installation.present()
        Installation.objects.select_for_update().get(pk=installation.pk)
        if changed := _changed():
            audit_log.write(SETTINGS_CHANGED, actor, **changed)


def _changed() -> dict[str, Any]:
    entries = AuditEntry.objects.filter(action=SETTINGS_CHANGED.word)
    last = entries.order_by("-id").first()
    known = last.detail["now"] if last else {}
    found = present_settings()
    after = {name: v for name, v in found.items() if known.get(name) != v}
    if not after:
        return {}
    before = {name: known.get(name) for name in after} if known else {}
    return {"before": before, "after": after, "now": found}


def _address(url: str) -> str:
    """The address with a fingerprint for what stands before its host."""
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
