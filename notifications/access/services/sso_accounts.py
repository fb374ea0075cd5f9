"""Accounts of people who log in by single sign-on.

A person is known by issuer and subject, never by a name or an address, which the
provider may give to somebody else later (OpenID Connect Core 1.0, 5.7). Whoever has a
login from outside has no password here. Nobody becomes a superuser in this way.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from notifications.access.services import people
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.models import ExternalIdentity

logger = logging.getLogger(__name__)


# Who changes people in the audit trail then; no username has a space.
ACTOR = "single sign-on"

SUBJECT_MAX_LENGTH = 255

Claims = Mapping[str, Any]


def log_in(issuer: str, claims: Claims) -> User:
    """The person that the claims of a verified ID token are about, with its roles.

    A new one is made at the first login. Raises ``Refused``.
    """
    try:
        return _enter(issuer, claims)
    except IntegrityError:
        # The same person came twice at once: the other login has made the rows.
        return _enter(issuer, claims)


@transaction.atomic
def _enter(issuer: str, claims: Claims) -> User:
    subject = _text(claims, "sub", SUBJECT_MAX_LENGTH)
    if not subject or subject != claims["sub"]:
        logger.warning("The subject %.300r cannot be used.", claims.get("sub"))
        raise SsoRefused(SsoRefusalReason.UNTRUSTED)
    known = ExternalIdentity.objects.select_related("user")
    found = known.filter(issuer=issuer, subject=subject).first()
    if found is None:
        person = _make(issuer, subject, claims)
        before = None
    else:
        person = found.user
        before = people.values_of_person(person.pk)
    if not (person.is_active and person.is_staff):
        raise SsoRefused(SsoRefusalReason.SWITCHED_OFF, person.get_username())
    if settings.OIDC_ROLES:
        _give_roles(person, claims)
    people.record_person(ACTOR, person.pk, before)
    return person


def _make(issuer: str, subject: str, claims: Claims) -> User:
    username = _username(claims)
    if User.objects.filter(username__iexact=username).exists():
        raise SsoRefused(SsoRefusalReason.NAME_TAKEN, username)
    person = User.objects.create_user(  # without a password: none is ever right
        username,
        _text(claims, "email", 254),
        first_name=_text(claims, "given_name", 150) or _text(claims, "name", 150),
        last_name=_text(claims, "family_name", 150),
        is_staff=True,
    )
    ExternalIdentity.objects.create(user=person, issuer=issuer, subject=subject)
    return person


def _username(claims: Claims) -> str:
    """What Django takes for a username, and looks like no other actor of the trail."""
    name = _text(claims, "preferred_username", 150) or _text(claims, "sub", 150)
    return re.sub(r"[^\w.@+-]", "_", User.normalize_username(name))


def _text(claims: Claims, name: str, max_length: int) -> str:
    """A claim that can be kept; empty for one that is none."""
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, value)).strip()[:max_length]


def _give_roles(person: User, claims: Claims) -> None:
    """The roles that ``OIDC_ROLES`` names follow the claim; all others stay."""
    claimed = claims.get(settings.OIDC_ROLES_CLAIM)
    values = claimed if isinstance(claimed, list) else [claimed]
    due = {role for value, role in settings.OIDC_ROLES if value in values}
    named = {role for _, role in settings.OIDC_ROLES}
    found = {role.name: role for role in Group.objects.filter(name__in=named)}
    for name in sorted(due - found.keys()):
        logger.warning("OIDC_ROLES names the role “%s”, which does not exist.", name)
    person.groups.add(*(found[name] for name in due & found.keys()))
    person.groups.remove(*(found[name] for name in found.keys() - due))


@transaction.atomic
def link_identity(actor: str, username: str, subject: str) -> None:
    """Let somebody who is here already log in by single sign-on, and only so.

    Ends their sessions, since their password is gone. Raises ``ValidationError``.
    """
    person = _person(username)
    if person.is_superuser:
        raise ValidationError(
            f"{username} may do everything. Leave this login its password: it must "
            "work when the provider does not."
        )
    if not settings.OIDC_ISSUER:
        raise ValidationError("OIDC_ISSUER is empty. Set up single sign-on first.")
    taken = ExternalIdentity.objects.filter(
        issuer=settings.OIDC_ISSUER, subject=subject
    )
    if other := taken.exclude(user=person).select_related("user").first():
        raise ValidationError(f"“{subject}” is {other.user.get_username()} already.")
    before = people.values_of_person(person.pk)
    ExternalIdentity.objects.update_or_create(
        user=person, defaults={"issuer": settings.OIDC_ISSUER, "subject": subject}
    )
    person.set_unusable_password()
    person.save(update_fields=["password"])
    people.record_person(actor, person.pk, before)


@transaction.atomic
def unlink_identity(actor: str, username: str) -> None:
    """Undo ``link``; a people administrator then sets a password.

    Raises ``ValidationError``.
    """
    person = _person(username)
    before = people.values_of_person(person.pk)
    if not before["subject"]:
        raise ValidationError(f"{username} does not log in by single sign-on.")
    ExternalIdentity.objects.filter(user=person).delete()
    people.record_person(actor, person.pk, before)


def _person(username: str) -> User:
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist:
        raise ValidationError(f"Nobody here has the username “{username}”.") from None
