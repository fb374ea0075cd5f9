"""RoleBackend: permissions of a user and of the roles in one query."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

from notifications import permissions
from notifications.access.backends import RoleBackend
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def person(**changes) -> User:
    user = make_user(permissions.COMMUNITY_MANAGER, username="wang.fang")
    user.user_permissions.set(
        permissions.permission_rows(
            [permissions.SEE_TRAIL, permissions.SEND, permissions.SEE_HISTORY]
        )
    )
    User.objects.filter(pk=user.pk).update(**changes)
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize(
    "changes", [{}, {"is_active": False}, {"is_superuser": True}], ids=str
)
def test_as_django_has_it(changes):
    row = person(**changes)
    expected = ModelBackend().get_all_permissions(User.objects.get(pk=row.pk))

    assert RoleBackend().get_all_permissions(row) == expected


def test_one_query_however_often_it_is_asked(django_assert_num_queries):
    row = person()

    with django_assert_num_queries(1):
        assert row.has_perm(permissions.SEE_TRAIL)
        assert row.has_perm(permissions.SEE_HISTORY)
        assert not row.has_perm("auth.delete_user")


def test_who_has_no_role_may_nothing():
    make_user(permissions.AUDITOR)
    nobody = make_user(username="nobody")

    assert RoleBackend().get_all_permissions(nobody) == set()
    assert not nobody.has_perm(permissions.SEE_HISTORY)
