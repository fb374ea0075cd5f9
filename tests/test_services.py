"""Each service reads the rights of its user anew, in the transaction of the action."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

import notifications
from notifications import permissions
from notifications.amendments import services as amendments_services
from notifications.audiences import saved
from notifications.audit import export as audit_export
from notifications.compose.services import (
    drafts,
    handover,
    member_check,
    preparation,
    resend,
    send,
    sender_check,
)
from notifications.delivery import controls
from notifications.delivery.reconcile import services as reconcile_services
from notifications.groups import export as groups_export
from notifications.groups import labels
from notifications.groups import services as groups_services
from notifications.groups.importing import apply
from notifications.groups.sync import services as sync_services
from notifications.history import export as history_export
from notifications.history.evidence import services as evidence_services
from notifications.history.search.filters import DeliveryFilter
from notifications.models import (
    AuditEntry,
    Channel,
    ChatGroup,
    GroupImport,
    GroupSync,
    Label,
    Notification,
    Rule,
    SavedAudience,
)
from notifications.system import connection_check
from notifications.system.probe import services as probe_services
from tests.console.test_matrix import contents
from tests.environment import ROOT
from tests.factories import (
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)
from tests.group_files import opened

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

# Logins, and changes that need a second person.
WITH_OWN_TESTS = {"access", "approvals.py"}

# Functions with a user that change nothing and show nothing that is protected.
OTHERS = {
    "checked_of",  # what Check shows, of a draft that the caller may see
    "explain_missing",
    "handed_over_by",
    "require_sender",  # a part of the send and of the resend
    "receiver_of",  # of the user's own handover
    "present_request",  # of the user
    "ask",  # its callers check the right
    "require_hand_over",
    "require_own_draft",
    "require_control",
    "require",
    "actor_name",
}


def services() -> dict[str, Callable[..., Any]]:
    """Public functions whose first parameter is the user."""
    functions: dict[str, Callable[..., Any]] = {}
    package = Path(notifications.__file__).parent
    for path in sorted(package.rglob("*.py")):
        folders = path.relative_to(package).parts
        if {*WITH_OWN_TESTS, "migrations", "commands", "views", "views.py"} & set(
            folders
        ):
            continue
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, function in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(function):
                continue
            if inspect.unwrap(function).__module__ != module.__name__:
                continue
            parameters = list(inspect.signature(function).parameters.values())
            if parameters and parameters[0].annotation in (User, User | str):
                functions[
                    f"{module.__name__}.{name}".removeprefix("notifications.")
                ] = function
    return {k: f for k, f in functions.items() if f.__name__ not in OTHERS}


def prepare_large(user: User, draft: Notification) -> None:
    """Sending a draft that is prepared in several transactions."""
    with (
        mock.patch.object(preparation, "_is_large", return_value=True),
        preparation.prepared(user, draft.pk, digest=""),
    ):
        pass


@pytest.fixture
def user() -> User:
    """Has every role, and loses all of them after the permissions were loaded."""
    person = make_user(permissions.COMMUNITY_MANAGER)
    person.groups.set(Group.objects.all())
    person = User.objects.get(pk=person.pk)
    assert all(
        person.has_perm(name)
        for name in permissions.ROLE_PERMISSIONS[permissions.COMMUNITY_MANAGER]
    )
    User.objects.get(pk=person.pk).groups.clear()
    assert person.has_perm(permissions.SEND)  # as a page that was opened before
    return person


def calls(user: User) -> dict[str, Callable[[], Any]]:
    """Each service, called as by a person who may."""
    group = make_group(group_id="hikers")
    groups = ChatGroup.objects.all()
    draft = make_notification(sender=user)
    sent = make_notification(sender=user, status="sending")
    scheduled = make_notification(
        sender=user, status="scheduled", scheduled_for=timezone.now()
    )
    paused = make_notification(sender=user, status="paused")
    ended = make_notification(sender=user, status="completed")
    unconfirmed = make_delivery(ended, group, status="unconfirmed")
    make_seal(ended)
    message = make_notification(
        sender=user, status="completed", channel=Channel.GROUP_MESSAGE
    )
    make_delivery(
        message, group, status="accepted", msg_seq=7, finished_at=timezone.now()
    )
    label = Label.objects.create(name="North")
    audience = SavedAudience.objects.create(
        name="North", stored_rule={"labels": ["North"]}, changed_by="x"
    )
    content = b"group_id,type,name\ng,Public,G\n"
    pending = GroupImport.objects.create(owner=user, content=content)
    sync = GroupSync.objects.create(requested_by="x")
    colleague = make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")
    later = timezone.now() + timedelta(hours=1)
    new = drafts.Draft("Hello", "every")
    return {
        "audiences.saved.save": lambda: saved.save(user, "South", Rule(min_members=1)),
        "audiences.saved.delete": lambda: saved.delete(user, audience.pk),
        "audit.export.download_trail": lambda: audit_export.download_trail(
            user, AuditEntry.objects.all(), file_format="csv", filters={}
        ),
        "compose.services.drafts.save_draft": lambda: drafts.save_draft(user, new),
        "compose.services.drafts.delete_draft": lambda: drafts.delete_draft(
            user, draft.pk, version=draft.version
        ),
        "compose.services.handover.hand_over": lambda: handover.hand_over(
            user, draft.pk, to=colleague, version=draft.version
        ),
        "compose.services.member_check.check_members": lambda: (
            member_check.check_members(user, ["hikers"], ["anna"])
        ),
        "compose.services.member_check.request_member_check": lambda: (
            member_check.request_member_check(user, ["hikers"], ["anna"])
        ),
        "compose.services.member_check.answer": lambda: member_check.answer(
            user, {"groups": ["hikers"], "members": ["anna"]}
        ),
        "compose.services.preparation.prepared": lambda: prepare_large(user, draft),
        "compose.services.sender_check.sender_problem": lambda: (
            sender_check.sender_problem(user, draft)
        ),
        "compose.services.sender_check.answer": lambda: sender_check.answer(
            user, {"account": "anna"}
        ),
        "compose.services.resend.send_again": lambda: resend.send_again(
            user, ended.pk, resend.ResendKind.UNCONFIRMED, digest=""
        ),
        "compose.services.send.send": lambda: send.send(user, draft.pk, digest=""),
        "amendments.services.recall": lambda: amendments_services.recall(
            user, message.pk, reason="wrong date"
        ),
        "amendments.services.correct": lambda: amendments_services.correct(
            user, message.pk, content="Tomorrow"
        ),
        "delivery.reconcile.services.ask_now": lambda: reconcile_services.ask_now(
            user, ended.pk
        ),
        "delivery.controls.pause": lambda: controls.pause(user, sent.pk),
        "delivery.controls.resume": lambda: controls.resume(user, paused.pk),
        "delivery.controls.stop": lambda: controls.stop(user, sent.pk),
        "delivery.controls.reschedule": lambda: controls.reschedule(
            user, scheduled.pk, start=later, not_after=None
        ),
        "delivery.controls.take_over": lambda: controls.take_over(user, sent.pk),
        "delivery.controls.set_sending_switch": lambda: controls.set_sending_switch(
            user, is_off=True
        ),
        "delivery.controls.resolve_delivery": lambda: controls.resolve_delivery(
            user, unconfirmed.pk, note="Anna saw it"
        ),
        "groups.export.download_groups": lambda: groups_export.download_groups(
            user, groups, filters={}
        ),
        "groups.importing.apply.store_pending": lambda: apply.store_pending(
            user, content
        ),
        "groups.importing.apply.import_pending": lambda: apply.import_pending(
            user, pending, opened(content), digest="", leave_out=False
        ),
        "groups.labels.add_labels": lambda: labels.add_labels(user, groups, ["South"]),
        "groups.labels.remove_labels": lambda: labels.remove_labels(
            user, groups, ["North"]
        ),
        "groups.labels.set_labels": lambda: labels.set_labels(
            user, group, ["North"], shown=[]
        ),
        "groups.labels.rename": lambda: labels.rename(user, label.pk, "South"),
        "groups.labels.delete": lambda: labels.delete(user, label.pk),
        "groups.services.save_group": lambda: groups_services.save_group(user, group),
        "groups.services.switch_off": lambda: groups_services.switch_off(user, groups),
        "groups.services.switch_on": lambda: groups_services.switch_on(user, groups),
        "groups.sync.services.request_sync": lambda: sync_services.request_sync(user),
        "groups.sync.services.stop_sync": lambda: sync_services.stop_sync(
            user, sync.pk
        ),
        "history.evidence.services.evidence": lambda: evidence_services.evidence(
            user, ended.pk
        ),
        "history.export.download": lambda: history_export.download(
            user, DeliveryFilter(), [], file_format="csv", parameters={}
        ),
        "system.connection_check.request_check": lambda: connection_check.request_check(
            user
        ),
        "system.connection_check.answer": lambda: connection_check.answer(user, {}),
        "system.connection_check.send_trial_notice": lambda: (
            connection_check.send_trial_notice(user, "hikers")
        ),
        "system.probe.services.request_probe": lambda: probe_services.request_probe(
            user, "hikers"
        ),
        "system.probe.services.probe": lambda: probe_services.probe(user, "hikers"),
        "system.probe.services.answer": lambda: probe_services.answer(
            user, {"group": "hikers", "member": "", "language": "en"}
        ),
    }


def test_every_service_is_called_here(user):
    assert set(services()) == set(calls(user))


@pytest.mark.parametrize("name", sorted(services()))
def test_a_right_that_was_lost_meanwhile_is_missed_in_the_service(user, name):
    call = calls(user)[name]
    before = contents()

    with pytest.raises(PermissionDenied, match="Your login may not do this"):
        call()

    assert contents() == before
