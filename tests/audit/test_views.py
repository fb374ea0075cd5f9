"""The page "Audit trail": permissions, content and filters."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import audit_log, permissions
from notifications.audit_log import Origin
from notifications.compose.audit_events import DRAFT_SAVED, SENT
from notifications.delivery.audit_events import (
    ALL_ALLOWED,
    ALL_STOPPED,
    LATE_ANSWER,
    PAUSED,
    RESOLVED,
    STARTED,
)
from notifications.models import AuditEntry
from tests.factories import MOMENT, make_notification, make_user

pytestmark = pytest.mark.django_db

TRAIL = "/history/actions/"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


def numbers(response) -> list[int]:
    return [action.entry.pk for action in response.context["rows"]]


def write(event=ALL_STOPPED, actor="lin.mei", **kwargs) -> int:
    audit_log.write(event, actor, **kwargs)
    return AuditEntry.objects.latest("id").pk


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (permissions.AUDITOR, 200),
        (permissions.COMMUNITY_MANAGER, 403),
        (permissions.GROUP_ADMINISTRATOR, 403),
        (permissions.PEOPLE_ADMINISTRATOR, 403),
    ],
)
def test_who_may_see_it(log_in, role, status):
    client = log_in(make_user(role))

    assert client.get(TRAIL).status_code == status
    assert (b"/history/actions/" in client.get("/history/").content) == (status == 200)
    assert not AuditEntry.objects.exists()  # a view of the page writes nothing


def test_it_requires_a_login(client):
    assert client.get(TRAIL)["Location"] == f"/login/?next={TRAIL}"


def test_who_sees_nothing_but_the_trail_finds_it_under_history(log_in):
    person = make_user()
    person.user_permissions.set(permissions.permission_rows([permissions.SEE_TRAIL]))
    notification = make_notification(status="completed")
    write(RESOLVED, notification=notification.pk, delivery=1)

    text = log_in(person).get(TRAIL).content.decode()

    assert f'<a href="{TRAIL}" aria-current="page">History</a>' in text
    assert 'href="/history/"' not in text
    assert "/history/deliveries/" not in text
    assert f"/sent/{notification.pk}/" not in text


def test_a_row_shows_actor_action_time_and_address(auditor):
    chief = make_user(superuser=True, first_name="Mei", last_name="Lin")
    notification = make_notification(sender=chief, status="paused")
    draft = make_notification(sender=chief)
    with audit_log.origin(Origin(lambda: chief, "192.0.2.7")):
        write(PAUSED, at=MOMENT, notification=notification.pk, note="<b>wrong</b>")
    write(LATE_ANSWER, "worker 3", notification=notification.pk, delivery=8)
    write(DRAFT_SAVED, notification=draft.pk)

    page = auditor.get(TRAIL)
    text = " ".join(page.content.decode().split())

    assert page.context["count"] == "3 entries, newest first"
    assert "2026-03-02 09:30:00" in text
    assert '<span class="main">Mei Lin</span>' in text
    assert '<span class="sub code">lin.mei</span>' in text
    assert '<span class="sub">may do everything</span>' in text
    assert 'Paused. <span class="sub">Note: &lt;b&gt;wrong&lt;/b&gt;</span>' in text
    assert '<span class="code">192.0.2.7</span>' in text
    assert text.count(f'href="/sent/{notification.pk}/"') == 2
    assert 'href="/history/deliveries/8/"' in text
    assert f'href="/sent/{draft.pk}/"' not in text
    assert f"Notification {draft.pk}" in text


def test_entries_of_one_click_lead_to_each_other(auditor):
    click, other = Origin(address="192.0.2.7"), Origin(address="192.0.2.7")
    with audit_log.origin(click):
        first, second = write(), write()
    with audit_log.origin(other):
        write()
    write()

    text = auditor.get(TRAIL).content.decode()

    assert text.count(f'href="?q={click.number}"') == 2
    assert f"?q={other.number}" not in text
    assert numbers(auditor.get(f"{TRAIL}?q={click.number}")) == [second, first]


def test_every_filter_alone_and_all_together(auditor):
    make_user(first_name="Mei", last_name="Lin")
    make_user(username="lin.meili")  # a whole name matches one user only
    click = Origin(address="192.0.2.7")
    days_ago = MOMENT - timedelta(days=9)
    old = write(at=days_ago)
    with audit_log.origin(click):
        sent = write(SENT, notification=5, at=MOMENT, groups=1)
    engine = write(STARTED, "worker 3", notification=6, at=MOMENT)
    late = write(SENT, "chen.jie", at=MOMENT + timedelta(days=9))
    filters = {
        "who=lin.mei": [sent, old],
        "who=Mei Lin": [sent, old],
        "who=linmei": [sent, old],
        "who=worker 3": [engine],
        "who=worker": [],
        "who=CHEN": [],
        "action=sent": [late, sent],
        "from=2026-03-02": [late, engine, sent],
        "to=2026-03-02": [engine, sent, old],
        "from=2026-03-02&to=2026-03-02": [engine, sent],
        "notification=5": [sent],
        "q=192.0.2.7": [sent],
        f"q={str(click.number).upper()}": [sent],
        f"q={uuid.UUID(int=1)}": [],
        "who=lin.mei&action=sent&from=2026-03-02&to=2026-03-02&notification=5"
        "&q=192.0.2.7": [sent],
        "who=lin.mei&action=started": [],
        "who=chen.jie&notification=5": [],
        "action=started&notification=5": [],
    }

    matches = {query: numbers(auditor.get(f"{TRAIL}?{query}")) for query in filters}

    assert matches == filters


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-13-45", "There is no such day."),
        ("to=9999-12-31", "Choose a day between 2000 and 2099."),
        ("from=2026-03-02&to=2026-03-01", "This day is before the first one."),
        ("action=shouted", "“shouted” is not in this list."),
        ("notification=²", "Enter the number of a notification."),
        ("notification=0", "Ensure this value is greater than or equal to 1."),
        ("notification=9223372036854775808", "Ensure this value is less than or equal"),
        ("q=192.0.2", "Enter a whole address, such as 192.0.2.7, or a whole number."),
        ("who=FA", "Several people match: fa.li, wang.fang. Type more of the name."),
        ("who=a%00b", "Null characters are not allowed."),
    ],
)
def test_an_invalid_filter_has_an_error(auditor, query, sentence):
    make_user(username="fa.li")
    write()

    page = auditor.get(f"{TRAIL}?{query}")

    assert sentence in page.content.decode()
    assert len(numbers(page)) == 1  # the filter is ignored


@pytest.mark.parametrize("query", ["before=²", "after=-1", "before=x", "unknown=1"])
def test_an_odd_place_is_the_first_page(auditor, query):
    write()

    assert len(numbers(auditor.get(f"{TRAIL}?{query}"))) == 1


def test_pages_walk_through_all_of_them_and_keep_the_filters(auditor):
    made = [write() for _n in range(120)]
    for _n in range(3):
        write(ALL_ALLOWED)
    seen, address = [], f"{TRAIL}?action=all_stopped"
    while address:
        page = auditor.get(address)
        seen += numbers(page)
        address = page.context["older"] and TRAIL + page.context["older"]

    assert seen == made[::-1]
    newer = auditor.get(TRAIL + page.context["newer"])
    assert numbers(newer) == made[::-1][50:100]


def test_an_empty_trail_and_no_match(auditor):
    assert "Nothing here yet." in auditor.get(TRAIL).content.decode()
    assert "Nothing matches." in auditor.get(TRAIL + "?who=x").content.decode()


def test_as_many_queries_with_three_rows_as_with_one(auditor):
    counts = []
    for rows in (1, 2):
        for _n in range(rows):
            with audit_log.origin(Origin()):
                write(PAUSED, notification=make_notification(status="paused").pk)
        with CaptureQueriesContext(connection) as queries:
            assert auditor.get(TRAIL).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8
