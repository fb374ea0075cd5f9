"""The ids of the messages of ``manage.py check`` for missing and invalid settings."""

import ssl

import pytest
from django.db import DatabaseError
from django.utils import timezone

from notifications import conf
from notifications.models import Capability
from notifications.system.checks import check_connection, check_default_channel
from tests.tencent.wire import CA_FILE, TLS

pytestmark = pytest.mark.one_database

GOOD = {
    "IM_SDK_APP_ID": "1400000000",
    "IM_SECRET_KEY": "key",
    "IM_ADMIN_ACCOUNT": "administrator",
    "IM_BASE_URL": "",
    "IM_REGION": "china",
}


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"IM_SDK_APP_ID": ""}, ["notifier.W101"]),
        # The pages have no key.
        ({"IM_SECRET_KEY": ""}, []),
        ({"IM_SDK_APP_ID": "14O0000000"}, ["notifier.E101"]),
        ({"IM_SDK_APP_ID": "²"}, ["notifier.E101"]),
        ({"IM_ADMIN_ACCOUNT": "two words"}, ["notifier.E102"]),
        ({"IM_BASE_URL": "https://im.example.com"}, []),
        ({"IM_BASE_URL": "http://127.0.0.1:8010/"}, []),
        ({"IM_BASE_URL": "http://[::1]:8010"}, []),
        ({"IM_BASE_URL": "http://localhost:8010"}, []),
        ({"IM_BASE_URL": "http://im.example.com"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "https://im.example.com/v4"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "https://me@im.example.com"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "im.example.com"}, ["notifier.E103"]),
        ({"IM_BASE_URL": "https://im.example.com:8443"}, []),
        ({"IM_BASE_URL": "https://[2001:db8::1]:8443/"}, []),
        ({"IM_BASE_URL": "HTTPS://IM.EXAMPLE.COM"}, []),
        *(
            ({"IM_BASE_URL": url}, ["notifier.E103"])
            for url in (
                "https://127.0.0.1:99999",
                "https://console.tim.qq.com ",
                " https://console.tim.qq.com",
                "https://console.tim.qq.com\n",
                "https://*.tim.qq.com",
                "https://im.example.com:",
                "https://im.example.com:0",
                "https://im.example.com:x",
                "https://im.example.com:４４３",
                "https://im.example.com?",
                "https://im.example.com/?x=1",
                "https://im.example.com#x",
                "https://@im.example.com",
                "https://:hush@im.example.com",
                "https://me:hush@im.example.com",
                "https://腾讯.example.com",
                "https://im..example.com",
                "https://[::1",
                "https://[im.example.com]",
                "https://",
                "https:///im.example.com",
                "//im.example.com",
                "ftp://im.example.com",
                "\ufeffhttps://im.example.com",
                '"https://im.example.com"',
            )
        ),
        ({"IM_REGION": "mars"}, ["notifier.E104"]),
        ({"IM_REGION": "mars", "IM_BASE_URL": "https://im.example.com"}, []),
        ({"IM_PROXY_URL": "http://proxy.example:3128"}, []),
        ({"IM_PROXY_URL": "http://me:hush@127.0.0.1:3128/"}, []),
        ({"IM_PROXY_URL": "proxy.example:3128"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "http://me:hush@proxy:x"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "socks5://proxy.example"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "http://proxy.example/path"}, ["notifier.E105"]),
        ({"IM_PROXY_URL": "http://me:hu%23sh@[::1]:3128"}, []),
        *(
            ({"IM_PROXY_URL": url}, ["notifier.E105"])
            for url in (
                "http://me:hush@proxy.example:99999",
                "http://me:hush@proxy.example:3128 ",
                "http://me:hush@proxy.example:3128?",
                "http://me:hush#1@proxy.example:3128",
                "http://me:hush@*.example",
                "http://me:hush@代理:3128",
                "http://me:hush@[::1",
                "\ufeffhttp://proxy.example:3128",
            )
        ),
        ({"IM_SDK_APP_ID": "1400000000 "}, ["notifier.E101"]),
        ({"IM_SDK_APP_ID": "9" * 5000}, ["notifier.E101"]),
        ({"IM_SDK_APP_ID": "0"}, ["notifier.E101"]),
        ({"IM_REGION": "china "}, ["notifier.E104"]),
        ({"IM_CA_FILE": CA_FILE}, []),
        ({"IM_CA_FILE": __file__}, ["notifier.E106"]),
        ({"IM_CA_FILE": "/"}, ["notifier.E106"]),
        ({"IM_CA_FILE": "x" * 5000}, ["notifier.E106"]),
        ({"IM_CA_FILE": f"{CA_FILE} "}, ["notifier.E106"]),
        ({"IM_CA_FILE": "/no/such/file"}, ["notifier.E106"]),
        ({"IM_CALLS_PER_SECOND": 0}, ["notifier.E110"]),
        ({"IM_RECIPIENTS_PER_CALL": 501}, ["notifier.E111"]),
        ({"IM_CONTENT_MAX_BYTES": 12_289}, ["notifier.E112"]),
        ({"IM_READ_TIMEOUT": 3}, ["notifier.E113"]),
        ({"IM_CONNECT_TIMEOUT": 0.1}, ["notifier.E114"]),
        ({"IM_SYNC_EVERY_HOURS": 0}, []),
        ({"IM_SYNC_EVERY_HOURS": 8760}, []),
        ({"IM_SYNC_EVERY_HOURS": -1}, ["notifier.E116"]),
        ({"IM_SYNC_EVERY_HOURS": 8761}, ["notifier.E116"]),
        ({"IM_QUERY_AFTER_SECONDS": 10}, []),
        ({"IM_QUERY_AFTER_SECONDS": 9}, ["notifier.E117"]),
        ({"IM_QUERY_AGAIN_AFTER_SECONDS": 10}, []),
        ({"IM_QUERY_AGAIN_AFTER_SECONDS": 9.9}, ["notifier.E118"]),
        ({"IM_QUERY_AGAIN_AFTER_SECONDS": 3601}, ["notifier.E118"]),
        ({"IM_QUERY_GIVE_UP_HOURS": 168}, []),
        ({"IM_QUERY_GIVE_UP_HOURS": 0}, ["notifier.E119"]),
        ({"IM_QUERY_GIVE_UP_HOURS": -1}, ["notifier.E119"]),
        ({"IM_QUERY_GIVE_UP_HOURS": 168.5}, ["notifier.E119"]),
        ({"IM_HISTORY_DAYS": 1}, []),
        ({"IM_HISTORY_DAYS": 3650}, []),
        ({"IM_HISTORY_DAYS": 0}, ["notifier.E120"]),
        ({"IM_HISTORY_DAYS": 3651}, ["notifier.E120"]),
    ],
)
def test_connection(settings, changes, ids):
    for name, value in (GOOD | changes).items():
        setattr(settings, name, value)

    messages = check_connection()

    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)
    assert not any("hush" in message.msg for message in messages)


@pytest.mark.parametrize("kind", ["DER", "empty", "junk", "key", "revoked"])
def test_files_without_a_pem_certificate(settings, tmp_path, kind):
    der = ssl.PEM_cert_to_DER_cert(_pem("CERTIFICATE"))
    content = {
        "DER": der,
        "empty": b"",
        "junk": b"junk\n",
        "key": _pem("EC PRIVATE KEY").encode(),
        "revoked": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }
    path = tmp_path / "ca.cer"
    path.write_bytes(content[kind])
    for name, value in (GOOD | {"IM_CA_FILE": str(path)}).items():
        setattr(settings, name, value)

    (message,) = check_connection()

    assert (message.id, message.msg) == (
        "notifier.E106",
        f"IM_CA_FILE is “{path}”, which contains no PEM certificate.",
    )
    assert conf.client_problem()


def _pem(label: str) -> str:
    text = (TLS / "right.pem").read_text()
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    return begin + text.partition(begin)[2].partition(end)[0] + end + "\n"


def test_a_client_that_cannot_be_made(settings, monkeypatch):
    """What the other checks accept and requests refuses."""
    for name, value in (GOOD | {"IM_BASE_URL": "https://*.tim.qq.com"}).items():
        setattr(settings, name, value)
    monkeypatch.setattr(conf, "is_base_url", lambda _url: True)

    (message,) = check_connection()

    assert message.id == "notifier.E107"
    assert message.msg.endswith("InvalidURL.")
    assert conf.client_problem()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("default", "answers", "hint"),
    [
        ("system_notification", {}, None),
        ("system_notification", {"system_notification": "yes"}, None),
        ("system_notification", {"system_notification": "unknown"}, None),
        ("system_notification", {"group_message": "no"}, None),
        (
            "system_notification",
            {"system_notification": "no"},
            "Set IM_DEFAULT_CHANNEL=group_message",
        ),
        (
            "group_message",
            {"group_message": "no"},
            "Set IM_DEFAULT_CHANNEL=system_notification",
        ),
        (
            "group_message",
            {"group_message": "no", "system_notification": "no"},
            "Probe again",
        ),
    ],
)
def test_a_default_channel_that_the_application_may_not_use(
    settings, default, answers, hint
):
    settings.IM_DEFAULT_CHANNEL = default
    for name, answer in answers.items():
        Capability.objects.create(
            sdk_app_id=int(settings.IM_SDK_APP_ID), name=name, answer=answer,
            group_id="g", probed_by="x", probed_at=timezone.now(),
        )  # fmt: skip

    messages = list(check_default_channel(databases=["default"]))

    assert [message.id for message in messages] == ["notifier.W103"] * bool(hint)
    assert all(message.hint.startswith(hint) for message in messages)
    settings.IM_SDK_APP_ID = "1500000000"  # another application
    assert list(check_default_channel(databases=["default"])) == []
    assert list(check_default_channel(databases=None)) == []


@pytest.mark.django_db
def test_no_default_channel_is_checked_before_the_first_migration(monkeypatch):
    def fail(**_conditions):
        raise DatabaseError

    monkeypatch.setattr(Capability.objects, "filter", fail)

    assert list(check_default_channel(databases=["default"])) == []
