"""Invalid URLs and parameters: an error message or an empty list, never a 500."""

from itertools import product
from urllib.parse import parse_qs

import pytest
from django.urls import reverse

from notifications import permissions
from notifications.models import AuditEntry
from tests.factories import make_delivery, make_notification, make_seal, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

HUGE = 10**30
# Percent-encoded, so that invalid UTF-8 can be included.
VALUES = [
    "2026-13-45", "2026-02-30", "9999-12-31", "0001-01-01", "0000-00-00", "²", "1e9",
    "-1", "0", str(2**63 - 1), str(2**63), str(HUGE), "abc", "None", "NaN", "1.5",
    "+1", "%201%20", "%00", "a%00b", "%ff", "%ed%a0%80", "%0d%0a", "%E2%80%AE",
    "x" * 5000, "9" * 5000, "٣", "１", "'", "%22%3E%3Cscript%3E", "%25", "_", "{}", "[]",
    "", "%F0%9F%98%80", "%26q%3D1", "a%2Bb", "%2541", "%23",
]  # fmt: skip
NAMES = {
    "admin:history": ["q", "from", "to", "status", "sender", "before", "after"],
    "admin:deliveries": [
        "q", "from", "to", "status", "type", "sender", "code", "reason",
        "notification", "before", "after",
    ],
    "admin:actions": [
        "who", "action", "from", "to", "notification", "q", "before", "after",
    ],
    "admin:index": ["days"],
    "admin:notifications_chatgroup_changelist": [
        "q", "type", "state", "p", "o", "all", "e", "_popup",
        "name__startswith", "id__exact",
    ],
}  # fmt: skip
LISTS = sorted(NAMES)
PAGES = [
    "/sent/{}/", "/sent/{}/status/", "/history/deliveries/{}/",
    "/notifications/chatgroup/{}/change/", "/write/{}/", "/write/{}/check/",
]  # fmt: skip
ACTS = [
    "/sent/{}/evidence/", "/sent/{}/pause/", "/sent/{}/resume/", "/sent/{}/stop/",
    "/sent/{}/try-failed/", "/sent/{}/send-again/", "/sent/{}/schedule/",
    "/write/{}/delete/", "/history/deliveries/{}/resolve/",
    "/sent/{}/ask/", "/history/deliveries/{}/ask/",
]  # fmt: skip
IDS = ["0", "-1", "999999", str(2**63 - 1), str(2**63), str(HUGE), "²", "1e9", "%00"]
DOWNLOADS = ["admin:deliveries_download", "admin:actions_download"]


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.fixture
def manager(log_in):
    return log_in(make_user(permissions.COMMUNITY_MANAGER, username="lin.mei"))


@pytest.fixture
def rows(manager) -> None:
    sent = make_notification(status="completed", note="CM-7")
    make_delivery(sent, status="failed")
    make_seal(sent)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_every_value_in_all_its_parameters(auditor, rows, name):
    for value in VALUES:
        query = "&".join(f"{parameter}={value}" for parameter in NAMES[name])
        assert auditor.get(f"{reverse(name)}?{query}").status_code == 200, value


@pytest.mark.parametrize("name", LISTS)
def test_each_parameter_alone_takes_the_worst_values(auditor, rows, name):
    for parameter in NAMES[name]:
        for value in ("a%00b", HUGE):
            response = auditor.get(f"{reverse(name)}?{parameter}={value}")
            assert response.status_code == 200, (parameter, value)


def test_what_the_admin_itself_refuses_is_no_failure(auditor):
    address = reverse("admin:notifications_chatgroup_changelist")

    assert auditor.get(f"{address}?_to_field=password").status_code == 400


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "csrfmiddlewaretoken=1",
        "notification__content__contains=a",
        "password=a&id__gt=0",
        "%00=1&%ff=2",
        "=&&;=&?",
        "&".join(f"x{n}=1" for n in range(900)),
    ],
    ids=lambda query: query[:20],
)
def test_parameters_that_nobody_knows_change_nothing(auditor, rows, name, query):
    plain = auditor.get(reverse(name))

    page = auditor.get(f"{reverse(name)}?{query}")

    assert page.status_code == 200
    for shown in ("count", "rows"):
        assert page.context.get(shown) == plain.context.get(shown)


def said(page, shown: str) -> object:
    """What a page shows: valid filters, rows, or the search of the admin's list."""
    value = page.context.get(shown)
    if shown == "form" and value is not None:
        return value.active, value.errors
    return getattr(value, "query", value)


@pytest.mark.parametrize("name", LISTS)
def test_of_repeated_parameters_the_last_counts(auditor, rows, name):
    for parameter in NAMES[name]:
        query = f"{parameter}=zz&{parameter}=&{parameter}=1"
        page = auditor.get(f"{reverse(name)}?{query}")
        last = auditor.get(f"{reverse(name)}?{parameter}=1")
        assert page.status_code == 200
        for shown in ("form", "rows", "cl"):
            assert said(page, shown) == said(last, shown), parameter


@pytest.mark.parametrize("name", ["admin:history", "admin:deliveries", "admin:actions"])
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2026-13-45", "There is no such day."),
        ("²", "There is no such day."),
        ("9999-12-31", "Choose a day between 2000 and 2099."),
        ("0001-01-01", "Choose a day between 2000 and 2099."),
    ],
)
def test_a_day_that_is_none_gets_a_sentence(auditor, rows, name, value, sentence):
    for parameter in ("from", "to"):
        page = auditor.get(reverse(name), {parameter: value})
        assert sentence in page.content.decode()


@pytest.mark.parametrize("name", ["admin:deliveries", "admin:actions"])
@pytest.mark.parametrize("value", ["abc", "²", "1e9", "-1", "0", str(HUGE)])
def test_a_number_that_is_none_gets_a_sentence(auditor, rows, name, value):
    page = auditor.get(reverse(name), {"notification": value})

    assert page.context["form"].errors["notification"]
    assert page.context["form"].active == {}


def test_a_number_of_nothing_gives_an_empty_list(auditor, rows):
    page = auditor.get(reverse("admin:deliveries"), {"notification": "999999"})

    assert "Nothing matches." in page.content.decode()


@pytest.mark.parametrize("address", PAGES)
def test_pages_of_what_is_not_there(auditor, manager, address):
    for client, number in product((auditor, manager), IDS):
        # The admin page of a group shows it after a redirect.
        page = client.get(address.format(number), follow=True)
        expected = {200, 404} if "chatgroup" in address else {403, 404}
        assert page.status_code in expected
        assert "Page not found" in page.content.decode() or page.status_code != 404


@pytest.mark.parametrize("address", ACTS)
def test_acts_on_what_is_not_there(auditor, manager, address):
    before = AuditEntry.objects.count()

    for client, number in product((auditor, manager), IDS):
        assert client.post(address.format(number)).status_code in (403, 404)

    assert AuditEntry.objects.count() == before


def test_a_place_in_a_list_survives_any_query_of_a_page_within(auditor, rows):
    delivery = make_delivery(status="accepted")
    for value in VALUES:
        query = f"q={value}&from={value}&before={value}&other={value}"
        page = auditor.get(f"/history/deliveries/{delivery.pk}/?{query}")
        assert page.status_code == 200
        back = parse_qs(page.context["back"].removeprefix("?"))
        typed = page.wsgi_request.GET
        assert back == {
            name: [typed[name]] for name in ("q", "from", "before") if typed[name]
        }


@pytest.mark.parametrize("name", DOWNLOADS)
@pytest.mark.parametrize(
    "fields",
    [
        {"from": "2026-13-45"},
        {"to": "9999-12-31"},
        {"notification": "²"},
        {"notification": str(HUGE)},
        {"from": "2026-02-02", "to": "2026-02-01"},
        {"q": "x" * 101},
        {"q": "a\0b"},
        {"format": "exe"},
        {"format": "csv\0"},
    ],
    ids=str,
)
def test_downloads_with_bad_filters_hand_out_nothing(auditor, rows, name, fields):
    before = AuditEntry.objects.count()

    response = auditor.post(reverse(name), fields)

    assert not response.streaming
    assert response.status_code == 302
    page = auditor.get(response["Location"])
    assert "Nothing was downloaded" in page.content.decode()
    assert AuditEntry.objects.count() == before


# A person may download so many files in five minutes.
@pytest.mark.parametrize("values", [VALUES[:20], VALUES[20:]], ids=len)
@pytest.mark.parametrize("name", DOWNLOADS)
def test_downloads_take_every_value(auditor, rows, name, values):
    parameters = NAMES[name.removesuffix("_download")]
    for value in values:
        response = auditor.post(
            reverse(name),
            "&".join(f"{parameter}={value}" for parameter in [*parameters, "unknown"]),
            content_type="application/x-www-form-urlencoded",
        )
        assert response.status_code in (200, 302), value
        if response.streaming:
            b"".join(response.streaming_content)


def test_evidence_of_what_is_not_sealed(auditor, rows):
    for notification in (make_notification(status="sending"), make_notification()):
        response = auditor.post(f"/sent/{notification.pk}/evidence/")
        assert response.status_code == (404 if notification.sent_at is None else 302)
    assert not AuditEntry.objects.filter(action="evidence").exists()
