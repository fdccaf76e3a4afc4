"""Small charts: bars for the terminal, and lines and bars as SVG files that need nothing else to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_COLOURS = ("#2a78d6", "#1baf7a", "#eda100", "#e34948", "#4a3aa7", "#898781")

WIDTH, HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 20, 56, 40


def bar(value: Decimal, most: Decimal, width: int = 24) -> str:
    """A bar of block characters: `width` of them for `most`, to an eighth; empty for zero or less."""
    if value <= 0 or most <= 0:
        return ""
    eighths = int((min(value, most) * width * 8 / most).to_integral_value())
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def svg_lines(title: str, unit: str, series: Mapping[str, Sequence[Decimal]]) -> str:
    """Lines over their place in the sequence (months, weeks), with a zero line, as an SVG document."""
    values = [value for points in series.values() for value in points] or [Decimal(0)]
    low, high = min(Decimal(0), *values), max(Decimal(0), *values)
    scale = _Scale(low, high if high > low else low + 1, max((len(points) for points in series.values()), default=1))
    body = [scale.gridlines()]
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{scale.x(place):.1f},{scale.y(value):.1f}" for place, value in enumerate(points))
        body.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        body.append(_legend(number, name, colour))
    return _document(f"{title} ({unit})", body)


def svg_bars(title: str, unit: str, bars: Mapping[str, Decimal]) -> str:
    """Upright bars from zero, each with its value, as an SVG document."""
    most = max([*bars.values(), Decimal(1)])
    scale = _Scale(Decimal(0), most, len(bars) + 1)
    step = (WIDTH - _LEFT - _RIGHT) / max(len(bars), 1)
    body = [scale.gridlines()]
    for place, (name, value) in enumerate(bars.items()):
        left, top = _LEFT + place * step, scale.y(value)
        body.append(
            f'<rect x="{left + step * 0.15:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}" rx="2"'
            f' height="{scale.y(Decimal(0)) - top:.1f}" fill="{_COLOURS[0]}"><title>{escape(name)}: {value:,}</title></rect>'
        )
        if len(bars) <= 16:
            body.append(_text(left + step / 2, HEIGHT - _BOTTOM + 16, name, "middle"))
    return _document(f"{title} ({unit})", body)


class _Scale:
    """Places on the drawing for values and for places in a sequence."""

    def __init__(self, low: Decimal, high: Decimal, count: int) -> None:
        self.low, self.high = low, high
        self._count = max(count - 1, 1)

    def x(self, place: int) -> float:
        return _LEFT + place * (WIDTH - _LEFT - _RIGHT) / self._count

    def y(self, value: Decimal) -> float:
        share = float((value - self.low) / (self.high - self.low))
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    def gridlines(self) -> str:
        marks = sorted({self.low, Decimal(0), (self.low + self.high) / 2, self.high})
        lines = []
        for mark in marks:
            y = self.y(mark)
            stroke = "#898781" if mark == 0 else "#e1e0d9"
            lines.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{stroke}"/>')
            lines.append(_text(_LEFT - 8, y + 4, f"{mark:,.0f}", "end"))
        return "".join(lines)


def _legend(number: int, name: str, colour: str) -> str:
    x = _LEFT + number * 150
    return f'<rect x="{x}" y="34" width="12" height="12" rx="2" fill="{colour}"/>{_text(x + 18, 44, name, "start")}'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(title: str, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="11" fill="#52514e">'
        f'<rect width="100%" height="100%" fill="#fcfcfb"/>'
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="600" fill="#0b0b0b">{escape(title)}</text>'
        f"{''.join(body)}</svg>\n"
    )
