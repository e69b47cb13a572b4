"""Reviews as one HTML page: a single file that asks nothing of any network, and opens on the worst change.

Its policy lets run what it brings, by hash, and nothing else; every name and value is escaped. Without scripts it still
reads, unfolds and prints.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import islice

from cli.report import drawing, graphs, plain, view
from cli.report.entries import Entry
from cli.report.facts import Fact
from cli.report.view import EnvironmentView, Judged, ResourceView, Shared
from cli.review.model import Level, Reviewed

_MOST_LINES = 400
"""Of one difference; the JSON document has all."""
_MOST_NAMES = 200
_MOST_NEIGHBOURS = 20
_DETAILS = 8_000_000
"""Characters of all changes' details: what comes after, the least bad, has its headline alone."""
_MARKS = {"+": "add", "-": "cut", "@": "at"}
_KEYS = (
    ("j", "next change"),
    ("k", "the change before"),
    ("Enter", "unfold or fold it"),
    ("/", "filter by text; Esc goes back"),
    ("o", "unfold all shown"),
    ("c", "fold all shown"),
    ("t", "light or dark"),
    ("?", "these keys"),
)


def document(reviews: Sequence[Reviewed]) -> str:
    """The whole page."""
    views = view.of(reviews)
    style, script = (
        files("cli.report").joinpath("assets", name).read_text("utf-8") for name in ("page.css", "page.js")
    )
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f'<title>{escape(_title(views))}</title>\n<link rel="icon" href="data:,">\n<style>{style}</style>\n',
            '</head>\n<body>\n<a class="skip" href="#main">Skip to the changes</a>\n',
            *_header(views),
            *_filter(views),
            '<main id="main" tabindex="-1">\n',
            *_environments(views),
            "</main>\n",
            *_help(),
            f"<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _asset(name: str) -> str:
    return files("cli.report").joinpath("assets", name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded or sent; of styles and scripts only these two, by their hash."""
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _title(views: Sequence[EnvironmentView]) -> str:
    return f"Preview of {', '.join(one.name for one in views[:5]) or 'nothing'}"


def _header(views: Sequence[EnvironmentView]) -> Iterator[str]:
    worst = Level.worst(one.risk for one in views)
    yield f"<header>\n<h1>{escape(_title(views))} {_tag(f'{worst.value} risk', worst)}</h1>\n"
    yield '<div class="tools"><button id="theme" type="button">Light or dark</button> '
    yield '<button id="help" type="button">Keys</button></div>\n</header>\n'


def _filter(views: Sequence[EnvironmentView]) -> Iterator[str]:
    resources = [resource for one in views for resource in one.worst_first]
    operations = dict.fromkeys(sorted(resource.operation.value for resource in resources))
    components = dict.fromkeys(sorted(resource.component for resource in resources))
    levels = {str(level.rank): f"{level.value} or worse" for level in reversed(Level) if level is not Level.NONE}
    yield '<div class="bar" role="search" aria-label="Changes"><form id="filter">\n'
    yield '<label for="text">Filter <input id="text" name="text" type="search" autocomplete="off"></label>\n'
    yield _select("environment", "Environment", {one.name: one.name for one in views})
    yield _select("operation", "Operation", {name: name for name in operations})
    yield _select("component", "Component", {name: name for name in components})
    yield _select("level", "Risk", levels)
    yield '<label for="order">Order <select id="order"><option value="worst">worst first</option>'
    yield '<option value="place">by component</option></select></label>\n'
    yield '<button id="open" type="button">Unfold</button><button id="close" type="button">Fold</button>\n'
    yield '<output id="shown"></output>\n</form></div>\n'


def _select(name: str, label: str, options: Mapping[str, str]) -> str:
    given = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options.items())
    return (
        f'<label for="{name}">{label} <select id="{name}" name="{name}"><option value="">all</option>{given}</select>'
        "</label>\n"
    )


def _environments(views: Sequence[EnvironmentView]) -> Iterator[str]:
    """In the order given; details by what they put at risk, over all environments, until there is no more room."""
    bodies = _bodies(views)
    worst = view.by_worst(resource for one in views for resource in one.worst_first)
    first = (worst[0].urn, next(one.name for one in views if worst[0] in one.worst_first)) if worst else ("", "")
    for index, one in enumerate(views):
        yield from _environment(index, one, bodies[index], first[0] if first[1] == one.name else "")


def _bodies(views: Sequence[EnvironmentView]) -> list[dict[str, str]]:
    """Each change's details by URN."""
    names = [_targets(index, one) for index, one in enumerate(views)]
    needed = [_needed_by(one) for one in views]
    found: list[dict[str, str]] = [{} for _ in views]
    room = _DETAILS
    every = [(index, resource) for index, one in enumerate(views) for resource in one.worst_first]
    for index, resource in sorted(every, key=lambda pair: -pair[1].weight):
        text = "".join(_body(resource, views[index], needed[index], names[index])) if room > 0 else ""
        found[index][resource.urn] = text or '<p class="quiet">Too much for this page: the JSON document has it.</p>'
        room -= len(text)
    return found


def _targets(index: int, one: EnvironmentView) -> dict[str, tuple[str, str]]:
    """For each change's URN its place in the page and its title."""
    return {resource.urn: (f"c{index}-{at}", resource.title) for at, resource in enumerate(one.worst_first)}


def _needed_by(one: EnvironmentView) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for urn, needs in one.edges.items():
        for need in needs:
            found.setdefault(need, []).append(urn)
    return found


def _environment(index: int, one: EnvironmentView, bodies: Mapping[str, str], worst: str) -> Iterator[str]:
    yield f'<section class="environment" data-environment="{escape(one.name)}" aria-labelledby="e{index}">\n'
    status = f" {_tag(one.status, Level.HIGH)}" if one.status else ""
    yield f'<h2 id="e{index}">{escape(one.name)} {_tag(f"{one.risk.value} risk", one.risk)}{status}</h2>\n'
    yield f'<p>{escape(one.summary)}<br><span class="quiet">{escape(_how(one))}</span></p>\n'
    if one.failed:
        yield f'<p class="high said">{escape(one.failed)}</p>\n'
    yield from _judged("Why", one.reasons)
    yield from _facts(one.facts)
    yield from _judged("Policies", one.findings)
    yield from _settled(one.settled)
    yield from _messages(one)
    yield from _together(index, one)
    yield from _changes(index, one, bodies, worst)
    yield from _graph(index, one)
    yield "</section>\n"


def _how(one: EnvironmentView) -> str:
    return " · ".join(part for part in (one.mode_text, one.compared, one.tools) if part)


def _judged(title: str, found: Sequence[Judged]) -> Iterator[str]:
    if found:
        yield f"<h3>{title}</h3>\n"
        yield from _list(found)


def _list(found: Iterable[Judged]) -> Iterator[str]:
    yield "<ul>\n"
    for entry in found:
        note = f' <span class="quiet">({escape(entry.note)})</span>' if entry.note else ""
        more = f'<br><span class="quiet">{escape(entry.more)}</span>' if entry.more else ""
        tag = _tag(entry.level.value, entry.level)
        yield f'<li>{tag} <span class="said">{escape(entry.text)}</span>{note}{more}</li>\n'
    yield "</ul>\n"


def _settled(found: Sequence[Judged]) -> Iterator[str]:
    if found:
        what = f"{len(found)} more findings, advisory or excepted and not of this change"
        yield f'<details class="shared"><summary>{what}</summary>\n<div class="body">'
        yield from _list(found)
        yield "</div></details>\n"


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    if facts:
        yield '<h3>What it reaches</h3>\n<div class="wide"><table>\n'
        for fact in facts:
            text = fact.text or "<br>".join(escape(item) for item in _first(fact.items))
            style = ' class="high"' if fact.serious else ""
            yield f'<tr><th scope="row">{escape(fact.label)}</th><td{style}>{text}</td></tr>\n'
        yield "</table></div>\n"


def _messages(one: EnvironmentView) -> Iterator[str]:
    levels = {"error": Level.HIGH, "warning": Level.MEDIUM}
    if one.said:
        yield "<h3>Messages</h3>\n<ul>\n"
        for said in one.said:
            tag = _tag(plain.name(said.severity), levels.get(said.severity, Level.NONE))
            yield f'<li>{tag} <span class="said">{escape(said.text)}</span></li>\n'
        yield "</ul>\n"


def _together(index: int, one: EnvironmentView) -> Iterator[str]:
    if one.shared:
        yield "<h3>The same change in many</h3>\n"
        targets = _targets(index, one)
        yield from (_shared(found, targets) for found in one.shared)


def _shared(found: Shared, targets: Mapping[str, tuple[str, str]]) -> str:
    links = ", ".join(_link(resource.urn, targets) for resource in islice(found.resources, _MOST_NAMES))
    more = len(found.resources) - _MOST_NAMES
    rest = f" and {more} more" if more > 0 else ""
    effects = f' <span class="quiet">{escape(", ".join(found.effects))}</span>' if found.effects else ""
    return (
        f'<details class="shared" open><summary><span class="op">{found.operation.value}</span> '
        f'<span class="title">{escape(found.where)}</span>{effects}</summary>\n'
        f'<div class="body">{"".join(_entry(found.entry))}<p>{links}{rest}</p></div></details>\n'
    )


def _link(urn: str, targets: Mapping[str, tuple[str, str]]) -> str:
    place, title = targets.get(urn, ("", ""))
    return f'<a href="#{place}">{escape(title)}</a>' if place else escape(plain.name(urn.rsplit("::", 1)[-1]))


def _changes(index: int, one: EnvironmentView, bodies: Mapping[str, str], worst: str) -> Iterator[str]:
    if one.empty:
        return
    places = {
        resource.urn: at
        for at, resource in enumerate(resource for component in one.components for resource in component.resources)
    }
    yield '<h3>Changes</h3>\n<div class="changes">\n'
    for rank, resource in enumerate(one.worst_first):
        at = f'id="c{index}-{rank}" data-rank="{rank}" data-place="{places[resource.urn]}"'
        yield _change(one, resource, bodies[resource.urn], at, is_worst=resource.urn == worst)
    yield "</div>\n"


def _change(one: EnvironmentView, resource: ResourceView, body: str, at: str, *, is_worst: bool) -> str:
    data = {
        "environment": one.name,
        "operation": resource.operation.value,
        "component": resource.component,
        "level": str(resource.level.rank),
    }
    given = "".join(f' data-{name}="{escape(text)}"' for name, text in data.items())
    noted = ", ".join([*resource.effects, *resource.notes])
    note = f' <span class="quiet">{escape(noted)}</span>' if noted else ""
    level = f" {_tag(resource.level.value, resource.level)}" if resource.level is not Level.NONE else ""
    return (
        f'<details class="change is-{resource.level.value}" {at}{given}{" data-worst open" if is_worst else ""}>'
        f'<summary><span class="op">{resource.operation.value}</span> '
        f'<span class="title">{escape(resource.title)}</span> '
        f'<span class="quiet">{escape(resource.component)}</span>{level}{note}</summary>'
        f'<div class="body">{body}</div></details>\n'
    )


def _body(
    resource: ResourceView,
    one: EnvironmentView,
    needed_by: Mapping[str, Sequence[str]],
    targets: Mapping[str, tuple[str, str]],
) -> Iterator[str]:
    if resource.reasons:
        yield f"<ul>{''.join(f'<li>{escape(reason)}</li>' for reason in resource.reasons)}</ul>"
    for entry in (*resource.entries, *resource.folded):
        yield from _entry(entry)
    if resource.inputs:
        yield f'<pre tabindex="0" aria-label="The whole object">{escape(_object(resource))}</pre>'
    yield _neighbours("Needs", one.edges.get(resource.urn, ()), targets)
    yield _neighbours("Needed by", needed_by.get(resource.urn, ()), targets)


def _object(resource: ResourceView) -> str:
    text = json.dumps(plain.whole(resource.inputs), indent=2, ensure_ascii=False)
    return plain.visible(plain.clipped(text, 40_000), keep="\n")


def _neighbours(label: str, urns: Sequence[str], targets: Mapping[str, tuple[str, str]]) -> str:
    if not urns:
        return ""
    more = len(urns) - _MOST_NEIGHBOURS
    links = ", ".join(_link(urn, targets) for urn in urns[:_MOST_NEIGHBOURS])
    return f'<p class="quiet">{label}: {links}{f" and {more} more" if more > 0 else ""}</p>'


def _entry(entry: Entry) -> Iterator[str]:
    note = f' <span class="quiet">({escape(", ".join(entry.notes))})</span>' if entry.notes else ""
    yield f'<div class="entry"><span class="label">{escape(entry.label)}</span>{note}'
    if entry.diff:
        lines = "".join(_line(line.mark, line.text) for line in entry.diff[:_MOST_LINES])
        more = len(entry.diff) - _MOST_LINES
        rest = _line("@", f"… and {more} more lines") if more > 0 else ""
        yield f'<pre tabindex="0" aria-label="{escape(entry.label)}">{lines}{rest}</pre>'
    else:
        old = f'<del class="mono cut">{escape(entry.before)}</del>' if entry.before is not None else ""
        new = f'<ins class="mono add">{escape(entry.after)}</ins>' if entry.after is not None else ""
        yield f"<div>{' → '.join(side for side in (old, new) if side)}</div>"
    yield "</div>"


def _line(mark: str, text: str) -> str:
    style = f' class="{_MARKS[mark]}"' if mark in _MARKS else ""
    shown = text if mark == "@" else f"{mark}{text}"
    return f"<span{style}>{escape(shown)}</span>"


def _graph(index: int, one: EnvironmentView) -> Iterator[str]:
    if not one.empty and one.edges:
        graph = graphs.of(one)
        what = "components" if graph.of_components else "resources"
        places = {urn: place for urn, (place, _) in _targets(index, one).items()}
        yield f"<h3>What depends on what ({what})</h3>\n"
        yield '<p class="quiet">Left: what is needed. Right: what needs it. Dashed: not changed.</p>\n'
        yield f'<div class="graph" tabindex="0" role="region" aria-label="Graph of {escape(one.name)}">'
        yield drawing.svg(graph, places)
        yield "</div>\n"


def _help() -> Iterator[str]:
    rows = "".join(f"<tr><th scope='row'><kbd>{escape(key)}</kbd></th><td>{text}</td></tr>" for key, text in _KEYS)
    yield f'<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><table>{rows}</table>'
    yield '<form method="dialog"><button>Close</button></form></dialog>\n'


def _tag(text: str, level: Level) -> str:
    return f'<span class="tag {level.value}">{escape(text)}</span>'


def _first(items: Sequence[str]) -> Iterable[str]:
    more = len(items) - _MOST_NAMES
    return [*items[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])]
