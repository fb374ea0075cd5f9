"""Who has a second factor, and who must have one."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications import roles
from notifications.models import RecoveryCode

# What the setting SECOND_FACTOR may be.
OPTIONAL, SENDERS, EVERYBODY = "optional", "senders", "everybody"
DEMANDS = (OPTIONAL, SENDERS, EVERYBODY)
# Whoever may do one of these is among the "senders"; a superuser may do all.
WEIGHTY = (roles.SEND, "auth.change_user", "auth.change_group")


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


def is_there() -> Exists:
    """For a query of people: whether each has one."""
    return Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))


def is_demanded_of(person: User) -> bool:
    """Whether the setting ``SECOND_FACTOR`` wants this person to have one."""
    if settings.SECOND_FACTOR == OPTIONAL:
        return False
    if settings.SECOND_FACTOR == SENDERS:
        return any(person.has_perm(permission) for permission in WEIGHTY)
    return True  # everybody; a word that check refuses opens nothing


def state_of(person: User) -> SecondFactor:
    device = device_of(person)
    return SecondFactor(
        set_up_at=device.created_at if device else None,
        codes_left=RecoveryCode.objects.filter(user=person).count(),
        is_demanded=is_demanded_of(person),
        has_password=person.has_usable_password(),
    )
