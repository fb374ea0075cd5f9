"""Services of the second factor: verifying codes, also concurrently, setup, removal."""

import threading
from datetime import timedelta
from hashlib import sha256

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from notifications import permissions
from notifications.access.queries import is_required_for, second_factor_of
from notifications.access.services import second_factor
from notifications.access.services.second_factor import (
    CodeResult,
    SecondFactorAnswer,
    verify_code,
)
from notifications.models import AuditEntry, LoginSession, RecoveryCode
from tests.factories import code_of, make_second_factor, make_user, wrong_code

pytestmark = pytest.mark.django_db

RIGHT, WRONG = CodeResult(SecondFactorAnswer.APP), CodeResult(SecondFactorAnswer.WRONG)


def entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor"))


def wait_is_over() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    TOTPDevice.objects.update(throttling_failure_timestamp=long_ago)


def session_of(person, key) -> None:
    later = timezone.now() + timedelta(hours=1)
    LoginSession.objects.create(session_key=key, user=person, expire_date=later)


def sessions() -> set[str]:
    return set(LoginSession.objects.values_list("session_key", flat=True))


# --- verifying ----------------------------------------------------------------------------


def test_a_code_of_the_app_counts_once():
    person = make_user()
    code = code_of(make_second_factor(person))

    first = verify_code(person, code)
    second = verify_code(person, code)

    assert (first, second) == (RIGHT, WRONG)
    assert entries() == [("factor_refused", "lin.mei")]


def test_a_clock_may_be_half_a_minute_off_and_no_more(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_790_000_000.0)
    answers = []
    for steps in (-3, -1, 1, 3):
        person = make_user(username=f"steps {steps}")
        device = make_second_factor(person)
        answers.append(verify_code(person, code_of(device, steps=steps)).answer)

    assert answers == ["wrong", "app", "app", "wrong"]


def test_after_wrong_codes_one_waits_longer_each_time(monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    person = make_user()
    device = make_second_factor(person)
    waits = []
    for _n in range(4):
        assert verify_code(person, wrong_code(device)) == WRONG
        waits.append(verify_code(person, code_of(device)))
        wait_is_over()

    assert waits == [
        CodeResult(SecondFactorAnswer.TOO_SOON, wait=wait) for wait in (1, 2, 4, 8)
    ]
    assert verify_code(person, code_of(device)) == RIGHT
    assert entries() == [("factor_refused", "lin.mei")] * 4


def test_a_recovery_code_counts_once_and_for_its_person_only():
    person, other = make_user(), make_user(username="other")
    for each in (person, other):
        make_second_factor(each)
    code, *others = second_factor.make_recovery_codes(person)
    plain = code.replace("-", "")

    answers = [verify_code(each, plain).answer for each in (other, person, person)]

    assert answers == ["wrong", "recovery", "wrong"]
    assert second_factor_of(person).recovery_codes_left == len(others) == 9
    assert entries() == [
        ("recovery_made", "lin.mei"),
        ("factor_refused", "other"),
        ("recovery_used", "lin.mei"),
        ("factor_refused", "lin.mei"),
    ]


def test_recovery_codes_are_long_and_only_their_digests_are_kept():
    person = make_user()

    codes = second_factor.make_recovery_codes(person)

    assert len(set(codes)) == 10
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(5,) * 5}
    digests = RecoveryCode.objects.values_list("digest", flat=True)
    expected = {sha256(code.replace("-", "").encode()).hexdigest() for code in codes}
    assert set(digests) == expected


def test_new_recovery_codes_make_the_old_ones_void():
    person = make_user()
    old, *_others = second_factor.make_recovery_codes(person)

    second_factor.make_recovery_codes(person)

    assert verify_code(person, old.replace("-", "")) == WRONG


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_given_twice_at_the_same_time_counts_once(kind):
    person = make_user()
    device = make_second_factor(person)
    code = code_of(device)
    if kind == "recovery":
        code = second_factor.make_recovery_codes(person)[0].replace("-", "")
    start = threading.Barrier(3)
    answers = []

    def give() -> None:
        start.wait()
        answers.append(verify_code(person, code).answer)
        connection.close()

    threads = [threading.Thread(target=give) for _n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers).count(kind) == 1
    assert len(answers) == 3


# --- setting up ------------------------------------------------------------------------


def finish(person, device, code, *, may_replace=True) -> CodeResult:
    return second_factor.finish_setup(
        person, device.pk, code, may_replace=may_replace, present="this"
    )


def test_a_key_counts_from_its_first_right_code_on():
    person = make_user()
    for key in ("this", "another"):
        session_of(person, key)
    old = make_second_factor(person)
    begun = second_factor.begin_setup(person)

    wrong = finish(person, begun, wrong_code(begun))
    still = verify_code(person, code_of(old))
    wait_is_over()
    right = finish(person, begun, code_of(begun))

    assert (wrong, still) == (WRONG, RIGHT)
    assert (right.answer, len(right.recovery_codes)) == (SecondFactorAnswer.APP, 10)
    assert list(TOTPDevice.objects.values_list("pk", "confirmed")) == [(begun.pk, True)]
    assert entries() == [
        ("factor_set", "lin.mei"),
        ("sessions_ended", "lin.mei"),
        ("recovery_made", "lin.mei"),
    ]
    assert sessions() == {"this"}


def test_one_that_was_begun_is_replaced_by_the_next():
    person = make_user()
    first = second_factor.begin_setup(person)
    second_factor.begin_setup(person)

    with pytest.raises(ValidationError, match="in another window meanwhile"):
        finish(person, first, code_of(first))

    assert not second_factor_of(person).is_set_up


def test_who_was_not_asked_for_the_code_does_not_replace_the_app():
    person = make_user()
    begun = second_factor.begin_setup(person)
    make_second_factor(person)

    with pytest.raises(ValidationError, match="in another window meanwhile"):
        finish(person, begun, code_of(begun), may_replace=False)

    assert entries() == []


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
    make_second_factor(person)
    second_factor.make_recovery_codes(person)
    for key in ("this", "another"):
        session_of(person, key)

    settings.SECOND_FACTOR = "senders"
    with pytest.raises(PermissionDenied, match="needs a second factor"):
        second_factor.remove_own(person, present="this")
    settings.SECOND_FACTOR = "optional"
    second_factor.remove_own(person, present="this")

    assert (
        second_factor_of(person).is_set_up,
        second_factor_of(person).recovery_codes_left,
    ) == (False, 0)
    assert sessions() == {"this"}
    assert entries()[-2:] == [
        ("factor_removed", "lin.mei"),
        ("sessions_ended", "lin.mei"),
    ]


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
    make_second_factor(people[of])
    session_of(people[of], "theirs")

    if refusal:
        with pytest.raises(PermissionDenied, match=refusal):
            second_factor.reset_second_factor(people[by], people[of])
    else:
        second_factor.reset_second_factor(people[by], people[of])

    assert second_factor_of(people[of]).is_set_up == bool(refusal)
    assert sessions() == ({"theirs"} if refusal else set())
    details = AuditEntry.objects.order_by("id").values_list("actor", "detail")
    done = [(by, {"person": of}), (by, {"person": of, "sessions": 1})]
    assert list(details) == ([] if refusal else done)
