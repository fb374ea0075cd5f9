"""Settings with impossible values: a sentence and an exit code, never a traceback."""

import itertools
import re
import shutil

import environ
import pytest
from django.core.checks import run_checks

from notifier_site.variables import Variables
from tests.environment import READ_ENV, ROOT, SECRET_KEY
from tests.management import running
from tests.test_settings import check, run, settings_of

pytestmark = pytest.mark.one_database

VALID = {
    "SECRET_KEY": "hush-" + "x" * 50,
    "SECRET_KEY_PREVIOUS": "hush-" + "y" * 50,
    "DEBUG": "off",
    "ALLOWED_HOSTS": "notifier.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://notifier.example.com",
    "USE_HTTPS": "on",
    "BEHIND_TLS_PROXY": "on",
    "TRUSTED_PROXIES": "1",
    "SESSION_HOURS": "8",
    "SESSION_IDLE_MINUTES": "30",
    "TIME_ZONE": "Asia/Shanghai",
    "LANGUAGE_CODE": "zh-hans",
    "OIDC_PROVIDERS": "corp",
    "OIDC_CORP_ISSUER": "https://id.example.com",
    "OIDC_CORP_NAME": "SSO",
    "OIDC_CORP_CLIENT_ID": "notifier",
    "OIDC_CORP_CLIENT_SECRET": "hush",
    "OIDC_CORP_SCOPES": "openid profile",
    "OIDC_CORP_ROLES_CLAIM": "groups",
    "OIDC_CORP_ROLES": "im-auditors=Auditor",
    "SECOND_FACTOR": "senders",
    "PASSKEY_LOGIN": "on",
    "EMAIL_URL": "smtp+tls://me:hush@mail.example.com:587",
    "EMAIL_FROM": "notifier@example.com",
    "STATE_DIR": "state",
    "DATABASE_URL": "postgres://notifier:hush@db.example/history",
    "DATABASE_OWNER_URL": "postgres://owner:hush@db.example/history",
    "STATIC_ROOT": "static",
    "LOG_FORMAT": "plain",
    "LOG_LEVEL": "INFO",
    "METRICS_TOKEN": "hush" + "z" * 40,
    "DISK_FLOOR_MB": "500",
    "IM_SDK_APP_ID": "1400000000",
    "IM_ADMIN_ACCOUNT": "administrator",
    "IM_SECRET_KEY": "hush" + SECRET_KEY,
    "IM_SECRET_KEY_NEXT": "hush" + SECRET_KEY,
    "IM_REGION": "china",
    "IM_BASE_URL": "https://me:hush@im.example.com",
    "IM_PROXY_URL": "http://me:hush@proxy.example:3128",
    "IM_CA_FILE": "/etc/hosts",
    "IM_CALLS_PER_SECOND": "200",
    "IM_RECIPIENTS_PER_CALL": "50",
    "IM_CONTENT_MAX_BYTES": "8000",
    "IM_DAILY_QUOTA": "0",
    "IM_SYNC_EVERY_HOURS": "24",
    "IM_CONNECT_TIMEOUT": "3.05",
    "IM_READ_TIMEOUT": "10",
    "IM_RETRY_INTERNAL_ERROR": "on",
    "IM_DEFAULT_CHANNEL": "group_message",
    "IM_QUERY_AFTER_SECONDS": "30",
    "IM_QUERY_AGAIN_AFTER_SECONDS": "60",
    "IM_QUERY_GIVE_UP_HOURS": "24",
    "IM_HISTORY_DAYS": "7",
    "IM_REPEAT_LIVE_ROOMS": "off",
}
# What a person or an editor makes of a value.
MISTAKES = [
    "",
    " ",
    "{} ",
    " {}",
    '"{}"',
    "“{}”",
    "\ufeff{}",
    "{}\n{}",
    "{}\r",
    "NAME={}",
    "{}值",
    "值",
    "１２",
    "1_000",
    "-1",
    "9" * 5000,
    "1e999",
    "{},{}",
    "https://[::1",
    "https://h:99999",
    "http://*",
    "%",
    "../..",
    "/dev/null/x",
    "~/x",
    "ja",
    "{} m",
    "\udcff\udcfe",  # bytes that are not UTF-8
    "\x1b[31m{}",
]


def test_every_documented_setting_is_tried():
    table = (ROOT / "docs" / "configuration.md").read_text()

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == VALID.keys()


def mistaken(shift: int) -> dict[str, str]:
    """Each setting with another mistake; over all shifts, each one with every mistake."""
    mistakes = itertools.islice(itertools.cycle(MISTAKES), shift, None)
    return {
        name: mistake.replace("{}", value)
        for (name, value), mistake in zip(VALID.items(), mistakes, strict=False)
    }


@pytest.mark.parametrize("shift", range(len(MISTAKES)))
def test_no_value_of_any_setting_causes_a_traceback(shift, tmp_path):
    """Half of the processes are the check, half start the web process."""
    manage = str(ROOT / "manage.py")
    command = (manage, "check") if shift % 2 else ("-c", "import notifier_site.wsgi")
    here = {"PYTHONPATH": str(ROOT)}  # folders with relative names come into tmp_path

    process = run(mistaken(shift) | here, *command, cwd=tmp_path)

    output = process.stdout + process.stderr
    assert "Traceback" not in output
    assert process.returncode in ((0, 1) if shift % 2 else (0, 3))
    assert "notifier.E" in output or "ERROR" in output
    assert "hush" not in output
    assert "\x1b" not in output


@pytest.fixture
def base(tmp_path):
    return {
        "SECRET_KEY": "for-tests-only-" + "x" * 50,
        "STATE_DIR": str(tmp_path),
        "USE_HTTPS": "off",
        "IM_SDK_APP_ID": "1400000000",
        "IM_SECRET_KEY": SECRET_KEY,
    }


def test_chinese_in_its_usual_names(base):
    names = ["zh", "zh-CN", "zh_CN", "zh-Hans", "ZH-HANS-CN", "zh-hans", "zh_sg"]
    variables = Variables()

    with pytest.MonkeyPatch.context() as patch:
        read = []
        for name in [*names, "", "en_GB", "EN"]:
            patch.setenv("LANGUAGE_CODE", name)
            read.append(variables.language("LANGUAGE_CODE", default="en"))

    assert read == ["zh-hans"] * len(names) + ["en"] * 3
    assert variables.problems == []
    assert settings_of(base | {"LANGUAGE_CODE": "zh-CN"}, "LANGUAGE_CODE") == [
        "zh-hans"
    ]


@pytest.mark.parametrize("value", ["fr", "zh-TW", "zh ", "中文", "/"])
def test_other_languages(monkeypatch, value):
    monkeypatch.setenv("LANGUAGE_CODE", value)
    variables = Variables()

    assert variables.language("LANGUAGE_CODE", default="en") == "en"
    (problem,) = variables.problems
    assert problem.id == "E003"
    assert problem.hint.startswith("Use en, or zh-hans")


@pytest.mark.parametrize(
    "value",
    [
        "Asia/Beijing",
        "GMT+8",
        "Asia/Shanghai ",
        "asia/shanghai",
        "Asia",
        "/etc",
        "../x",
    ],
)
def test_other_time_zones(monkeypatch, value):
    monkeypatch.setenv("TIME_ZONE", value)
    variables = Variables()

    assert variables.time_zone("TIME_ZONE", default="UTC") == "UTC"
    (problem,) = variables.problems
    assert (problem.id, "Asia/Shanghai" in problem.hint) == ("E002", True)
    assert f"TIME_ZONE is “{value}”" in problem.sentence


def test_values_that_django_does_not_start_with(base):
    code, text = check(base | {"TIME_ZONE": "Asia/Beijing", "LANGUAGE_CODE": "fr"})

    assert code == 1
    assert "(notifier.E002) TIME_ZONE is “Asia/Beijing”" in text
    assert "(notifier.E003) LANGUAGE_CODE is “fr”" in text


ENV = "# 设置\nLANGUAGE_CODE=zh\nTIME_ZONE=Asia/Shanghai\n"


@pytest.mark.parametrize(
    ("content", "problems", "names"),
    [
        (ENV.encode(), [], ["LANGUAGE_CODE", "TIME_ZONE"]),
        (ENV.encode("utf-8-sig"), [], ["LANGUAGE_CODE", "TIME_ZONE"]),
        (b"\xef\xbb\xbfTIME_ZONE=UTC\r\nDEBUG=on\r\n", [], ["TIME_ZONE", "DEBUG"]),
        (b"DEBUG=on\n" + ENV.encode("gb18030"), [("E016", "line 2")], []),
        (ENV.encode("utf-16"), [("E016", "line 1")], []),
        (
            b"DEBUG=on\nTIME_ZONE=UTC\n".decode().encode("utf-16-le"),
            [("E016", "line 1")],
            [],
        ),
        (
            b"DEBUG=on\nIM_SECRET_KEY = hush\nhush\n",
            [("E019", "line 2"), ("E019", "line 3")],
            ["DEBUG"],
        ),
        (b"\n  \nexport DEBUG=on\n", [("E019", "line 2")], ["DEBUG"]),
    ],
)
def test_env_files(monkeypatch, tmp_path, content, problems, names):
    environment: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", environment)
    path = tmp_path / ".env"
    path.write_bytes(content)
    variables = Variables()

    READ_ENV(variables, path)

    assert list(environment) == names
    assert [problem.id for problem in variables.problems] == [id for id, _ in problems]
    for problem, (_id, line) in zip(variables.problems, problems, strict=True):
        assert f"{path}, {line}, is not" in problem.sentence
        assert "hush" not in problem.sentence


def test_an_env_file_that_cannot_be_read(tmp_path):
    variables = Variables()

    READ_ENV(variables, tmp_path / "missing")
    READ_ENV(variables, tmp_path)

    (problem,) = variables.problems
    assert (problem.id, "Is a directory" in problem.sentence) == ("E016", True)


def test_no_command_runs_with_an_env_file_in_another_encoding(base, tmp_path):
    """A copy of the site, whose .env is the one that its settings read."""
    shutil.copytree(ROOT / "notifier_site", tmp_path / "notifier_site")
    shutil.copy(ROOT / "manage.py", tmp_path)
    (tmp_path / "notifications").symlink_to(ROOT / "notifications")
    (tmp_path / ".env").write_bytes("# 设置\nDEBUG=on\n".encode("gb18030"))
    state = base | {"STATE_DIR": str(tmp_path / "state")}

    checked = run(state, str(tmp_path / "manage.py"), "check")
    migrated = run(state, str(tmp_path / "manage.py"), "migrate")

    for process in (checked, migrated):
        assert process.returncode == 1
        assert f"{tmp_path}/.env, line 1, is not UTF-8" in process.stderr
        assert "Traceback" not in process.stderr
    assert list((tmp_path / "state").glob("*.sqlite3")) == []


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://relative.db",
        "sqlite://",
        "sqlite:relative",
        "sqlite:///relative.db",
        "sqlite://:memory:",
        "sqlite:///:memory:",
        "SQLITE://relative.db",
        "sqlite:////tmp/x.db ",
        "sqlite:////tmp/a#b.db",
        "sqlite:////tmp/x.db?mode=memory",
        "sqlite:////no/such/folder/x.db",
        "sqlite:////tmp",
        "postgres://me:hush@db.example",
        "postgres://me:hush@db.example:99999/n",
        "postgres://me:hush@db.example/n\n",
        "mysql://me:hush@db.example/n",
        " postgres://me:hush@db.example/n",
        '"postgres://me:hush@db.example/n"',
    ],
)
def test_addresses_of_no_database(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    variables = Variables()

    config = variables.database("DATABASE_URL", default="")

    assert config == {"ENGINE": "django.db.backends.dummy"}
    (problem,) = variables.problems
    assert problem.id == "E013"
    assert problem.sentence.startswith("DATABASE_URL ")
    assert "hush" not in problem.sentence


def test_signs_in_the_path_of_a_file(monkeypatch, tmp_path):
    folder = tmp_path / "a+b %20#c"
    folder.mkdir()
    variables = Variables()
    escaped = str(folder).replace("%", "%25").replace("#", "%23").replace(" ", "%20")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{escaped}/x.db")

    config = variables.database("DATABASE_URL", default="")

    assert (variables.problems, config["NAME"]) == ([], f"{folder}/x.db")
    (databases,) = settings_of(
        {"SECRET_KEY": "x" * 60, "STATE_DIR": str(folder)}, "DATABASES"
    )
    assert databases["default"]["NAME"] == f"{folder}/notifier.sqlite3"


@pytest.mark.parametrize("command", ["migrate", "check_connection", "send_worker"])
def test_no_command_uses_a_database_in_memory(base, command):
    process = run(base | {"DATABASE_URL": "sqlite://relative.db"}, "manage.py", command)

    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith("DATABASE_URL names no absolute path of an SQLite")
    assert process.stderr.count("\n") == 1


def test_the_web_process_ends_without_a_database(base):
    variables = base | {"DATABASE_URL": "sqlite://relative.db"}

    process = run(variables, "-c", "import notifier_site.wsgi")

    assert process.returncode == 3  # gunicorn starts no other process then
    assert "ERROR notifier_site.wsgi: DATABASE_URL names no absolute" in process.stderr
    assert "Traceback" not in process.stderr


def test_a_database_that_cannot_be_reached(base):
    address = {"DATABASE_URL": "postgres://me:hush@127.0.0.1:1/n"}
    process = run(base | address, "manage.py", "migrate")
    other = run(
        base | {"DATABASE_URL": address["DATABASE_URL"] + "?ssl=on"},
        "manage.py",
        "showmigrations",
    )

    for failed in (process, other):
        assert failed.returncode == 1
        assert failed.stderr.startswith("The database cannot be opened: ")
        assert "hush" not in failed.stderr
        assert "Traceback" not in failed.stderr


def test_a_missing_driver_is_named(base, tmp_path):
    (tmp_path / "psycopg.py").write_text('raise ImportError("no pq wrapper\\nmore")')
    variables = {"DATABASE_URL": "postgres://me@h/n", "PYTHONPATH": str(tmp_path)}

    code, text = check(base | variables)

    assert code == 1
    assert (
        "(notifier.E013) DATABASE_URL names PostgreSQL, whose driver psycopg cannot be "
        "loaded: no pq wrapper.\n" in text
    )


@pytest.mark.parametrize(
    ("value", "bad"),
    [
        ("a.example, b.example", []),
        (".example.com,*,[::1],127.0.0.1", []),
        ("https://a.example", ["https://a.example"]),
        ("a.example:443,b.example", ["a.example:443"]),
        ("a.example/", ["a.example/"]),
        ('"a.example"', ['"a.example"']),
        ("::1", ["::1"]),
        ("公司.example", ["公司.example"]),
    ],
)
def test_hosts(monkeypatch, value, bad):
    monkeypatch.setenv("ALLOWED_HOSTS", value)
    variables = Variables()

    hosts = variables.hosts("ALLOWED_HOSTS", default=["localhost"])

    assert not set(bad) & set(hosts)
    assert [problem.id for problem in variables.problems] == ["E017"] * len(bad)
    for problem, part in zip(variables.problems, bad, strict=True):
        assert f"“{part}”" in problem.sentence


@pytest.mark.parametrize(
    ("value", "is_known"),
    [
        ("https://a.example", True),
        ("https://a.example:8443", True),
        ("https://*.example.com", True),
        ("a.example", False),
        ("https://a.example/", False),
        ("https://[::1", False),
        ("https://a b", False),
    ],
)
def test_origins(monkeypatch, value, is_known):
    monkeypatch.setenv("CSRF_TRUSTED_ORIGINS", value)
    variables = Variables()

    assert variables.origins("CSRF_TRUSTED_ORIGINS") == ([value] if is_known else [])
    assert [p.id for p in variables.problems] == ([] if is_known else ["E018"])


@pytest.mark.parametrize(
    "value", ["１２", "1_0", "1.5", "9" * 30, "10 s", "0x10", "五"]
)
def test_numbers_in_other_signs(monkeypatch, value):
    monkeypatch.setenv("SESSION_HOURS", value)
    variables = Variables()

    assert variables.integer("SESSION_HOURS", default=8) == 8
    assert [problem.id for problem in variables.problems] == ["E011"]


@pytest.mark.parametrize("value", ["/srv/x ", " /srv/x", '"/srv/x"', "~/x"])
def test_paths_that_nobody_means(monkeypatch, tmp_path, value):
    monkeypatch.setenv("STATE_DIR", value)
    variables = Variables()

    assert variables.folder("STATE_DIR", default=tmp_path) == tmp_path
    assert [problem.id for problem in variables.problems] == ["E014"]


KEY_FILES = {
    "a byte order mark": b"\xef\xbb\xbf%s",
    "a quotation mark": b'"%s"\n',
    "a blank": b"%s \n",
    "=": b"IM_SECRET_KEY=%s\n",
    "a line break": b"%s\nhush\n",
    "others than letters and digits": b"%s!\n",
}


@pytest.mark.parametrize("sign", KEY_FILES)
@pytest.mark.parametrize("name", ["IM_SECRET_KEY", "IM_SECRET_KEY_NEXT"])
def test_signs_that_no_key_has(settings, monkeypatch, tmp_path, name, sign):
    path = tmp_path / "key"
    path.write_bytes(KEY_FILES[sign] % SECRET_KEY.encode())
    monkeypatch.setenv(f"{name}_FILE", str(path))
    setattr(settings, name, Variables().secret(name))

    (problem,) = run_checks(tags=["im"])

    assert problem.id == "notifier.E108"
    assert problem.msg == f"{name} holds signs that no key has: {sign}."
    assert SECRET_KEY not in str(problem)
    assert "hush" not in str(problem)


def test_the_check_names_the_signs_of_a_key_and_not_the_key(base):
    key = {"IM_SECRET_KEY": f"{SECRET_KEY}!", "IM_SECRET_KEY_NEXT": f"{SECRET_KEY} "}

    code, text = check(base | key)

    assert code == 1
    assert text.count("(notifier.E108) IM_SECRET_KEY") == 2
    assert SECRET_KEY not in text


UNUSABLE = "https://127.0.0.1:99999"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", [UNUSABLE, "https://console.tim.qq.com ", "https://*.tim.qq.com"]
)
def test_the_worker_refuses_an_address_that_no_client_can_use(settings, url):
    """Its threads died of it, and the worker seemed to live."""
    settings.IM_BASE_URL = url

    worker = running.run("send_worker")
    code, out, _err = running.run("check_connection")

    sentence = f"IM_BASE_URL is “{url}”, which cannot be used."
    assert (worker[0], worker[1]) == (2, "")
    assert worker[2].startswith(f"The worker does not start. {sentence}")
    assert code == 1
    assert sentence in out


def test_the_processes_refuse_such_an_address_without_a_traceback(base):
    address = base | {"IM_BASE_URL": UNUSABLE}

    migrated = run(base, "manage.py", "migrate", "--verbosity=0")
    worker = run(address, "manage.py", "send_worker")
    connection = run(address, "manage.py", "check_connection")

    assert migrated.returncode == 0
    assert worker.returncode == 2
    assert worker.stderr.startswith("CommandError: The worker does not start. IM_BASE")
    assert worker.stderr.count("\n") == 1
    assert connection.returncode == 1
    assert "Traceback" not in connection.stderr


STYLES_MISSING = """
import django; django.setup()
from django.test import Client
for path in ("/login/", "/nowhere/"):
    response = Client(raise_request_exception=False).get(path, headers={"host": "localhost"}, follow=True)
    print(response.status_code, response.content.decode())
"""


def test_without_style_sheets_the_pages_say_so(base):
    run(base, "manage.py", "migrate", "--verbosity=0")
    process = run(base, "-c", STYLES_MISSING)
    code, text = check_deploy(base)
    collected = run(base, "manage.py", "collectstatic", "--no-input")
    _code, after = check_deploy(base)

    sentence = (
        "503 This console is not set up completely: its style sheets are missing."
    )
    assert process.stdout.count(sentence) == 2
    assert (code, "(notifier.E050) STATIC_ROOT is" in text) == (1, True)
    assert collected.returncode == 0
    assert "E050" not in after


def check_deploy(variables: dict[str, str]) -> tuple[int, str]:
    process = run(variables, "manage.py", "check", "--deploy")
    assert "Traceback" not in process.stderr
    return process.returncode, process.stdout + process.stderr


def test_a_proxy_that_is_not_declared_is_named(base):
    https = base | {"USE_HTTPS": "on"}

    _code, text = check_deploy(https)
    _code, after = check_deploy(https | {"BEHIND_TLS_PROXY": "on"})

    assert "(notifier.W025) BEHIND_TLS_PROXY is off" in text
    assert "W025" not in after


def test_a_short_key_is_named(base):
    _code, text = check_deploy(base | {"SECRET_KEY": "short"})

    assert "(security.W009)" in text
