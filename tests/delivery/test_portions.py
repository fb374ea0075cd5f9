"""Named members in several portions: groups are counted once, portions are shown."""

import re
from html import unescape

import pytest
from django.utils import timezone

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery.progress import Progress, progress_of
from notifications.delivery.worker import SendWorker
from notifications.history.archiving import archive_history
from notifications.models import Archive, Delivery, Notification
from notifications.rate_limit.clock import engine_clock
from tests.factories import (
    make_delivery,
    make_group,
    make_notification,
    make_seal,
    make_user,
)

MEMBERS = [f"user{n}" for n in range(120)]
PARTS = ["\n".join(MEMBERS[start : start + 50]) for start in (0, 50, 100)]


def words(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def reasons(progress: Progress) -> set[tuple[str, str, int]]:
    return {(p.status, p.explanation.meaning, p.count) for p in progress.problems}


def send_in_parts(results: dict[str, list[dict]], **kwargs) -> Notification:
    """To each group three deliveries, which ended as listed."""
    sent = make_notification(
        **{"status": "completed", "audience_count": len(results)} | kwargs,
        recipients="\n".join(MEMBERS),
    )
    groups = {
        name: make_group(group_id=name, name=name.capitalize()) for name in results
    }
    for number, recipients in enumerate(PARTS):
        for name, endings in results.items():
            make_delivery(
                sent,
                groups[name],
                portion=number + 1,
                recipients=recipients,
                **endings[number],
            )
    return sent


OK = {"status": "accepted"}
GONE = {"status": "failed", "error_code": 10010}
BUSY = {"status": "failed", "error_code": 60007}
SILENT = {"status": "unconfirmed"}
STOPPED = {"status": "cancelled"}
WAITING = {"status": "queued"}
MIXED = {
    "hikers": [OK, OK, OK],
    "runners": [BUSY, OK, BUSY],
    "parents": [GONE, SILENT, OK],
    "night": [OK, SILENT, OK],
}


@pytest.mark.django_db(transaction=True)
def test_to_120_members_of_three_groups(sandbox, log_in, settings):
    settings.IM_RECIPIENTS_PER_CALL = 50
    manager = make_user(permissions.COMMUNITY_MANAGER)
    faults = {"hikers": "", "runners": "code_times:10010:1", "night": "html"}
    for name, fault in faults.items():
        make_group(group_id=name, name=name.capitalize())
        sandbox.add_group(name, "Public", fault=fault)
    draft = make_notification(
        sender=manager,
        audience="chosen",
        audience_values=list(faults),
        recipients="\n".join(MEMBERS),
    )
    sent = services_send.send(
        manager, draft.pk, digest=checked_of(manager, draft).digest()
    )
    client = log_in(manager)
    assert client.get(f"/sent/{sent.pk}/").context["headline"] == (
        "Sending: 0 of 3 groups done"
    )

    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=1,
    ).run()

    assert [
        [len(call.recipients) for call in sandbox.journal.calls_for(name)]
        for name in faults
    ] == [[50, 50, 20]] * 3
    page = client.get(f"/sent/{sent.pk}/")
    assert page.context["headline"] == (
        "Finished: Tencent accepted it for 1 of 3 groups; 1 failed, 1 not confirmed."
    )
    text = words(page)
    assert "9 calls: the members are named in 3 parts." in text
    assert "1 group Switch it off under Groups." in text
    assert "Runners · Part 1 of 3 " in text
    assert "Night · Part 1 of 3 · Part 2 of 3 · Part 3 of 3" in text


@pytest.mark.django_db
def test_a_group_counts_once_under_its_worst_part():
    sent = send_in_parts(MIXED)

    progress = progress_of(sent)

    assert progress.counts == dict.fromkeys(Delivery.Status.values, 0) | {
        "accepted": 1,
        "failed": 2,
        "unconfirmed": 1,
    }
    assert (progress.total, progress.total_calls, progress.portions) == (4, 12, 3)
    assert {
        (p.status, p.explanation.mark): (
            p.count,
            [[(row.group_id, row.portion) for row in rows] for rows in p.groups],
        )
        for p in progress.problems
    } == {
        ("failed", "60007"): (1, [[("runners", 1), ("runners", 3)]]),
        ("failed", "10010"): (1, [[("parents", 1)]]),
        ("unconfirmed", ""): (2, [[("parents", 2)], [("night", 2)]]),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([OK, WAITING, BUSY], "queued"),
        ([OK, {"status": "sending"}, WAITING], "sending"),
        ([SILENT, GONE, OK], "failed"),
        ([SILENT, STOPPED, OK], "unconfirmed"),
        ([OK, STOPPED, OK], "cancelled"),
    ],
)
def test_the_status_of_a_group(parts, status):
    progress = progress_of(send_in_parts({"hikers": parts}, status="sending"))

    assert {key: n for key, n in progress.counts.items() if n} == {status: 1}


@pytest.mark.django_db
def test_a_stopped_one_says_that_parts_were_not_called(log_in):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    sent = send_in_parts(
        {"hikers": [OK, OK, OK], "night": [OK, STOPPED, STOPPED]},
        status="cancelled",
        sender=manager,
    )

    page = log_in(manager).get(f"/sent/{sent.pk}/")

    assert page.context["headline"] == (
        "Stopped: Tencent accepted it for 1 of 2 groups; for 1 not all parts were called."
    )


@pytest.mark.django_db
def test_only_the_parts_that_failed_go_out_again(log_in):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    sent = send_in_parts(MIXED, sender=manager)
    client = log_in(manager)

    page = words(client.get(f"/sent/{sent.pk}/"))
    assert "Try 1 failed group again" in page
    assert "Send again to 2 groups that did not confirm…" in page
    address = f"/sent/{sent.pk}/send-again/failed/"
    shown = client.get(address).context["shown"]
    assert len(shown.groups) == 1
    assert shown.members == [*PARTS[0].splitlines(), *PARTS[2].splitlines()]
    client.post(address, {"digest": shown.digest})

    again = sent.resends.get()
    rows = again.deliveries.order_by("portion")
    assert list(rows.values_list("group_id", "portion", "recipients")) == [
        ("runners", 1, PARTS[0]),
        ("runners", 3, PARTS[2]),
    ]
    page = client.get(f"/sent/{again.pk}/")
    assert page.context["headline"] == "Sending: 0 of 1 groups done"
    assert "2 calls: the members are named in 2 parts." in words(page)


@pytest.mark.django_db
def test_lists_count_groups(log_in):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    sent = send_in_parts(MIXED)
    running = send_in_parts({"gone": [GONE, GONE, WAITING]}, status="sending")

    for _before_and_after_its_seal in range(2):
        page = client.get("/history/")
        assert [problems for _row, problems in page.context["rows"]] == [
            {},
            {"failed": 2, "unconfirmed": 1},
        ]
        latest = client.get("/").context["figures"].latest
        assert [(row.notification.pk, row.problems) for row in latest] == [
            (running.pk, {}),
            (sent.pk, {"failed": 2, "unconfirmed": 1}),
        ]
        if not hasattr(sent, "seal"):
            make_seal(sent)


@pytest.mark.django_db
def test_a_delivery_names_its_part_and_leads_to_the_others(log_in):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    sent = send_in_parts(MIXED)
    first, second, third = sent.deliveries.filter(group_id="parents").order_by("pk")

    page = client.get(f"/history/deliveries/{second.pk}/")

    text, html = words(page), page.content.decode()
    assert "Members Part 2 of 3, only these 50 members: user50, " in text
    assert "Other parts Part 1 of 3 · Failed Part 3 of 3 · Accepted" in text
    for other in (first, third):
        assert f'href="/history/deliveries/{other.pk}/"' in html
    listed = words(client.get("/history/deliveries/"))
    for number in (1, 2, 3):
        assert listed.count(f"Part {number} of 3") == 4


@pytest.mark.django_db
def test_the_archive_keeps_what_was_counted_by_group(log_in, tmp_path):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    sent = send_in_parts(MIXED)
    plain = make_notification(status="completed", recipients="anna")
    make_delivery(plain, status="failed")
    make_seal(sent)
    make_seal(plain)
    contexts = [client.get(f"/sent/{row.pk}/").context for row in (sent, plain)]
    listed = client.get("/history/").context["rows"]

    rows = list(archive_history(timezone.now(), tmp_path, actor="test"))

    assert len(rows) == 2
    assert not Delivery.objects.exists()
    assert Archive.objects.get(notification=plain).by_group is None
    for row, was in zip((sent, plain), contexts, strict=True):
        now = client.get(f"/sent/{row.pk}/").context
        assert now["headline"] == was["headline"]
        progress, before = now["progress"], was["progress"]
        assert (progress.counts, progress.calls, progress.portions) == (
            before.counts,
            before.calls,
            before.portions,
        )
        assert reasons(progress) == reasons(before)
    assert client.get("/history/").context["rows"] == listed
    assert [problems for _row, problems in listed] == [
        {"failed": 1},
        {"failed": 2, "unconfirmed": 1},
    ]


@pytest.mark.django_db
def test_what_goes_out_in_one_call_has_no_parts(log_in):
    client = log_in(make_user(permissions.AUDITOR, username="wang.fang"))
    sent = make_notification(status="completed", recipients="anna\nli")
    row = make_delivery(sent, status="failed")
    everyone = make_delivery(status="accepted")

    assert (row.portion_count, everyone.portion_count) == (1, 1)
    for address in (
        f"/sent/{sent.pk}/",
        "/history/deliveries/",
        f"/history/deliveries/{row.pk}/",
    ):
        assert "part 1" not in words(client.get(address)).lower()


@pytest.mark.django_db
def test_the_parts_are_those_of_the_time_of_sending(settings):
    """Also of the last part alone, and after the setting has changed."""
    sent = send_in_parts({"hikers": [OK, OK, OK]})
    settings.IM_RECIPIENTS_PER_CALL = 500

    assert [row.portion_count for row in sent.deliveries.all()] == [3, 3, 3]


@pytest.mark.django_db
@pytest.mark.parametrize("groups", [1, 3])
def test_the_number_of_queries_does_not_grow_with_the_groups(
    groups, log_in, django_assert_num_queries
):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    sent = send_in_parts(
        {f"group{n}": [GONE, SILENT, OK] for n in range(groups)}, sender=manager
    )
    client = log_in(manager)
    client.get("/")

    with django_assert_num_queries(25):
        client.get(f"/sent/{sent.pk}/")
    with django_assert_num_queries(10):
        client.get("/history/deliveries/")
    with django_assert_num_queries(12):
        client.get("/history/")
