"""``manage.py probe_application``: output and exit codes."""

import pytest
from django.contrib.auth.models import Group

from notifications import permissions
from notifications.models import AuditEntry, Capability
from tests.factories import make_group, make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db

ARGUMENTS = ["--group", "testers", "--as", "lin.mei"]


@pytest.fixture(autouse=True)
def user(sandbox):
    person = make_user(permissions.SYSTEM_ADMINISTRATOR)
    person.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    sandbox.add_group("testers", "Public")
    make_group(group_id="testers")
    return person


def test_a_new_customer(sandbox):
    sandbox.change_application(new_customer=True)

    code, out, err = run("probe_application", *ARGUMENTS)

    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("No         System notifications")
    assert "(10026)" in lines[0]
    assert lines[1] == "    the application may not make this call"
    assert any(line.startswith("Yes        Group messages") for line in lines)
    assert any(line.startswith("Not tried  Broadcast") for line in lines)
    entry = AuditEntry.objects.get(action="probe_ended")
    assert (entry.actor, entry.by_superuser) == ("lin.mei", False)


def test_a_message_remains(sandbox):
    sandbox.change_application(switched_off={"group_msg_recall": 10041})

    code, _out, err = run("probe_application", *ARGUMENTS)

    assert code == 1
    assert "still in the group" in err


def test_no_verdict(settings):
    settings.IM_BASE_URL = "http://127.0.0.1:9"

    code, out, err = run("probe_application", *ARGUMENTS)

    assert code == 1
    assert out.startswith("Not known  System notifications")
    assert "ended early" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--group", "ghost", "--as", "lin.mei"], "not in the list of groups"),
        (["--group", "testers", "--as", "ghost"], "no active user “ghost”"),
        (["--group", "testers", "--as", "wang"], "Your login may not do this."),
        ([*ARGUMENTS, "--member", "a b"], "Not a member ID: a b"),
    ],
)
def test_what_is_refused(arguments, sentence):
    make_user(permissions.SYSTEM_ADMINISTRATOR, username="wang")

    code, _out, err = run("probe_application", *arguments)

    assert code == 2
    assert sentence in err
    assert not Capability.objects.exists()


def test_without_a_key(settings):
    settings.IM_SECRET_KEY = ""

    code, _out, err = run("probe_application", *ARGUMENTS)

    assert code == 2
    assert "IM_SECRET_KEY is empty" in err
