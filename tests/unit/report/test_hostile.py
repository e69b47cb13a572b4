"""Names, values and messages that others chose: none of them does anything in any output."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cli.ci import comment
from cli.engine.model import ABSENT, Change, Diagnostic, FieldChange, Operation
from cli.report import document, junit, markdown, output, page, publish, review_text, sarif
from cli.report.masking import masked
from cli.review.model import Amount, Blast, Finding, Level, Reason, Reviewed
from tests.harness import ROOT

from .reviews import plan

FRAGMENTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</summary></details></code></pre></section>",
    "<!-- turnout:preview -->",
    "-->",
    "\"'><svg onload=alert(1)>",
    "&lt;b&gt;&#64;",
    "[a](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "https://evil.example www.evil.example",
    "@everyone #12 GH-12 !7",
    "```\n# heading\n| a | b |\n",
    "~~~\n",
    "`` ` ```",
    "\\",
    "| x | y |",
    "\n\n---\n\n- [ ] task\n",
    "</script><script>",
    "\x1b[2J\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\",
    "\x9b31m\x00\x7f\r",
    "\u202egnp.exe\u2066\u200b\ufeff\u2028",
    "\ud800",
    "\U000e0041",
    "${7*7} {{7*7}} %s $(id)",
    "prod: no changes, 0 resources",
    "x" * 700,
    "é🚂" * 150,
    "`" * 200,
]
TEXTS = st.one_of(
    st.sampled_from(FRAGMENTS),
    st.text(max_size=30),
    st.lists(st.sampled_from(FRAGMENTS), min_size=2, max_size=3).map("".join),
)
VALUES = st.one_of(TEXTS, st.just(ABSENT), st.dictionaries(TEXTS, TEXTS, max_size=2), st.lists(TEXTS, max_size=2))
FIELDS = st.builds(
    FieldChange,
    st.one_of(
        TEXTS,
        TEXTS.map(lambda text: f"data[{json.dumps(text)}]"),
        TEXTS.map(lambda text: f"spec.template.spec.containers[{json.dumps(text)}].image"),
    ),
    VALUES,
    VALUES,
    certain=st.booleans(),
)
TYPES = st.one_of(st.sampled_from(["kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"]), TEXTS)
CHANGES = st.builds(
    Change,
    urn=TEXTS,
    type=TYPES,
    name=TEXTS,
    operation=st.sampled_from(list(Operation)),
    component=TEXTS,
    fields=st.lists(FIELDS, max_size=2).map(tuple),
    renamed_from=TEXTS,
    after=st.dictionaries(TEXTS, TEXTS, max_size=2),
)
LEVELS = st.sampled_from(list(Level))
FINDINGS = st.builds(Finding, TEXTS, st.sampled_from(["advisory", "mandatory"]), TEXTS, TEXTS, TEXTS, excepted=TEXTS)
TUPLES = st.lists(TEXTS, max_size=2).map(tuple)
BLASTS = st.builds(
    Blast,
    pods_restarted=st.integers(0, 9),
    every_node=TUPLES,
    services=TUPLES,
    replaced=TUPLES,
    deleted=TUPLES,
    data_at_risk=TUPLES,
    downtime=TUPLES,
    security=TUPLES,
    rollback=TUPLES,
    capacity=st.dictionaries(TEXTS, st.builds(Amount, st.floats(0, 1e15), st.floats(0, 1e15)), max_size=1),
)


@st.composite
def hostile(draw: st.DrawFn) -> Reviewed:
    changes = draw(st.lists(CHANGES, max_size=4, unique_by=lambda change: change.urn))
    urns = [change.urn for change in changes]
    reasons = draw(st.lists(st.builds(Reason, LEVELS, TEXTS, TEXTS, st.just(tuple(urns[:1]))), max_size=2))
    said = tuple(Diagnostic("warning", text) for text in draw(TUPLES))
    planned = replace(plan(*changes, environment=draw(TEXTS), diagnostics=said), base=draw(TEXTS), engine=draw(TEXTS))
    edges = {urn: tuple(urns) for urn in urns}
    findings = tuple(draw(st.lists(FINDINGS, max_size=2)))
    risk, blast, failed = draw(LEVELS), draw(BLASTS), draw(st.one_of(st.just(""), TEXTS))
    return Reviewed(planned, risk, tuple(reasons), blast, findings, edges, failed)


REVIEWS = st.lists(hostile(), min_size=1, max_size=2)
many = settings(
    deadline=None,
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@many
@given(REVIEWS)
def test_nothing_acts_on_a_terminal(capsys: pytest.CaptureFixture[str], reviews: list[Reviewed]) -> None:
    output.lines(review_text.lines(reviews))
    shown = capsys.readouterr().out
    assert ACTING.findall(shown) == []
    assert max(map(len, shown.splitlines())) < 5_000


@many
@given(REVIEWS)
def test_json_is_ascii_and_says_what_the_model_says(reviews: list[Reviewed]) -> None:
    text = publish.as_json(reviews)
    assert text.isascii()
    assert ACTING.findall(text) == []
    assert json.loads(text) == json.loads(json.dumps(document.of(reviews)))


OWN_MARKUP = re.compile(r"</?(?:details|summary|code)>|<!-- turnout:preview -->")
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@many
@given(REVIEWS, st.integers(2_000, 60_000))
def test_markdown_holds_its_own_markup_and_no_other(reviews: list[Reviewed], most: int) -> None:
    text = markdown.document(reviews, most)
    assert len(text.encode()) <= most
    assert text.startswith(f"{comment.MARKER}\n")
    assert text.count(comment.MARKER) == 1
    assert ACTING.findall(text) == []
    blocks = PARSER.parse(text)
    tokens = [*blocks, *(inner for block in blocks for inner in block.children or ())]
    assert {token.type for token in tokens} & {"link_open", "image", "code_block", "blockquote_open"} == set()
    for token in tokens:
        if token.type in ("html_block", "html_inline"):
            assert "<" not in OWN_MARKUP.sub("", token.content)
        if token.type == "text":
            assert not re.search(r"@\w|#\d|://|www\.\w", token.content), token.content
        if token.type == "fence":
            assert token.info == "diff"
    headings = [block.tag for block in blocks if block.type == "heading_open"]
    assert headings.count("h2") == 1
    assert set(headings) <= {"h2", "h3"}


@many
@given(REVIEWS)
def test_junit_and_sarif_parse_and_hold_nothing_that_acts(reviews: list[Reviewed]) -> None:
    report = junit.text(masked(reviews))
    suites = ElementTree.fromstring(report)
    assert len(suites) == len(reviews)
    assert {element.tag for element in suites.iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out", "properties", "property")
    }
    named = [replace(review, plan=replace(review.plan, environment="prod")) for review in masked(reviews)]
    found = sarif.text(named, ROOT)  # an environment's name is its file's too
    assert json.loads(found)["version"] == "2.1.0"
    assert ACTING.findall(report + found) == []


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br", "input", "path", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


KNOWN = re.compile(
    "html|head|meta|title|link|style|body|a|header|h[123]|span|div|button|form|label|input|select|option|output|main|"
    "section|p|br|ul|li|table|tr|th|td|details|summary|pre|del|ins|svg|path|g|rect|text|dialog|kbd|script"
)


@many
@given(REVIEWS)
def test_the_page_holds_its_own_elements_and_no_others(reviews: list[Reviewed]) -> None:
    text = page.document(reviews)
    text.encode()
    assert ACTING.findall(text) == []
    parser = Tags()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    assert all(KNOWN.fullmatch(tag) for tag, _ in parser.found)
    assert ["".join(parser.scripts)] == [page._asset("page.js")]
    names = {name for _, attributes in parser.found for name in attributes}
    assert not any(name.startswith("on") or name in ("style", "src", "srcdoc", "action") for name in names)
    links = {attributes["href"] or "" for _, attributes in parser.found if "href" in attributes}
    assert all(re.fullmatch(r"data:,|#[a-z0-9-]+", link) for link in links)
    ids = [attributes["id"] for _, attributes in parser.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
