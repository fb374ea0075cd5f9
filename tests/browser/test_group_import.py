"""Importing groups in a real browser, and importing the exported list again."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from notifications import permissions
from notifications.models import ChatGroup
from tests.browser.conftest import VIEWS, check_page, log_in
from tests.factories import make_group, make_user
from tests.group_files import text_of
from tests.hostile import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADINGS = ("群组ID", "类型", "名称", "人数", "标签")
ROWS = [
    ["hikers", "Public", "周末徒步", "1204", "华东、户外"],
    ["@TGS#live", "直播群", HOSTILE["script"], "", ""],
    ["W" * 48, "Work", "W" * 100, "5", "W" * 50],
    ["two words", "Nope", "W" * 500, "many", ""],
]


@pytest.mark.parametrize(("width", "height", "theme"), VIEWS)
def test_a_file_of_excel_is_checked_imported_and_downloaded(
    browser, live_server, width, height, theme, tmp_path
):
    make_user(permissions.GROUP_ADMINISTRATOR, username="xu")
    make_group(group_id="hikers", name="Hikers", member_count=3)
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme
    )
    page = context.new_page()
    log_in(page, live_server.url, "xu")
    page.click("#app-nav >> text=Groups")
    check_page(page, "list")

    page.click(".object-tools >> text=Import")
    check_page(page, "choose")
    page.click("text=Check the file")
    expect(page.locator("#form-errors")).to_contain_text("Choose a file, or paste")
    file = {
        "name": "groups.csv",
        "mimeType": "text/csv",
        "buffer": text_of(ROWS, HEADINGS).encode("gb18030"),
    }
    page.set_input_files("#id_file", file)
    page.click("text=Check the file")
    expect(page.locator(".tally")).to_contain_text("2 new")
    check_page(page, "check")

    button = page.locator("text=Import 3 groups")
    expect(button).to_be_in_viewport(ratio=1)
    button.click()
    expect(page.locator(".sure-row")).to_contain_text("Tick the box, or correct")
    check_page(page, "not ticked")
    page.check("text=Leave out the 1 line with errors")
    page.click("text=Import 3 groups")
    expect(page.locator(".messagelist")).to_contain_text(
        "3 groups imported: 2 new, 1 changed."
    )
    assert ChatGroup.objects.get(group_id="hikers").name == "周末徒步"
    assert page.evaluate("window.ran") is None

    with page.expect_download() as started:
        page.click(".object-tools >> text=Download")
    path = tmp_path / "list.csv"
    started.value.save_as(path)
    page.click(".object-tools >> text=Import")
    page.fill("#id_text", Path(path).read_text(encoding="utf-8-sig"))
    page.click("text=Check the file")
    expect(page.locator("text=Mark 3 groups as checked")).to_be_in_viewport(ratio=1)
    context.close()
