"""Links by which people set their own password, and confirm a new address of mail.

A link is valid for a day (``PASSWORD_RESET_TIMEOUT``) and once: a new password, a new
address or a login makes it invalid. It goes to the person's address; where no mail is
configured or the person has no address, it is shown to an administrator, who hands it on.
"""

import logging
from datetime import timedelta
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from notifications import audit_log
from notifications.access.audit_events import LINK_MADE
from notifications.access.queries import uses_single_sign_on
from notifications.access.services import people
from notifications.access.services.logins import UNKNOWN
from notifications.models import AuditEntry

logger = logging.getLogger(__name__)

ADDRESS_SALT = "notifications.address"

# Between two links that one person asks for.
PAUSE = timedelta(minutes=5)


def gets_mail(person: User) -> bool:
    return bool(settings.MAIL_IS_CONFIGURED and person.email)


def is_invited(person: User) -> bool:
    """Whether the person has set no password yet, and never logged in."""
    return person.last_login is None and not person.has_usable_password()


def require_local_login(person: User) -> None:
    """Raise ``ValidationError`` for a person who can have no password here."""
    if uses_single_sign_on(person):
        raise ValidationError(
            _("This person logs in by single sign-on and has no password here.")
        )
    if not person.is_active:
        raise ValidationError(_("This person is switched off."))


def shown_password_link(actor: str, person: User) -> str:
    """The path of a link that is shown to an administrator. Checks no permission."""
    audit_log.write(LINK_MADE, actor, person=person.get_username(), way="shown")
    return password_path(person)


def password_path(person: User) -> str:
    """The path of a new link to set the password."""
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    return reverse("password_link", args=[uid, token])


def mail_password_link(actor: str, person: User, request: HttpRequest) -> None:
    """Mail a link to the person after the commit. Checks no permission."""
    audit_log.write(LINK_MADE, actor, person=person.get_username(), way="mail")
    url = request.build_absolute_uri(password_path(person))
    _send(
        person.email,
        _("Your password for the group notifier"),
        "password_link",
        url=url,
        person=person,
        is_invited=is_invited(person),
    )


@transaction.atomic
def request_by_address(address: str, request: HttpRequest) -> None:
    """Mail a link to each person with this address, if there is one.

    It goes to the stored address, not to ``address``. The response is the same without
    one. At most one link in five minutes.
    """
    for person in User.objects.filter(email__iexact=address, is_active=True):
        if not person.has_usable_password() or uses_single_sign_on(person):
            continue
        name = person.get_username()
        recent = AuditEntry.objects.filter(
            action=LINK_MADE.word, actor=UNKNOWN, at__gt=timezone.now() - PAUSE
        )
        if not recent.filter(detail__person=name).exists():
            mail_password_link(UNKNOWN, person, request)


# --- the person's own address ------------------------------------------------------------


def mail_address_link(person: User, address: str, request: HttpRequest) -> None:
    """Mail a link to the new address, which confirms it."""
    values = {"person": person.pk, "before": person.email, "after": address}
    token = signing.dumps(values, salt=ADDRESS_SALT)
    path = reverse("admin:address_confirm", args=[token])
    url = request.build_absolute_uri(path)
    subject = _("Confirm your address for the group notifier")
    _send(address, subject, "address_link", url=url, person=person)


def confirmed_address(person: User, token: str) -> str:
    """The address of a link that was made for this person and is not used yet.

    Raises ``ValidationError``.
    """
    try:
        values = signing.loads(
            token, salt=ADDRESS_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT
        )
    except signing.BadSignature:
        values = {}
    if values.get("person") != person.pk or values.get("before") != person.email:
        raise ValidationError(_("This link is invalid, was used, or is too old."))
    address: str = values["after"]
    return address


@transaction.atomic
def change_own_address(person: User, token: str) -> None:
    """Set the address of the link; inform the old one. Raises ``ValidationError``."""
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    address = confirmed_address(person, token)
    before = people.values_of_person(person.pk)
    previous, person.email = person.email, address
    person.save(update_fields=["email"])
    people.record_person(person.get_username(), person.pk, before)
    inform_of_address(person, previous)


def inform_of_address(person: User, previous: str) -> None:
    """Mail to the old address that it was replaced."""
    if settings.MAIL_IS_CONFIGURED and previous:
        subject = _("Your address for the group notifier was changed")
        _send(previous, subject, "address_changed", person=person)


def _send(to: str, subject: str, template: str, **context: Any) -> None:
    text = render_to_string(f"notifications/access/mail/{template}.txt", context)

    def deliver() -> None:
        try:
            send_mail(subject, text, None, [to])
        except Exception as error:  # noqa: BLE001  else the thread would die silently
            # Neither the address nor the link.
            logger.error(  # noqa: TRY400  without the traceback
                "A mail could not be sent: %s.", type(error).__name__
            )

    # In a thread: the duration of a response does not reveal whether a mail was sent.
    transaction.on_commit(lambda: Thread(target=deliver).start())
