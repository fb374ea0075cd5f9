"""Accounts of people who log in by single sign-on.

A person is identified by issuer and subject, never by a name or an email address, which
the provider may assign to another person later (OpenID Connect Core 1.0, 5.7). Both are
the ``uid`` of a ``SocialAccount``. People with one have no password, and never become
superusers this way.
"""

import logging
from collections.abc import Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from notifications import permissions
from notifications.access.services import people
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.access.usernames import is_username_used, permitted_username

logger = logging.getLogger(__name__)


# The actor in the audit trail; usernames contain no space.
ACTOR = "single sign-on"

# Characters of a ``SocialAccount.uid``: issuer, a space and subject.
UID_MAX_LENGTH = 191

Claims = Mapping[str, Any]


def log_in(app: SocialApp, claims: Claims) -> User:
    """Return the person of a verified ID token, with the roles of its claims.

    ``app`` is the provider. The first login creates the account. Raises ``SsoRefused``.
    """
    try:
        return _log_in(app, claims)
    except (IntegrityError, ValidationError):
        # Of two first logins at the same time, the other one has created the person.
        is_taken = is_username_used(_username(claims))
        if not (_identities(app, claims["sub"]).exists() or is_taken):
            raise
        return _log_in(app, claims)


@transaction.atomic
def _log_in(app: SocialApp, claims: Claims) -> User:
    uid = uid_of(app, claims)
    # Read before the identity: a first login that another request completes between the
    # two queries is found as an identity, not as a name that is taken.
    name_is_taken = is_username_used(_username(claims))
    identity = SocialAccount.objects.filter(uid=uid).first()
    if identity is None:
        if name_is_taken:
            raise SsoRefused(SsoRefusalReason.NAME_TAKEN, _username(claims))
        person = _create_person(app, uid, claims)
        before = None
    else:
        # The locks of a change of rights: the roles may change below.
        permissions.lock_roles(role for _value, role in app.settings["roles"])
        (person,) = permissions.lock_people([identity.user_id])
        before = people.values_of_person(person.pk)
    if not (person.is_active and person.is_staff):
        raise SsoRefused(SsoRefusalReason.SWITCHED_OFF, person.get_username())
    if app.settings["roles"]:
        _set_roles(app, person, claims)
    people.record_person(ACTOR, person.pk, before)
    return person


def uid_of(app: SocialApp, claims: Claims) -> str:
    """Return issuer and subject. Raises ``SsoRefused`` for a subject that is no such text."""
    subject = _text(claims, "sub", UID_MAX_LENGTH)
    uid = _uid(app, subject)
    if not subject or subject != claims["sub"] or len(uid) > UID_MAX_LENGTH:
        logger.warning("The subject %.300r cannot be used.", claims.get("sub"))
        raise SsoRefused(SsoRefusalReason.UNTRUSTED)
    return uid


def _identities(app: SocialApp, subject: str) -> QuerySet[SocialAccount]:
    """By issuer: a provider may be named differently in the settings later."""
    identities: QuerySet[SocialAccount]
    identities = SocialAccount.objects.filter(uid=_uid(app, subject))
    return identities


def _uid(app: SocialApp, subject: str) -> str:
    return f"{app.settings['issuer']} {subject}"


def _create_person(app: SocialApp, uid: str, claims: Claims) -> User:
    person = User.objects.create_user(  # without a password
        _username(claims),
        _text(claims, "email", 254),
        first_name=_text(claims, "given_name", 150) or _text(claims, "name", 150),
        last_name=_text(claims, "family_name", 150),
        is_staff=True,
    )
    SocialAccount.objects.create(user=person, provider=app.provider_id, uid=uid)
    return person


def _username(claims: Claims) -> str:
    """Return a valid username, which differs from the other actors of the audit trail."""
    name = _text(claims, "preferred_username", 150) or _text(claims, "sub", 150)
    return permitted_username(name)[:150]


def _text(claims: Claims, name: str, max_length: int) -> str:
    """Return a claim as printable text; empty where it is missing or no text."""
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(filter(str.isprintable, value)).strip()[:max_length]


def _set_roles(app: SocialApp, person: User, claims: Claims) -> None:
    """Set the roles that the provider's ``ROLES`` list by the claim; keep all others."""
    claimed = claims.get(app.settings["roles_claim"])
    values = claimed if isinstance(claimed, list) else [claimed]
    claimed_roles = {role for value, role in app.settings["roles"] if value in values}
    mapped = {role for _, role in app.settings["roles"]}
    roles = {role.name: role for role in Group.objects.filter(name__in=mapped)}
    for name in sorted(claimed_roles - roles.keys()):
        logger.warning(
            "%s names the role “%s”, which does not exist.",
            f"OIDC_{app.provider_id.upper()}_ROLES",
            name,
        )
    person.groups.add(*(roles[name] for name in claimed_roles & roles.keys()))
    person.groups.remove(*(roles[name] for name in roles.keys() - claimed_roles))


@transaction.atomic
def link_identity(actor: str, username: str, provider: str, subject: str) -> None:
    """Switch an existing account from its password to single sign-on.

    ``provider`` may be empty where there is only one. Ends the sessions of the account,
    since its password and second factors are removed. Raises ``ValidationError``.
    """
    person = _person(username)
    if person.is_superuser:
        raise ValidationError(
            f"{username} is a superuser and keeps the password: this login must work "
            "when the identity provider is down."
        )
    apps = get_adapter().list_apps(None, provider=provider)
    if len(apps) != 1:
        raise ValidationError(
            f"OIDC_PROVIDERS names no provider “{provider}”."
            if provider
            else f"OIDC_PROVIDERS names {len(apps)} providers. Give --provider."
        )
    (app,) = apps
    identities = _identities(app, subject).exclude(user=person)
    if other := identities.select_related("user").first():
        raise ValidationError(
            f"“{subject}” already belongs to {other.user.get_username()}."
        )
    before = people.values_of_person(person.pk)
    SocialAccount.objects.filter(user=person).delete()
    SocialAccount.objects.create(
        user=person, provider=app.provider_id, uid=_uid(app, subject)
    )
    # The provider asks for its own factors.
    Authenticator.objects.filter(user=person).delete()
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
    SocialAccount.objects.filter(user=person).delete()
    people.record_person(actor, person.pk, before)


def _person(username: str) -> User:
    try:
        return User.objects.select_for_update(no_key=True).get(username=username)
    except User.DoesNotExist:
        raise ValidationError(f"There is no user “{username}”.") from None
