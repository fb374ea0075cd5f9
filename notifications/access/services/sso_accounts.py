"""Accounts of people who log in by single sign-on.

A person is identified by issuer and subject, never by a name or an email address, which
the provider may assign to another person later (OpenID Connect Core 1.0, 5.7). Accounts
with an external identity have no password, and never become superusers this way.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from notifications import permissions
from notifications.access.services import people
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.models import ExternalIdentity

logger = logging.getLogger(__name__)


# The actor in the audit trail; usernames contain no space.
ACTOR = "single sign-on"

SUBJECT_MAX_LENGTH = 255

Claims = Mapping[str, Any]


def log_in(issuer: str, claims: Claims) -> User:
    """Return the person of a verified ID token, with the roles of its claims.

    The first login creates the account. Raises ``SsoRefused``.
    """
    try:
        return _log_in(issuer, claims)
    except IntegrityError:
        # Of two first logins at the same time, the other one has created the person.
        taken = User.objects.filter(username__iexact=_username(claims))
        if not (_identities(issuer, claims).exists() or taken.exists()):
            raise
        return _log_in(issuer, claims)


@transaction.atomic
def _log_in(issuer: str, claims: Claims) -> User:
    subject = _text(claims, "sub", SUBJECT_MAX_LENGTH)
    if not subject or subject != claims["sub"]:
        logger.warning("The subject %.300r cannot be used.", claims.get("sub"))
        raise SsoRefused(SsoRefusalReason.UNTRUSTED)
    # Read before the identity: a first login that another request completes between the
    # two queries is found as an identity, not as a name that is taken.
    name_is_taken = User.objects.filter(username__iexact=_username(claims)).exists()
    identity = _identities(issuer, claims).first()
    if identity is None:
        if name_is_taken:
            raise SsoRefused(SsoRefusalReason.NAME_TAKEN, _username(claims))
        person = _create_person(issuer, subject, claims)
        before = None
    else:
        # The locks of a change of rights: the roles may change below.
        permissions.lock_roles(role for _value, role in settings.OIDC_ROLES)
        (person,) = permissions.lock_people([identity.user_id])
        before = people.values_of_person(person.pk)
    if not (person.is_active and person.is_staff):
        raise SsoRefused(SsoRefusalReason.SWITCHED_OFF, person.get_username())
    if settings.OIDC_ROLES:
        _set_roles(person, claims)
    people.record_person(ACTOR, person.pk, before)
    return person


def _identities(issuer: str, claims: Claims) -> QuerySet[ExternalIdentity]:
    return ExternalIdentity.objects.filter(issuer=issuer, subject=claims["sub"])


def _create_person(issuer: str, subject: str, claims: Claims) -> User:
    person = User.objects.create_user(  # without a password
        _username(claims),
        _text(claims, "email", 254),
        first_name=_text(claims, "given_name", 150) or _text(claims, "name", 150),
        last_name=_text(claims, "family_name", 150),
        is_staff=True,
    )
    ExternalIdentity.objects.create(user=person, issuer=issuer, subject=subject)
    return person


def _username(claims: Claims) -> str:
    """Return a valid username, which differs from the other actors of the audit trail."""
    name = _text(claims, "preferred_username", 150) or _text(claims, "sub", 150)
    return re.sub(r"[^\w.@+-]", "_", User.normalize_username(name))


def _text(claims: Claims, name: str, max_length: int) -> str:
    """Return a claim as printable text; empty where it is missing or no text."""
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, value)).strip()[:max_length]


def _set_roles(person: User, claims: Claims) -> None:
    """Set the roles that ``OIDC_ROLES`` lists by the claim; keep all others."""
    claimed = claims.get(settings.OIDC_ROLES_CLAIM)
    values = claimed if isinstance(claimed, list) else [claimed]
    claimed_roles = {role for value, role in settings.OIDC_ROLES if value in values}
    mapped = {role for _, role in settings.OIDC_ROLES}
    roles = {role.name: role for role in Group.objects.filter(name__in=mapped)}
    for name in sorted(claimed_roles - roles.keys()):
        logger.warning("OIDC_ROLES names the role “%s”, which does not exist.", name)
    person.groups.add(*(roles[name] for name in claimed_roles & roles.keys()))
    person.groups.remove(*(roles[name] for name in roles.keys() - claimed_roles))


@transaction.atomic
def link_identity(actor: str, username: str, subject: str) -> None:
    """Switch an existing account from its password to single sign-on.

    Ends its sessions, since the password is removed. Raises ``ValidationError``.
    """
    person = _person(username)
    if person.is_superuser:
        raise ValidationError(
            f"{username} is a superuser and keeps the password: this login must work "
            "when the identity provider is down."
        )
    if not settings.OIDC_ISSUER:
        raise ValidationError("OIDC_ISSUER is empty. Set up single sign-on first.")
    identities = ExternalIdentity.objects.filter(
        issuer=settings.OIDC_ISSUER, subject=subject
    )
    if other := identities.exclude(user=person).select_related("user").first():
        raise ValidationError(
            f"“{subject}” already belongs to {other.user.get_username()}."
        )
    before = people.values_of_person(person.pk)
    ExternalIdentity.objects.update_or_create(
        user=person, defaults={"issuer": settings.OIDC_ISSUER, "subject": subject}
    )
    person.set_unusable_password()
    person.save(update_fields=["password"])
    people.record_person(actor, person.pk, before)


@transaction.atomic
def unlink_identity(actor: str, username: str) -> None:
    """Undo ``link_identity``; a people administrator then sets a password.

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
        return User.objects.select_for_update(no_key=True).get(username=username)
    except User.DoesNotExist:
        raise ValidationError(f"There is no user “{username}”.") from None
