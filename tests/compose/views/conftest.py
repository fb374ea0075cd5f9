"""Fixtures: a user who may send, and the client of that user."""

import pytest

from notifications import permissions
from tests.factories import make_user


@pytest.fixture
def person(db):
    return make_user(permissions.COMMUNITY_MANAGER)


@pytest.fixture
def manager(person, log_in):
    return log_in(person)
