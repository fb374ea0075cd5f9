"""Every named URL with an existing row, and the users of the permission matrix."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from notifications import permissions
from notifications.models import (
    Approval,
    Channel,
    GroupImport,
    GroupSync,
    Label,
    SavedAudience,
)
from tests.factories import (
    make_attempt,
    make_delivery,
    make_draft_version,
    make_group,
    make_notification,
    make_seal,
    make_user,
    prove,
)

# The user of each column of the matrix. The manager wrote and sent the notifications.
ROLES = {
    "nobody": None,
    "no-role": None,
    "manager": permissions.COMMUNITY_MANAGER,
    "colleague": permissions.COMMUNITY_MANAGER,
    "auditor": permissions.AUDITOR,
    "groups": permissions.GROUP_ADMINISTRATOR,
    "people": permissions.PEOPLE_ADMINISTRATOR,
    "superuser": None,
}


def named(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each URL by its name, with the names of its parameters."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else ""
            takes = list(entry.pattern.regex.groupindex)
            for name, more in named(entry, space + inner):
                yield name, takes + more
        elif isinstance(entry, URLPattern) and entry.name:
            yield space + entry.name, list(entry.pattern.regex.groupindex)


def make_people() -> dict[str, User]:
    found = {
        name: make_user(role, username=name)
        for name, role in ROLES.items()
        if name not in ("nobody", "superuser")
    }
    return found | {"superuser": make_user(username="superuser", superuser=True)}


def addresses_about(people: dict[str, User]) -> dict[str, str]:
    """The URLs by name, with the rows that they need."""
    sender = people["manager"]
    group = make_group()
    draft = make_notification(sender=sender)
    sent = make_notification(sender=sender, status="completed")
    delivery = make_delivery(sent, group, status="unconfirmed")
    make_attempt(delivery, outcome="unconfirmed")
    make_seal(sent)
    message = make_notification(
        sender=sender, status="completed", channel=Channel.GROUP_MESSAGE
    )
    make_delivery(
        message, group, status="accepted", msg_seq=7, finished_at=timezone.now()
    )
    label = Label.objects.create(name="North")
    saved = SavedAudience.objects.create(
        name="North", stored_rule={"labels": ["South"]}, changed_by="manager"
    )
    kept = GroupImport.objects.create(
        owner=people["groups"], content=b"group_id,type,name\nhikers,Public,Hikers\n"
    )
    about = {
        "group_import": kept.pk,
        "write": draft.pk,
        "draft_versions": make_draft_version().notification_number,
        "draft": draft.pk,
        "check": draft.pk,
        "recall": message.pk,
        "correct": message.pk,
        "delivery": delivery.pk,
        "resolve": delivery.pk,
        "notifications_chatgroup": group.pk,
        "label": label.pk,
        "audience": saved.pk,
        "auth_user": people["groups"].pk,
        "person_": people["groups"].pk,
        "approval": Approval.objects.create(
            kind="factor_reset",
            object_number=people["groups"].pk,
            subject="groups",
            requested_by=people["superuser"],
        ).pk,
        "sync": GroupSync.objects.create(requested_by="groups").pk,
        "auth_group": Group.objects.get(name=permissions.AUDITOR).pk,
        "": sent.pk,
    }

    def address(full: str, takes: list[str]) -> str:
        name = full.rpartition(":")[2]
        pk = next(pk for start, pk in about.items() if name.startswith(start))
        values: dict[str, Any] = dict.fromkeys(takes, pk)
        if "kind_name" in values:
            values["kind_name"] = "unconfirmed"
        if "app_label" in values:
            values["app_label"] = "notifications"
        return reverse(full, kwargs=values)

    return {full: address(full, takes) for full, takes in named(get_resolver())}


class Visitor:
    """The client of one user, who stays logged in after every request."""

    def __init__(self, person: User | None, *, secure: bool = False) -> None:
        self.secure = secure
        self.client = Client(raise_request_exception=False)
        if person is not None:
            self.client.force_login(person)
            prove(self.client)
        self._cookie = self.client.cookies.get(settings.SESSION_COOKIE_NAME)
        self._session = self._cookie.value if self._cookie else ""

    def request(self, method: str, address: str) -> HttpResponseBase:
        """Return the response, read to its end."""
        if self._session:  # log in again after the logout URL
            self.client.cookies[settings.SESSION_COOKIE_NAME] = self._session
        response = self.client.generic(method, address, secure=self.secure)
        if response.streaming:
            b"".join(response.streaming_content)
        return response

    def undone(self, method: str, address: str) -> HttpResponseBase:
        """Return the response and roll back the changes of the request."""
        with transaction.atomic():
            response = self.request(method, address)
            transaction.set_rollback(True)
        return response
