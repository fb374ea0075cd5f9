"""The channel and the options of ``send_notification``."""

import pytest

from notifications import permissions
from notifications.compose.services import sender_check
from notifications.models import Delivery, Notification
from notifications.tencent.message_options import MessageOptions
from tests.factories import make_capability, make_group, make_user
from tests.management.running import run

pytestmark = pytest.mark.django_db

AS_MANAGER = ("--as", "lin.mei", "--content", "Hi", "--group", "hikers")


@pytest.fixture(autouse=True)
def _hikers():
    make_user(permissions.COMMUNITY_MANAGER)
    make_group(group_id="hikers", name="Hikers")


def send(*arguments: str) -> tuple[int, str]:
    code, _out, error = run("send_notification", *AS_MANAGER, *arguments)
    assert code == 0 or not Notification.objects.exists()
    return code, error


def test_the_default_is_the_setting(settings):
    assert send()[0] == 0
    assert Notification.objects.get().channel == "system_notification"

    settings.IM_DEFAULT_CHANNEL = "group_message"
    assert send()[0] == 0
    assert Notification.objects.first().channel == "group_message"


def test_all_options(tmp_path, sandbox, worker_answers, monkeypatch):
    monkeypatch.setattr(sender_check, "has_live_worker", lambda: True)
    sandbox.add_group("hikers", "Public", members=["anna"])
    file = tmp_path / "data.json"
    file.write_text('{"a": "周末"}\n', "utf-8")
    words = (
        "--channel group_message --from-account anna --mention-all --priority High "
        "--no-unread --no-last-message --push-title T --push-text P "
        "--image-url https://example.com/a.png --image-width 3 --image-height 4"
    )

    assert send(*words.split(), "--custom-data", str(file)) == (0, "")

    sent = Notification.objects.get()
    assert sent.options == MessageOptions(
        from_account="anna",
        mention_all=True,
        priority="High",
        no_unread=True,
        no_last_message=True,
        push_title="T",
        push_text="P",
        image_url="https://example.com/a.png",
        image_width=3,
        image_height=4,
        custom_data='{"a": "周末"}',
    )
    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.mention_all) == ("group_message", True)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("--mention-all", "has no such options: Mention everyone (@all)."),
        ("--from-account anna", "has no such options: Sender account."),
        ("--channel group_message --no-push --push-title T", "The push is off."),
        (
            "--channel group_message --online-only --no-unread",
            "never counted as unread",
        ),
        ("--channel group_message --from-account 王五", "Not a user ID"),
        ("--channel group_message --from-account anna", "No worker is running"),
        ("--channel group_message --custom-data no-such-file", "no-such-file"),
        ("--channel group_message --recipient anna", "was not probed"),
    ],
)
def test_a_refusal_sends_nothing(words, part):
    code, error = send(*words.split())

    assert code == 2
    assert part in error


@pytest.mark.parametrize("word", ["sms", "recall", "correction"])
def test_an_unknown_channel_names_the_words(word):
    _code, error = send("--channel", word)

    assert error.endswith("choose from 'system_notification', 'group_message')")


def test_a_channel_that_the_application_may_not_use():
    make_capability("system_notification", "no", error_code=10026)

    code, error = send()

    assert code == 2
    assert "the application may not send it (code 10026" in error
    assert send("--channel", "group_message")[0] == 0
