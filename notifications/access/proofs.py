"""Verifying second factors: each code and each answer of a passkey counts once.

django-allauth compares them; the counts are in the rows of the factors, under their lock.
OWASP ASVS 5.0, 6.5 and 6.6.
"""

import logging
import time
from dataclasses import dataclass
from hashlib import sha256
from math import ceil

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.access.adapters import DIGEST_PREFIX
from notifications.access.audit_events import FACTOR_REFUSED, RECOVERY_USED

logger = logging.getLogger(__name__)

Type = Authenticator.Type

# Of recovery codes: base32, without characters that are easily confused; 125 bits.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

RECOVERY_LENGTH = 25

# Seconds after which no code and no answer of a passkey is valid.
PROOF_AGE = 20 * 60

MAX_WAIT_DOUBLINGS = 16  # after wrong codes: 2 ** 16 seconds are 18 hours


@dataclass(frozen=True, slots=True)
class CodeResult:
    """``wait``, in seconds, is set when the code was not verified, after wrong ones."""

    authenticator: Authenticator | None = None
    wait: int = 0


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
        row.wrap().validate_code(recovery_digest(code))
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


def recovery_digest(code: str) -> str:
    """What the database stores instead of a recovery code."""
    return DIGEST_PREFIX + sha256(code.encode()).hexdigest()
