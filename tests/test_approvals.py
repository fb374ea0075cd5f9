"""The two-person mechanism: request, approval, cancellation, and all at the same time."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import approvals, permissions
from notifications.access.queries import has_factor
from notifications.access.services import people, protected_changes
from notifications.models import Approval, AuditEntry
from tests.factories import make_app, make_user
from tests.interleaving import interleave

Status = Approval.Status


@pytest.fixture
def first():
    return make_user(permissions.PEOPLE_ADMINISTRATOR, username="first")


@pytest.fixture
def second():
    return make_user(permissions.PEOPLE_ADMINISTRATOR, username="second")


@pytest.fixture
def manager():
    person = make_user(permissions.COMMUNITY_MANAGER)
    make_app(person)
    return person


@pytest.fixture
def request_(first, second, manager) -> Approval:
    return protected_changes.reset_factors(first, manager, reason="Phone lost")


def words() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor"))


pytestmark = pytest.mark.django_db


def test_a_request_changes_nothing_until_another_person_approves(
    request_, second, manager
):
    assert (request_.status, has_factor(manager)) == (Status.PENDING, True)

    approvals.approve(second, request_.pk)

    assert not has_factor(manager)
    request_.refresh_from_db()
    assert (request_.status, request_.decided_by) == (Status.APPROVED, second)
    assert words() == [
        ("approval_requested", "first"),
        ("approval_given", "second"),
        ("factor_removed", "second"),
    ]
    assert AuditEntry.objects.filter(action="approval_given").get().detail == {
        "person": "lin.mei",
        "kind": "factor_reset",
        "reason": "Phone lost",
        "requested_by": "first",
    }


def refuse(user: User, request_: Approval, error: type[Exception]) -> None:
    before = words()
    with pytest.raises(error):
        approvals.approve(user, request_.pk)
    assert words() == before
    assert has_factor(User.objects.get(username="lin.mei"))


def test_who_may_not_approve(request_, first, manager):
    auditor = make_user(permissions.AUDITOR, username="auditor")
    for user in (first, auditor, manager):
        refuse(user, request_, PermissionDenied)
    manager.is_superuser = True
    manager.save()
    refuse(manager, request_, PermissionDenied)


def test_a_superuser_does_not_approve_an_own_request(second, manager):
    chief = make_user(superuser=True, username="chief")
    request_ = protected_changes.reset_factors(chief, manager)

    refuse(chief, request_, PermissionDenied)
    approvals.approve(second, request_.pk)

    assert not has_factor(manager)


def test_a_superuser_does_not_approve_a_change_of_the_own_login():
    chief = make_user(superuser=True, username="chief")
    other = make_user(superuser=True, username="other")
    make_user(superuser=True, username="third")  # who could approve it
    with transaction.atomic():
        people.begin_person(other, chief)
        own = protected_changes.change_address(other, chief, chief.email, "x@y.example")

    with pytest.raises(PermissionDenied):
        approvals.approve(chief, own.pk)

    chief.refresh_from_db()
    assert chief.email != "x@y.example"


def test_neither_of_both_may_have_lost_the_right_meanwhile(request_, first, second):
    second.groups.clear()
    refuse(second, request_, PermissionDenied)
    chief = make_user(superuser=True, username="chief")
    User.objects.filter(pk=first.pk).update(is_active=False)
    refuse(chief, request_, PermissionDenied)


def test_that_of_a_superuser_is_approved_by_a_superuser_only(second):
    chiefs = [make_user(superuser=True, username=f"chief{n}") for n in (1, 2, 3)]
    make_app(chiefs[2])
    request_ = protected_changes.reset_factors(chiefs[0], chiefs[2])

    with pytest.raises(PermissionDenied):
        approvals.approve(second, request_.pk)
    approvals.approve(chiefs[1], request_.pk)

    assert not has_factor(chiefs[2])


def test_it_expires(request_, first, second, manager):
    past = timezone.now() - timedelta(seconds=1)
    Approval.objects.update(expires_at=past)

    refuse(second, request_, ValidationError)
    again = protected_changes.reset_factors(first, manager)

    request_.refresh_from_db()
    assert (request_.status, again.status) == (Status.EXPIRED, Status.PENDING)


def test_the_same_is_not_requested_twice(request_, first, second, manager):
    for user in (first, second):
        with pytest.raises(ValidationError):
            protected_changes.reset_factors(user, manager)


def test_a_cancelled_request_is_not_approved(request_, first, second):
    approvals.withdraw(first, request_.pk)

    refuse(second, request_, ValidationError)
    assert words()[-1] == ("approval_cancelled", "first")


def test_who_may_not_change_people_cancels_nothing(request_, manager):
    with pytest.raises(PermissionDenied):
        approvals.withdraw(manager, request_.pk)


def test_where_there_is_one_administrator_it_happens_at_once(first, manager):
    request_ = protected_changes.reset_factors(first, manager)

    assert (request_.status, has_factor(manager)) == (Status.ALONE, False)
    assert words() == [("factor_removed", "first")]


def test_the_database_refuses_an_approval_by_the_same_person(request_, first):
    values = {"status": "approved", "decided_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(**values, decided_by=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.update(**values, decided_by=None)


def without_role(user: User) -> None:
    user.groups.clear()


# --- at the same time ----------------------------------------------------------------------

AT = "notifications.approvals._decide"


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once(request_, second):
    third = make_user(permissions.PEOPLE_ADMINISTRATOR, username="third")

    one, two = interleave(
        lambda: approvals.approve(second, request_.pk),
        lambda: approvals.approve(third, request_.pk),
        at=AT,
    )

    assert isinstance(one, tuple)
    assert isinstance(two, ValidationError)
    assert [word for word, _actor in words()].count("factor_removed") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_first", [True, False])
def test_an_approval_and_a_cancellation_at_once(request_, first, second, is_first):
    def approve():
        return approvals.approve(second, request_.pk)

    def cancel():
        return approvals.withdraw(first, request_.pk)

    order = (approve, cancel) if is_first else (cancel, approve)
    one, two = interleave(*order, at=AT)

    assert not isinstance(one, Exception)
    assert isinstance(two, ValidationError)
    person = User.objects.get(username="lin.mei")
    assert has_factor(person) != is_first


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once(first, second, manager):
    one, two = interleave(
        lambda: protected_changes.reset_factors(first, manager),
        lambda: protected_changes.reset_factors(second, manager),
        at="notifications.approvals.audit_log.write",
    )

    assert one.status == Status.PENDING
    assert isinstance(two, ValidationError)
    assert Approval.objects.get() == one


@pytest.mark.django_db(transaction=True)
def test_the_right_is_taken_at_the_same_time(request_, second):
    """The second transaction waits for the locks of the people, and is refused then."""

    @transaction.atomic
    def take_away():
        permissions.lock_people([second.pk])
        without_role(second)

    _one, two = interleave(
        take_away,
        lambda: approvals.approve(second, request_.pk),
        at="tests.test_approvals.without_role",
    )

    assert isinstance(two, PermissionDenied)
    assert has_factor(User.objects.get(username="lin.mei"))


@pytest.mark.django_db(transaction=True)
def test_two_administrators_approve_the_requests_of_each_other(first, second, manager):
    other = make_user(permissions.AUDITOR, username="other")
    make_app(other)
    one = protected_changes.reset_factors(first, manager)
    two = protected_changes.reset_factors(second, other)

    answers = interleave(
        lambda: approvals.approve(second, one.pk),
        lambda: approvals.approve(first, two.pk),
        at=AT,
    )

    assert all(isinstance(answer, tuple) for answer in answers)
    assert not has_factor(manager)
    assert not has_factor(other)
