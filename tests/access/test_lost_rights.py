"""A person who may no longer send: what runs or is scheduled pauses, in every order."""

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.test import Client
from django.utils import timezone

from notifications import permissions
from notifications.access.services import people, sso_accounts
from notifications.compose.checked import checked_of
from notifications.compose.services import resend, send
from notifications.compose.services.handover import hand_over, ownerless_drafts
from notifications.delivery import controls
from notifications.delivery.resendable import ResendKind
from notifications.delivery.schedule import start_scheduled
from notifications.models import AuditEntry, Notification
from tests.edit_forms import save_form
from tests.factories import (
    make_delivery,
    make_group,
    make_notification,
    make_user,
    prove,
)
from tests.interleaving import interleave

REASON = "sender_lost"
ISSUER = "https://id.example.com"


@pytest.fixture
def manager():
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def colleague():
    return make_user(permissions.COMMUNITY_MANAGER, username="j.okafor")


@pytest.fixture
def chief():
    return make_user(superuser=True, username="chief")


def scheduled_by(person: User, **kwargs) -> Notification:
    start = timezone.now() + timedelta(hours=1)
    return make_notification(
        **{"sender": person, "status": "scheduled", "scheduled_for": start} | kwargs
    )


def switch_off(chief: User, person: User) -> None:
    """As the page of the person does."""
    with transaction.atomic():
        before = people.begin_person(chief, person)
        User.objects.filter(pk=person.pk).update(is_active=False)
        people.record_person(chief.get_username(), person.pk, before)


def by_page(chief: User, person: User) -> None:
    browser = Client()
    browser.force_login(chief)
    prove(browser)
    save_form(
        browser,
        f"/auth/user/{person.pk}/change/",
        {"username": person.username, "groups": [g.pk for g in person.groups.all()]},
    )


def without_role(chief: User, person: User) -> None:
    browser = Client()
    browser.force_login(chief)
    prove(browser)
    save_form(
        browser,
        f"/auth/user/{person.pk}/change/",
        {"username": person.username, "is_active": "on"},
    )


def role_without_permission(chief: User, _person: User) -> None:
    role = Group.objects.get(name=permissions.COMMUNITY_MANAGER)
    browser = Client()
    browser.force_login(chief)
    prove(browser)
    save_form(browser, f"/auth/group/{role.pk}/change/", {"name": role.name})


def role_deleted(chief: User, _person: User) -> None:
    role = Group.objects.get(name=permissions.COMMUNITY_MANAGER)
    browser = Client()
    browser.force_login(chief)
    prove(browser)
    browser.post(
        f"/auth/group/{role.pk}/delete/",
        {"post": "yes", "shown": people.role_shown(role.pk)},
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lose", [switch_off, by_page, without_role, role_without_permission, role_deleted]
)
def test_what_is_scheduled_or_running_pauses(manager, chief, lose):
    running = make_notification(sender=manager, status="sending")
    scheduled = scheduled_by(manager)
    paused = make_notification(sender=manager, status="paused")
    ended = make_notification(sender=manager, status="completed")
    other = make_notification(sender=chief, status="sending")

    lose(chief, manager)

    states = Notification.objects.order_by("pk").values_list(
        "pk", "status", "paused_reason", "paused_by"
    )
    assert list(states) == [
        (running.pk, "paused", REASON, ""),
        (scheduled.pk, "paused", REASON, ""),
        (paused.pk, "paused", "person", "lin.mei"),
        (ended.pk, "completed", "", ""),
        (other.pk, "sending", "", ""),
    ]
    entries = AuditEntry.objects.filter(action="paused").order_by("id")
    assert list(entries.values_list("actor", "notification_number", "detail")) == [
        ("chief", one.pk, {"reason": REASON, "controller": "lin.mei"})
        for one in (running, scheduled)
    ]


@pytest.mark.django_db
def test_a_superuser_without_the_flag(manager, chief):
    other = make_user(superuser=True, username="other")
    running = make_notification(sender=other, status="sending")
    browser = Client()
    browser.force_login(chief)
    prove(browser)

    save_form(
        browser,
        f"/auth/user/{other.pk}/change/",
        {"username": "other", "is_active": "on"},
    )

    running.refresh_from_db()
    assert running.paused_reason == REASON


@pytest.mark.django_db
def test_a_role_that_single_sign_on_takes_away(manager):
    roles = [("im-managers", permissions.COMMUNITY_MANAGER)]
    app = SocialApp(
        provider_id="corp",
        settings={"issuer": ISSUER, "roles_claim": "groups", "roles": roles},
    )
    SocialAccount.objects.create(user=manager, provider="corp", uid=f"{ISSUER} 8d2c")
    scheduled = scheduled_by(manager)

    sso_accounts.log_in(app, {"sub": "8d2c", "groups": ["im-managers"]})
    scheduled.refresh_from_db()
    assert scheduled.status == "scheduled"
    sso_accounts.log_in(app, {"sub": "8d2c", "groups": []})

    scheduled.refresh_from_db()
    assert (scheduled.status, scheduled.paused_reason) == ("paused", REASON)


@pytest.mark.django_db
def test_rights_that_remain_pause_nothing(manager, chief):
    running = make_notification(sender=manager, status="sending")
    role = Group.objects.create(name="Senders")
    role.permissions.set(permissions.permission_rows([permissions.SEND]))
    manager.groups.add(role)

    without = Group.objects.get(name=permissions.COMMUNITY_MANAGER)
    with transaction.atomic():
        people.delete_role(chief, without.pk)

    running.refresh_from_db()
    assert running.status == "sending"


@pytest.mark.django_db
def test_who_took_it_over_counts_and_not_the_sender(manager, colleague, chief):
    running = make_notification(sender=manager, status="sending")
    controls.take_over(colleague, running.pk)

    switch_off(chief, manager)
    running.refresh_from_db()
    assert running.status == "sending"

    switch_off(chief, colleague)
    running.refresh_from_db()
    assert (running.status, running.paused_reason) == ("paused", REASON)


@pytest.mark.django_db
def test_a_colleague_takes_over_and_continues(manager, colleague, chief):
    scheduled = scheduled_by(manager)
    switch_off(chief, manager)
    assert start_scheduled(scheduled.scheduled_for, "worker 7") == 0
    with pytest.raises(PermissionDenied):
        controls.resume(colleague, scheduled.pk)

    controls.take_over(colleague, scheduled.pk)
    controls.resume(colleague, scheduled.pk)
    assert start_scheduled(scheduled.scheduled_for, "worker 7") == 1

    scheduled.refresh_from_db()
    assert (scheduled.status, scheduled.sender) == ("sending", manager)


@pytest.mark.django_db
@pytest.mark.parametrize("start", [timedelta(), timedelta(hours=-1)])
def test_rights_that_were_changed_elsewhere(manager, start):
    """By SQL, or in a shell: the worker pauses within a second, and starts nothing."""
    due = scheduled_by(manager, scheduled_for=timezone.now() + start)
    running = make_notification(sender=manager, status="sending")
    User.objects.filter(pk=manager.pk).update(is_active=False)

    start_scheduled(timezone.now(), "worker 7")

    for one in (due, running):
        one.refresh_from_db()
        assert (one.status, one.paused_reason) == ("paused", REASON)
    entries = AuditEntry.objects.values_list("action", "actor")
    assert list(entries) == [("paused", "worker 7")] * 2


@pytest.mark.django_db
def test_an_administrator_whose_right_was_taken_changes_nothing(manager, chief):
    administrator = make_user(permissions.PEOPLE_ADMINISTRATOR, username="admin")
    assert administrator.has_perm("auth.change_user")  # cached
    User.objects.filter(pk=administrator.pk).update(is_active=False)

    with pytest.raises(PermissionDenied), transaction.atomic():
        people.begin_person(administrator, manager)


@pytest.mark.django_db
def test_a_people_administrator_makes_no_superuser(manager):
    administrator = make_user(permissions.PEOPLE_ADMINISTRATOR, username="admin")
    manager.is_superuser = True  # as a form has set it

    with pytest.raises(PermissionDenied), transaction.atomic():
        people.begin_person(administrator, manager)
    with pytest.raises(PermissionDenied), transaction.atomic():
        people.begin_person(administrator, administrator)


# --- at the same time ------------------------------------------------------------------


def state_of(notification: Notification) -> tuple[str, str]:
    notification.refresh_from_db()
    return notification.status, notification.paused_reason


def ready_draft(person: User) -> tuple[Notification, str]:
    draft = make_notification(
        sender=person, audience="chosen", audience_values=[make_group().group_id]
    )
    return draft, checked_of(person, draft).digest()


@pytest.mark.django_db(transaction=True)
def test_a_send_during_a_switch_off(manager, chief):
    draft, digest = ready_draft(manager)

    _, refused = interleave(
        lambda: switch_off(chief, manager),
        lambda: send.send(manager, draft.pk, digest=digest),
        at="notifications.access.services.people.pause_without_right",
    )

    assert isinstance(refused, PermissionDenied)
    assert state_of(draft) == ("draft", "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lose", [switch_off, role_without_permission, role_deleted])
def test_a_loss_of_rights_during_a_send(manager, chief, lose):
    draft, digest = ready_draft(manager)

    sent, lost = interleave(
        lambda: send.send(manager, draft.pk, digest=digest),
        lambda: lose(chief, manager),
        at="notifications.compose.services.send.check_audience",
    )

    assert (sent.pk, lost) == (draft.pk, None)
    assert state_of(draft) == ("paused", REASON)


@pytest.mark.django_db(transaction=True)
def test_a_resend_during_a_switch_off(manager, chief):
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="unconfirmed")
    kind = ResendKind.UNCONFIRMED
    digest = resend.preview(first, kind).digest

    _, refused = interleave(
        lambda: switch_off(chief, manager),
        lambda: resend.send_again(manager, first.pk, kind, digest=digest),
        at="notifications.access.services.people.pause_without_right",
    )

    assert isinstance(refused, PermissionDenied)
    assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_switch_off_during_a_resend(manager, chief):
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="unconfirmed")
    kind = ResendKind.UNCONFIRMED
    digest = resend.preview(first, kind).digest

    again, off = interleave(
        lambda: resend.send_again(manager, first.pk, kind, digest=digest),
        lambda: switch_off(chief, manager),
        at="notifications.compose.services.resend.check_audience",
    )

    assert off is None
    assert state_of(again) == ("paused", REASON)


@pytest.mark.django_db(transaction=True)
def test_two_presses_of_send_again_at_the_same_time(manager):
    first = make_notification(sender=manager, status="completed")
    make_delivery(first, status="unconfirmed")
    kind = ResendKind.UNCONFIRMED
    form = {
        "digest": resend.preview(first, kind).digest,
        "token": resend.uuid.uuid4(),
    }

    one, two = interleave(
        lambda: resend.send_again(manager, first.pk, kind, **form),
        lambda: resend.send_again(manager, first.pk, kind, **form),
        at="notifications.compose.services.resend.check_audience",
    )

    assert one.pk == two.pk
    assert Notification.objects.count() == 2


def promote(notification: Notification) -> int:
    with transaction.atomic():
        return start_scheduled(notification.scheduled_for, "worker 7")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("worker_first", [True, False])
def test_a_start_on_schedule_and_a_switch_off(manager, chief, worker_first):
    scheduled = scheduled_by(manager)
    start, off = lambda: promote(scheduled), lambda: switch_off(chief, manager)

    if worker_first:
        results = interleave(
            start, off, at="notifications.delivery.schedule.audit_log.write"
        )
        assert results == (1, None)
    else:
        results = interleave(
            off, start, at="notifications.access.services.people.pause_without_right"
        )
        assert results[0] is None

    assert state_of(scheduled) == ("paused", REASON)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pause_first", [True, False])
def test_a_pause_and_a_takeover(manager, colleague, pause_first):
    running = make_notification(sender=manager, status="sending")

    def pause():
        return controls.pause(manager, running.pk)

    def take_over():
        return controls.take_over(colleague, running.pk)

    first, second = (pause, take_over) if pause_first else (take_over, pause)
    results = interleave(
        first, second, at="notifications.delivery.controls.audit_log.write"
    )

    assert [result.pk for result in results] == [running.pk] * 2
    assert state_of(running) == ("paused", "person")
    assert running.controlled_by == colleague


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("off_first", [True, False])
def test_a_takeover_and_the_switch_off_of_that_colleague(
    manager, colleague, chief, off_first
):
    running = make_notification(sender=manager, status="sending")

    if off_first:
        _, refused = interleave(
            lambda: switch_off(chief, colleague),
            lambda: controls.take_over(colleague, running.pk),
            at="notifications.access.services.people.pause_without_right",
        )
        assert isinstance(refused, PermissionDenied)
        assert state_of(running) == ("sending", "")
    else:
        interleave(
            lambda: controls.take_over(colleague, running.pk),
            lambda: switch_off(chief, colleague),
            at="notifications.delivery.controls.audit_log.write",
        )
        assert state_of(running) == ("paused", REASON)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("off_first", [True, False])
def test_a_handover_and_the_switch_off_of_its_receiver(
    manager, colleague, chief, off_first
):
    draft, _digest = ready_draft(manager)

    def hand() -> None:
        hand_over(manager, draft.pk, to=colleague, version=1)

    if off_first:
        _, refused = interleave(
            lambda: switch_off(chief, colleague),
            hand,
            at="notifications.access.services.people.pause_without_right",
        )
        assert isinstance(refused, ValidationError)
        assert not ownerless_drafts().exists()
    else:
        results = interleave(
            hand,
            lambda: switch_off(chief, colleague),
            at="notifications.compose.services.handover.audit_log.write",
        )
        assert results == (None, None)
        assert ownerless_drafts().get() == draft


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_take_over_at_the_same_time(manager, colleague):
    running = make_notification(sender=manager, status="sending")
    third = make_user(permissions.COMMUNITY_MANAGER, username="third")

    interleave(
        lambda: controls.take_over(colleague, running.pk),
        lambda: controls.take_over(third, running.pk),
        at="notifications.delivery.controls.audit_log.write",
    )

    running.refresh_from_db()
    assert running.controlled_by == third
    befores = AuditEntry.objects.order_by("id").values_list("detail__before", flat=True)
    assert list(befores) == ["lin.mei", "j.okafor"]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_switch_each_other_off(chief):
    other = make_user(superuser=True, username="other")

    _, refused = interleave(
        lambda: switch_off(chief, other),
        lambda: switch_off(other, chief),
        at="notifications.access.services.people.values_of_person",
    )

    assert isinstance(refused, PermissionDenied)
    assert list(User.objects.filter(is_active=True)) == [chief]


@pytest.mark.django_db
def test_a_person_who_is_no_staff_may_not_send(manager):
    running = make_notification(sender=manager, status="sending")
    draft, digest = ready_draft(manager)
    User.objects.filter(pk=manager.pk).update(is_staff=False)

    with pytest.raises(PermissionDenied):
        send.send(manager, draft.pk, digest=digest)
    start_scheduled(timezone.now(), "worker 1")

    assert state_of(running) == ("paused", REASON)
