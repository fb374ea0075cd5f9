"""Pictures as SVG: drawn here, coloured by charts.css, nothing to run in the browser.

A picture says its sum in ``aria-label``; the same numbers stand in a table beside it,
whose links are the ones for the keyboard and for screen readers. The links in a picture
are for the mouse, so they stand outside of what has the role of an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NOTHING = SafeString("")

TOP, RIGHT, BOTTOM, CHARACTER = 10, 12, 24, 7

# A number other than 0 is always to be seen, however small beside the others.
LEAST = 2.0

STRIP_HEIGHT = 32


@dataclass(frozen=True, slots=True)
class ChartSegment:
    """A piece of a bar; ``kind`` is a state, and the class that colours it."""

    kind: str
    count: int
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Bar:
    """``parts`` from the ground up; ``tick`` is what stands below."""

    tick: str
    title: str
    address: str
    parts: Sequence[ChartSegment]

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)


@dataclass(frozen=True, slots=True)
class Size:
    """Of the drawing; CSS shows the one of ``name`` that fits the window."""

    name: str
    width: int
    height: int
    ticks: int  # at most so many labels below
    has_linked_parts: bool  # on a phone no finger meets a part of a bar


WIDE = Size("wide", 640, 230, 10, has_linked_parts=True)

NARROW = Size("narrow", 320, 190, 5, has_linked_parts=False)


def columns(bars: Sequence[Bar], says: str) -> SafeString:
    """A bar for each; twice, for a wide window and for a phone."""
    return format_html("{}{}", _columns(bars, says, WIDE), _columns(bars, says, NARROW))


def strip(parts: Sequence[ChartSegment], most: int, says: str) -> SafeString:
    """A row of small bars without words; ``most`` is the number of a full one."""
    drawn = [
        _linked(
            part.address,
            part.title,
            _rect("c-hit", (n, 0, 1, STRIP_HEIGHT)),
            _rect(
                f"c-{part.kind}",
                (n + 0.15, STRIP_HEIGHT - height, 0.7, height),
            ),
        )
        for n, part in enumerate(parts)
        if (height := _height(part.count, most, STRIP_HEIGHT))
    ]
    return format_html(
        '<svg class="chart strip-chart" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        "{}</svg>",
        len(parts),
        STRIP_HEIGHT,
        _image(says, _rect("c-ground", (0, STRIP_HEIGHT - 1, len(parts), 1)), drawn),
    )


def nice_top(number: int) -> int:
    """The end of an axis that holds ``number`` and can be halved."""
    power = int("1" + "0" * (len(str(number)) - 1))
    tops = [step * power for step in (1, 2, 3, 4, 5, 6, 8, 10)]
    return max(4, next(top for top in tops if number <= top and top % 2 == 0))


def _columns(bars: Sequence[Bar], says: str, size: Size) -> SafeString:
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
            has_linked_parts=size.has_linked_parts,
            # Counted from the right: today always has its label.
            has_tick=(len(bars) - 1 - n) % every == 0,
        )
        for n, bar in enumerate(bars)
    ]
    return format_html(
        '<svg class="chart {}" viewBox="0 0 {} {}">{}</svg>',
        size.name,
        size.width,
        size.height,
        _image(says, _grid(top, left, size.width, height), drawn),
    )


def _image(says: str, ground: SafeString, bars: Sequence[SafeString]) -> SafeString:
    return format_html(
        '<g role="img" aria-label="{}">{}</g><g aria-hidden="true">{}</g>',
        says,
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
    has_linked_parts: bool,
    has_tick: bool,
) -> SafeString:
    ground = TOP + height
    pieces = [NOTHING]
    for part in bar.parts:
        if tall := _height(part.count, top, height):
            ground -= tall
            gap = 1 if tall > 2 * LEAST else 0
            place = (x + width * 0.18, ground + gap, width * 0.64, tall - gap)
            rect = _rect(f"c-{part.kind}", place)
            if has_linked_parts:
                rect = _linked(part.address, part.title, rect)
            pieces.append(rect)
    drawn = NOTHING
    if bar.count:
        # The whole height leads somewhere: a bar may be too low to be hit.
        hit = _rect("c-hit", (x, TOP, width, height))
        # A part without a link of its own belongs to that of the whole.
        whole = [hit] if has_linked_parts else [hit, *pieces]
        alone = pieces if has_linked_parts else [NOTHING]
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
    return max(height * count / top, LEAST) if count else 0


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
    return format_html_join("", "{}", ((one,) for one in drawn))
