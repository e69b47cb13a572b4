"""Reviews as one comment on a pull request: worst first, within a number of bytes, with the rest counted.

For GitHub's and GitLab's Markdown. A program that posts it finds its own comment by `MARKER`, the first line. Names and
messages stand in code, or with all that Markdown, HTML, mentions and links are made of taken apart.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cli.ci.comment import APART, MARKER, apart
from cli.report import view
from cli.report.entries import Entry
from cli.report.facts import Fact
from cli.report.review_text import settled
from cli.report.text import MARKS
from cli.report.view import EnvironmentView, ResourceView
from cli.review.model import Level, Reviewed

SIGNS = {Level.CRITICAL: "🔴", Level.HIGH: "🟠", Level.MEDIUM: "🟡", Level.LOW: "🟢", Level.NONE: "⚪"}
_FOOT = 700
"""Bytes kept for the last lines, which say what is left out."""
_MOST_NAMES = 20
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>#|~&!$])")


class Part(IntEnum):
    """Of an environment, in the order in which they stand; `_SHARES` bounds each."""

    REASONS = 1
    FACTS = 2
    FINDINGS = 3
    SAID = 4
    SHARED = 5
    RESOURCES = 6


_SHARES = {
    Part.REASONS: 0.3,
    Part.FACTS: 0.45,
    Part.FINDINGS: 0.55,
    Part.SAID: 0.6,
    Part.SHARED: 0.8,
    Part.RESOURCES: 1.0,
}
"""Up to which share of all bytes each part may fill the comment, in this order."""
_TITLES = {Part.REASONS: "Why", Part.FACTS: "What it reaches", Part.FINDINGS: "Policies", Part.SAID: "Messages"}


@dataclass(frozen=True)
class Block:
    """One piece of text. `short` stands for it where it is too long; `weight` says how bad what it shows is."""

    environment: int
    part: Part
    weight: int
    full: str
    short: str


def document(reviews: Sequence[Reviewed], max_bytes: int, artifact: str = "") -> str:
    """The whole comment, of at most `max_bytes` bytes in UTF-8. `artifact`: where all of it can be found."""
    views = view.of(reviews)
    head = [MARKER, f"## {_title(views)}", ""]
    room = max_bytes - _FOOT - _size("\n".join(head)) - 1
    table, room = _table(views, room)
    chosen, left = _chosen(views, room, max_bytes)
    text = "\n".join([*head, *table, "", *_laid_out(views, chosen), *_foot(left, artifact)]) + "\n"
    return text if _size(text) <= max_bytes else _cut(text, max_bytes)


def code(text: str) -> str:
    """Text as code within a line: nothing in it means anything."""
    run = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * (run + 1)
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{space}{text}{space}{fence}".replace("-->", "-\u2060->")


def prose(text: str) -> str:
    """Text within a line that reads as it is: no markup, no mention, no link, no reference."""
    return _PUNCTUATION.sub(r"\\\1", apart(text.replace("\n", " ")))


def _title(views: Sequence[EnvironmentView]) -> str:
    worst = Level.worst(one.risk for one in views)
    if all(one.empty and not one.failed for one in views):
        return "Preview: no changes"
    return f"Preview: {SIGNS[worst]} {worst.value} risk"


def _table(views: Sequence[EnvironmentView], room: int) -> tuple[list[str], int]:
    rows = ["| | Environment | Risk | Changes | |", "|-|-|-|-|-|"]
    room -= _size("\n".join(rows)) + 1
    for one in sorted(views, key=_order):
        row = _row(one)
        if _size(row) + 1 > room:
            break
        rows.append(row)
        room -= _size(row) + 1
    return rows, room


def _order(one: EnvironmentView) -> tuple[bool, int]:
    return (not one.failed, -one.risk.rank)


def _row(one: EnvironmentView) -> str:
    name = code(one.name).replace("|", "\\|")
    risk, summary = ("", "") if one.failed else (one.risk.value, one.summary)
    return f"| {SIGNS[one.risk]} | {name} | {risk} | {prose(summary)} | {f'**{one.status}**' if one.status else ''} |"


def _chosen(views: Sequence[EnvironmentView], room: int, max_bytes: int) -> tuple[list[Block], list[Block]]:
    """The blocks that fit, part by part and worst first, and the ones that do not."""
    chosen: list[Block] = []
    left: list[Block] = []
    opened: set[int] = set()
    used = 0
    for part in Part:
        limit = int(room * _SHARES[part])
        blocks = [block for index, one in enumerate(views) for block in _BLOCKS[part](index, one)]
        full = False
        for block in sorted(blocks, key=lambda found: -found.weight):
            opening = 0 if block.environment in opened else _opening_size(views[block.environment])
            fitting = None if full else _fitting(block, limit - used - opening, max_bytes // 8)
            if fitting is None:
                full = True
                left.append(block)
                continue
            chosen.append(fitting)
            opened.add(block.environment)
            used += opening + _size(fitting.full) + 1
    return chosen, left


def _fitting(block: Block, room: int, longest: int) -> Block | None:
    for text in (block.full, block.short):
        if _size(text) + 1 <= min(room, longest if text is block.full else room):
            return Block(block.environment, block.part, block.weight, text, block.short)
    return None


def _opening_size(one: EnvironmentView) -> int:
    titles = sum(_size(title) + 8 for title in _TITLES.values())
    return _size("\n".join(_opening(one))) + titles + 40


def _opening(one: EnvironmentView) -> list[str]:
    compared = f": {code(one.compared)}" if one.compared else ""
    return [f"### {code(one.name)}", "", f"{prose(one.mode_text)}{compared}"]


def _laid_out(views: Sequence[EnvironmentView], chosen: Sequence[Block]) -> Iterator[str]:
    """The worst environment first; in each the parts in their order, and in each part the worst first."""
    for index, one in sorted(enumerate(views), key=lambda pair: _order(pair[1])):
        own = [block for block in chosen if block.environment == index]
        if own:
            yield from _opening(one)
            for part in Part:
                yield from _part(part, [block.full for block in own if block.part is part])
            yield ""


def _part(part: Part, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield ""
        if part in _TITLES:
            yield f"**{_TITLES[part]}**"
            yield ""
        yield from texts


def _foot(left: Sequence[Block], artifact: str) -> Iterator[str]:
    if not left:
        return
    counted = Counter(block.part for block in left)
    words = {
        Part.REASONS: "reasons",
        Part.FACTS: "facts",
        Part.FINDINGS: "findings",
        Part.SAID: "messages",
        Part.SHARED: "changes of many resources",
        Part.RESOURCES: "resources",
    }
    rest = ", ".join(f"{count} more {words[part]}" for part, count in counted.items())
    where = f"the artifact {code(artifact[:120])}" if artifact else "the whole preview (`--html`, `--json`)"
    yield "---"
    yield f"Not shown here: {rest}. See {where}."


def _failures(index: int, one: EnvironmentView) -> Iterator[Block]:
    if one.failed:
        text = f"- **no plan**: {prose(one.failed)}"
        yield Block(index, Part.REASONS, 10_000, text, "- **no plan**")


def _reasons(index: int, one: EnvironmentView) -> Iterator[Block]:
    yield from _failures(index, one)
    for reason in one.reasons:
        note = f" (**{reason.note}**)" if reason.note else ""
        text = f"- {SIGNS[reason.level]} {reason.level.value}: {prose(reason.text)}{note}"
        yield Block(index, Part.REASONS, reason.level.rank, text, f"- {SIGNS[reason.level]} {reason.level.value}{note}")


def _facts(index: int, one: EnvironmentView) -> Iterator[Block]:
    for fact in one.facts:
        short = f"- {prose(fact.label)}: {fact.text or len(fact.items)}"
        yield Block(index, Part.FACTS, int(fact.serious), _fact(fact), short)


def _fact(fact: Fact) -> str:
    if fact.text:
        return f"- {prose(fact.label)}: {prose(fact.text)}"
    return f"- {prose(fact.label)}: {_listed([prose(item) for item in fact.items], '; ')}"


def _findings(index: int, one: EnvironmentView) -> Iterator[Block]:
    if one.settled:
        text = f"- {prose(settled(one))}"
        yield Block(index, Part.FINDINGS, -1, text, text)
    for finding in one.findings:
        remedy = f" {prose(finding.more)}" if finding.level is Level.HIGH and finding.more else ""
        short = f"- {SIGNS[finding.level]} {prose(finding.note)}: {prose(finding.text)}"
        yield Block(index, Part.FINDINGS, finding.level.rank, f"{short}{remedy}", short)


def _messages(index: int, one: EnvironmentView) -> Iterator[Block]:
    ranks = {"error": 2, "warning": 1}
    for said in one.said:
        text = f"- {prose(said.severity)}: {prose(said.text)}"
        yield Block(index, Part.SAID, ranks.get(said.severity, 0), text, f"- {prose(said.severity)}")


def _shared(index: int, one: EnvironmentView) -> Iterator[Block]:
    for found in one.shared:
        summary = f"{MARKS[found.operation][0]} {found.entry.label} in {found.where}"
        names = f"In {_listed([code(name) for name in found.names], ', ')}."
        weight = found.level.rank * 1000 + len(found.resources)
        heading = _summary(found.level, summary, "")
        yield Block(
            index, Part.SHARED, weight, _folded(heading, [found.entry], names), _bullet(found.level, summary, "")
        )


def _resources(index: int, one: EnvironmentView) -> Iterator[Block]:
    for found in one.worst_first:
        if not found.told_by_others:
            yield _resource(index, found)


def _resource(index: int, found: ResourceView) -> Block:
    title = f"{MARKS[found.operation][0]} {found.title}"
    noted = ", ".join([*found.effects, *found.notes])
    note = f"{found.component}{f' · {noted}' if noted else ''}"
    short = _bullet(found.level, title, note)
    full = _folded(_summary(found.level, title, note), found.entries, "") if found.entries else short
    return Block(index, Part.RESOURCES, found.weight, full, short)


def _bullet(level: Level, title: str, note: str) -> str:
    return f"- {SIGNS[level]} {code(title)}{f' {prose(note)}' if note else ''}"


def _summary(level: Level, title: str, note: str) -> str:
    noted = f" <code>{_html(note)}</code>" if note else ""
    return f"{SIGNS[level]} <code>{_html(title)}</code>{noted}"


def _html(text: str) -> str:
    """Within HTML tags Markdown means nothing, as long as no line is blank."""
    return html.escape(text.replace("\n", " "))


def _folded(summary: str, entries: Iterable[Entry], after: str) -> str:
    lines = [line for entry in entries for line in _lines(entry)]
    run = max((len(found) for line in lines for found in re.findall("`+", line)), default=0)
    fence = "`" * max(3, run + 1)
    body = "\n".join([f"{fence}diff", *(line.replace("-->", f"-{APART}->") for line in lines), fence])
    below = f"{after}\n\n" if after else ""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n{below}</details>\n"


def _lines(entry: Entry) -> Iterator[str]:
    note = f" ({', '.join(entry.notes)})" if entry.notes else ""
    if entry.diff:
        yield f"@@ {entry.label}{note} @@"
        for line in entry.diff:
            yield f"@@ {line.text} @@" if line.mark == "@" else f"{line.mark}{line.text}"
        return
    if entry.before is None and entry.after is None:
        yield f"  {entry.label}{note}"
    for mark, side in (("-", entry.before), ("+", entry.after)):
        if side is not None:
            yield f"{mark} {entry.label}: {side}{note}"


def _listed(texts: Sequence[str], between: str) -> str:
    more = len(texts) - _MOST_NAMES
    return between.join(texts[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _size(text: str) -> int:
    return len(text.encode())


def _cut(text: str, max_bytes: int) -> str:
    """The last resort; whole lines only."""
    kept = text.encode()[: max_bytes - 1].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1]


_BLOCKS = {
    Part.REASONS: _reasons,
    Part.FACTS: _facts,
    Part.FINDINGS: _findings,
    Part.SAID: _messages,
    Part.SHARED: _shared,
    Part.RESOURCES: _resources,
}
