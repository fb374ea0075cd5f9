"""The deployment files are consistent with each other and with the settings."""

import re
import subprocess

import pytest
from django.core.management import load_command_class
from django.urls import get_resolver, reverse

from notifications.console.request_limits import (
    BODY_BYTES,
    DOWNLOADS,
    FORM_BYTES,
    UNLIMITED,
)
from tests.addresses import named
from tests.environment import ROOT, names_of_settings

pytestmark = pytest.mark.one_database

DEPLOY = ROOT / "deploy"
COMMON = (DEPLOY / "systemd" / "notifier-.service.d" / "common.conf").read_text()
WEB = (DEPLOY / "systemd" / "notifier-web@.service").read_text()
WORKER = (DEPLOY / "systemd" / "notifier-worker@.service").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()
# Of its two servers, the one that forwards requests.
NGINX = (DEPLOY / "nginx" / "notifier.conf").read_text().partition("listen 443")[2]
GUNICORN = (DEPLOY / "gunicorn.conf.py").read_text()


def only(pattern: str, text: str) -> str:
    (found,) = set(re.findall(pattern, text, flags=re.MULTILINE))
    return str(found)


def test_every_way_to_run_it_hands_over_the_same_secrets():
    manage = (DEPLOY / "manage").read_text()
    variables = set(
        re.findall(r"^Environment=(\w+)_FILE=%d/(\w+)$", COMMON, re.MULTILINE)
    )
    files = {file for _name, file in variables}
    containers = re.search(r"^x-console:.*?^  secrets: \[(.*?)\]", COMPOSE, re.M | re.S)

    assert set(containers[1].split(", ")) == files
    # deploy/manage takes the name of the variable from that of the file.
    assert "tr a-z A-Z)_FILE=$file" in manage
    assert all(file == name.lower() for name, file in variables)
    assert {name for name, _file in variables} <= set(names_of_settings())
    loaded = re.findall(
        r"^LoadCredential=(\w+):/etc/notifier/secrets/(\w+)$", COMMON, re.MULTILINE
    )
    assert {*loaded} == {(file, file) for file in files}


def test_only_the_worker_gets_the_key_and_only_migrate_the_owner_of_the_tables():
    assert "im_secret_key" not in COMMON + WEB
    assert "im_secret_key" in WORKER
    assert "database_owner_url" not in COMMON + WEB + WORKER
    with_key = re.findall(r"^    secrets: \[(.*im_secret_key.*)\]$", COMPOSE, re.M)
    with_owner = re.findall(r"^    secrets: \[(.*owner_url.*)\]$", COMPOSE, re.M)
    assert (with_key, with_owner) == (
        ["secret_key, database_url, im_secret_key"],
        ["secret_key, database_url, database_owner_url"],
    )


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("migrate", {"database_url", "database_owner_url"}),
        ("archive_history", {"database_url", "database_owner_url"}),
        ("check_connection", {"database_url", "im_secret_key", "im_secret_key_next"}),
        ("probe_application", {"database_url", "im_secret_key", "im_secret_key_next"}),
        ("check", {"database_url"}),
        ("", {"database_url"}),
    ],
)
def test_manage_hands_over_what_a_command_needs(tmp_path, command, names):
    everything = ("database_url", "database_owner_url", "im_secret_key")
    for name in (*everything, "im_secret_key_next"):
        (tmp_path / name).touch()
    copies = tmp_path / "copies"
    copies.mkdir()
    script = (DEPLOY / "manage").read_text()
    loop = re.search(r"^for file in /etc/notifier.*?^done$", script, re.M | re.S)

    text = loop[0].replace("/etc/notifier/secrets/*", f"{tmp_path}/*_*")
    subprocess.run(  # noqa: S603  our own code
        ["/bin/sh", "-euc", f'secrets="{copies}"\n{text}', "manage", command],
        check=True,
    )

    assert {path.name for path in copies.iterdir()} == names


def test_the_example_of_an_installation_names_variables_that_are_read():
    text = (DEPLOY / "notifier.env").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    of_gunicorn = {"WEB_CONCURRENCY", "WEB_THREADS"}

    assert named - of_gunicorn <= set(names_of_settings())
    assert all(f'"{name}"' in GUNICORN for name in of_gunicorn)


def test_nobody_is_killed_before_the_time_that_he_was_given():
    graceful = int(only(r"^graceful_timeout = (\d+)$", GUNICORN))

    assert int(only(r"^TimeoutStopSec=(\d+)$", WEB)) > graceful
    assert int(only(r"^  stop_grace_period: (\d+)s$", COMPOSE)) > graceful


def test_the_proxy_asks_the_instances_that_the_documents_start():
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text()
    ports = re.findall(r"server 127\.0\.0\.1:(\d+)", upstream)
    text = (ROOT / "docs" / "deploy.md").read_text()

    assert ports == sorted({*re.findall(r"notifier-web@(\d+)", text)})


def location_of(path: str) -> str:
    """The block of nginx for a path: the exact one, a regular expression, else the prefix."""
    blocks = re.findall(
        r"^    location (?:(=|~) )?(.+) \{\n((?: {8}.+\n)+)", NGINX, re.M
    )
    exact = [body for kind, name, body in blocks if kind == "=" and name == path]
    matching = [
        body for kind, name, body in blocks if kind == "~" and re.search(name, path)
    ]
    prefixes = [
        (len(name), body)
        for kind, name, body in blocks
        if not kind and path.startswith(name)
    ]
    return str([*exact, *matching, max(prefixes)[1]][0])


@pytest.mark.parametrize(("name", "takes"), [*named(get_resolver())])
def test_the_proxy_has_the_limits_of_the_console(name, takes):
    values = {**dict.fromkeys(takes, 1), "app_label": "auth", "kind_name": "failed"}
    path = reverse(name, kwargs={one: values[one] for one in takes})
    location = location_of(path)

    size = re.search(r"client_max_body_size (\d+)k;", location)
    limit = BODY_BYTES.get(name)
    assert (int(size[1]) * 1024 if size else None) == limit
    assert ("limit_conn" in location) == (name in DOWNLOADS)
    if name in UNLIMITED - {"account_logout"}:
        assert "limit_" not in location
    elif not path.startswith("/static/"):
        assert "limit_req" in location


def test_the_proxy_takes_small_forms_everywhere_else():
    assert f"\n    client_max_body_size {FORM_BYTES // 1024}k;\n" in NGINX
    assert "limit_" not in location_of("/healthz")


def test_no_service_takes_the_whole_machine():
    for limit in ("MemoryMax=", "TasksMax="):
        assert f"\n{limit}" in COMMON
    for limit in ("mem_limit: ", "pids_limit: "):
        assert limit in COMPOSE


def test_the_worker_goes_before_the_pages():
    def weight(unit: str) -> int:
        return int(only(r"^CPUWeight=(\d+)$", unit))

    pages = only(r"^  cpu_shares: (\d+)$", COMPOSE)
    worker = only(r"^    cpu_shares: (\d+)$", COMPOSE)
    web = re.search(r"^x-web: .*?(?=^services:)", COMPOSE, re.M | re.S)
    send = re.search(r"^  worker:\n.*?(?=^  proxy:)", COMPOSE, re.M | re.S)

    # The database, which works for both, has the default of 100 and 1024.
    assert weight(WEB) < 100 < weight(WORKER)
    assert int(pages) < 1024 < int(worker)
    assert f"cpu_shares: {pages}" in web[0]
    assert f"cpu_shares: {worker}" in send[0]


def test_the_timer_verifies_the_archive_and_keeps_the_head(tmp_path):
    unit = (DEPLOY / "systemd" / "notifier-verify.service").read_text()
    text = (ROOT / "docs" / "deploy.md").read_text()
    command, *arguments = re.findall(r"manage\.py (.*)", unit)[0].split()
    parser = load_command_class("notifications", command).create_parser("", command)
    options = parser.parse_args(arguments)

    assert (str(options.archive), str(options.keep_head)) == (
        "%S/notifier/archive",
        "%S/notifier/heads",
    )
    assert str(options.expect_file) == "%d/heads"
    heads = only(r"^LoadCredential=heads:(.+)$", unit)
    assert f"touch {heads}" in text
    assert "-o notifier -g notifier /var/lib/notifier/archive" in text

    (tmp_path / "notifier").mkdir()
    own, kept = tmp_path / "notifier" / "heads", tmp_path / "kept"
    script = only(r"^ExecStartPost=\+/bin/sh -c '(.+)'$", unit)
    script = script.replace("%S", str(tmp_path)).replace(heads, str(kept))
    subprocess.run(["/bin/sh", "-c", script], check=True)  # noqa: S603  of the unit
    assert not kept.exists()  # nothing is sealed yet
    lines = [f"{digit * 64} 2026-11-30T03:15:00+00:00\n" for digit in "ab"]
    own.write_text("".join(lines))
    subprocess.run(["/bin/sh", "-c", script], check=True)  # noqa: S603  likewise
    assert kept.read_text() == lines[-1]
