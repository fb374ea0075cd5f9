"""Settings from the environment, each in a new process: files, numbers, switches."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from notifier_site.variables import NO_DATABASE, Variables
from tests.environment import ROOT, names_of_settings
from tests.tencent.wire import CA_FILE

pytestmark = pytest.mark.one_database

SHOW = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def run(
    variables: dict[str, str], *arguments: str, cwd: Path = ROOT
) -> subprocess.CompletedProcess:
    """Run a process with only these settings' variables, and no ``.env``."""
    ours = {*names_of_settings(), *(f"{name}_FILE" for name in names_of_settings())}
    environment = {
        name: value for name, value in os.environ.items() if name not in ours
    }
    return subprocess.run(  # noqa: S603  our own code
        [sys.executable, *arguments],
        env=environment
        | {"DJANGO_SETTINGS_MODULE": "notifier_site.settings"}
        | variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def base(tmp_path):
    return {
        "SECRET_KEY": "for-tests-only-" + "x" * 50,
        "STATE_DIR": str(tmp_path),
        "USE_HTTPS": "off",
        "IM_SDK_APP_ID": "1400000000",
        "IM_SECRET_KEY": "key",
    }


def settings_of(variables: dict[str, str], *names: str) -> list[object]:
    process = run(variables, "-c", SHOW % (names,))
    assert process.returncode == 0, process.stderr
    return list(json.loads(process.stdout).values())


def check(variables: dict[str, str]) -> tuple[int, str]:
    process = run(variables, "manage.py", "check")
    assert "Traceback" not in process.stderr
    return process.returncode, process.stdout + process.stderr


def test_without_a_mistake_the_check_is_silent(base):
    assert check(base) == (
        0,
        "System check identified no issues (0 silenced).\n",
    )


def test_a_secret_key_that_is_missing_is_named(base):
    code, text = check(base | {"SECRET_KEY": ""})

    assert code == 1
    assert "(notifier.E001) SECRET_KEY is empty.\n\tHINT: Set it to 50" in text


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_every_secret_may_stand_in_a_file(base, tmp_path, end):
    secrets = {
        "SECRET_KEY": "django $key with spaces " + "x" * 50,
        "IM_SECRET_KEY": "$im key",
        "DATABASE_URL": "postgres://notifier:p%40ss@db.example:5433/history",
    }
    for name, value in secrets.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(value + end, "utf-8", newline="")
        base[f"{name}_FILE"] = str(path)
        base[name] = "the file wins"

    key, im_key, databases = settings_of(
        base, "SECRET_KEY", "IM_SECRET_KEY", "DATABASES"
    )

    assert (key, im_key) == (secrets["SECRET_KEY"], secrets["IM_SECRET_KEY"])
    database = databases["default"]
    assert (database["PASSWORD"], database["PORT"], database["NAME"]) == (
        "p@ss",
        5433,
        "history",
    )


def test_a_missing_file_is_named(base):
    names = ["SECRET_KEY", "IM_SECRET_KEY", "DATABASE_URL"]

    code, text = check(base | {f"{name}_FILE": "/no/such/file" for name in names})

    assert code == 1
    for name in names:
        assert (
            f"(notifier.E012) {name}_FILE is “/no/such/file”, which cannot be read: No "
            f"such file or directory.\n\tHINT: Give the path of a file that holds "
            f"{name}, or set {name} itself.\n"
        ) in text


def test_a_file_that_is_no_text_is_not_shown(base, tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfesecret-bytes")

    code, text = check(base | {"IM_SECRET_KEY_FILE": str(path)})

    assert (code, "cannot be read: no UTF-8 text." in text) == (1, True)
    assert "secret-bytes" not in text


MISTAKES = [
    (
        "IM_CALLS_PER_SECOND",
        "abc",
        "(notifier.E011) IM_CALLS_PER_SECOND is “abc”, which is not a number.\n"
        "\tHINT: Use a number; without the variable it is 200.\n",
    ),
    (
        "IM_READ_TIMEOUT",
        "nan",
        "(notifier.E011) IM_READ_TIMEOUT is “nan”, which is not a number.\n"
        "\tHINT: Use a number; without the variable it is 10.\n",
    ),
    (
        "IM_RECIPIENTS_PER_CALL",
        "1.5",
        "(notifier.E011) IM_RECIPIENTS_PER_CALL is “1.5”, which is not a whole "
        "number.\n"
        "\tHINT: Use a whole number; without the variable it is 50.\n",
    ),
    (
        "USE_HTTPS",
        "maybe",
        "(notifier.E010) USE_HTTPS is “maybe”, which is not on or off.\n"
        "\tHINT: Use on or off; without the variable it is on.\n",
    ),
    (
        "LOG_LEVEL",
        "loud",
        "(notifier.E015) LOG_LEVEL is “loud”, which is not one of DEBUG, INFO, "
        "WARNING, ERROR.\n"
        "\tHINT: Use one of DEBUG, INFO, WARNING, ERROR; without the variable it is "
        "INFO.\n",
    ),
    (
        "DEBUG",
        "2",
        "(notifier.E010) DEBUG is “2”, which is not on or off.\n"
        "\tHINT: Use on or off; without the variable it is off.\n",
    ),
    (
        "STATE_DIR",
        "/dev/null/x",
        "(notifier.E014) STATE_DIR is “/dev/null/x”, where no folder can be made: "
        "Not a directory.\n"
        "\tHINT: Give the path of a folder that this user may write to.\n",
    ),
    (
        "OIDC_PROVIDERS",
        "corp,Corp one",
        "(notifier.E017) OIDC_PROVIDERS has the part “Corp one”, which is not a "
        "short name.\n"
        "\tHINT: Write short names such as keycloak, of the letters a to z and "
        "digits.\n",
    ),
    (
        "DATABASE_URL",
        "postgres://notifier:hush/hush@db.example/history",
        "(notifier.E013) DATABASE_URL is no address of a database.",
    ),
    (
        "OIDC_CORP_ROLES",
        "a=Auditor,Auditor",
        "(notifier.E015) OIDC_CORP_ROLES has the part “Auditor”, which is no pair.",
    ),
    (
        "OIDC_CORP_CLIENT_SECRET_FILE",
        "/no/such/file",
        "(notifier.E012) OIDC_CORP_CLIENT_SECRET_FILE is “/no/such/file”, which "
        "cannot be read: No such file or directory.",
    ),
]


def test_values_that_are_none_are_named(base):
    """All in one process, because each start takes a second."""
    values = {name: value for name, value, _message in MISTAKES}

    code, text = check(base | values)

    assert code == 1
    for _name, _value, message in MISTAKES:
        assert text.count(message) == 1
    assert "hush" not in text


@pytest.mark.parametrize(
    "url",
    [
        "postgres://notifier:hush/hush@db.example/history",
        "postgres://notifier:hu[sh@db.example:hush/history",
        "mysql://notifier:hush@db.example/history",
        "notifier:hush@db.example",
        "hush",
    ],
)
def test_an_address_of_no_database_is_refused_without_its_password(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    variables = Variables()

    assert variables.database("DATABASE_URL", default="") == NO_DATABASE
    (problem,) = variables.problems
    assert problem.id == "E013"
    assert problem.sentence == "DATABASE_URL is no address of a database."
    assert "hush" not in problem.hint


def test_nothing_is_read_or_written_without_the_database_that_was_meant(base, tmp_path):
    process = run(base | {"DATABASE_URL": "postgres//hush"}, "manage.py", "migrate")

    assert process.returncode == 1
    assert "DATABASE_URL is no address of a database." in process.stderr
    assert "hush" not in process.stderr + process.stdout
    assert list(tmp_path.glob("*.sqlite3")) == []


def test_the_worker_refuses_to_start_on_a_variable_that_is_none(base):
    process = run(base | {"IM_CALLS_PER_SECOND": "abc"}, "manage.py", "send_worker")

    assert process.returncode == 2
    assert process.stderr == (
        "CommandError: The worker does not start. IM_CALLS_PER_SECOND is “abc”, which "
        "is not a number. Use a number; without the variable it is 200.\n"
    )


def test_the_web_process_says_what_it_did_not_understand(base):
    variables = base | {"USE_HTTPS": "maybe", "LOG_FORMAT": "json"}
    process = run(variables, "-c", "import notifier_site.wsgi")

    assert process.returncode == 0
    line = process.stderr.splitlines()[-1]
    said = "USE_HTTPS is “maybe”, which is not on or off."
    assert json.loads(line)["message"].startswith(said)


def test_an_empty_variable_is_as_none(base):
    empty = dict.fromkeys(
        ["IM_CALLS_PER_SECOND", "IM_RECIPIENTS_PER_CALL", "DEBUG", "DATABASE_URL"], ""
    )

    rate, size, debug, databases = settings_of(
        base | empty,
        "IM_CALLS_PER_SECOND",
        "IM_RECIPIENTS_PER_CALL",
        "DEBUG",
        "DATABASES",
    )

    assert (rate, size, debug) == (200, 50, False)
    assert databases["default"]["NAME"].endswith("/notifier.sqlite3")


@pytest.mark.parametrize(
    ("word", "value"),
    [("on", True), ("True", True), ("1", True), ("off", False), ("no", False)],
)
def test_switches(base, word, value):
    assert settings_of(base | {"DEBUG": word}, "DEBUG") == [value]


def test_words_to_choose_from_may_be_in_capitals_or_not(base):
    chosen = {"LOG_LEVEL": "debug", "LOG_FORMAT": "JSON"}

    assert settings_of(base | chosen, "LOG_LEVEL", "LOG_FORMAT") == ["DEBUG", "json"]


def test_lists_drop_what_is_empty(base):
    names = {"ALLOWED_HOSTS": " a.example, ,b.example,"}

    assert settings_of(base | names, "ALLOWED_HOSTS") == [["a.example", "b.example"]]


def test_single_sign_on_is_off_without_a_provider(base):
    roles = {"OIDC_CORP_ROLES": "a = Auditor , cn=b,a=Community manager,"}
    names = ("SOCIALACCOUNT_PROVIDERS", "AUTHENTICATION_BACKENDS")

    none, ways = settings_of(base | roles, *names)
    two, more = settings_of(base | roles | {"OIDC_PROVIDERS": "corp,partner"}, *names)

    assert none["openid_connect"]["APPS"] == []
    corp, partner = two["openid_connect"]["APPS"]
    assert (corp["provider_id"], partner["provider_id"]) == ("corp", "partner")
    assert corp["settings"]["roles"] == [
        ["a", "Auditor"],
        ["cn", "b"],
        ["a", "Community manager"],
    ]
    assert partner["settings"]["roles"] == []
    # Not a userinfo endpoint: all claims are signed.
    ways_of_login = ("oauth_pkce_enabled", "fetch_userinfo")
    assert [corp["settings"][name] for name in ways_of_login] == [True, False]
    assert more == [*ways, "notifications.access.backends.SsoBackend"]


def test_the_identity_provider_is_trusted_by_the_certificates_of_the_machine(base):
    machine = {"SSL_CERT_FILE": CA_FILE}

    assert settings_of(base | machine, "OIDC_VERIFY_SSL") == [CA_FILE]


def test_debugging_is_off(base):
    assert settings_of(base, "DEBUG") == [False]


def test_passwords_are_hashed_slowly(base):
    """The tests themselves use a cheap hash: tests/conftest.py."""
    (hashers,) = settings_of(base, "PASSWORD_HASHERS")

    assert hashers[0] == "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    assert PBKDF2PasswordHasher.iterations >= 1_000_000


MAY_BE_SECRET = re.compile(r"SECRET|TOKEN$|PASSWORD|PROXY_URL|DATABASE")


@pytest.mark.parametrize("output", ["hash", "unified"])
def test_no_secret_is_printed_with_the_settings(base, output):
    canary = "d3adb33f-c0ffee"
    variables = {
        name: f"{canary}-{'x' * 50}"
        for name in names_of_settings()
        if MAY_BE_SECRET.search(name)
    }
    url = f"postgres://anna:{canary}@db.example/history?sslpassword={canary}"
    variables |= {
        "DATABASE_URL": url,
        "DATABASE_OWNER_URL": url,
        "IM_PROXY_URL": f"http://anna:{canary}@proxy.example:8080",
        "SECRET_KEY_PREVIOUS": f"{canary}-1,{canary}-2",
    }

    process = run(
        base | variables, "manage.py", "diffsettings", "--all", "--output", output
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert "db.example" in process.stdout
    assert canary not in process.stdout
    (password,) = settings_of(base | variables, "DATABASES")
    assert password["default"]["PASSWORD"] == canary


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("group_message", "group_message"),
        ("system_notification", "system_notification"),
        ("Group-Message", "group_message"),
    ],
)
def test_the_default_channel(base, word, channel):
    variables = base | {"IM_DEFAULT_CHANNEL": word}

    assert settings_of(variables, "IM_DEFAULT_CHANNEL") == [channel]
