"""Importing groups in the page: a file or pasted lines, the preview, the import."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from notifications import permissions
from notifications.models import AuditEntry, ChatGroup, GroupImport, Label
from tests.factories import make_group, make_user
from tests.group_files import BAD_FILES, HEADER, LARGE_FILES, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CHOOSE = "/groups/import/"
LIST = "/notifications/chatgroup/"


@pytest.fixture
def client(log_in):
    return log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="xu"))


def upload(client, content: bytes, name: str = "groups.csv", **kwargs):
    file = SimpleUploadedFile(name, content)
    return client.post(CHOOSE, {"file": file, "text": "", **kwargs})


def preview(client, content: bytes):
    """The second step, and what its form would post."""
    address = upload(client, content)["Location"]
    response = client.get(address)
    return address, response, {"digest": response.context["form"]["digest"].value()}


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def words(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("bad", BAD_FILES | LARGE_FILES)
def test_a_file_that_cannot_be_used_is_refused_beside_its_field(client, bad):
    content, sentence = (BAD_FILES | LARGE_FILES)[bad]

    response = upload(client, content)

    assert response.status_code == 200
    assert response.context["form"].errors == {"file": [sentence]}
    assert GroupImport.objects.count() == 0


def test_pasted_lines_are_refused_beside_their_field(client):
    response = client.post(CHOOSE, {"text": "group_id,type\ng,Public"})

    assert response.context["form"].errors == {
        "text": ["The first line must name the columns. Missing: name"]
    }
    assert "group_id,type\ng,Public" in response.content.decode()


@pytest.mark.parametrize(
    ("content", "text", "sentence"),
    [
        (None, " \n", "Choose a file, or paste the lines."),
        (HEADER, "x", "Choose a file or paste the lines, not both."),
    ],
)
def test_one_of_both_is_needed(client, content, text, sentence):
    response = (
        client.post(CHOOSE, {"text": text})
        if content is None
        else upload(client, content, text=text)
    )

    assert response.context["form"].non_field_errors() == [sentence]
    assert GroupImport.objects.count() == 0


def test_a_paste_as_large_as_a_file_may_be_is_read(client):
    blank = " " * 100_000 + "\n"
    text = text_of([["g", "Public", "G", ""]]) + blank * 104

    assert client.post(CHOOSE, {"text": text}).status_code == 302


def test_a_paste_larger_than_that_is_refused_in_words(client):
    text = "x" * (10 * 1024 * 1024 + 1)
    assert client.post(CHOOSE, {"text": text}).context["form"].errors == {
        "text": ["The file is larger than 10 MB. Split it."]
    }

    response = client.post(CHOOSE, {"text": text * 2})

    assert response.status_code == 413
    assert "This is more than 10 MB at once. Split it" in words(response)
    assert GroupImport.objects.count() == 0


def test_the_preview_shows_what_would_change_and_changes_nothing(client):
    group = make_group(group_id="g", name="Old", type="Private", member_count=1200)
    group.labels.add(Label.objects.create(name="East"))
    make_group(group_id="same", name="Same", member_count=7)
    content = (
        "群ID,类型,名称,人数,标签,备注,状态\n"
        "g,直播群,<新>,1300,VIP,x,\n"
        "same,Public,Same,7,,,\n"
        "new,Work,New,1,East,,\n"
        "two words,Nope,Bad,,,,\n"
    ).encode("gb18030")

    _address, response, _data = preview(client, content)

    text = words(response)
    for count in ("1 new", "1 changed", "1 unchanged", "1 line with errors"):
        assert f"<span> {count} </span>" in text
    assert "Read as GB 18030. Do the names below look right?" in text
    assert "Columns that are not read: 备注, 状态" in text
    assert "New labels: VIP" in text
    arrow = '<span aria-hidden="true">→</span>'
    for label, old, new in [
        ("Type", "Private (Work)", "Live room"),
        ("Name", "Old", "&lt;新&gt;"),
        ("Members", "1,200", "1,300"),
        ("Labels", "East", "VIP"),
    ]:
        assert (
            f"{label}: <del><bdi>{old}</bdi></del> {arrow} <ins><bdi>{new}</bdi></ins>"
            in text
        )
    assert "1 member ·" in text
    assert "<li>Line 5, Group ID: “two words” is no group ID" in text
    assert "<li>Line 5, Type: “Nope” is not one of Private, Public" in text
    assert ">Import 2 groups</button>" in text
    assert "Leave out the 1 line with errors" in text
    assert ChatGroup.objects.get(group_id="g").name == "Old"
    assert AuditEntry.objects.count() == 0


def test_the_import_and_what_it_says(client):
    make_group(group_id="g", name="Old", member_count=7)
    content = HEADER + b"g,Public,New\nh,Public,H\ni,Public,I\nj,Nope,J\n"
    address, _response, data = preview(client, content)

    refused = client.post(address, data)
    assert refused.context["form"].errors == {
        "leave_out": ["Tick the box, or correct the 1 line and choose the file again."]
    }
    assert ChatGroup.objects.count() == 1

    done = client.post(address, {**data, "leave_out": "on"}, follow=True)

    assert done.redirect_chain == [(LIST, 302)]
    assert said(done) == ["3 groups imported: 2 new, 1 changed."]
    assert ChatGroup.objects.get(group_id="g").name == "New"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail["file"]) == (
        "imported",
        "xu",
        "groups.csv",
    )
    assert entry.detail["rejected"] == 1


def test_what_was_pasted_is_imported(client):
    response = client.post(CHOOSE, {"text": "ID\t类型\t名称\r\ng\t直播群\t直播间\r\n"})
    shown = client.get(response["Location"])
    assert "Pasted lines" in words(shown)

    client.post(
        response["Location"], {"digest": shown.context["form"]["digest"].value()}
    )

    group = ChatGroup.objects.get()
    assert (group.group_id, group.type, group.name) == ("g", "AVChatRoom", "直播间")


def test_a_confirmation_sent_twice_imports_once(client):
    address, _response, data = preview(client, HEADER + b"g,Public,G\n")

    client.post(address, data)
    again = client.post(address, data, follow=True)
    back = client.get(address, follow=True)

    assert said(again)[-1] == "This file was imported already."
    assert said(back) == ["This file was imported already."]
    assert back.redirect_chain == [(LIST, 302)]
    assert AuditEntry.objects.filter(action="imported").count() == 1


@pytest.mark.parametrize("number", ["0", "77", str(2**63), str(10**30)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_file_that_is_gone(client, method, number):
    response = getattr(client, method)(f"{CHOOSE}{number}/", follow=True)

    assert said(response) == ["This file is not here any more. Choose it again."]


def test_groups_that_changed_meanwhile_are_looked_at_again(client):
    group = make_group(group_id="g", name="Old")
    address, _response, data = preview(client, HEADER + b"g,Public,New\n")
    ChatGroup.objects.filter(pk=group.pk).update(name="Third")

    response = client.post(address, data, follow=True)

    assert said(response) == [
        "The groups were changed after this page was shown. Look at it again."
    ]
    assert "<del><bdi>Third</bdi></del>" in response.content.decode()
    assert ChatGroup.objects.get().name == "Third"


def test_nothing_to_change(client):
    make_group(group_id="g", name="G")
    address, response, data = preview(client, HEADER + b"g,Public,G\n")
    assert ">Mark 1 group as checked</button>" in words(response)

    done = client.post(address, data, follow=True)

    assert said(done) == ["1 group marked as checked; nothing else was changed."]
    assert ChatGroup.objects.get().checked_at is not None


def test_nothing_that_can_be_used(client):
    _address, response, _data = preview(client, HEADER + b"two words,Public,G\n")

    text = words(response)
    assert "Leave out" not in text
    assert 'class="default button"' not in text
    assert "Choose another file" in text


def test_long_lists_are_cut(client):
    rows = [[f"g{n}", "Public", f"G{n}", n] for n in range(250)]
    rows += [[f"g {n}", "Public", "G", 1] for n in range(201)]

    _address, response, _data = preview(client, text_of(rows).encode())

    text = words(response)
    assert "G199<" in text
    assert "G200<" not in text
    assert '<p class="sub"> and 50 more </p>' in text
    assert '<p class="sub"> and 1 more </p>' in text
    assert "201 lines with errors" in text


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow_with_the_rows(client, rows, django_assert_num_queries):
    for number in range(3):
        make_group(group_id=f"g{number}")
    content = text_of(
        [[f"g{n}", "Public", "New", n, "East"] for n in range(rows)],
        ("group_id", "type", "name", "member_count", "labels"),
    ).encode()
    address, _response, _data = preview(client, content)

    # Session, person, permissions, the frame; the file, groups, labels, labels on them.
    with django_assert_num_queries(QUERIES):
        client.get(address)


QUERIES = 9


def test_the_file_of_another_is_not_there(client, log_in):
    address, _response, data = preview(client, HEADER + b"g,Public,G\n")
    other = log_in(make_user(permissions.GROUP_ADMINISTRATOR, username="he"))

    assert other.get(address).status_code == 404
    assert other.post(address, data).status_code == 404
    assert ChatGroup.objects.count() == 0


@pytest.mark.parametrize("role", [permissions.COMMUNITY_MANAGER, permissions.AUDITOR])
def test_who_may_not_change_groups_sees_no_button(log_in, role):
    client = log_in(make_user(role))

    assert CHOOSE not in client.get(LIST).content.decode()
    assert client.get(CHOOSE).status_code == 403
    assert upload(client, HEADER + b"g,Public,G\n").status_code == 403


def test_the_list_leads_to_the_import(client):
    assert f'href="{CHOOSE}"' in client.get(LIST).content.decode()


@pytest.mark.parametrize("fields", [{}, {"digest": ""}, {"digest": "0" * 64}])
def test_nothing_is_imported_without_the_preview(client, fields):
    address = upload(client, HEADER + b"g,Public,G\n")["Location"]

    response = client.post(address, fields)

    assert response.status_code in (200, 302)
    assert (ChatGroup.objects.count(), GroupImport.objects.count()) == (0, 1)
