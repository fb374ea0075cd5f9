"""Second factors: verifying codes, also concurrently, setup, removal, encryption."""

import threading
from datetime import timedelta
from hashlib import sha256

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.utils import decrypt
from cryptography.fernet import InvalidToken
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from notifications import permissions
from notifications.access import factors
from notifications.access.proofs import verify_code
from notifications.access.queries import (
    has_factor,
    is_required_for,
    second_factors_of,
)
from notifications.models import AuditEntry, LoginSession
from tests.factories import code_of, make_app, make_user, wrong_code

pytestmark = pytest.mark.django_db

Type = Authenticator.Type


def kind_of(person, code) -> str:
    """The type of factor that accepted the code; "wrong", or the wait in seconds."""
    result = verify_code(person, code)
    if result.authenticator is None:
        return str(result.wait) if result.wait else "wrong"
    return result.authenticator.type


def entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor"))


def wait_is_over() -> None:
    for row in Authenticator.objects.all():
        row.data.pop("failed_at", None)
        row.save()


def session_of(person, key) -> None:
    later = timezone.now() + timedelta(hours=1)
    LoginSession.objects.create(session_key=key, user=person, expire_date=later)


def sessions() -> set[str]:
    return set(LoginSession.objects.values_list("session_key", flat=True))


# --- verifying ----------------------------------------------------------------------------


def test_a_code_of_the_app_counts_once():
    person = make_user()
    code = code_of(make_app(person))

    assert [kind_of(person, code) for _n in range(2)] == ["totp", "wrong"]
    assert entries() == [("factor_refused", "lin.mei")]


def test_a_code_that_was_used_counts_in_no_other_process(monkeypatch):
    """The database remembers it, not only the memory of one process."""
    person = make_user()
    code = code_of(make_app(person))
    monkeypatch.setattr("django.core.cache.cache.add", lambda *_a, **_k: True)

    assert [kind_of(person, code) for _n in range(2)] == ["totp", "wrong"]


def test_a_clock_may_be_half_a_minute_off_and_no_more(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)
    answers = []
    for steps in (-2, -1, 1, 2):
        person = make_user(username=f"steps {steps}")
        answers.append(kind_of(person, code_of(make_app(person), steps=steps)))

    assert answers == ["wrong", "totp", "totp", "wrong"]


def test_after_wrong_codes_one_waits_longer_each_time(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)
    person = make_user()
    app = make_app(person)
    waits = []
    for _n in range(4):
        assert kind_of(person, wrong_code(app)) == "wrong"
        waits.append(kind_of(person, code_of(app)))
        wait_is_over()

    assert waits == ["1", "2", "4", "8"]
    assert kind_of(person, code_of(app)) == "totp"
    assert entries() == [("factor_refused", "lin.mei")] * 4


def test_a_right_code_forgets_the_wrong_ones():
    person = make_user()
    app = make_app(person)
    kind_of(person, wrong_code(app))
    wait_is_over()

    kind_of(person, code_of(app))

    app.refresh_from_db()
    assert "failures" not in app.data


def test_a_recovery_code_counts_once_and_for_its_person_only():
    person, other = make_user(), make_user(username="other")
    for each in (person, other):
        make_app(each)
    code, *others = factors.make_recovery_codes(person)
    plain = code.replace("-", "")

    answers = [kind_of(each, plain) for each in (other, person, person)]

    assert answers == ["wrong", "recovery_codes", "wrong"]
    assert second_factors_of(person).recovery_codes_left == len(others) == 9
    assert entries() == [
        ("recovery_made", "lin.mei"),
        ("factor_refused", "other"),
        ("recovery_used", "lin.mei"),
        ("factor_refused", "lin.mei"),
    ]


def test_recovery_codes_are_long_and_only_their_digests_are_kept():
    person = make_user()

    codes = factors.make_recovery_codes(person)

    assert len(set(codes)) == 10
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(5,) * 5}
    expected = [
        "sha256:" + sha256(code.replace("-", "").encode()).hexdigest() for code in codes
    ]
    assert Authenticator.objects.get().data == {"migrated_codes": expected}


def test_what_the_database_holds_is_no_recovery_code():
    person = make_user()
    factors.make_recovery_codes(person)
    digest = Authenticator.objects.get().data["migrated_codes"][0]

    assert kind_of(person, digest) == "wrong"


def test_new_recovery_codes_make_the_old_ones_void():
    person = make_user()
    old, *_others = factors.make_recovery_codes(person)

    factors.make_recovery_codes(person)

    assert kind_of(person, old.replace("-", "")) == "wrong"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_a_code_given_twice_at_the_same_time_counts_once(kind):
    person = make_user()
    code = code_of(make_app(person))
    if kind == "recovery_codes":
        code = factors.make_recovery_codes(person)[0].replace("-", "")

    answers = at_once(3, lambda: kind_of(person, code))

    assert answers.count(kind) == 1
    assert len(answers) == 3


@pytest.mark.django_db(transaction=True)
def test_of_wrong_codes_at_the_same_time_one_is_verified():
    person = make_user()
    wrong = wrong_code(make_app(person))

    answers = at_once(8, lambda: kind_of(person, wrong))

    assert answers.count("wrong") == 1
    assert answers.count("1") == 7


def at_once(number, act) -> list[str]:
    start = threading.Barrier(number)
    answers = []

    def give() -> None:
        start.wait()
        answers.append(act())
        connection.close()

    threads = [threading.Thread(target=give) for _n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# --- at rest -----------------------------------------------------------------------------


def test_the_key_of_an_app_is_encrypted_and_survives_a_new_secret_key(settings):
    person = make_user()
    secret = generate_totp_secret()
    factors.set_up_app(person, secret, present="this")
    app = Authenticator.objects.get(type=Type.TOTP)

    assert secret not in str(app.data)
    assert decrypt(app.data["secret"]) == secret
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 9, [old]
    assert kind_of(person, code_of(secret)) == "totp"
    assert factors.encrypt_again() == 1
    settings.SECRET_KEY_FALLBACKS = []
    app.refresh_from_db()
    assert decrypt(app.data["secret"]) == secret


def test_without_the_key_it_is_not_readable(settings):
    app = make_app(make_user())

    settings.SECRET_KEY = "another" * 9
    with pytest.raises(InvalidToken):
        decrypt(app.data["secret"])
    with pytest.raises(ValueError, match=r"The app of lin\.mei was encrypted"):
        factors.encrypt_again()
    assert kind_of(app.user, "123456") == "wrong"


# --- setting up ------------------------------------------------------------------------


def test_an_app_replaces_the_one_before():
    person = make_user()
    for key in ("this", "another"):
        session_of(person, key)
    old = make_app(person)
    secret = generate_totp_secret()

    codes = factors.set_up_app(person, secret, present="this")

    assert len(codes) == 10
    assert kind_of(person, code_of(secret)) == "totp"
    assert not Authenticator.objects.filter(pk=old.pk).exists()
    assert entries() == [
        ("factor_set", "lin.mei"),
        ("sessions_ended", "lin.mei"),
        ("recovery_made", "lin.mei"),
    ]
    assert sessions() == {"this"}


def test_recovery_codes_that_there_are_stay():
    person = make_user()
    factors.set_up_app(person, generate_totp_secret(), present="this")

    assert factors.set_up_app(person, generate_totp_secret(), present="this") == ()
    assert second_factors_of(person).recovery_codes_left == 10


# --- who must have one -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "asked"),
    [
        ("optional", set()),
        ("senders", {"manager", "people", "chief", "keeper"}),
        ("everybody", {"manager", "people", "chief", "keeper", "auditor", "nothing"}),
        (
            "a word that nobody knows",
            {"manager", "people", "chief", "keeper", "auditor", "nothing"},
        ),
    ],
)
def test_who_must_have_a_second_factor(settings, demand, asked):
    settings.SECOND_FACTOR = demand
    people = [
        make_user(permissions.COMMUNITY_MANAGER, username="manager"),
        make_user(permissions.PEOPLE_ADMINISTRATOR, username="people"),
        make_user(superuser=True, username="chief"),
        make_user(permissions.AUDITOR, username="auditor"),
        make_user(username="nothing"),
    ]
    keeper = make_user(username="keeper")  # can grant any permission through a role
    keeper.user_permissions.set(permissions.permission_rows(["auth.change_group"]))

    assert {p.username for p in [*people, keeper] if is_required_for(p)} == asked


# --- removing --------------------------------------------------------------------------


def test_removing_ones_own(settings):
    person = make_user(permissions.COMMUNITY_MANAGER)
    app = make_app(person)
    factors.make_recovery_codes(person)
    for key in ("this", "another"):
        session_of(person, key)

    settings.SECOND_FACTOR = "senders"
    with pytest.raises(PermissionDenied, match="needs a second factor"):
        factors.remove_own(person, app, present="this")
    settings.SECOND_FACTOR = "optional"
    factors.remove_own(person, app, present="this")

    assert not Authenticator.objects.exists()
    assert sessions() == {"this"}
    assert entries()[-2:] == [
        ("factor_removed", "lin.mei"),
        ("sessions_ended", "lin.mei"),
    ]


def test_of_two_one_may_be_removed_although_one_is_required(settings):
    settings.SECOND_FACTOR = "everybody"
    person = make_user()
    app = make_app(person)
    Authenticator.objects.create(
        user=person, type=Type.WEBAUTHN, data={"name": "Phone"}
    )
    factors.make_recovery_codes(person)

    factors.remove_own(person, app, present="this")

    assert {row.type for row in Authenticator.objects.all()} == {
        Type.WEBAUTHN,
        Type.RECOVERY_CODES,
    }


@pytest.mark.parametrize(
    ("by", "of", "refusal"),
    [
        ("people", "lin.mei", None),
        ("chief", "people", None),
        ("chief", "chief2", None),
        ("people", "chief", "Only a superuser"),
        ("people", "people", "Somebody else"),
        ("chief", "chief", "Somebody else"),
        ("lin.mei", "people", "Your login may not do this"),
    ],
)
def test_removing_that_of_somebody_else(by, of, refusal):
    people = {
        "people": make_user(permissions.PEOPLE_ADMINISTRATOR, username="people"),
        "chief": make_user(superuser=True, username="chief"),
        "chief2": make_user(superuser=True, username="chief2"),
        "lin.mei": make_user(permissions.COMMUNITY_MANAGER),
    }
    make_app(people[of])
    session_of(people[of], "theirs")

    if refusal:
        with pytest.raises(PermissionDenied, match=refusal):
            factors.require_can_reset(people[by], people[of])
    else:
        factors.require_can_reset(people[by], people[of])
        factors.remove_factors(people[of], by)

    assert has_factor(people[of]) == bool(refusal)
    assert sessions() == ({"theirs"} if refusal else set())
    details = AuditEntry.objects.order_by("id").values_list("actor", "detail")
    done = [(by, {"person": of}), (by, {"person": of, "sessions": 1})]
    assert list(details) == ([] if refusal else done)
