"""The number of claims that a worker records outside the database."""

import pytest

from notifications.delivery.restore_guard import DatabaseIsOlder, RestoreGuard


def test_a_fresh_database_is_never_refused(tmp_path):
    guard = RestoreGuard(tmp_path, "new")

    guard.check(0)


def test_an_older_database_is_refused(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed(41)
    guard.write()

    later = RestoreGuard(tmp_path, "key")
    later.check(41)
    with pytest.raises(DatabaseIsOlder, match="has 40 claimed calls, but 41 were made"):
        later.check(40)


def test_another_database_has_its_own_count(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed(41)
    guard.write()

    RestoreGuard(tmp_path, "other").check(0)


def test_two_workers_share_the_file_and_the_higher_number_stays(tmp_path):
    one, two = RestoreGuard(tmp_path, "key"), RestoreGuard(tmp_path, "key")
    one.committed(50)
    one.write()
    two.committed(45)
    two.write()

    assert RestoreGuard(tmp_path, "key").recorded == 50


def test_the_count_never_decreases(tmp_path):
    guard = RestoreGuard(tmp_path, "key")
    guard.committed(5)
    guard.committed(3)

    with pytest.raises(DatabaseIsOlder):
        guard.check(4)


def test_nothing_new_is_not_written(tmp_path):
    RestoreGuard(tmp_path, "key").write()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1", "\x00"])
def test_an_unreadable_file_is_replaced(tmp_path, caplog, content):
    (tmp_path / "claims.json").write_text(content)

    guard = RestoreGuard(tmp_path, "key")
    guard.committed(3)
    guard.write()

    assert "starting a new file" in caplog.text
    assert RestoreGuard(tmp_path, "key").recorded == 3


def test_a_failed_write_does_not_stop_the_worker(tmp_path, caplog):
    folder = tmp_path / "missing"
    guard = RestoreGuard(folder, "key")
    guard.committed(3)

    guard.write()

    assert "Cannot write" in caplog.text
    folder.mkdir()
    guard.write()
    assert RestoreGuard(folder, "key").recorded == 3
