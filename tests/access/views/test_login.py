"""Half-authenticated sessions: permitted pages and time limit."""

import time

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import permissions
from notifications.access.factors import make_recovery_codes
from notifications.console import request_counts
from notifications.models import AuditEntry, LoginSession, Notification
from tests.addresses import Visitor, addresses_about, make_people
from tests.console.test_matrix import matrix, said
from tests.environment import STATE_DIR
from tests.factories import (
    PASSWORD,
    code_of,
    make_app,
    make_user,
    prove,
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
    app = Authenticator.objects.get()
    app.data.pop("failed_at")
    app.save()


def entries() -> list[tuple[str, str, dict]]:
    rows = AuditEntry.objects.order_by("id")
    return list(rows.values_list("action", "actor_name", "detail"))


@pytest.fixture
def app():
    return make_app(make_user(permissions.AUDITOR, first_name="Mei", last_name="Lin"))


# --- what opens ------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["code", "set_up"])
def test_nothing_opens_that_is_not_open_to_everybody(step, settings):
    """Half-authenticated users, superusers too, are treated as anonymous."""
    people = make_people()
    if step == "code":
        make_app(people["superuser"])
    else:
        settings.SECOND_FACTOR = "everybody"
    expected = {key: cells[0] for key, cells in matrix().items()}
    # The login page redirects to the pending step.
    for name in ("account_login", "admin:login"):
        expected[name, "GET"] = expected[name, "POST"] = "login"
    if step == "code":
        expected["mfa_authenticate", "GET"] = "200"
        expected["mfa_authenticate", "POST"] = "200"
    else:
        expected["mfa_set_up", "GET"] = "200"
        expected["mfa_set_up", "POST"] = "405"
        for name in ("mfa_activate_totp", "mfa_add_webauthn"):
            expected[name, "GET"] = expected[name, "POST"] = "200"
        for name in ("mfa_generate_recovery_codes", "mfa_remove"):
            expected[name, "GET"], expected[name, "POST"] = "login", "login"

    results = {}
    for name, address in addresses_about(people).items():
        for method in ("GET", "POST"):
            visitor = Visitor(None)
            (STATE_DIR / request_counts.FILE).unlink(missing_ok=True)
            visitor.client.post("/login/", {"login": "superuser", "password": PASSWORD})
            results[name, method] = said(visitor.undone(method, address))

    assert results == expected


def test_the_way_in_leads_to_the_page_that_was_asked_for(app):
    client, place = with_password("/history/")
    key = client.session.session_key

    asked = client.get("/history/", follow=True)
    done = client.post(place, {"code": code_of(app)})

    assert place == CODE
    assert asked.request["PATH_INFO"] == CODE
    assert done["Location"] == "/history/"
    assert client.get("/history/").status_code == 200
    assert client.session.session_key != key
    assert entries() == [
        ("logged_in", "", {"second_factor": "awaited"}),
        ("logged_in", "Mei Lin", {"second_factor": "app"}),
    ]


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [("//evil.example/", "/"), ("https://evil.example/", "/"), ("no-name", "no-name")],
)
def test_it_leads_to_no_foreign_page(app, asked, leads_to, settings):
    settings.ALLOWED_HOSTS = ["testserver", ".example"]
    client, _place = with_password(asked)

    done = client.post(CODE, {"code": code_of(app), "next": asked})

    assert (done.status_code, done["Location"]) == (302, leads_to)


def test_the_frame_names_nobody(app):
    client, place = with_password()

    page = client.get(place).content.decode()

    assert "Mei Lin" not in page
    assert "app-nav" not in page
    assert 'autocomplete="one-time-code"' in page


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/login/"),
        ("POST", "/login/"),
        ("GET", CODE),
        ("POST", CODE),
        ("GET", "/login/set-up/"),
        ("POST", "/login/passkey/"),
        ("POST", "/logout/"),
        ("GET", "/history/"),
        ("POST", "/account/second-factor/app/"),
    ],
)
def test_who_has_no_login_under_way_stores_nothing(settings, method, address):
    settings.PASSKEY_LOGIN = "on"
    client = Client()

    client.generic(method, address)
    client.generic(method, address)
    client.get("/login/passkey/", headers={"Accept": "application/json"})

    assert not LoginSession.objects.exists()


def test_a_wrong_password_stores_no_session(app):
    Client().post("/login/", {"login": "lin.mei", "password": "wrong"})

    assert not LoginSession.objects.exists()


def test_what_ends_sessions_ends_a_login_under_way(app):
    client, place = with_password()
    chief = make_user(superuser=True, username="chief")
    admin = Client()
    admin.force_login(chief)
    prove(admin)
    code = code_of(app)

    admin.post(f"/people/{app.user.pk}/log-out/")

    assert client.post(place, {"code": code})["Location"] == "/login/"


def test_who_was_switched_off_meanwhile_does_not_get_in(app):
    client, place = with_password()
    app.user.is_active = False
    app.user.save()

    answer = client.post(place, {"code": code_of(app)})

    assert answer["Location"] == "/login/"
    assert [action for action, _name, _detail in entries()] == ["logged_in"]
    assert client.get("/history/").status_code == 302


def test_a_text_that_was_being_written_is_kept_over_both_steps(settings):
    writer = make_app(make_user(permissions.COMMUNITY_MANAGER))
    client = Client()
    client.force_login(writer.user)
    LoginSession.objects.update(expire_date=timezone.now())
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
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/history/").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert not any("mfa_authenticator" in query["sql"] for query in queries)


# --- wrong codes -----------------------------------------------------------------------


def test_a_wrong_code_is_said_beside_the_field(app):
    client, place = with_password()

    answer = client.post(place, {"code": wrong_code(app)})
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
    app, monkeypatch, failures, wait
):
    client, place = with_password()
    now = time.time()
    app.data |= {"failures": failures, "failed_at": now}
    app.save()
    monkeypatch.setattr("notifications.access.proofs.time.time", lambda: now)

    answer = client.post(place, {"code": code_of(app)})

    assert answer.status_code == 429
    assert answer["Retry-After"] == str(2 ** (failures - 1))
    (error,) = answer.context["form"].errors["code"]
    assert error == f"After wrong codes, wait: try again {wait}."
    assert [action for action, _name, _detail in entries()] == ["logged_in"]


def test_after_five_wrong_codes_the_password_is_asked_for_again(app):
    client, place = with_password()
    answers = []
    for _n in range(5):
        answers.append(client.post(place, {"code": wrong_code(app)}))
        wait_is_over()

    assert [answer.status_code for answer in answers] == [200] * 4 + [302]
    assert answers[-1]["Location"] == "/login/"
    assert "Too many wrong codes. Log in again." in client.get("/login/").text
    assert client.post(CODE, {"code": code_of(app)})["Location"] == "/login/"


def test_ten_minutes_after_the_password_the_code_is_too_late(app, monkeypatch):
    client, place = with_password()
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 601)

    answer = client.post(place, {"code": code_of(app)}, follow=True)

    assert answer.request["PATH_INFO"] == "/login/"
    assert client.get("/history/").status_code == 302


def test_logging_out_ends_the_half_login(app):
    client, place = with_password()

    client.post("/logout/")

    assert client.get(place)["Location"] == "/login/"


# --- other ways ------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", " {} ", "as small letters"])
def test_a_recovery_code_opens_and_says_how_many_are_left(app, written):
    code, *_others = make_recovery_codes(app.user)
    client, place = with_password()
    typed = code.lower() if "small" in written else written.format(code)

    page = client.post(place, {"code": typed}, follow=True).text

    assert "You logged in with a recovery code. 9 are left." in page
    assert entries()[-2:] == [
        ("recovery_used", "", {}),
        ("logged_in", "Mei Lin", {"second_factor": "recovery"}),
    ]


def test_full_width_digits_are_digits(app):
    client, place = with_password()
    wide = code_of(app).translate({ord("0") + n: ord("０") + n for n in range(10)})

    assert client.post(place, {"code": wide})["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "value"), [("SECOND_FACTOR", "everybody"), ("PASSKEY_LOGIN", "only")]
)
def test_a_demand_that_is_new_ends_all_sessions(log_in, settings, name, value):
    client = log_in(make_user(permissions.AUDITOR))
    assert client.get("/history/").status_code == 200

    setattr(settings, name, value)

    assert client.get("/history/").status_code == 302
    assert client.get("/login/").status_code == 200
