"""Access matrix: every role, every named URL, GET and POST.

A cell is the response to a request without fields: a status, ``login`` for a redirect to
the login page, ``away`` for a redirect to another page of the console.
"""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client

from notifications.models import AuditEntry, LoginSession
from tests.addresses import ROLES, Visitor, addresses_about, make_people

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MATRIX = """
address                                  by   nobody no-role manager colleague auditor groups people superuser
set_language                             GET  away   away    away    away      away    away   away   away
set_language                             POST away   away    away    away      away    away   away   away
account_login                            GET  200     away    away    away    away    away    away    away
account_login                            POST 200     away    away    away    away    away    away    away
mfa_authenticate                         GET  login   away    away    away    away    away    away    away
mfa_authenticate                         POST login   away    away    away    away    away    away    away
mfa_login_webauthn                       GET  404     404     404     404     404     404     404     404
mfa_login_webauthn                       POST 404     404     404     404     404     404     404     404
mfa_set_up                               GET  login   200     200     200     200     200     200     200
mfa_set_up                               POST login   405     405     405     405     405     405     405
account_logout                           GET  away    405     405     405     405     405     405     405
account_logout                           POST login   200     200     200     200     200     200     200
account_reauthenticate                   GET  login   200     200     200     200     200     200     200
account_reauthenticate                   POST login   200     200     200     200     200     200     200
mfa_reauthenticate_webauthn              GET  login   away    away    away    away    away    away    away
mfa_reauthenticate_webauthn              POST login   away    away    away    away    away    away    away
mfa_activate_totp                        GET  login   200     200     200     200     200     200     200
mfa_activate_totp                        POST login   200     200     200     200     200     200     200
mfa_add_webauthn                         GET  login   200     200     200     200     200     200     200
mfa_add_webauthn                         POST login   200     200     200     200     200     200     200
mfa_generate_recovery_codes              GET  login   200     200     200     200     200     200     200
mfa_generate_recovery_codes              POST login   away    away    away    away    away    away    away
mfa_remove                               GET  login   404     404     404     404     404     404     404
mfa_remove                               POST login   404     404     404     404     404     404     404
openid_connect_login                     GET  404    404     404     404       404     404    404    404
openid_connect_login                     POST 405    405     405     405       405     405    405    405
openid_connect_callback                  GET  404    404     404     404       404     404    404    404
openid_connect_callback                  POST 405    405     405     405       405     405    405    405
password_forgotten                       GET  200   200     200     200       200     200    200    200
password_forgotten                       POST 200   200     200     200       200     200    200    200
password_link                            GET  200   200     200     200       200     200    200    200
password_link                            POST 200   200     200     200       200     200    200    200
admin:address                            GET  login 200     200     200       200     200    200    200
admin:address                            POST login 200     200     200       200     200    200    200
admin:address_confirm                    GET  login away    away    away      away    away   away   away
admin:address_confirm                    POST login away    away    away      away    away   away   away
admin:person_password_link               GET  login 403     403     403       403     403    200    200
admin:person_password_link               POST login 403     403     403       403     403    away   away
admin:approval_approve                   GET  login 405     405     405       405     405    405    405
admin:approval_approve                   POST login 403     403     403       403     403    away   403
admin:approval_cancel                    GET  login 405     405     405       405     405    405    405
admin:approval_cancel                    POST login 403     403     403       403     403    away   away
admin:auth_user_second_factor            GET  login  403     403     403       403     403    200    200
admin:auth_user_second_factor            POST login  403     403     403       403     403    away   away
admin:write                              GET  login  403     200     200       403     403    403    200
admin:write                              POST 403    403     200     200       403     403    403    200
admin:write_groups                       GET  login  403     200     200       403     403    403    200
admin:write_groups                       POST login  403     200     200       403     403    403    200
admin:write_count                        GET  login  405     405     405       405     405    405    405
admin:write_count                        POST login  403     200     200       403     403    403    200
admin:drafts                             GET  login  403     200     200       403     403    403    200
admin:drafts                             POST login  405     405     405       405     405    405    405
admin:ownerless_drafts                   GET  login  403     403     403       403     403    403    200
admin:ownerless_drafts                   POST login  405     405     405       405     405    405    405
admin:write_edit                         GET  login  403     200     403       403     403    403    403
admin:write_edit                         POST 403    403     200     403       403     403    403    403
admin:draft_delete                       GET  login  405     405     405       405     405    405    405
admin:draft_delete                       POST login  403     away    403       403     403    403    403
admin:draft_hand_over                    GET  login  403     200     403       403     403    403    403
admin:draft_hand_over                    POST login  403     200     403       403     403    403    403
admin:check                              GET  login  403     200     403       403     403    403    403
admin:check                              POST login  403     200     403       403     403    403    403
admin:notification_progress              GET  login  403     200     200       200     403    403    200
admin:notification_progress              POST login  405     405     405       405     405    405    405
admin:notification_status                GET  login  403     200     200       200     403    403    200
admin:notification_status                POST login  405     405     405       405     405    405    405
admin:notification_pause                 GET  login  405     405     405       405     405    405    405
admin:notification_pause                 POST login  403     away    away      403     403    403    away
admin:notification_resume                GET  login  405     405     405       405     405    405    405
admin:notification_resume                POST login  403     away    403       403     403    403    403
admin:notification_stop                  GET  login  405     405     405       405     405    405    405
admin:notification_stop                  POST login  403     away    away      403     403    403    away
admin:notification_take_over             GET  login  405     405     405       405     405    405    405
admin:notification_take_over             POST login  403     away    away      403     403    403    away
admin:notification_ask                   GET  login  405     405     405       405     405    405    405
admin:notification_ask                   POST login  403     away    403       403     403    403    403
admin:reschedule                         GET  login  403     away    403       403     403    403    403
admin:reschedule                         POST login  403     away    403       403     403    403    403
admin:send_again                         GET  login  403     200     403       403     403    403    403
admin:send_again                         POST login  403     away    403       403     403    403    403
admin:recall                             GET  login  403     200     200       403     403    403    200
admin:recall                             POST login  403     200     200       403     403    403    200
admin:correct                            GET  login  403     200     200       403     403    403    200
admin:correct                            POST login  403     200     200       403     403    403    200
admin:evidence                           GET  login  405     405     405       405     405    405    405
admin:evidence                           POST login  403     403     403       200     403    403    200
admin:all_sending                        GET  login  403     200     200       403     403    403    200
admin:all_sending                        POST login  403     away    away      403     403    403    away
admin:system                             GET  login  403     403     403       403     403    403    200
admin:system                             POST login  405     405     405       405     405    405    405
admin:history                            GET  login  403     200     200       200     403    403    200
admin:history                            POST login  405     405     405       405     405    405    405
admin:deliveries                         GET  login  403     200     200       200     403    403    200
admin:deliveries                         POST login  405     405     405       405     405    405    405
admin:deliveries_download                GET  login  405     405     405       405     405    405    405
admin:deliveries_download                POST login  403     403     403       200     403    403    200
admin:actions                            GET  login  403     403     403       200     403    403    200
admin:actions                            POST login  405     405     405       405     405    405    405
admin:actions_download                   GET  login  405     405     405       405     405    405    405
admin:actions_download                   POST login  403     403     403       200     403    403    200
admin:draft_versions                     GET  login  403     403     403       200     403    403    200
admin:draft_versions                     POST login  405     405     405       405     405    405    405
admin:delivery                           GET  login  403     200     200       200     403    403    200
admin:delivery                           POST login  405     405     405       405     405    405    405
admin:resolve                            GET  login  405     405     405       405     405    405    405
admin:resolve                            POST login  403     away    403       403     403    403    403
admin:delivery_ask                       GET  login  405     405     405       405     405    405    405
admin:delivery_ask                       POST login  403     away    403       403     403    403    403
admin:labels                             GET  login  403     200     200       200     200    403    200
admin:labels                             POST login  405     405     405       405     405    405    405
admin:labels_put                         GET  login  403     403     403       403     200    403    200
admin:labels_put                         POST login  403     403     403       403     200    403    200
admin:labels_take                        GET  login  403     403     403       403     200    403    200
admin:labels_take                        POST login  403     403     403       403     200    403    200
admin:label_rename                       GET  login  403     403     403       403     200    403    200
admin:label_rename                       POST login  403     403     403       403     200    403    200
admin:label_delete                       GET  login  403     403     403       403     200    403    200
admin:label_delete                       POST login  403     403     403       403     away   403    away
admin:audiences                          GET  login  403     200     200       200     200    403    200
admin:audiences                          POST login  405     405     405       405     405    405    405
admin:audience_add                       GET  login  403     200     200       403     200    403    200
admin:audience_add                       POST login  403     200     200       403     200    403    200
admin:audience                           GET  login  403     200     200       200     200    403    200
admin:audience                           POST login  403     200     200       403     200    403    200
admin:audience_delete                    GET  login  403     200     200       403     200    403    200
admin:audience_delete                    POST login  403     away    away      403     away   403    away
admin:group_import                       GET  login  403     403     403       403     200    403    200
admin:group_import                       POST login  403     403     403       403     200    403    200
admin:group_import_check                 GET  login  403     403     403       403     200    403    404
admin:group_import_check                 POST login  403     403     403       403     away   403    404
admin:groups_download                    GET  login  405     405     405       405     405    405    405
admin:groups_download                    POST login  403     200     200       200     200    403    200
admin:syncs                              GET  login  403     200     200       200     200    403    200
admin:syncs                              POST login  405     405     405       405     405    405    405
admin:sync_request                       GET  login  405     405     405       405     405    405    405
admin:sync_request                       POST login  403     403     403       403     away   403    away
admin:sync                               GET  login  403     200     200       200     200    403    200
admin:sync                               POST login  405     405     405       405     405    405    405
admin:sync_status                        GET  login  403     200     200       200     200    403    200
admin:sync_status                        POST login  405     405     405       405     405    405    405
admin:sync_stop                          GET  login  405     405     405       405     405    405    405
admin:sync_stop                          POST login  403     403     403       403     away   403    away
admin:account                            GET  login  200     200     200       200     200    200    200
admin:account                            POST login  405     405     405       405     405    405    405
admin:session_end                        GET  login  405     405     405       405     405    405    405
admin:session_end                        POST login  away    away    away      away    away   away   away
admin:sessions_end                       GET  login  405     405     405       405     405    405    405
admin:sessions_end                       POST login  away    away    away      away    away   away   away
admin:person_log_out                     GET  login  405     405     405       405     405    405    405
admin:person_log_out                     POST login  403     403     403       403     403    away   away
admin:connection                         GET  login  403     403     403       403     403    403    200
admin:connection                         POST login  403     403     403       403     403    403    away
admin:connection_status                  GET  login  403     403     403       403     403    403    200
admin:connection_status                  POST login  405     405     405       405     405    405    405
admin:connection_notice                  GET  login  405     405     405       405     405    405    405
admin:connection_notice                  POST login  403     403     403       403     403    403    away
admin:connection_probe                   GET  login  405     405     405       405     405    405    405
admin:connection_probe                   POST login  403     403     403       403     403    403    away
admin:index                              GET  login  200     200     200       200     200    200    200
admin:index                              POST login  405     405     405       405     405    405    405
admin:login                              GET  200    away    away    away      away    away   away   away
admin:login                              POST 200     away    away    away    away    away    away    away
admin:logout                             GET  away   405     405     405       405     405    405    405
admin:logout                             POST login   200     200     200     200     200     200     200
admin:password_change                    GET  login  200     200     200       200     200    200    200
admin:password_change                    POST login  200     200     200       200     200    200    200
admin:password_change_done               GET  login  200     200     200       200     200    200    200
admin:password_change_done               POST login  405     405     405       405     405    405    405
admin:jsi18n                             GET  login  200     200     200       200     200    200    200
admin:jsi18n                             POST login  405     405     405       405     405    405    405
admin:notifications_chatgroup_changelist GET  login  403     200     200       200     200    403    200
admin:notifications_chatgroup_changelist POST login  403     200     200       200     200    403    200
admin:notifications_chatgroup_add        GET  login  403     403     403       403     200    403    200
admin:notifications_chatgroup_add        POST login  403     403     403       403     200    403    200
admin:notifications_chatgroup_history    GET  login  404     404     404       404     404    404    404
admin:notifications_chatgroup_history    POST login  404     404     404       404     404    404    404
admin:notifications_chatgroup_delete     GET  login  403     403     403       403     403    403    403
admin:notifications_chatgroup_delete     POST login  403     403     403       403     403    403    403
admin:notifications_chatgroup_change     GET  login  403     200     200       200     200    403    200
admin:notifications_chatgroup_change     POST login  403     403     403       403     200    403    200
admin:auth_user_changelist               GET  login  403     403     403       403     403    200    200
admin:auth_user_changelist               POST login  403     403     403       403     403    200    200
admin:auth_user_add                      GET  login  403     403     403       403     403    200    200
admin:auth_user_add                      POST login  403     403     403       403     403    200    200
admin:auth_user_history                  GET  login  404     404     404       404     404    404    404
admin:auth_user_history                  POST login  404     404     404       404     404    404    404
admin:auth_user_delete                   GET  login  403     403     403       403     403    403    403
admin:auth_user_delete                   POST login  403     403     403       403     403    403    403
admin:auth_user_change                   GET  login  403     403     403       403     403    200    200
admin:auth_user_change                   POST login  403     403     403       403     403    200    200
admin:auth_group_changelist              GET  login  403     403     403       403     403    200    200
admin:auth_group_changelist              POST login  403     403     403       403     403    200    200
admin:auth_group_add                     GET  login  403     403     403       403     403    403    200
admin:auth_group_add                     POST login  403     403     403       403     403    403    200
admin:auth_group_history                 GET  login  404     404     404       404     404    404    404
admin:auth_group_history                 POST login  404     404     404       404     404    404    404
admin:auth_group_delete                  GET  login  403     403     403       403     403    403    200
admin:auth_group_delete                  POST login  403     403     403       403     403    403    200
admin:auth_group_change                  GET  login  403     403     403       403     403    200    200
admin:auth_group_change                  POST login  403     403     403       403     403    403    200
admin:app_list                           GET  login  404     404     404       404     404    404    404
admin:app_list                           POST login  404     404     404       404     404    404    404
"""


def matrix() -> dict[tuple[str, str], list[str]]:
    lines = [line.split() for line in MATRIX.strip().splitlines()[1:]]
    return {(address, method): cells for address, method, *cells in lines}


@pytest.fixture
def people() -> dict[str, User]:
    return make_people()


@pytest.fixture
def addresses(people) -> dict[str, str]:
    """All named URLs, with ids of existing rows."""
    return addresses_about(people)


def said(response: HttpResponseBase) -> str:
    if response.status_code == 302:
        return "login" if response["Location"].startswith("/login/") else "away"
    return str(response.status_code)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables except the sessions."""
    return {
        model._meta.label: list(model.objects.order_by("pk").values_list())
        for model in apps.get_models()
        if model is not LoginSession
    }


def test_every_address_is_in_the_matrix(addresses):
    assert set(matrix()) == {(a, m) for a in addresses for m in ("GET", "POST")}


@pytest.mark.parametrize("column", range(len(ROLES)), ids=list(ROLES))
def test_a_role_gets_what_the_matrix_says_and_looking_changes_nothing(
    column, people, addresses
):
    visitor = Visitor(people.get(list(ROLES)[column]))
    expected = {key: cells[column] for key, cells in matrix().items()}
    before = contents()

    results = {
        (a, "GET"): said(visitor.request("GET", addresses[a])) for a in addresses
    }
    assert contents() == before
    results |= {
        (a, "POST"): said(visitor.undone("POST", addresses[a])) for a in addresses
    }

    assert results == expected


def test_an_auditor_changes_nothing_but_what_is_written_down_of_himself(
    people, addresses
):
    visitor = Visitor(people["auditor"])
    before = contents()

    for name, address in addresses.items():
        if not name.endswith("logout"):
            visitor.request("POST", address)

    after = contents()
    label = AuditEntry._meta.label
    entries = after.pop(label)[len(before.pop(label)) :]
    assert after == before
    new = AuditEntry.objects.filter(pk__in=[entry[0] for entry in entries])
    assert {(entry.action, entry.actor) for entry in new} == {
        ("exported", "auditor"),
        ("export_ended", "auditor"),
        ("groups_exported", "auditor"),
        ("trail_exported", "auditor"),
        ("evidence", "auditor"),
    }


OTHER_SITE = {"origin": "https://evil.example"}


@pytest.mark.parametrize("has_token", [False, True])
def test_no_address_takes_a_form_of_another_site(people, addresses, has_token):
    """Without the token of the page; or with it, but from another origin."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(people["superuser"])
    token = client.get("/account/").context["csrf_token"]
    fields = {"csrfmiddlewaretoken": str(token)} if has_token else {}
    headers = OTHER_SITE if has_token else {}
    before = contents()

    statuses = {
        name: client.post(address, fields, headers=headers).status_code
        for name, address in addresses.items()
    }

    assert {name: s for name, s in statuses.items() if s != 403} == {}
    assert contents() == before
