"""A probe against the sandbox: its answers, its messages, its entries."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from notifications import audit_log, permissions
from notifications.models import (
    AuditEntry,
    Capability,
    Pace,
    SendingSwitch,
    WorkerRequest,
)
from notifications.sandbox.messages import State
from notifications.sandbox.server import SandboxConfig, SandboxServer
from notifications.system.audit_events import PROBE_STARTED
from notifications.system.probe import run, services
from notifications.system.probe.services import MIN_INTERVAL, probe, request_probe
from tests.environment import SDK_APP_ID
from tests.factories import make_group, make_user
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(run, "HISTORY_PAUSE", 0)


@pytest.fixture
def user():
    person = make_user(permissions.SYSTEM_ADMINISTRATOR)
    person.groups.add(Group.objects.get(name=permissions.COMMUNITY_MANAGER))
    return person


def group_of(sandbox, group_type, **fields):
    sandbox.add_group("testers", group_type)
    return make_group(group_id="testers", name="Testers", type=group_type, **fields)


def stored():
    rows = Capability.objects.order_by("name")
    return {row.name: (row.answer, row.finding, row.error_code) for row in rows}


FLAGSHIP = {
    "system_notification": ("yes", "", None),
    "group_message": ("yes", "", None),
    "named_members": ("yes", "", None),
    "receipts": ("yes", "not_counted", 10062),
    "recall": ("yes", "again_refused", 10032),
    "history": ("yes", "found", None),
    "repeat": ("yes", "same_seq", None),
    "online_only_seq": ("no", "zero_seq", None),
    "targeted_in_history": ("no", "", None),
}


@pytest.mark.parametrize(
    ("group_type", "application", "changed", "missing"),
    [
        ("Public", {}, {}, ()),
        ("ChatRoom", {}, {}, ()),
        ("Private", {}, {}, ()),
        ("Community", {}, {}, ("named_members", "receipts", "targeted_in_history")),
        (
            "AVChatRoom",
            {},
            {},
            (
                "named_members",
                "receipts",
                "targeted_in_history",
                "history",
                "online_only_seq",
            ),
        ),
        ("BChatRoom", {}, {}, tuple(FLAGSHIP.keys() - {"system_notification"})),
        (
            "Public",
            {"new_customer": True},
            {"system_notification": ("no", "", 10026)},
            (),
        ),
        (
            "Public",
            {"edition": "professional"},
            {"named_members": ("no", "", 10059), "receipts": ("no", "", 10059)},
            ("targeted_in_history",),
        ),
        ("Public", {"repeats": "new"}, {"repeat": ("yes", "new_seq", None)}, ()),
        ("Public", {"repeats": "zero"}, {"repeat": ("yes", "zero_seq", None)}, ()),
        ("Public", {"repeats": "error"}, {"repeat": ("yes", "", 10004)}, ()),
        (
            "Public",
            {"switched_off": {"send_group_msg": 60017}},
            {"group_message": ("no", "", 60017)},
            tuple(FLAGSHIP.keys() - {"system_notification", "group_message"}),
        ),
        (
            "Public",
            {"switched_off": {"group_msg_get_simple": 10026}},
            {"history": ("no", "", 10026)},
            ("targeted_in_history",),
        ),
        (
            "Public",
            {"switched_off": {"send_group_system_notification": 10007}},
            {"system_notification": ("unknown", "", 10007)},  # about one group
            (),
        ),
        (
            "Public",
            {"callback": "refuse"},
            {
                "group_message": ("unknown", "", 10016),
                "named_members": ("unknown", "", 10016),
            },
            tuple(
                FLAGSHIP.keys()
                - {"system_notification", "group_message", "named_members"}
            ),
        ),
    ],
)
def test_the_answers_and_that_nothing_remains(
    sandbox, user, group_type, application, changed, missing
):
    group_of(sandbox, group_type)
    sandbox.change_application(**application)

    trial = probe(user, "testers")

    expected = {name: row for name, row in FLAGSHIP.items() if name not in missing}
    assert stored() == expected | changed
    assert trial.is_complete
    assert (trial.remaining, trial.untraced) == ([], 0)
    assert all(
        message.state == State.RECALLED for message in sandbox.messages("testers")
    )
    start, end = AuditEntry.objects.order_by("id")
    assert (start.action, end.action) == ("probe_started", "probe_ended")
    assert {entry.actor for entry in (start, end)} == {"lin.mei"}
    assert end.detail["group_id"] == "testers"
    assert {row["name"]: row["answer"] for row in end.detail["results"]} == {
        name: answer for name, (answer, _finding, _code) in stored().items()
    }
    row = Capability.objects.first()
    assert (row.sdk_app_id, row.group_id, row.probed_by) == (
        SDK_APP_ID,
        "testers",
        "lin.mei",
    )
    # Each command has its own pace, which the workers share.
    assert set(Pace.objects.values_list("name", flat=True)) >= {
        f"{SDK_APP_ID}:send_group_system_notification"
    }


def test_a_history_that_shows_a_repeat_twice(user, settings):
    """Tencent does not drop the repeat; both copies are taken back."""
    with SandboxServer(SandboxConfig(repeat_seconds=0)) as sandbox:
        settings.IM_BASE_URL = sandbox.url
        group_of(sandbox, "Public")

        trial = probe(user, "testers")

    assert stored()["repeat"] == ("no", "new_seq", None)
    assert (trial.remaining, trial.untraced) == ([], 0)
    states = [message.state for message in sandbox.messages("testers")]
    assert states == [State.RECALLED] * 3


def test_a_message_that_cannot_be_taken_back_is_named(sandbox, user):
    group_of(sandbox, "Public")
    sandbox.change_application(switched_off={"group_msg_recall": 10041})

    trial = probe(user, "testers")

    assert stored()["recall"] == ("no", "", 10041)
    assert trial.remaining == [m.msg_seq for m in sandbox.messages("testers")]
    assert AuditEntry.objects.latest("id").detail["remaining"] == trial.remaining


@pytest.mark.parametrize(
    ("fault", "stored_messages", "untraced"),
    [("reset_after", 1, 0), ("reset_before", 0, 1)],
)
def test_a_call_without_an_answer_ends_the_sending_and_is_no_refusal(
    sandbox, user, fault, stored_messages, untraced
):
    """The history shows whether the message was stored; then it is taken back."""
    group_of(sandbox, "Public")
    for each in ("slow:0", fault):  # of the message to online members, of the next one
        sandbox.fail_next("send_group_msg", each)

    trial = probe(user, "testers")

    assert not trial.is_complete
    assert trial.untraced == untraced
    messages = sandbox.messages("testers")
    assert [m.state for m in messages] == [State.RECALLED] * stored_messages
    answers = stored()
    assert answers["group_message"] == ("yes", "", None)
    assert not {"repeat", "named_members"} & answers.keys()
    assert ("history" in answers) is bool(stored_messages)


def test_a_network_that_fails_at_once(user, settings):
    make_group(group_id="testers")
    Capability.objects.create(
        sdk_app_id=SDK_APP_ID, name="history", answer="yes", group_id="x",
        probed_by="x", probed_at=timezone.now(),
    )  # fmt: skip

    trial = probe(user, "testers")

    assert not trial.is_complete
    assert stored() == {
        "system_notification": ("unknown", "refused", None),
        "history": ("yes", "", None),  # not tried: the earlier answer remains
    }


def test_the_group_is_missing_there(sandbox, user):
    make_group(group_id="elsewhere")

    probe(user, "elsewhere")

    assert {row[0] for row in stored().values()} == {"unknown"}
    assert stored()["group_message"] == ("unknown", "", 10010)


def test_a_later_probe_replaces_only_what_its_group_can_try(sandbox, user, monkeypatch):
    group_of(sandbox, "Public")
    probe(user, "testers")
    sandbox.add_group("live", "AVChatRoom")
    make_group(group_id="live", type="AVChatRoom")
    sandbox.change_application(new_customer=True)
    monkeypatch.setattr(services, "MIN_INTERVAL", timedelta(0))

    probe(user, "live")

    assert stored()["system_notification"] == ("no", "", 10026)
    by_group = dict(Capability.objects.values_list("name", "group_id"))
    assert by_group["history"] == "testers"
    assert by_group["group_message"] == "live"


def test_named_member(sandbox, user):
    group_of(sandbox, "Public")
    sandbox.add_group("testers", "Public", members=["anna"])

    probe(user, "testers", "anna")

    assert AuditEntry.objects.earliest("id").detail["member"] == "anna"
    assert stored()["named_members"] == ("yes", "", None)


@pytest.mark.parametrize(
    ("group_id", "member", "sentence"),
    [
        ("ghost", "", "“ghost” is not in the list of groups."),
        ("\0", "", "is not in the list"),
        ("", "", "is not in the list"),
        ("off", "", "“Off” cannot be sent to"),
        ("testers", "王 五", "Not a member ID: 王 五"),
        ("testers", "x" * 33, "Not a member ID"),
    ],
)
@pytest.mark.parametrize("use_case", [probe, request_probe])
def test_what_cannot_be_probed(sandbox, user, use_case, group_id, member, sentence):
    group_of(sandbox, "Public")
    make_group(group_id="off", name="Off", state="switched_off")

    with pytest.raises(ValidationError, match=sentence):
        use_case(user, group_id, member)

    assert not AuditEntry.objects.exists()
    assert not WorkerRequest.objects.exists()
    assert len(sandbox.journal) == 0


def test_soon_after_another_probe(sandbox, user):
    group_of(sandbox, "Public")
    audit_log.write(PROBE_STARTED, "wang", at=timezone.now() - MIN_INTERVAL / 2)

    with pytest.raises(ValidationError, match="A probe began a moment ago"):
        probe(user, "testers")


def test_while_all_sending_is_stopped(sandbox, user):
    group_of(sandbox, "Public")
    SendingSwitch.objects.update_or_create(pk=1, defaults={"is_off": True})

    with pytest.raises(ValidationError, match="All sending is stopped"):
        probe(user, "testers")

    assert len(sandbox.journal) == 0


@pytest.mark.parametrize(
    "roles",
    [[], [permissions.SYSTEM_ADMINISTRATOR], [permissions.COMMUNITY_MANAGER]],
)
@pytest.mark.parametrize("use_case", [probe, request_probe])
def test_both_rights_are_needed(sandbox, user, use_case, roles):
    group_of(sandbox, "Public")
    user.groups.set(Group.objects.filter(name__in=roles))

    with pytest.raises(PermissionDenied):
        use_case(user, "testers")

    assert not AuditEntry.objects.exists()
    assert len(sandbox.journal) == 0


def after_sends(monkeypatch, number, action):
    """Run ``action`` before message ``number`` is sent."""
    original, calls = services._may_send, []

    def watched(user):
        calls.append(user)
        if len(calls) == number:
            action()
        return original(user)

    monkeypatch.setattr(services, "_may_send", watched)


def test_the_right_is_lost_meanwhile(sandbox, user, monkeypatch):
    """Nothing more is sent or stored; what was sent is taken back and on record."""
    group_of(sandbox, "Public")
    after_sends(monkeypatch, 4, user.groups.clear)

    with pytest.raises(PermissionDenied, match="the probe was ended"):
        probe(user, "testers")

    assert stored() == {}
    (message,) = sandbox.messages("testers")
    assert message.state == State.RECALLED
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.detail["is_stored"]) == ("probe_ended", False)
    assert entry.detail["results"]


def test_stop_all_ends_the_sending(sandbox, user, monkeypatch):
    group_of(sandbox, "Public")
    after_sends(
        monkeypatch,
        2,
        lambda: SendingSwitch.objects.update_or_create(pk=1, defaults={"is_off": True}),
    )

    trial = probe(user, "testers")

    assert not trial.is_complete
    assert stored() == {"system_notification": ("yes", "", None)}
    assert sandbox.messages("testers") == []


@pytest.mark.django_db(transaction=True)
def test_two_probes_at_the_same_time(sandbox, user):
    """The second one finds the start of the first and calls nothing."""
    group_of(sandbox, "Public")

    first, second = interleave(
        lambda: probe(user, "testers"),
        lambda: probe(user, "testers"),
        at="notifications.system.probe.services._draw_randoms",
    )

    assert isinstance(second, ValidationError)
    assert first.is_complete
    assert AuditEntry.objects.filter(action="probe_started").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_probe_ends_while_another_one_ends(sandbox, user, monkeypatch):
    """The answers of one of them are stored, not a mixture."""
    group_of(sandbox, "Public")
    monkeypatch.setattr(services, "MIN_INTERVAL", timedelta(0))
    sandbox.add_group("others", "Public")
    make_group(group_id="others")

    first, second = interleave(
        lambda: probe(user, "testers"),
        lambda: probe(user, "others"),
        at="notifications.system.probe.services._store",
    )

    assert first.is_complete
    assert second.is_complete
    assert Capability.objects.count() == len(FLAGSHIP)
    assert len(set(Capability.objects.values_list("group_id", flat=True))) == 1
