"""Setting up and removing second factors: authenticator app (TOTP), passkeys, recovery codes.

django-allauth stores them; ``proofs.py`` verifies them. OWASP ASVS 5.0, 6.5 and 6.6.
"""

import logging
import secrets
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
from notifications.access.audit_events import (
    FACTOR_REMOVED,
    FACTOR_SET,
    RECOVERY_MADE,
)
from notifications.access.proofs import ALPHABET, RECOVERY_LENGTH, recovery_digest
from notifications.access.queries import FACTORS, has_factor, is_required_for
from notifications.access.services import sessions
from notifications.permissions import require

logger = logging.getLogger(__name__)

Type = Authenticator.Type

RECOVERY_GROUP = 5

RECOVERY_CODES = 10


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
        data={"migrated_codes": [recovery_digest(code) for code in codes]},
    )
    audit_log.write(RECOVERY_MADE, person.get_username())
    return tuple(map(_in_groups, codes))


def _lock(person: User) -> None:
    """Change the second factor of a person in one transaction at a time."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


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
