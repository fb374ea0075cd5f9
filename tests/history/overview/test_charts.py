"""Charts: heights and labels of the bars, and escaping of texts."""

import re

import pytest

from notifications.history.overview.charts import (
    Bar,
    ChartSegment,
    columns,
    nice_top,
    strip,
)

pytestmark = pytest.mark.one_database


def segment(
    count: int, kind: str = "accepted", title: str = "", address: str = ""
) -> ChartSegment:
    return ChartSegment(kind, count, title, address)


@pytest.mark.parametrize(
    ("number", "top"),
    [
        (0, 4),
        (1, 4),
        (5, 6),
        (9, 10),
        (11, 20),
        (61, 80),
        (101, 200),
        (99_000, 100_000),
    ],
)
def test_the_axis_ends_at_a_round_number(number, top):
    assert nice_top(number) == top


def heights(svg: str, kind: str) -> list[float]:
    return [
        float(height)
        for height in re.findall(rf'class="c-{kind}"[^>]* height="([\d.]+)"', svg)
    ]


def test_bars_are_as_high_as_their_numbers():
    bars = [Bar("", "", "", [segment(n)]) for n in (100, 50, 0)]

    wide, narrow = columns(bars, "").split("</svg>")[:2]

    assert heights(wide, "accepted") == [195.0, 97.0]  # 196 and 98, a gap of 1
    assert heights(narrow, "accepted") == [155.0, 77.0]


def test_a_very_small_count_is_visible():
    bar = Bar("", "", "", [segment(100_000), segment(1, "failed")])

    assert heights(columns([bar], ""), "failed") == [2.0, 2.0]
    assert heights(strip([segment(1, "failed")], 100_000, ""), "failed") == [2.0]


def test_the_last_day_has_its_label_and_not_too_many_have():
    bars = [Bar(f"d{n}", "", "", []) for n in range(90)]

    wide, narrow = columns(bars, "").split("</svg>")[:2]

    assert re.findall(r">(d\d+)<", wide)[-1] == "d89"
    assert len(re.findall(r">d\d+<", wide)) == 10
    assert len(re.findall(r">d\d+<", narrow)) == 5


def test_texts_are_escaped():
    hostile = '"><script>x</script>'
    bar = Bar(hostile, hostile, hostile, [segment(1, "failed", hostile, hostile)])

    drawn = columns([bar], hostile) + strip([bar.segments[0]], 1, hostile)

    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") == 13
