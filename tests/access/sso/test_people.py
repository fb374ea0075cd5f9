"""Accounts of single sign-on: name, roles, and no password."""

from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group, User

from notifications import permissions
from notifications.access.services import sso_accounts
from notifications.access.services.sso_refusals import SsoRefusalReason, SsoRefused
from notifications.models import AuditEntry
from tests.access.sso.provider import Provider
from tests.factories import PASSWORD, make_user
from tests.management.running import run

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ISSUER = "https://id.example"
ROLES = [
    ("im-auditors", permissions.AUDITOR),
    ("im-managers", permissions.COMMUNITY_MANAGER),
    ("cn=boss,ou=im", permissions.COMMUNITY_MANAGER),
    ("ghosts", "No such role"),
]


@pytest.fixture(autouse=True)
def app(settings) -> dict:
    """The configured provider."""
    provider = Provider.app_of(ISSUER)
    provider["settings"]["roles"] = ROLES
    first = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": first | {"APPS": [provider]}}
    return provider


def enter(provider: str = "corp", **claims) -> User:
    app = get_adapter().get_app(None, provider)
    return sso_accounts.log_in(app, {"sub": "s-1"} | claims)


def held(person: User) -> list[str]:
    return sorted(person.groups.values_list("name", flat=True))


def last_entry() -> tuple[str, str, dict]:
    entry = AuditEntry.objects.latest("id")
    return entry.action, entry.actor, entry.detail


def test_a_new_person_is_written_down():
    enter(
        preferred_username="mei",
        given_name="Mei",
        family_name="Lin",
        email="mei@example.com",
        groups=["im-auditors", "others"],
    )

    assert last_entry() == (
        "person_added",
        "single sign-on",
        {
            "person": "mei",
            "before": {},
            "after": {
                "username": "mei",
                "first_name": "Mei",
                "last_name": "Lin",
                "email": "mei@example.com",
                "is_active": True,
                "is_staff": True,
                "roles": ["Auditor"],
                "subject": f"{ISSUER} s-1",
            },
        },
    )


@pytest.mark.parametrize(
    ("claims", "username"),
    [
        ({"preferred_username": "mei@example.com"}, "mei@example.com"),
        ({"preferred_username": " 林 美\x00 "}, "林_美"),
        ({"preferred_username": "worker 1"}, "worker_1"),
        ({"preferred_username": ["mei"], "sub": "auth0|7"}, "auth0_7"),
        ({}, "s-1"),
        ({"preferred_username": "x" * 200}, "x" * 150),
        ({"preferred_username": "㍿" * 150}, "株式会社" * 37 + "株式"),
        ({"preferred_username": "m\u0435i"}, "m_i"),  # with a Cyrillic letter
    ],
)
def test_usernames(claims, username):
    assert enter(**claims).username == username


@pytest.mark.parametrize("name", ["Lin.Mei", "1in.mei", "ｌin.mei"])
def test_a_name_that_looks_like_that_of_another_is_taken(name):
    make_user(username="lin.mei")

    with pytest.raises(SsoRefused) as refused:
        enter(preferred_username=name)

    assert refused.value.why == SsoRefusalReason.NAME_TAKEN
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (["im-auditors"], ["Auditor", "Group administrator"]),
        ("im-managers", ["Community manager", "Group administrator"]),
        (["cn=boss,ou=im"], ["Community manager", "Group administrator"]),
        (["IM-AUDITORS", 7, None, ["im-auditors"]], ["Group administrator"]),
        ({"im-auditors": 1}, ["Group administrator"]),
        (None, ["Group administrator"]),
    ],
    ids=str,
)
def test_roles_follow_the_claim_and_those_given_by_hand_stay(claim, expected):
    person = enter(groups=["im-managers"])
    person.groups.add(Group.objects.get(name=permissions.GROUP_ADMINISTRATOR))

    enter(groups=claim)

    assert held(person) == expected


def test_a_change_of_roles_is_written_down_and_none_is_not(caplog):
    enter(groups=["im-managers"])
    enter(groups=["im-managers"])
    assert AuditEntry.objects.count() == 1

    enter(groups=["ghosts"])

    assert last_entry() == (
        "person_changed",
        "single sign-on",
        {
            "person": "s-1",
            "before": {"roles": ["Community manager"]},
            "after": {"roles": []},
        },
    )
    assert "“No such role”, which does not exist" in caplog.text


def test_another_claim_may_hold_them(app):
    app["settings"]["roles_claim"] = "https://example.com/roles"

    person = enter(**{"https://example.com/roles": ["im-auditors"], "groups": ["x"]})

    assert held(person) == ["Auditor"]


def test_without_a_mapping_roles_are_given_by_hand(app):
    app["settings"]["roles"] = []
    person = enter(groups=["im-managers"])
    person.groups.add(Group.objects.get(name=permissions.AUDITOR))

    enter(groups=[])

    assert held(person) == ["Auditor"]


def test_a_name_in_one_piece():
    assert enter(name="Mei Lin").get_full_name() == "Mei Lin"


def test_the_same_subject_at_another_issuer_is_another_person(app):
    first = enter(preferred_username="mei")
    app["settings"]["issuer"] = "https://other.example"

    assert enter() != first


def test_issuer_and_subject_have_a_limit():
    most = 191 - len(ISSUER) - 1

    assert enter(sub="x" * most, preferred_username="mei").username == "mei"
    with pytest.raises(SsoRefused):
        enter(sub="x" * (most + 1), preferred_username="wei")
    assert SocialAccount.objects.count() == 1


def test_a_provider_may_get_another_name(app):
    first = enter(preferred_username="mei")
    app["provider_id"] = "staff"

    assert enter("staff") == first


def test_link_and_unlink(log_in, client):
    person = make_user(permissions.AUDITOR)
    inside = log_in(person)

    assert run("link_outside_login", "lin.mei", "--subject", "s-1") == (
        0,
        "lin.mei now logs in by single sign-on only.\n",
        "",
    )
    assert inside.get("/")["Location"].startswith("/login/")
    assert enter() == person
    action, actor, detail = AuditEntry.objects.values_list(
        "action", "actor", "detail"
    ).earliest("id")
    assert (action, actor.partition(" ")[0]) == ("person_changed", "command")
    assert (detail["before"], detail["after"]) == (
        {"subject": ""},
        {"subject": f"{ISSUER} s-1"},
    )
    assert run("link_outside_login", "lin.mei", "--remove")[0] == 0
    assert not SocialAccount.objects.exists()
    person.refresh_from_db()
    assert not person.has_usable_password()
    right = {"login": "lin.mei", "password": PASSWORD}
    assert client.post("/login/", right).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody", "--subject", "x"], "There is no user “nobody”."),
        (["nobody", "--remove"], "There is no user “nobody”."),
        (["lin.mei", "--subject", "s-1"], "“s-1” already belongs to mei."),
        (["lin.mei", "--remove"], "lin.mei does not log in by single sign-on."),
        (
            ["chief", "--subject", "x"],
            "chief is a superuser and keeps the password: this login must work when "
            "the identity provider is down.",
        ),
    ],
)
def test_what_cannot_be_linked(arguments, sentence):
    make_user()
    make_user(username="chief", superuser=True)
    enter(preferred_username="mei")

    assert run("link_outside_login", *arguments) == (2, "", sentence)


def test_nothing_is_linked_without_a_provider(settings):
    make_user()
    link = ("link_outside_login", "lin.mei", "--subject", "x")

    unknown = run(*link, "--provider", "partner")
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] = []
    none = run(*link)

    assert unknown == (2, "", "OIDC_PROVIDERS names no provider “partner”.")
    assert none == (2, "", "OIDC_PROVIDERS names 0 providers. Give --provider.")


def test_of_several_providers_one_is_given(app):
    make_user()
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    apps.append(Provider.app_of("https://other.example", "partner"))
    link = ("link_outside_login", "lin.mei", "--subject", "x")

    ambiguous = run(*link)
    linked = run(*link, "--provider", "partner")

    assert ambiguous == (2, "", "OIDC_PROVIDERS names 2 providers. Give --provider.")
    assert linked[0] == 0
    assert SocialAccount.objects.get().uid == "https://other.example x"


def test_a_linked_person_has_no_second_factor_here():
    person = make_user()
    Authenticator.objects.create(user=person, type="totp", data={"secret": ""})

    assert run("link_outside_login", "lin.mei", "--subject", "x")[0] == 0

    assert not Authenticator.objects.filter(user=person).exists()


def test_there_is_no_password_to_change(log_in):
    person = enter(preferred_username="mei")
    inside = log_in(person)

    assert "/password_change/" not in inside.get("/").content.decode()
    for answer in (inside.get("/password_change/"), inside.post("/password_change/")):
        assert answer.status_code == 403
        assert "have no password here" in answer.content.decode()

    chief = log_in(make_user(permissions.PEOPLE_ADMINISTRATOR))
    page = f"/auth/user/{person.pk}/"
    shown = unescape(chief.get(page + "change/").content.decode())
    assert "None: logs in by single sign-on" in shown
    refused = chief.post(f"/people/{person.pk}/link/", follow=True)
    assert "has no password here" in refused.content.decode()
    person.refresh_from_db()
    assert not person.has_usable_password()
