"""The second factor: setting it up, verifying codes, removing it.

It is a code of an authenticator app (TOTP, RFC 6238), or a recovery code when the app is
not available. OWASP ASVS 5.0, 6.5 and 6.6.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import ceil

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications import audit_log
from notifications.access.audit_events import (
    FACTOR_REFUSED,
    FACTOR_REMOVED,
    FACTOR_SET,
    RECOVERY_MADE,
    RECOVERY_USED,
)
from notifications.access.queries import is_required_for
from notifications.access.services import sessions
from notifications.models import RecoveryCode
from notifications.permissions import require

DIGITS = 6

# Base32, without characters that are easily confused: 25 of them are 125 bits.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

RECOVERY_LENGTH = 25

RECOVERY_GROUP = 5

RECOVERY_CODES = 10


class SecondFactorAnswer(StrEnum):
    APP = "app"  # a right code of the app
    RECOVERY = "recovery"  # a right recovery code, now used
    WRONG = "wrong"
    TOO_SOON = "too_soon"  # after wrong codes; this one was not checked


@dataclass(frozen=True, slots=True)
class CodeResult:
    """``wait`` is in seconds, and set for ``TOO_SOON`` only."""

    answer: SecondFactorAnswer
    wait: int = 0
    recovery_codes: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        return self.answer in (SecondFactorAnswer.APP, SecondFactorAnswer.RECOVERY)


# --- setting up ------------------------------------------------------------------------


@transaction.atomic
def begin_setup(person: User) -> TOTPDevice:
    """Create a device with a new key, which is unconfirmed until its first right code.

    It replaces an unconfirmed device. A confirmed device stays in use meanwhile.
    """
    _lock(person)
    TOTPDevice.objects.filter(user=person, confirmed=False).delete()
    device: TOTPDevice = TOTPDevice.objects.create(
        user=person, name="app", digits=DIGITS, confirmed=False
    )
    return device


@transaction.atomic
def finish_setup(
    person: User, device_id: int, code: str, *, may_replace: bool, present: str
) -> CodeResult:
    """Confirm the device when ``code`` is its current code.

    Ends the other sessions of the person, which were opened without a code; ``present``
    is the key of the session that stays open.
    ``may_replace`` permits replacing a confirmed device; it must be false for a person
    who has not entered a code of that device. Raises ``ValidationError`` when another
    browser has finished a setup meanwhile.
    """
    _lock(person)
    devices = TOTPDevice.objects.filter(user=person)
    device = devices.filter(pk=device_id, confirmed=False).first()
    if device is None or (devices.filter(confirmed=True).exists() and not may_replace):
        raise ValidationError(
            _("The second factor was set up in another window meanwhile.")
        )
    result = _verify_app_code(device, code)
    if not result.is_right:
        return result
    devices.exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save()
    audit_log.write(FACTOR_SET, person.get_username())
    sessions.end_after_change(person.get_username(), [person.pk], present=present)
    return CodeResult(
        SecondFactorAnswer.APP, recovery_codes=make_recovery_codes(person)
    )


@transaction.atomic
def make_recovery_codes(person: User) -> tuple[str, ...]:
    """Replace the recovery codes; return the new ones in groups of five characters.

    The database holds only their digests, so they cannot be shown again.
    """
    _lock(person)
    codes = [
        "".join(secrets.choice(ALPHABET) for _n in range(RECOVERY_LENGTH))
        for _code in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.filter(user=person).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=person, digest=_digest(code)) for code in codes
    )
    audit_log.write(RECOVERY_MADE, person.get_username())
    return tuple(map(_in_groups, codes))


def _lock(person: User) -> None:
    """Change the second factor of a person in one transaction at a time."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


# --- verifying ----------------------------------------------------------------------------


@transaction.atomic
def verify_code(person: User, code: str) -> CodeResult:
    """Check the code that a person entered after the password.

    ``code`` is ``DIGITS`` digits of the app or ``RECOVERY_LENGTH`` letters and digits of
    a recovery code, without spaces. The lock on the device accepts each code once, even
    when two requests send it at the same time.
    """
    devices = TOTPDevice.objects.select_for_update()
    device = devices.filter(user=person, confirmed=True).first()
    if len(code) == RECOVERY_LENGTH:
        result = _verify_recovery_code(person, code)
    elif device is None:
        result = CodeResult(SecondFactorAnswer.WRONG)
    else:
        result = _verify_app_code(device, code)
    if result.answer == SecondFactorAnswer.WRONG:
        audit_log.write(FACTOR_REFUSED, person.get_username())
    return result


def _verify_app_code(device: TOTPDevice, code: str) -> CodeResult:
    is_allowed, refusal = device.verify_is_allowed()
    if not is_allowed:
        wait = (refusal["locked_until"] - timezone.now()).total_seconds()
        return CodeResult(SecondFactorAnswer.TOO_SOON, wait=max(1, ceil(wait)))
    return CodeResult(
        SecondFactorAnswer.APP
        if device.verify_token(code)
        else SecondFactorAnswer.WRONG
    )


def _verify_recovery_code(person: User, code: str) -> CodeResult:
    codes = RecoveryCode.objects.filter(user=person, digest=_digest(code))
    used, _per_table = codes.delete()
    if not used:
        return CodeResult(SecondFactorAnswer.WRONG)
    audit_log.write(RECOVERY_USED, person.get_username())
    return CodeResult(SecondFactorAnswer.RECOVERY)


# --- removing --------------------------------------------------------------------------


@transaction.atomic
def remove_own(person: User, *, present: str) -> None:
    """Remove one's own, and end one's other sessions.

    Raises ``PermissionDenied`` where a second factor is required.
    """
    if is_required_for(person):
        raise PermissionDenied(
            _("Your login needs a second factor. You can set it up anew instead.")
        )
    remove_second_factor(person, person.get_username(), present=present)


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
def reset_second_factor(user: User, person: User) -> None:
    """Remove the lost second factor of ``person``, after the checks of
    ``require_can_reset``.
    """
    require_can_reset(user, person)
    remove_second_factor(person, user.get_username())


@transaction.atomic
def remove_second_factor(person: User, actor: str, *, present: str = "") -> None:
    """Remove the second factor and end the sessions of ``person``.

    Checks no permission: a command calls it when no administrator can log in. Raises
    ``ValidationError`` where no second factor is set up.
    """
    _lock(person)
    had_any, _per_table = TOTPDevice.objects.filter(user=person).delete()
    RecoveryCode.objects.filter(user=person).delete()
    if not had_any:
        raise ValidationError(
            _("No second factor is set up for %(person)s.")
            % {"person": person.get_username()}
        )
    audit_log.write(FACTOR_REMOVED, actor, person=person.get_username())
    sessions.end_after_change(actor, [person.pk], present=present)


# --- recovery codes as texts -----------------------------------------------------------


def _in_groups(code: str) -> str:
    starts = range(0, RECOVERY_LENGTH, RECOVERY_GROUP)
    return "-".join(code[start : start + RECOVERY_GROUP] for start in starts)


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()
