"""Second factors: an authenticator app (TOTP), passkeys, recovery codes.

django-allauth stores and verifies them. OWASP ASVS 5.0, 6.5 and 6.6.
"""

import logging
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.access.adapters import DIGEST_PREFIX
from notifications.access.audit_events import (
    FACTOR_REFUSED,
    FACTOR_REMOVED,
    FACTOR_SET,
    RECOVERY_MADE,
    RECOVERY_USED,
)
from notifications.access.queries import FACTORS, has_factor, is_required_for
from notifications.access.services import sessions
from notifications.permissions import require

logger = logging.getLogger(__name__)

Type = Authenticator.Type

# Base32, without characters that are easily confused: 25 of them are 125 bits.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

RECOVERY_LENGTH = 25

RECOVERY_GROUP = 5

RECOVERY_CODES = 10

# Seconds after which no code and no answer of a passkey is valid.
PROOF_AGE = 20 * 60

MAX_WAIT_DOUBLINGS = 16  # after wrong codes: 2 ** 16 seconds are 18 hours


@dataclass(frozen=True, slots=True)
class CodeResult:
    """``wait``, in seconds, is set when the code was not verified, after wrong ones."""

    authenticator: Authenticator | None = None
    wait: int = 0


# --- setting up ------------------------------------------------------------------------


@transaction.atomic
def set_up_app(person: User, secret: str, *, present: str) -> tuple[str, ...]:
    """Store the key of an app that showed a right code; it replaces another app.

    ``present`` is the key of the session that stays open. Returns new recovery codes if
    there were none.
    """
    _lock(person)
    Authenticator.objects.filter(user=person, type=Type.TOTP).delete()
    TOTP.activate(person, secret)
    return _record_set_up(person, "app", present)


@transaction.atomic
def set_up_passkey(
    person: User, name: str, credential: dict[str, Any], *, present: str
) -> tuple[str, ...]:
    """As ``set_up_app``; ``credential`` is verified. A person may have several passkeys."""
    _lock(person)
    WebAuthn.add(person, name, credential)
    return _record_set_up(person, "passkey", present)


def _record_set_up(person: User, kind: str, present: str) -> tuple[str, ...]:
    name = person.get_username()
    audit_log.write(FACTOR_SET, name, kind=kind)
    sessions.end_after_change(name, [person.pk], present=present)
    if Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).exists():
        return ()
    return make_recovery_codes(person)


@transaction.atomic
def make_recovery_codes(person: User) -> tuple[str, ...]:
    """Replace the recovery codes; return the new ones in groups of five characters.

    The database holds only their digests, so they cannot be shown again. The codes have
    more than 112 random bits: a plain digest suffices (OWASP ASVS 5.0, 6.5.2).
    """
    _lock(person)
    codes = [
        "".join(secrets.choice(ALPHABET) for _n in range(RECOVERY_LENGTH))
        for _code in range(RECOVERY_CODES)
    ]
    Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).delete()
    Authenticator.objects.create(
        user=person,
        type=Type.RECOVERY_CODES,
        # django-allauth accepts codes of another library; each is deleted when used.
        data={"migrated_codes": [_digest(code) for code in codes]},
    )
    audit_log.write(RECOVERY_MADE, person.get_username())
    return tuple(map(_in_groups, codes))


def _lock(person: User) -> None:
    """Change the second factor of a person in one transaction at a time."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


# --- verifying ----------------------------------------------------------------------------


@transaction.atomic
def verify_code(person: User, code: str) -> CodeResult:
    """Check a code of the app, or a recovery code of ``RECOVERY_LENGTH`` characters.

    The lock on the rows accepts each code once and counts each wrong one, even when
    several requests send them at the same time. The wait doubles with each wrong code.
    """
    rows = Authenticator.objects.select_for_update().filter(user=person).order_by("pk")
    codes = {row.type: row for row in rows.exclude(type=Type.WEBAUTHN)}
    counter = codes.get(Type.TOTP) or codes.get(Type.RECOVERY_CODES)
    if counter is None:
        return CodeResult()
    now = time.time()
    failures = counter.data.get("failures", 0)
    doublings = min(failures - 1, MAX_WAIT_DOUBLINGS)
    ready_at = counter.data.get("failed_at", 0) + 2**doublings
    if failures and now < ready_at:
        return CodeResult(wait=ceil(ready_at - now))
    is_recovery = len(code) == RECOVERY_LENGTH
    row = codes.get(Type.RECOVERY_CODES if is_recovery else Type.TOTP)
    is_right = row is not None and (
        row.wrap().validate_code(_digest(code))
        if is_recovery
        else _is_right_app_code(row, code, now)
    )
    counter.refresh_from_db()
    if not is_right:
        counter.data |= {"failures": failures + 1, "failed_at": now}
        audit_log.write(FACTOR_REFUSED, person.get_username())
    elif is_recovery:
        audit_log.write(RECOVERY_USED, person.get_username())
    if is_right:
        counter.data.pop("failures", None)
    counter.save()
    return CodeResult(row if is_right else None)


def _is_right_app_code(app: Authenticator, code: str, now: float) -> bool:
    """Whether the code is right and was not used before."""
    try:
        is_right = app.wrap().validate_code(code)
    except InvalidToken:
        logger.exception(
            "The key of an authenticator app cannot be decrypted: SECRET_KEY changed "
            "without SECRET_KEY_PREVIOUS."
        )
        return False
    if not is_right or not _is_first_use(app, code, now):
        return False
    app.save()
    return True


@transaction.atomic
def use_passkey(passkey: Authenticator, signature: str) -> None:
    """Accept each answer of a passkey once. Raises ``ValidationError``.

    The challenge may be in the browser, which could give it back.
    """
    row = Authenticator.objects.select_for_update().get(pk=passkey.pk)
    if not _is_first_use(row, sha256(signature.encode()).hexdigest(), time.time()):
        raise ValidationError(_("This passkey was not accepted."))
    row.save()
    passkey.data = row.data


def record_wrong_passkey(person: User | None) -> None:
    """Record it for a person whose second factor is asked for."""
    if person is not None:
        audit_log.write(FACTOR_REFUSED, person.get_username())


def _is_first_use(factor: Authenticator, proof: str, now: float) -> bool:
    """Remember a code or the digest of an answer while it is valid."""
    used = [pair for pair in factor.data.get("used", []) if pair[1] > now - PROOF_AGE]
    factor.data["used"] = [*used, [proof, now]]
    return proof not in (pair[0] for pair in used)


# --- removing --------------------------------------------------------------------------


@transaction.atomic
def remove_own(person: User, authenticator: Authenticator, *, present: str) -> None:
    """Remove one factor of one's own, and end one's other sessions.

    Raises ``PermissionDenied`` for the last one where a second factor is required.
    """
    _lock(person)
    others = Authenticator.objects.filter(user=person, type__in=FACTORS).exclude(
        pk=authenticator.pk
    )
    if is_required_for(person) and not others.exists():
        raise PermissionDenied(
            _("Your login needs a second factor. Set up another one first.")
        )
    kind = "app" if authenticator.type == Type.TOTP else "passkey"
    authenticator.delete()
    if not others.exists():
        Authenticator.objects.filter(user=person).delete()  # the recovery codes
    name = person.get_username()
    audit_log.write(FACTOR_REMOVED, name, person=name, kind=kind)
    sessions.end_after_change(name, [person.pk], present=present)


def require_can_reset(user: User, person: User) -> None:
    """Raise ``PermissionDenied`` without the permission to change people, for oneself,
    and for a superuser when ``user`` is none.
    """
    user = require(user, "auth.change_user")
    if user.pk == person.pk:
        raise PermissionDenied(
            _(
                "Somebody else must do this for you. Your own page asks for the password."
            )
        )
    if person.is_superuser and not user.is_superuser:
        raise PermissionDenied(_("Only a superuser can do this for a superuser."))


@transaction.atomic
def reset_factors(user: User, person: User) -> None:
    """Remove the lost factors of ``person``, after the checks of ``require_can_reset``."""
    require_can_reset(user, person)
    remove_factors(person, user.get_username())


@transaction.atomic
def remove_factors(person: User, actor: str) -> None:
    """Remove all second factors and end the sessions of ``person``.

    Checks no permission: a command calls it when no administrator can log in. Raises
    ``ValidationError`` where no second factor is set up.
    """
    _lock(person)
    if not has_factor(person):
        raise ValidationError(
            _("No second factor is set up for %(person)s.")
            % {"person": person.get_username()}
        )
    Authenticator.objects.filter(user=person).delete()
    audit_log.write(FACTOR_REMOVED, actor, person=person.get_username())
    sessions.end_after_change(actor, [person.pk])


# --- encryption ------------------------------------------------------------------------


@transaction.atomic
def encrypt_again() -> int:
    """Encrypt the keys of all apps with the present ``SECRET_KEY``. Returns their number.

    Raises ``ValueError`` for a key that no present or previous ``SECRET_KEY`` decrypts.
    """
    apps = Authenticator.objects.select_for_update().filter(type=Type.TOTP)
    for app in apps.order_by("pk"):
        try:
            app.data["secret"] = encrypt(decrypt(app.data["secret"]))
        except InvalidToken:
            raise ValueError(
                f"The app of {app.user.get_username()} was encrypted with a SECRET_KEY "
                "that is not in SECRET_KEY_PREVIOUS."
            ) from None
        app.save(update_fields=["data"])
    return len(apps)


# --- recovery codes as texts -----------------------------------------------------------


def _in_groups(code: str) -> str:
    starts = range(0, RECOVERY_LENGTH, RECOVERY_GROUP)
    return "-".join(code[start : start + RECOVERY_GROUP] for start in starts)


def _digest(code: str) -> str:
    return DIGEST_PREFIX + sha256(code.encode()).hexdigest()
