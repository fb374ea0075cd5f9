"""The search field for groups: suggestions, and the groups with pasted IDs."""

import pytest

from notifications import permissions
from tests.factories import make_group, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ADDRESS = "/write/groups/"


@pytest.fixture
def manager(log_in):
    return log_in(make_user(permissions.COMMUNITY_MANAGER))


def suggested(client, term: str) -> list[str]:
    return [group["id"] for group in client.get(ADDRESS, {"q": term}).json()["groups"]]


def test_a_suggestion_has_all_that_the_page_shows(manager):
    make_group(group_id="hikers", name="Weekend hikers", type="Public", member_count=24)
    make_group(group_id="live", name="Friday show", type="AVChatRoom", member_count=7)

    answer = manager.get(ADDRESS, {"q": "e"})

    assert answer.json() == {
        "groups": [
            {
                "id": "live",
                "name": "Friday show",
                "type": "Live room",
                "problem": "",
            },
            {
                "id": "hikers",
                "name": "Weekend hikers",
                "type": "Public",
                "problem": "",
            },
        ],
        "says": "2 groups match.",
    }
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("", ["live", "hikers"]),
        ("hik", ["hikers"]),
        ("HIKERS", ["hikers"]),
        ("  徒步 ", ["hikers"]),  # two characters: no index of trigrams finds them
        ("#TGS", []),
        ("%", []),
        ("_", []),
        ("x" * 10_000, []),
        ("hik\0ers", []),
        ("'; DROP TABLE x; --", []),
    ],
)
def test_the_term(manager, term, expected):
    make_group(group_id="hikers", name="周末徒步 Hikers")
    make_group(group_id="live", name="Live: Friday show", type="AVChatRoom")
    make_group(group_id="off", name="徒步 hikers", state="switched_off")
    make_group(group_id="gone", name="徒步 hikers", state="closed")

    assert suggested(manager, term) == expected


def test_no_match(manager):
    assert manager.get(ADDRESS, {"q": "x"}).json() == {
        "groups": [],
        "says": "No group matches. Is it switched off?",
    }


def test_twenty_at_most_by_name(manager):
    for number in range(21):
        make_group(group_id=f"g{number}", name=f"Club {20 - number:02}")

    answer = manager.get(ADDRESS, {"q": "club"}).json()

    assert [group["id"] for group in answer["groups"]] == [
        f"g{n}" for n in range(20, 0, -1)
    ]
    assert answer["says"] == "More than 20 groups match. Type more of the name."


@pytest.mark.parametrize("rows", [1, 3])
def test_one_query_for_groups(manager, rows, django_assert_max_num_queries):
    for _n in range(rows):
        make_group()

    with django_assert_max_num_queries(10) as queries:
        answer = manager.get(ADDRESS, {"q": "plaza"})

    assert len(answer.json()["groups"]) == rows
    asked = [q for q in queries if "notifications_chatgroup" in q["sql"]]
    assert len(asked) == 1


def test_pasted_ids_are_named(manager):
    make_group(group_id="a", name="Anglers")
    make_group(group_id="b,c", name="With a comma")
    make_group(group_id="off", name="Old club", state="switched_off")

    answer = manager.post(
        ADDRESS, {"ids": "off；a，nobody、b,c\r\n王五;a\0b b,c a"}
    ).json()

    assert [
        (group["id"], group["name"], group["problem"]) for group in answer["groups"]
    ] == [
        ("nobody", "nobody", "not in the list"),
        ("b", "b", "not in the list"),
        ("c", "c", "not in the list"),
        ("王五", "王五", "not in the list"),
        ("a\0b", "a\0b", "not in the list"),
        ("off", "Old club", "Switched off"),
        ("a", "Anglers", ""),
        ("b,c", "With a comma", ""),
    ]
    assert answer["ids"] == ["off", "a", "nobody", "b", "c", "王五", "a\0b", "b,c"]
    assert answer["says"] == (
        "2 groups added. 6 cannot be sent to: see the marks. "
        "1 ID was given more than once and counts once."
    )


def test_nothing_pasted(manager):
    assert manager.post(ADDRESS).json() == {
        "ids": [],
        "groups": [],
        "says": "0 groups added.",
    }


@pytest.mark.parametrize("role", [permissions.AUDITOR, permissions.GROUP_ADMINISTRATOR])
def test_who_may_not_send_is_refused(log_in, role):
    client = log_in(make_user(role))

    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, {"ids": "a"}).status_code == 403


def test_a_stranger_has_to_log_in(client):
    assert client.get(ADDRESS)["Location"] == "/login/?next=/write/groups/"


def test_pasting_needs_the_token_of_the_page(log_in):
    client = log_in(make_user(permissions.COMMUNITY_MANAGER))
    client.handler.enforce_csrf_checks = True

    assert client.post(ADDRESS, {"ids": "a"}).status_code == 403


def test_other_methods(manager):
    assert manager.delete(ADDRESS).status_code == 405


def test_a_paste_that_is_too_long_is_refused_in_words(manager):
    answer = manager.post(ADDRESS, {"ids": "a " * 100_001})

    sentence = "More than 100,000 IDs at once. Split the list."
    assert answer.json() == {"ids": [], "groups": [], "says": sentence}


def test_a_form_with_a_list_that_is_too_long_shows_the_error(manager):
    response = manager.post("/write/", {"audience": "chosen", "groups": "a " * 100_001})

    assert response.status_code == 200
    assert response.context["form"].errors["groups"] == [
        "More than 100,000 IDs at once. Split the list."
    ]
