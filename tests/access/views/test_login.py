"""Half-authenticated sessions: permitted pages and time limit."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from notifications.access.services.second_factor import make_recovery_codes

from notifications import permissions
from notifications.access import login_state
from notifications.models import AuditEntry, Notification
from tests.addresses import Visitor, addresses_about, make_people
from tests.console.test_matrix import matrix, said
from tests.factories import (
    PASSWORD,
    code_of,
    make_second_factor,
    make_user,
    write_fields,
    wrong_code,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CODE = "/login/code/"
WRONG = (
    "This code is wrong or was used before. The app shows another one every 30 seconds."
)


def with_password(then: str = "/") -> tuple[Client, str]:
    """Return a client after the password, and the URL it was redirected to."""
    client = Client()
    fields = {"login": "lin.mei", "password": PASSWORD, "next": then}
    return client, client.post(f"/login/?next={then}", fields)["Location"]


def wait_is_over() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    TOTPDevice.objects.update(throttling_failure_timestamp=long_ago)


def entries() -> list[tuple[str, str, dict]]:
    rows = AuditEntry.objects.order_by("id")
    return list(rows.values_list("action", "actor_name", "detail"))


@pytest.fixture
def device():
    return make_second_factor(
        make_user(permissions.AUDITOR, first_name="Mei", last_name="Lin")
    )


# --- what opens ------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["code", "set_up"])
def test_nothing_opens_that_is_not_open_to_everybody(step, settings):
    """Half-authenticated users, superusers too, are treated as anonymous."""
    people = make_people()
    if step == "code":
        make_second_factor(people["superuser"])
    else:
        settings.SECOND_FACTOR = "everybody"
    visitor = Visitor(people["superuser"])
    expected = {key: cells[0] for key, cells in matrix().items()}
    # The login page redirects to the page of the code.
    expected["admin:login", "GET"] = {"code": "login", "set_up": "away"}[step]
    if step == "code":
        expected["admin:login_code", "GET"] = "200"
        expected["admin:login_code", "POST"] = "200"
    else:
        expected["admin:second_factor", "GET"] = "away"
        expected["admin:second_factor", "POST"] = "405"
        expected["admin:second_factor_set_up", "GET"] = "200"
        expected["admin:second_factor_set_up", "POST"] = "200"
        for name in ("codes", "remove"):
            expected[f"admin:second_factor_{name}", "GET"] = "away"
            expected[f"admin:second_factor_{name}", "POST"] = "away"

    results = {
        (name, method): said(visitor.undone(method, address))
        for name, address in addresses_about(people).items()
        for method in ("GET", "POST")
    }

    assert results == expected


def test_the_way_in_leads_to_the_page_that_was_asked_for(device):
    client, place = with_password("/history/")
    key = client.session.session_key

    asked = client.get("/history/", follow=True)
    done = client.post(place, {"code": code_of(device), "next": "/history/"})

    assert place == f"{CODE}?next=%2Fhistory%2F"
    assert asked.request["PATH_INFO"] == CODE
    assert asked.context["next"] == "/history/"
    assert done["Location"] == "/history/"
    assert client.get("/history/").status_code == 200
    assert client.session.session_key != key
    assert entries() == [
        ("logged_in", "Mei Lin", {"second_factor": "awaited"}),
        ("logged_in", "Mei Lin", {"second_factor": "app"}),
    ]


@pytest.mark.parametrize(
    ("asked", "leads_to"), [("//evil.example/", "/"), ("no-name", "no-name")]
)
def test_it_leads_to_no_foreign_page(device, asked, leads_to):
    client, _place = with_password()

    done = client.post(CODE, {"code": code_of(device), "next": asked})

    assert (done.status_code, done["Location"]) == (302, leads_to)


def test_the_frame_names_nobody(device):
    client, place = with_password()

    page = client.get(place).content.decode()

    assert "Mei Lin" not in page
    assert "app-nav" not in page
    assert 'autocomplete="one-time-code"' in page


def test_a_text_that_was_being_written_is_kept_over_both_steps(settings):
    writer = make_second_factor(make_user(permissions.COMMUNITY_MANAGER))
    client = Client()
    client.post("/write/", write_fields(content="Half written"))
    fields = {"login": "lin.mei", "password": PASSWORD}
    client.post("/login/?next=/write/", fields)

    client.post(CODE, {"code": code_of(writer)})

    assert "Half written" in client.get("/write/").content.decode()
    assert not Notification.objects.exists()


def test_who_is_inside_costs_no_further_query(log_in, settings):
    person = make_user(permissions.AUDITOR)
    counts = []
    for demand in ("optional", "everybody"):
        settings.SECOND_FACTOR = demand
        client = log_in(person)
        if demand == "everybody":
            session = client.session
            login_state.complete_login(session, person, "app")
            session.save()
            client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/history/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert not any("totp" in query["sql"] for query in queries)


# --- wrong codes -----------------------------------------------------------------------


def test_a_wrong_code_is_said_beside_the_field(device):
    client, place = with_password()

    answer = client.post(place, {"code": wrong_code(device)})
    odd = client.post(place, {"code": "12345"})

    assert answer.status_code == odd.status_code == 200
    assert answer.context["form"].errors == {"code": [WRONG]}
    assert odd.context["form"].errors == {
        "code": ["A code has six digits, a recovery code 25 letters and digits."]
    }
    assert entries()[1:] == [("factor_refused", "", {})]


@pytest.mark.parametrize(
    ("failures", "wait"), [(7, "in 64 seconds"), (12, "in 35 minutes")]
)
def test_too_soon_after_wrong_codes_is_429_and_says_how_long(
    device, monkeypatch, failures, wait
):
    client, place = with_password()
    now = timezone.now()
    TOTPDevice.objects.update(
        throttling_failure_count=failures, throttling_failure_timestamp=now
    )
    monkeypatch.setattr(timezone, "now", lambda: now)

    answer = client.post(place, {"code": code_of(device)})

    assert answer.status_code == 429
    assert answer["Retry-After"] == str(2 ** (failures - 1))
    (error,) = answer.context["form"].errors["code"]
    assert error == f"After wrong codes, wait: try again {wait}."
    assert [action for action, _name, _detail in entries()] == ["logged_in"]


def test_after_five_wrong_codes_the_password_is_asked_for_again(device):
    client, place = with_password()
    answers = []
    for _n in range(5):
        answers.append(client.post(place, {"code": wrong_code(device)}))
        wait_is_over()

    assert [answer.status_code for answer in answers] == [200] * 4 + [302]
    assert answers[-1]["Location"] == "/login/"
    assert "Too many wrong codes. Log in again." in client.get("/login/").text
    assert client.post(CODE, {"code": code_of(device)})["Location"] == "/login/"


def test_ten_minutes_after_the_password_the_code_is_too_late(device, monkeypatch):
    client, place = with_password()
    code = code_of(device)
    later = timezone.now() + timedelta(seconds=login_state.CODE_TIMEOUT)
    monkeypatch.setattr(timezone, "now", lambda: later)

    answer = client.post(place, {"code": code}, follow=True)

    assert answer.request["PATH_INFO"] == "/login/"
    assert "there are 10 minutes for the code" in answer.text
    assert client.get("/history/").status_code == 302


def test_logging_out_ends_the_half_login(device):
    client, place = with_password()

    client.post("/logout/")

    assert client.get(place)["Location"] == "/login/"


# --- other ways ------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", " {} ", "as small letters"])
def test_a_recovery_code_opens_and_says_how_many_are_left(device, written):
    code, *_others = make_recovery_codes(device.user)
    client, place = with_password()
    typed = code.lower() if "small" in written else written.format(code)

    page = client.post(place, {"code": typed}, follow=True).text

    assert "You logged in with a recovery code. 9 are left." in page
    assert entries()[-2:] == [
        ("recovery_used", "", {}),
        ("logged_in", "Mei Lin", {"second_factor": "recovery"}),
    ]


def test_full_width_digits_are_digits(device):
    client, place = with_password()
    wide = code_of(device).translate({ord("0") + n: ord("０") + n for n in range(10)})

    assert client.post(place, {"code": wide})["Location"] == "/"


def test_single_sign_on_is_not_asked(device, settings):
    outside = "notifications.access.backends.SsoBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, outside]
    client = Client()
    client.force_login(device.user, outside)

    assert client.get("/history/").status_code == 200
    settings.SECOND_FACTOR = "everybody"
    assert client.get("/history/").status_code == 200


def test_a_demand_that_is_new_holds_for_who_is_inside(log_in, settings):
    client = log_in(make_user(permissions.AUDITOR))
    answers = []
    for demand in ("senders", "everybody", "optional"):
        settings.SECOND_FACTOR = demand
        answers.append(client.get("/history/").status_code)

    assert answers == [200, 302, 200]
