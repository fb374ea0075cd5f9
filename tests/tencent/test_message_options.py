"""The options of a group message: their JSON, and what is refused."""

from dataclasses import fields

import pytest

from notifications.models import GroupType
from notifications.tencent.message_options import (
    MAX_MESSAGE_BYTES,
    REFUSED_BY_TYPE,
    Conflict,
    MessageOptions,
    conflicts,
    refused_features,
)

pytestmark = pytest.mark.one_database

OTHER_VALUES = {
    "from_account": "announcements",
    "mention_all": True,
    "priority": "High",
    "online_only": True,
    "no_unread": True,
    "no_last_message": True,
    "push": False,
    "push_title": "跑者",
    "push_text": "今晚维护",
    "image_url": "https://example.com/a.png",
    "image_width": 640,
    "image_height": 480,
    "custom_data": '{"a": 1}',
}


def test_defaults_have_no_json():
    assert MessageOptions().as_json() == {}
    assert MessageOptions.from_json({}) == MessageOptions()


def test_every_option_survives_the_json():
    assert list(OTHER_VALUES) == [field.name for field in fields(MessageOptions)]
    options = MessageOptions(**OTHER_VALUES)

    assert list(options.as_json()) == sorted(OTHER_VALUES)
    assert MessageOptions.from_json(options.as_json()) == options


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": "red"}, "colour is not an option"),
        ({"push": 1}, "push is of type bool, not int"),
        ({"image_width": True}, "image_width is of type int, not bool"),
        ({"priority": None}, "priority is of type str, not NoneType"),
        ({"custom_data": {"a": 1}}, "custom_data is of type str, not dict"),
    ],
)
def test_json_of_another_shape_names_the_field(values, message):
    with pytest.raises(ValueError, match=message):
        MessageOptions.from_json(values)


def test_the_types_that_refuse_a_feature_are_types_of_groups():
    assert frozenset().union(*REFUSED_BY_TYPE.values()) <= set(GroupType.values)


@pytest.mark.parametrize(
    ("group_type", "features"),
    [
        ("Private", []),
        ("Public", []),
        ("ChatRoom", ["no_unread"]),
        ("Community", ["recipients"]),
        ("AVChatRoom", list(REFUSED_BY_TYPE)[1:]),
        ("BChatRoom", ["message", *list(REFUSED_BY_TYPE)[1:]]),
    ],
)
def test_features_that_a_type_refuses(group_type, features):
    options = MessageOptions(**OTHER_VALUES)

    assert refused_features(options, group_type, named_members=True) == features
    assert refused_features(MessageOptions(), group_type, named_members=False) == [
        feature for feature in features if feature == "message"
    ]


IMAGE = {"image_width": 1, "image_height": 1}


@pytest.mark.parametrize(
    ("values", "named_members", "expected"),
    [
        ({}, True, []),
        ({"mention_all": True}, False, []),
        ({"mention_all": True}, True, [("mention_all", Conflict.NAMED_MEMBERS)]),
        ({"from_account": "a b"}, False, [("from_account", Conflict.INVALID)]),
        ({"priority": "high"}, False, [("priority", Conflict.INVALID)]),
        (
            {"online_only": True, "no_unread": True, "no_last_message": True},
            False,
            [
                ("no_unread", Conflict.ONLINE_ONLY),
                ("no_last_message", Conflict.ONLINE_ONLY),
            ],
        ),
        (
            {"online_only": True, "push_title": "t", "push_text": "t"},
            False,
            [
                ("push_title", Conflict.ONLINE_ONLY),
                ("push_text", Conflict.ONLINE_ONLY),
            ],
        ),
        (
            {"push": False, "push_title": "t", "push_text": "t"},
            False,
            [("push_title", Conflict.PUSH_OFF), ("push_text", Conflict.PUSH_OFF)],
        ),
        ({"push_title": "t", "push_text": "t"}, False, []),
        ({"image_url": "https://a.example/x", **IMAGE}, False, []),
        (
            {"image_url": "https://a.example/x", "image_width": 5},
            False,
            [("image_width", Conflict.REQUIRED)],
        ),
        (
            {"image_url": "https://a/x", "image_width": -1, "image_height": 1},
            False,
            [("image_width", Conflict.REQUIRED)],
        ),
        (
            {"image_url": "https://a/x", "image_width": 100_001, "image_height": 1},
            False,
            [("image_width", Conflict.REQUIRED)],
        ),
        (IMAGE, False, [("image_url", Conflict.REQUIRED)]),
    ],
)
def test_conflicts(values, named_members, expected):
    assert conflicts(MessageOptions(**values), named_members=named_members) == expected


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "https://a.example:8443/图.png?x=1#y", "HTTPS://[::1]/a"],
)
def test_addresses_of_images(url):
    assert conflicts(MessageOptions(image_url=url, **IMAGE), named_members=False) == []


@pytest.mark.parametrize(
    "url",
    [
        "a.example/x.png",
        "//a.example/x.png",
        "https:///x.png",
        "https://:80/x.png",
        "ftp://a.example/x.png",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https://a.example/x y",
        "https://a.exa\nmple/x",
        "https://a.example:99999/x",
        "https://[::1/x",
    ],
)
def test_text_that_is_no_address_of_an_image(url):
    options = MessageOptions(image_url=url, **IMAGE)

    assert conflicts(options, named_members=False) == [("image_url", Conflict.INVALID)]


@pytest.mark.parametrize("data", ["{}", '"x"', "[1, 2]", "null", '{"图": "\\ud83d"}'])
def test_custom_data_that_is_json(data):
    assert conflicts(MessageOptions(custom_data=data), named_members=False) == []


@pytest.mark.parametrize(
    "data", [" ", "{", "{'a': 1}", "NaN", '{"a": -Infinity}', "[" * 6000, "9" * 5000]
)
def test_custom_data_that_is_no_json(data):
    options = MessageOptions(custom_data=data)

    expected = [("custom_data", Conflict.INVALID)]
    assert conflicts(options, named_members=False) == expected


def test_text_and_custom_data_have_one_limit():
    text = "好" * 1000
    data = '"' + "x" * (MAX_MESSAGE_BYTES - 3000 - 2) + '"'

    def conflicts_of(text):
        return conflicts(
            MessageOptions(custom_data=data), named_members=False, text=text
        )

    assert conflicts_of(text) == []
    assert conflicts_of(text + "x") == [("custom_data", Conflict.TOO_LONG)]


@pytest.mark.parametrize("name", ["push_title", "push_text", "image_url"])
def test_every_text_counts_towards_the_size_of_the_message(name):
    text = "https://example.com/" + "a" * (MAX_MESSAGE_BYTES - 22)
    size = {"image_width": 1, "image_height": 1} if name == "image_url" else {}

    def conflicts_of(value: str) -> list[tuple[str, Conflict]]:
        options = MessageOptions(**{name: value}, **size)
        return conflicts(options, named_members=False, text="Hi")

    assert conflicts_of(text) == []
    assert conflicts_of(text + "a") == [(name, Conflict.TOO_LONG)]
