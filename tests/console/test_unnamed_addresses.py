"""URL patterns without a name, which the matrix cannot list, and duplicate names."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from notifications import permissions
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

# Each with an example URL. All of them belong to Django's admin: the short URLs of rows,
# which redirect to the long ones, and the catch-all pattern.
UNNAMED = {
    "notifications/chatgroup/<path:object_id>/": "/notifications/chatgroup/1/",
    "auth/user/<path:object_id>/": "/auth/user/1/",
    "auth/group/<path:object_id>/": "/auth/group/1/",
    "(?P<url>.*)$": "/no/such/page/",
}
PEOPLE = {
    "no-role": None,
    "manager": permissions.COMMUNITY_MANAGER,
    "auditor": permissions.AUDITOR,
    "groups": permissions.GROUP_ADMINISTRATOR,
    "people": permissions.PEOPLE_ADMINISTRATOR,
}


def patterns(
    resolver: URLResolver, space: str = "", route: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield all URL patterns, with their qualified name or, without one, their route."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else ""
            yield from patterns(entry, space + inner, route + str(entry.pattern))
        else:
            whole = route + str(entry.pattern)
            yield space + entry.name if entry.name else whole, entry


def test_no_address_goes_by_the_name_of_another():
    names = Counter(name for name, _entry in patterns(get_resolver()))

    assert [name for name, number in names.items() if number > 1] == []


def test_these_are_all_addresses_without_a_name():
    unnamed = [name for name, entry in patterns(get_resolver()) if not entry.name]

    assert sorted(unnamed) == sorted(UNNAMED)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("route", list(UNNAMED))
def test_an_address_without_a_name_shows_nothing(route, method):
    address = UNNAMED[route]
    make_group()
    stranger = Client().generic(method, address)

    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/login/")
    for name, role in PEOPLE.items():
        client = Client()
        client.force_login(make_user(role, username=name))
        answer = client.generic(method, address)
        if address == "/no/such/page/":
            assert answer.status_code == 404
        else:  # the long URL checks the permission: see the matrix
            assert answer.status_code == 302
            assert answer["Location"] == f"{address}change/"


# The folder of the files has sources and secrets beside it, or above it.
OUTSIDE = [
    "manage.py",
    ".git/config",
    ".env",
    "../manage.py",
    "..%2fmanage.py",
    "%2e%2e/%2e%2e/etc/passwd",
    "/etc/passwd",
    "notifications/../../manage.py",
    "notifications/",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_address_leads_to_other_files(path):
    client = Client()
    client.force_login(make_user(superuser=True))

    for prefix in ("/static/", "/"):
        answer = client.get(prefix + path)
        assert answer.status_code in (302, 404), prefix
        if answer.status_code == 302:  # to a page, not to a file
            assert client.get(answer["Location"], follow=True).status_code == 404
