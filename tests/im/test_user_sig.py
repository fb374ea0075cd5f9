"""UserSig against the vectors, field by field, and against the sandbox's reader."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.im.user_sig import UserSigCache, make_user_sig, read_user_sig
from notifications.sandbox.protocol import Account, Refused, check_user_sig

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
    with pytest.raises(Refused) as expired:
        check_user_sig(user_sig, Account(app_id, key, user), now + 61)
    with pytest.raises(Refused) as wrong_key:
        check_user_sig(user_sig, Account(app_id, key + "x", user), now)
    assert (expired.value.code, wrong_key.value.code) == (70001, 70009)


@pytest.mark.parametrize("text", ["", "no", "eJw_", "\x00", "W10_", "*" * 8])
def test_what_cannot_be_read_is_refused_without_showing_it(text):
    with pytest.raises(ValueError, match=r"^The UserSig"):
        read_user_sig(text)


def test_the_cache_renews_at_half_its_life_and_on_demand():
    now = 1000.0
    cache = UserSigCache(1, KEY, "admin", valid_for=100, clock=lambda: now)

    first = cache.get()
    now = 1049.0
    assert cache.get() == first
    now = 1050.0
    second = cache.get()
    assert read_user_sig(second)["TLS.time"] == 1050
    now = 1051.0
    cache.renew()
    assert read_user_sig(cache.get())["TLS.time"] == 1051
    assert KEY not in repr(cache)
