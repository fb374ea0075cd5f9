"""The section "What this application may do" of the page of the connection."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone, translation

from notifications import permissions
from notifications.delivery import capabilities as names
from notifications.delivery import requests
from notifications.management.commands.send_worker import HANDLERS
from notifications.models import AuditEntry, Capability, WorkerRequest
from notifications.system import views
from notifications.system.probe import presentation, run
from notifications.system.probe.presentation import capability_table
from notifications.system.probe.steps import COMMANDS, STEPS
from tests.environment import SDK_APP_ID, SECRET_KEY
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def user():
    person = make_user(permissions.SYSTEM_ADMINISTRATOR)
    person.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    return person


@pytest.fixture
def client(log_in, user):
    return log_in(user)


@pytest.fixture
def group(sandbox, monkeypatch):
    monkeypatch.setattr(run, "HISTORY_PAUSE", 0)
    sandbox.add_group("testers", "Public")
    return make_group(group_id="testers", name="Testers <1>")


def shown(client, query="") -> str:
    response = client.get(reverse("admin:connection") + query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def ask(client, **fields):
    response = client.post(reverse("admin:connection_probe"), fields)
    assert (response.status_code, response["Location"]) == (302, "/system/connection/")


def capability(name=names.GROUP_MESSAGE, **fields):
    values = {
        "sdk_app_id": SDK_APP_ID,
        "answer": "yes",
        "group_id": "testers",
        "probed_by": "wang",
        "probed_at": timezone.now(),
    }
    return Capability.objects.create(name=name, **values | fields)


def test_before_the_first_probe(client):
    page = shown(client)

    assert "Nothing was tried yet." in page
    assert page.count("Not tried") == len(names.NAMES)
    assert "it would reach every live room" in page
    assert "Show what members will see</button>" in page


def test_what_members_will_see_is_said_before_anything_is_sent(client, group, sandbox):
    page = shown(client, "?group=+testers+&member=anna")

    assert "What members of Testers &lt;1&gt; (Public) will see" in page
    assert "[Test] This message tries out" in page
    assert "Only anna gets it as a message" in page
    assert 'name="group" value="testers"' in page
    assert "Probe with this group</button>" in page
    assert len(sandbox.journal) == 0
    assert not AuditEntry.objects.exists()


def test_a_live_room_gets_fewer_calls(client):
    make_group(group_id="live", type="AVChatRoom")

    page = shown(client, "?group=live")

    assert page.count("<li>") - shown(client).count("<li>") == 3
    assert "administrator gets it" not in page


@pytest.mark.parametrize("group_id", ["ghost", "", "%00", "%3Cb%3E"])
def test_a_group_that_cannot_be_probed(client, group_id):
    page = shown(client, f"?group={group_id}")

    assert "is not in the list of groups." in page
    assert "<b>" not in page
    assert "Probe with this group" not in page


def test_from_the_question_to_the_answers(
    client, group, sandbox, settings, monkeypatch
):
    """The web process has no key: the worker makes the calls."""
    sandbox.change_application(new_customer=True)
    monkeypatch.setattr(views, "has_live_worker", lambda: True)
    settings.IM_SECRET_KEY = ""
    ask(client, group=" testers ", member="")
    assert "Asked. The worker is trying it out" in shown(client)
    assert "Show what members will see" not in shown(client)
    assert len(sandbox.journal) == 0

    settings.IM_SECRET_KEY = SECRET_KEY
    requests.answer_waiting(HANDLERS)

    assert client.get(reverse("admin:connection_status"))["X-Done"] == "1"
    page = shown(client)
    assert "Nothing was tried yet." not in page
    assert "(10026)" in page
    assert "the application may not make this call" in page
    assert "testers" in page
    assert "(UTC)" in page


@pytest.mark.parametrize(
    ("command", "fault", "numbers"),
    [("group_msg_recall", "code:10041", "1, 2"), ("send_group_msg", "html", "unknown")],
)
def test_messages_that_remain(client, group, sandbox, command, fault, numbers):
    """A page that is no verdict for the message; its history cannot be read either."""
    assert "may still be in the group" not in shown(client)
    if command == "send_group_msg":
        sandbox.fail_next(command, "slow:0")
        sandbox.fail_next("group_msg_get_simple", "html", times=3)
    sandbox.fail_next(command, fault)
    ask(client, group="testers")

    requests.answer_waiting(HANDLERS)

    page = shown(client)
    assert "may still be in the group testers." in page
    assert f"Their numbers: {numbers}." in page


def test_both_questions_wait_for_the_same_worker(client, group, monkeypatch):
    monkeypatch.setattr(views, "has_live_worker", lambda: True)
    client.post(reverse("admin:connection"))
    ask(client, group="testers")

    page = shown(client)

    assert "The worker is checking" in page
    assert "The worker is trying it out" in page
    assert page.count('id="live"') == 1
    assert WorkerRequest.objects.count() == 2


def test_the_text_is_in_the_language_of_the_person_who_asks(client, group, settings):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    ask(client, group="testers")

    assert WorkerRequest.objects.get().parameters["language"] == "zh-hans"


def test_refusals_lead_back(client):
    ask(client, group="ghost")

    assert "“ghost” is not in the list of groups." in shown(client)
    assert not WorkerRequest.objects.exists()


def test_the_worker_checks_the_rights_again(client, user, group, sandbox):
    ask(client, group="testers")
    user.groups.clear()

    requests.answer_waiting(HANDLERS)

    assert list(WorkerRequest.objects.get().answer) == [requests.REFUSED]
    assert len(sandbox.journal) == 0


def test_who_may_not_send_sees_the_answers_only(log_in):
    capability()
    client = log_in(make_user(permissions.SYSTEM_ADMINISTRATOR, username="wang"))

    page = shown(client, "?group=testers")

    assert "Group messages" in page
    assert "Probe with" not in page
    assert client.post(reverse("admin:connection_probe")).status_code == 403


def test_another_application_was_probed(client, settings):
    capability(answer="no", error_code=10026)
    settings.IM_SDK_APP_ID = "1500000000"

    page = shown(client)

    assert "The application 1400000000 was probed" in page
    assert "(10026)" not in page
    capability(sdk_app_id=1500000000)
    assert "was probed, which" not in shown(client)


@pytest.mark.parametrize("value", ["", "x"])
def test_no_usable_application(client, settings, value):
    settings.IM_SDK_APP_ID = value

    assert shown(client).count("Not tried") == len(names.NAMES)


@pytest.mark.parametrize("finding", [*presentation.FINDINGS, "no_answer", "dns"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_finding_is_a_sentence(finding, language):
    capability(finding=finding)

    with translation.override(language):
        rows = {row.label: row for row in capability_table().rows}
        row = rows[str(presentation.LABELS[names.GROUP_MESSAGE])]

    assert row.text.endswith((".", ":", "。", "："))


def test_every_capability_has_a_label_and_every_answer_a_command():
    assert presentation.LABELS.keys() == set(names.NAMES)
    assert COMMANDS.keys() == set(names.NAMES) - {names.BROADCAST, names.CALLBACKS}
    assert "send_broadcast_msg" not in {step.command.COMMAND for step in STEPS}
