"""Fixtures: a user who may send."""

import pytest

from notifications import permissions
from tests.factories import make_user


@pytest.fixture
def manager(db):
    return make_user(permissions.COMMUNITY_MANAGER)
