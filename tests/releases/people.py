"""People and roles of the scene."""

import json
import uuid
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from axes.models import AccessAttempt
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import Group, User
from django.db import transaction
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from notifications import permissions
from notifications.access import factors
from notifications.access.services import people
from notifications.models import Approval, LoginSession
from tests.factories import make_user

APP_KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of lin.mei's authenticator app
AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


@transaction.atomic
def add_people(admin: User) -> None:
    """Roles and people, with every kind of login; their changes are recorded."""
    clerk = Group.objects.create(name="Clerk")
    clerk.permissions.add(
        *Group.objects.get(name=permissions.AUDITOR).permissions.all()
    )
    people.record_role(admin, clerk.pk, None)
    before = people.values_of_role(clerk.pk)
    clerk.permissions.remove(clerk.permissions.order_by("pk").first())
    people.record_role(admin, clerk.pk, before)
    short = Group.objects.create(name="Short-lived")
    people.record_role(admin, short.pk, None)
    people.delete_role(admin, short.pk)
    for username, role in (
        ("lin.mei", permissions.COMMUNITY_MANAGER),
        ("chen.jie", permissions.COMMUNITY_MANAGER),
        ("wang.fang", permissions.AUDITOR),
        ("gone", permissions.AUDITOR),
    ):
        person = make_user(
            role,
            username=username,
            first_name="芳",
            last_name="王",
            email=f"{username}@example.com",
        )
        people.record_person("admin", person.pk, None)
        EmailAddress.objects.create(user=person, email=person.email, primary=True)
    lin, chen, wang, gone = (
        User.objects.get(username=name)
        for name in ("lin.mei", "chen.jie", "wang.fang", "gone")
    )
    before = people.values_of_person(gone.pk)
    gone.is_active = False
    gone.save()
    people.record_person("admin", gone.pk, before)
    before = people.values_of_person(chen.pk)
    SocialAccount.objects.create(
        user=chen, provider="corp", uid="https://id.example.com 42"
    )
    people.record_person("admin", chen.pk, before)
    TOTP.activate(lin, APP_KEY)
    factors.make_recovery_codes(lin)
    Authenticator.objects.create(
        user=wang, type=Authenticator.Type.WEBAUTHN, data=_passkey()
    )
    for person in (lin, wang):
        LoginSession.objects.create(
            session_key=uuid.uuid4().hex,
            session_data="",
            expire_date=AT + timedelta(minutes=30),
            user=person,
            address="203.0.113.7",
            browser="Firefox",
            kept_values={"content": "Hello"} if person == lin else None,
        )
    for status in Approval.Status:
        is_approved = status == Approval.Status.APPROVED
        Approval.objects.create(
            kind="factor_reset",
            object_number=lin.pk,
            subject=lin.username,
            reason="The phone is lost.",
            requested_by=admin,
            requested_at=AT,
            expires_at=AT + timedelta(days=1),
            status=status,
            decided_by=chen if is_approved else None,
            decided_at=None if status == Approval.Status.PENDING else AT,
        )
    AccessAttempt.objects.create(
        username="lin.mei", ip_address="203.0.113.8", failures_since_start=2
    )


def passkey_key() -> ec.EllipticCurvePublicKey:
    """The public key of wang.fang's passkey."""
    return ec.derive_private_key(42, ec.SECP256R1()).public_key()


def _passkey() -> dict[str, Any]:
    """The row of a passkey as its registration stores it."""
    key = ES256.from_cryptography_key(passkey_key())
    attested = AttestedCredentialData.create(bytes(16), b"wang.fang's passkey", key)
    flags = AuthenticatorData.FLAG
    data = AuthenticatorData.create(
        bytes(32), flags.UP | flags.UV | flags.AT, 0, bytes(attested)
    )
    origin = "https://notifier.example.com"
    client = {"type": "webauthn.create", "challenge": "AA", "origin": origin}
    text = _base64(bytes(AttestationObject.create("none", data, {})))
    return {
        "name": "Phone",
        "credential": {
            "id": _base64(b"wang.fang's passkey"),
            "rawId": _base64(b"wang.fang's passkey"),
            "type": "public-key",
            "response": {
                "clientDataJSON": _base64(json.dumps(client).encode()),
                "attestationObject": text,
            },
            "clientExtensionResults": {"credProps": {"rk": True}},
        },
    }


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
