"""Draw a time line as an inline SVG: readable as it stands, and with the numbers that the page's script zooms by."""
from __future__ import annotations

from markupsafe import Markup

from bench.report.lanes import Item
from bench.report.timeline import Timeline
from bench.trace.text import visible

WIDTH, LEFT, LANE, TOP = 1160, 216, 24, 30  # in CSS pixels; the script takes LEFT and the lanes' places from here


def draw(line: Timeline, ident: str) -> Markup:
    """Return the SVG; `ident` makes its ids unique on the page."""
    height = TOP + LANE * len(line.lanes) + 6
    folds = ";".join(f"{time},{place}" for time, place in line.folds)
    parts = [
        Markup('<svg class="timeline" role="img" aria-label="time line" tabindex="0" viewBox="0 0 {} {}" width="100%" '
               'data-left="{}" data-top="{}" data-window="{},{}" data-folds="{}" data-marks="{}">').format(
                   WIDTH, height, LEFT, TOP, *line.window, folds, ",".join(map(str, line.marks))),
        Markup('<clipPath id="clip{}"><rect class="clip" x="{}" y="0" width="{}" height="{}"/></clipPath>'
               '<pattern class="hatch" id="hatch{}" width="6" height="6" patternUnits="userSpaceOnUse">'
               '<path d="M0 6 6 0"/></pattern>').format(
            ident, LEFT, WIDTH - LEFT, height, ident),
    ]
    for row, ((name, _), clock) in enumerate(zip(line.lanes, line.clocks, strict=True)):
        y = TOP + row * LANE
        parts.append(Markup('<rect class="lane{}" x="0" y="{}" width="100%" height="{}"/>'
                            '<text class="name" x="8" y="{}">{}<title>{}</title></text>'
                            '<text class="error" x="{}" y="{}">{}<title>{}</title></text>').format(
                                row % 2, y, LANE, y + 16, _cut(visible(name)), visible(name),
                                LEFT - 8, y + 16, str(clock), f"stamped by {clock.name}"))
    parts.append(Markup('<g class="axis"></g><g class="plot" clip-path="url(#clip{})">').format(ident))
    for mark in line.marks:
        x = _x(mark, line)
        parts.append(Markup('<line class="mark" data-s="{}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
            mark, x, x, TOP - 6, height - 6))
    for row, (_, items) in enumerate(line.lanes):
        # What broke is drawn last, over its neighbours.
        parts += [_item(item, line, row) for item in sorted(items, key=lambda item: item.bad)]
    parts.append(Markup('</g><line class="cursor" y1="{}" y2="{}" x1="-9" x2="-9"/>'
                        '<text class="now" y="12" x="-99"></text>'
                        '<rect class="drag" y="{}" height="{}" width="0" x="0"/></svg>').format(
                            TOP - 6, height - 6, TOP - 6, height - TOP))
    return Markup("").join(parts)


def _item(item: Item, line: Timeline, row: int) -> Markup:
    y = TOP + row * LANE
    x = _x(item.start, line)
    end = "" if item.end is None else item.end
    kind = f"{item.kind} bad" if item.bad else item.kind
    if item.end is None:
        shape = Markup('<rect x="{:.1f}" y="{}" width="2" height="{}"/>').format(x - 1, y + 4, LANE - 8)
    else:
        shape = Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" rx="2"/>').format(
            x, y + 4, max(2.0, _x(item.end, line) - x), LANE - 8)
    label = Markup('<text x="{:.1f}" y="{}">{}</text>').format(x + 5, y + 16, visible(item.label)[:80])
    return Markup('<g class="it {}" data-s="{}" data-e="{}">{}{}<title>{}</title></g>').format(
        kind, item.start, end, shape, label, visible(item.tip))


def _x(ns: int, line: Timeline) -> float:
    begin, end = map(line.place, line.window)
    x = LEFT + (WIDTH - LEFT) * (line.place(ns) - begin) / max(end - begin, 1)
    return min(max(x, -10 * WIDTH), 10 * WIDTH)  # far outside is outside: renderers lose precision there


def _cut(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


