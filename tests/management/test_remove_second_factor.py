"""``remove_second_factor``: its effects, and the refusals with exit code 2."""

import pytest

from notifications.access.queries import has_factor
from notifications.models import AuditEntry
from tests.factories import make_app, make_user
from tests.management.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_it_removes_what_the_last_administrator_lost():
    person = make_user(superuser=True)
    make_app(person)

    assert run("remove_second_factor", "lin.mei") == (0, "removed=lin.mei\n", "")
    assert not has_factor(person)
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.detail) == ("factor_removed", {"person": "lin.mei"})
    assert entry.actor.startswith("command (")


@pytest.mark.parametrize(
    ("username", "sentence"),
    [
        ("ghost", "There is no user “ghost”."),
        ("lin.mei", "No second factor is set up for lin.mei."),
    ],
)
def test_it_refuses_in_a_sentence(username, sentence):
    make_user()

    assert run("remove_second_factor", username) == (2, "", sentence)
    assert not AuditEntry.objects.exists()
