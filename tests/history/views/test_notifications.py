"""The list of notifications, and the features that both lists share."""

import pytest

from notifications import permissions
from notifications.ui.lists import PER_PAGE
from tests.factories import make_delivery, make_group, make_notification, make_user

pytestmark = pytest.mark.django_db

NOTIFICATIONS = "/history/"
DELIVERIES = "/history/deliveries/"
GROUPS = "/notifications/chatgroup/"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.mark.parametrize("address", [NOTIFICATIONS, DELIVERIES])
def test_only_those_who_may_see_the_history(log_in, address):
    def answer(role: str | None, name: str) -> int:
        return log_in(make_user(role, username=name)).get(address).status_code

    assert answer(permissions.AUDITOR, "a") == 200
    assert answer(permissions.COMMUNITY_MANAGER, "b") == 200
    assert answer(permissions.GROUP_ADMINISTRATOR, "c") == 403
    assert answer(None, "d") == 403


def test_the_list_of_notifications(log_in):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    sent = make_notification(
        sender=manager, status="completed", note="CM-7", audience_count=3
    )
    for status in ("accepted", "failed", "unconfirmed"):
        make_delivery(sent, status=status)
    draft = make_notification(sender=manager, content="Not yet")

    page = log_in(manager).get(NOTIFICATIONS)

    assert [row for row, _problems in page.context["rows"]] == [draft, sent]
    text = " ".join(page.content.decode().split())
    for part in (
        f'href="/write/{draft.pk}/">Not yet',
        f'href="/sent/{sent.pk}/"',
        "2026-03-02 09:30:00",
        "CM-7",
        "1 failed",
        "1 not confirmed",
        "2 entries, newest first",
    ):
        assert part in text


def test_the_draft_of_a_colleague_stays_hidden(auditor):
    make_notification(sender=make_user(permissions.COMMUNITY_MANAGER))

    page = auditor.get(NOTIFICATIONS)

    assert page.context["rows"] == []
    assert "Nothing here yet." in page.content.decode()
    assert "newest first" not in page.content.decode()


@pytest.mark.parametrize("address", [NOTIFICATIONS, DELIVERIES, GROUPS])
def test_nothing_found_offers_to_clear_the_filters(auditor, address):
    make_delivery()

    text = auditor.get(address + "?q=zzz").content.decode()

    assert "Nothing matches." in text
    assert '<a href="?">Clear the search and all filters</a>' in text
    assert "newest first" not in text


BAD = [
    ("from", "2026-13-45", "There is no such day."),
    ("from", "\x00", "There is no such day."),
    ("from", "0001-01-01", "Choose a day between 2000 and 2099."),
    ("to", "9999-12-31", "Choose a day between 2000 and 2099."),
    ("to", "²", "There is no such day."),
    ("status", "²", "“²” is not in this list."),
    ("status", "a\x00b", "“a\x00b” is not in this list."),
    ("q", "a\x00b", "Null characters are not allowed."),
    ("q", "x" * 101, "Ensure this value has at most 100 characters (it has 101)."),
    ("sender", "nobody", "“nobody” is not in this list."),
]
BAD_DELIVERIES = [
    *BAD,
    ("type", "Nope", "“Nope” is not in this list."),
    ("code", "9" * 400, f"“{'9' * 400}” is not in this list."),
    ("code", "10010", "“10010” is not in this list."),  # occurs nowhere
    ("reason", "dns", "“dns” is not in this list."),
    ("notification", "²", "Enter the number of a notification."),
    ("notification", "9" * 5000, "Enter the number of a notification."),
    ("notification", "-1", "Ensure this value is greater than or equal to 1."),
    (
        "notification",
        str(2**63),
        f"Ensure this value is less than or equal to {2**63 - 1}.",
    ),
]
BAD_GROUPS = [
    ("q", "\x00", "Null characters are not allowed."),
    ("type", "²", "“²” is not in this list."),
    ("state", "gone", "“gone” is not in this list."),
]


@pytest.mark.parametrize(
    ("address", "name", "value", "sentence"),
    [
        *((NOTIFICATIONS, *bad) for bad in BAD),
        *((DELIVERIES, *bad) for bad in BAD_DELIVERIES),
        *((GROUPS, *bad) for bad in BAD_GROUPS),
    ],
)
def test_a_bad_value_is_named_and_ignored(auditor, address, name, value, sentence):
    make_delivery(make_notification(status="completed"))

    page = auditor.get(address, {name: value})

    form = (page.context.get("cl") and page.context["cl"].filter_form) or page.context[
        "form"
    ]
    assert page.status_code == 200
    assert {
        form.add_prefix(field): errors for field, errors in form.errors.items()
    } == {name: [sentence]}
    assert form.active == {}
    assert "Nothing matches." not in page.content.decode()


@pytest.mark.parametrize(
    "query",
    ["before=²", "after=x", "before=-1", f"before={2**64}", "nonsense=1", "e=1", "p=x"],
)
@pytest.mark.parametrize("address", [NOTIFICATIONS, DELIVERIES, GROUPS])
def test_other_odd_parameters_are_ignored(auditor, address, query):
    make_delivery(make_notification(status="completed"))

    page = auditor.get(f"{address}?{query}")

    assert page.status_code == 200
    assert "Plaza" in page.content.decode() or "Maintenance" in page.content.decode()


def test_a_period_that_ends_before_it_begins(auditor):
    page = auditor.get(DELIVERIES + "?from=2026-03-03&to=2026-03-02")

    assert page.context["form"].errors == {
        "until": ["This day is before the first one."]
    }


@pytest.mark.parametrize(
    "address",
    [
        NOTIFICATIONS,
        NOTIFICATIONS + "?q=Maint&from=2026-03-01&to=2026-03-05&status=completed",
        DELIVERIES,
        DELIVERIES
        + "?q=Plaza&status=failed&type=Public&from=2026-03-01&sender=lin.mei",
        GROUPS,
        GROUPS + "?q=Plaza&type=Public&state=in_use",
    ],
)
def test_one_row_takes_as_many_queries_as_three(
    auditor, address, django_assert_max_num_queries
):
    manager = make_user(permissions.COMMUNITY_MANAGER)

    def queries(rows: int) -> int:
        for _n in range(rows):
            notification = make_notification(sender=manager, status="completed")
            make_delivery(notification, status="failed")
        with django_assert_max_num_queries(15) as captured:
            page = auditor.get(address)
        assert "Nothing matches." not in page.content.decode()
        return len(captured)

    assert queries(1) == queries(2)


@pytest.mark.parametrize("address", [NOTIFICATIONS, DELIVERIES])
def test_the_pager_keeps_the_filters(auditor, address):
    manager = make_user(permissions.COMMUNITY_MANAGER)
    group = make_group()
    for _n in range(PER_PAGE + 1):
        make_delivery(make_notification(sender=manager, status="completed"), group)
    query = "?sender=lin.mei"

    first = auditor.get(address + query)
    second = auditor.get(address + first.context["older"])
    third = auditor.get(address + second.context["newer"])

    assert first.context["older"].startswith("?sender=lin.mei&before=")
    assert [len(page.context["rows"]) for page in (first, second)] == [50, 1]
    assert first.context["newer"] == second.context["older"] == ""
    assert second.context["newest"] == query
    assert third.context["rows"] == first.context["rows"]
    assert first.context["count"] == "51 entries, newest first"
