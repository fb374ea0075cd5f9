"""Charts as SVG, rendered on the server and styled by charts.css, without JavaScript.

The ``aria-label`` of a chart holds its totals. A table next to the chart has the same
numbers, with links for keyboards and screen readers. The links in a chart are for the
mouse, so they are outside of the element with the role "img".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

EMPTY = SafeString("")

TOP, RIGHT, BOTTOM, CHARACTER = 10, 12, 24, 7

# Every number other than 0 is visible, however small compared to the others.
MIN_HEIGHT = 2.0

STRIP_HEIGHT = 32


@dataclass(frozen=True, slots=True)
class ChartSegment:
    """A segment of a bar; ``kind`` is a status and part of the CSS class."""

    kind: str
    count: int
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Bar:
    """``segments`` from the bottom up; ``tick`` is the label below the bar."""

    tick: str
    title: str
    address: str
    segments: Sequence[ChartSegment]

    @property
    def count(self) -> int:
        return sum(segment.count for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a drawing; CSS shows the class ``name`` that fits the window."""

    name: str
    width: int
    height: int
    ticks: int  # maximum number of labels
    has_linked_segments: bool  # too small to tap on a phone


WIDE = Size("wide", 640, 230, 10, has_linked_segments=True)

NARROW = Size("narrow", 320, 190, 5, has_linked_segments=False)


def columns(bars: Sequence[Bar], label: str) -> SafeString:
    """Draw a bar chart twice: for wide windows and for phones."""
    return format_html(
        "{}{}", _columns(bars, label, WIDE), _columns(bars, label, NARROW)
    )


def strip(segments: Sequence[ChartSegment], maximum: int, label: str) -> SafeString:
    """Draw a row of small bars without text; ``maximum`` is the count of a full bar."""
    drawn = [
        _linked(
            segment.address,
            segment.title,
            _rect("c-hit", (n, 0, 1, STRIP_HEIGHT)),
            _rect(
                f"c-{segment.kind}",
                (n + 0.15, STRIP_HEIGHT - height, 0.7, height),
            ),
        )
        for n, segment in enumerate(segments)
        if (height := _height(segment.count, maximum, STRIP_HEIGHT))
    ]
    return format_html(
        '<svg class="chart strip-chart" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        "{}</svg>",
        len(segments),
        STRIP_HEIGHT,
        _image(
            label, _rect("c-ground", (0, STRIP_HEIGHT - 1, len(segments), 1)), drawn
        ),
    )


def nice_top(number: int) -> int:
    """The smallest even, round end of an axis for values up to ``number``."""
    power = int("1" + "0" * (len(str(number)) - 1))
    tops = [step * power for step in (1, 2, 3, 4, 5, 6, 8, 10)]
    return max(4, next(top for top in tops if number <= top and top % 2 == 0))


def _columns(bars: Sequence[Bar], label: str, size: Size) -> SafeString:
    top = nice_top(max(bar.count for bar in bars))
    left = CHARACTER * len(f"{top:,}") + 10
    step = (size.width - left - RIGHT) / len(bars)
    every = -(-len(bars) // size.ticks)
    height = size.height - TOP - BOTTOM
    drawn = [
        _column(
            bar,
            x=left + n * step,
            width=step,
            top=top,
            height=height,
            has_linked_segments=size.has_linked_segments,
            # Counted from the right, so that today has a label.
            has_tick=(len(bars) - 1 - n) % every == 0,
        )
        for n, bar in enumerate(bars)
    ]
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}">{}</svg>',
        size.name,
        size.width,
        size.height,
        _image(label, _grid(top, left, size.width, height), drawn),
    )


def _image(label: str, ground: SafeString, bars: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<g role="img" aria-label="{}">{}</g><g aria-hidden="true">{}</g>',
        label,
        ground,
        _joined(bars),
    )


def _grid(top: int, left: int, right: int, height: int) -> SafeString:
    lines = [
        (number, round(TOP + height * (1 - number / top), 1))
        for number in (0, top // 2, top)
    ]
    return format_html_join(
        "",
        '<line class="c-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text class="c-tick end" x="{}" y="{}">{}</text>',
        ((left, right, y, y, left - 6, y + 4, f"{number:,}") for number, y in lines),
    )


def _column(
    bar: Bar,
    *,
    x: float,
    width: float,
    top: int,
    height: float,
    has_linked_segments: bool,
    has_tick: bool,
) -> SafeString:
    ground = TOP + height
    rects = [EMPTY]
    for segment in bar.segments:
        if segment_height := _height(segment.count, top, height):
            ground -= segment_height
            gap = 1 if segment_height > 2 * MIN_HEIGHT else 0
            place = (x + width * 0.18, ground + gap, width * 0.64, segment_height - gap)
            rect = _rect(f"c-{segment.kind}", place)
            if has_linked_segments:
                rect = _linked(segment.address, segment.title, rect)
            rects.append(rect)
    drawn = EMPTY
    if bar.count:
        # The full height is a link, since a low bar is hard to hit.
        hit = _rect("c-hit", (x, TOP, width, height))
        # Segments without their own links are inside of this link.
        whole = [hit] if has_linked_segments else [hit, *rects]
        alone = rects if has_linked_segments else [EMPTY]
        drawn = format_html(
            "<g>{}{}</g>", _linked(bar.address, bar.title, *whole), _joined(alone)
        )
    if not has_tick:
        return drawn
    return format_html(
        '{}<text class="c-tick middle" x="{}" y="{}">{}</text>',
        drawn,
        f"{x + width / 2:g}",
        TOP + height + 17,
        bar.tick,
    )


def _height(count: int, top: int, height: float) -> float:
    return max(height * count / top, MIN_HEIGHT) if count else 0


def _rect(kind: str, place: tuple[float, float, float, float]) -> SafeString:
    numbers = [f"{number:g}" for number in place]
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', kind, *numbers
    )


def _linked(address: str, title: str, *drawn: SafeString) -> SafeString:
    return format_html(
        '<a href="{}" tabindex="-1"><title>{}</title>{}</a>',
        address,
        title,
        _joined(drawn),
    )


def _joined(drawn: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((element,) for element in drawn))
