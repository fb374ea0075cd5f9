"""The search for secrets of the fault suite finds them in every encoding."""

import secrets
from urllib.parse import quote_plus

from notifications.tencent.user_sig import make_user_sig
from tests.environment import VARIABLES
from tests.faults.secrets import secrets_in


def test_it_finds_keys_and_signatures_and_nothing_else(tmp_path):
    user_sig = make_user_sig(
        1, secrets.token_hex(32), "administrator", now=1, valid_for=86400
    )
    around = secrets.token_bytes(5000)
    (tmp_path / "deep").mkdir()
    for name, text in {
        "deep/database": f"name{user_sig}name",
        "journal": user_sig,
        "key": VARIABLES["IM_SECRET_KEY"],
        "log": f"POST /v4/x?usersig={quote_plus(user_sig)}&random=1",
        "clean": "eJ" * 500,
        "other-key": secrets.token_hex(32),
    }.items():
        (tmp_path / name).write_bytes(around + text.encode() + around)

    assert secrets_in([tmp_path]) == [
        f"{tmp_path}/deep/database: a UserSig",
        f"{tmp_path}/journal: a UserSig",
        f"{tmp_path}/key: IM_SECRET_KEY",
        f"{tmp_path}/log: a UserSig",
    ]
