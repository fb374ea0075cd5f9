"""From the import of groups to the export, with commands only."""

import json

import pytest

from notifications import conf, permissions
from notifications.delivery.worker import SendWorker
from notifications.models import GroupType
from notifications.rate_limit.clock import engine_clock
from tests.factories import make_user
from tests.management.running import run


@pytest.mark.django_db(transaction=True)
def test_three_hundred_groups_from_the_file_to_the_export(sandbox, tmp_path):
    """Import, send, work, export: journal and export agree for each group."""
    faults = ["", "", "", "code:10010", "code:10007", "reset_after", "html"]
    lines = ["group_id,type,name"]
    for number in range(300):
        kind = GroupType.values[number % 6]
        sandbox.add_group(f"@TGS#{number}", kind, fault=faults[number % 7])
        lines.append(f"@TGS#{number},{kind},群组{number}")
    file = tmp_path / "groups.csv"
    file.write_text("\n".join(lines), "utf-8")
    make_user(permissions.COMMUNITY_MANAGER)
    assert run("import_chat_groups", str(file))[0] == 0
    words = ["--as", "lin.mei", "--content", "今晚维护", "--all"]
    assert run("send_notification", *words)[0] == 0

    SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=lambda: False,
        until_idle=True,
        threads=16,
    ).run()

    _code, out, _err = run("export_history", "--format", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 300
    for row in rows:
        calls = sandbox.journal.calls_for(row["group_id"])
        assert len(calls) == len(row["attempts"]) == 1
        assert calls[0].content == row["content"] == "今晚维护"
        if row["status"] == "unconfirmed":
            assert (calls[0].error_code, row["error_code"]) == (None, None)
        else:
            assert calls[0].error_code == row["error_code"]
