"""What a worker remembers beside the database."""

import pytest

from notifications.delivery.restore_guard import DatabaseIsOlder, RestoreMark


def test_a_fresh_database_is_never_refused(tmp_path):
    mark = RestoreMark(tmp_path, "new")

    mark.check(0)


def test_an_older_database_is_refused(tmp_path):
    mark = RestoreMark(tmp_path, "key")
    mark.committed(41)
    mark.write()

    later = RestoreMark(tmp_path, "key")
    later.check(41)
    with pytest.raises(DatabaseIsOlder, match="knows of 40 calls, but 41 were made"):
        later.check(40)


def test_another_database_has_a_mark_of_its_own(tmp_path):
    mark = RestoreMark(tmp_path, "key")
    mark.committed(41)
    mark.write()

    RestoreMark(tmp_path, "other").check(0)


def test_two_workers_share_the_file_and_the_higher_number_stays(tmp_path):
    one, two = RestoreMark(tmp_path, "key"), RestoreMark(tmp_path, "key")
    one.committed(50)
    one.write()
    two.committed(45)
    two.write()

    assert RestoreMark(tmp_path, "key").known == 50


def test_a_mark_falls_never(tmp_path):
    mark = RestoreMark(tmp_path, "key")
    mark.committed(5)
    mark.committed(3)

    with pytest.raises(DatabaseIsOlder):
        mark.check(4)


def test_nothing_new_is_not_written(tmp_path):
    RestoreMark(tmp_path, "key").write()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[1", "\x00"])
def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path, caplog, content):
    (tmp_path / "claims.json").write_text(content)

    mark = RestoreMark(tmp_path, "key")
    mark.committed(3)
    mark.write()

    assert "cannot be read and is begun anew" in caplog.text
    assert RestoreMark(tmp_path, "key").known == 3


def test_a_disk_that_takes_nothing_does_not_stop_the_worker(tmp_path, caplog):
    folder = tmp_path / "there"
    mark = RestoreMark(folder, "key")
    mark.committed(3)

    mark.write()

    assert "claims.json cannot be written" in caplog.text
    folder.mkdir()
    mark.write()
    assert RestoreMark(folder, "key").known == 3
