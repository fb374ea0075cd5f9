"""UserSig against the vectors, field by field, and against the sandbox's reader."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import conf
from notifications.sandbox.protocol import Account, RequestRefused, check_user_sig
from notifications.tencent.user_sig import UserSigCache, make_user_sig, read_user_sig

pytestmark = pytest.mark.one_database

VECTORS = json.loads(Path(__file__).with_name("usersig_vectors.json").read_text())[
    "vectors"
]
KEY = VECTORS[0]["key"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector):
    user_sig = make_user_sig(
        vector["sdkappid"],
        vector["key"],
        vector["identifier"],
        now=vector["time"],
        valid_for=vector["expire"],
    )

    assert read_user_sig(user_sig) == json.loads(vector["json_document"])
    assert read_user_sig(user_sig) == read_user_sig(vector["usersig_node_pkg"])
    assert set(user_sig).isdisjoint("+/=")


@given(
    app_id=st.integers(1, 2**32),
    key=st.text(st.characters(codec="ascii"), min_size=1),
    user=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
    now=st.integers(1, 2**33),
)
def test_the_sandbox_accepts_what_the_client_signs(app_id, key, user, now):
    user_sig = make_user_sig(app_id, key, user, now=now, valid_for=60)

    check_user_sig(user_sig, Account(app_id, key, user), now + 60)
    with pytest.raises(RequestRefused) as expired:
        check_user_sig(user_sig, Account(app_id, key, user), now + 61)
    with pytest.raises(RequestRefused) as wrong_key:
        check_user_sig(user_sig, Account(app_id, key + "x", user), now)
    assert (expired.value.code, wrong_key.value.code) == (70001, 70009)


@pytest.mark.parametrize("text", ["", "no", "eJw_", "\x00", "W10_", "*" * 8])
def test_what_cannot_be_read_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match=r"^The UserSig"):
        read_user_sig(text)


def test_the_cache_renews_at_half_its_life():
    now = 1000.0
    cache = UserSigCache(1, KEY, "admin", valid_for=100, clock=lambda: now)

    first = cache.get()
    now = 1049.0
    assert cache.get() == first
    now = 1050.0
    second = cache.get()
    assert read_user_sig(second.text)["TLS.time"] == 1050
    assert (first.number, second.number) == (1, 2)
    assert KEY not in repr(cache)
    assert first.text not in repr(first)


def test_a_day_is_what_a_signature_is_valid_for(settings):
    found = read_user_sig(conf.connection().user_sigs.get().text)

    assert found["TLS.expire"] == 24 * 3600


class Signing:
    """A cache with the keys “a” and, perhaps, “b”; what it signs with, as a letter."""

    def __init__(self, next_key: str = "b") -> None:
        self.now = 1000
        self.cache = UserSigCache(
            1, "a", "admin", next_key=next_key, clock=lambda: self.now
        )

    @property
    def number(self) -> int:
        return self.cache.get().number

    def key(self) -> str:
        text = self.cache.get().text
        made = {
            make_user_sig(1, key, "admin", now=self.now, valid_for=86400): key
            for key in "ab"
        }
        return made[text]


def test_a_refused_signature_is_made_anew_once_where_that_may_help():
    one = Signing(next_key="")
    first = one.cache.get()
    one.now += 1

    assert one.cache.refused(first.number, wrong_key=False)
    second = one.cache.get()
    assert second.text != first.text
    assert not one.cache.refused(second.number, wrong_key=False)
    # A wrong key makes no right signature, and there is no other one.
    assert not one.cache.refused(one.number, wrong_key=True)


def test_an_accepted_signature_begins_anew():
    one = Signing(next_key="")

    for _n in range(3):
        assert one.cache.refused(one.number, wrong_key=False)
        one.cache.accepted(one.number)


def test_calls_under_way_turn_to_the_other_key_once():
    signing = Signing()
    numbers = [signing.number for _call in range(3)]

    found = [signing.cache.refused(number, wrong_key=True) for number in numbers]

    assert found == [True, True, True]
    assert signing.key() == "b"
    # One that was accepted before says nothing about the key of now.
    signing.cache.accepted(numbers[0])
    assert not signing.cache.refused(signing.number, wrong_key=True)


def test_the_cache_stays_with_the_key_that_is_accepted():
    signing = Signing()
    signing.cache.refused(signing.number, wrong_key=True)
    signing.cache.accepted(signing.number)
    signing.now += 13 * 3600  # and is renewed

    assert signing.key() == "b"
    assert signing.cache.refused(signing.number, wrong_key=True)
    assert signing.key() == "a"


def test_when_both_keys_are_refused_it_is_over_and_may_begin_anew():
    signing = Signing()

    for _time in range(2):
        keys, found = "", []
        while found[-1:] != [False]:
            keys += signing.key()
            found.append(signing.cache.refused(signing.number, wrong_key=False))
        assert (keys, found) == ("aabb", [True, True, True, False])
    assert signing.key() == "a"


def test_a_next_key_that_is_the_same_is_no_other_one():
    assert not Signing(next_key="a").cache.refused(1, wrong_key=True)
