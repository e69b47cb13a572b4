from __future__ import annotations

import re

import pytest

from cli.engine.model import FieldChange, Operation
from cli.report import markdown
from cli.review.model import Blast, Finding, Level, Reason

from .reviews import change, config, image, review

LIMIT = 60_000


def test_a_comment_reads_worst_first() -> None:
    low = change("prod/a", FieldChange("spec.replicas", 1, 2), component="app")
    worst = change("prod/z", FieldChange("spec.replicas", 3, 0), component="zz")
    reasons = (Reason(Level.HIGH, "stops", "z stops", (worst.urn,), approval=True),)
    blast = Blast(pods_restarted=2, downtime=("z is down",))
    findings = (Finding("no-root", "mandatory", "prod/z", "runs as root", "set runAsNonRoot"),)
    found = review(low, worst, risk=Level.HIGH, reasons=reasons, blast=blast, findings=findings)
    assert (
        markdown.document([found], LIMIT)
        == "\n".join(
            [
                "<!-- turnout:preview -->",
                "## Preview: 🟠 high risk",
                "",
                "| | Environment | Risk | Changes | |",
                "|-|-|-|-|-|",
                "| 🟠 | `prod` | high | 2 to update, 3 unchanged | **refused** |",
                "",
                "### `prod`",
                "",
                "hermetic: two commits rendered and compared, no cluster asked: `origin/main 3f2a91c → working tree`",
                "",
                "**Why**",
                "",
                "- 🟠 high: z stops (**needs approval**)",
                "",
                "**What it reaches**",
                "",
                "- downtime: z is down",
                "- pods restarted: 2",
                "",
                "**Policies**",
                "",
                "- 🟠 mandatory: no-root: prod/z: runs as root set runAsNonRoot",
                "",
                "<details><summary>🟠 <code>~ Deployment prod/z</code> <code>zz</code></summary>",
                "",
                "```diff",
                "- replicas: 3",
                "+ replicas: 0",
                "```",
                "",
                "</details>",
                "",
                "<details><summary>⚪ <code>~ Deployment prod/a</code> <code>app</code></summary>",
                "",
                "```diff",
                "- replicas: 1",
                "+ replicas: 2",
                "```",
                "",
                "</details>",
                "",
                "",
            ]
        )
        + "\n"
    )


def test_nothing_changed_is_said_in_the_title() -> None:
    assert "## Preview: no changes\n" in markdown.document([review(), review(environment="dev")], LIMIT)


def test_an_environment_without_a_plan_is_seen_first() -> None:
    text = markdown.document([review(image("api")), review(environment="dev", failed="no such key `x`")], LIMIT)
    assert text.index("`dev`") < text.index("`prod`")
    assert "- **no plan**: no such key \\`x\\`" in text


def test_the_worst_environment_comes_first() -> None:
    text = markdown.document([review(image("a"), environment="dev"), review(image("b"), risk=Level.HIGH)], LIMIT)
    assert text.index("### `prod`") < text.index("### `dev`")


def test_the_same_change_of_many_names_them_all() -> None:
    text = markdown.document([review(*(image(name) for name in ("api", "web", "tools")))], LIMIT)
    assert "<code>~ image in 3 Deployments</code>" in text
    assert "In `prod/api`, `prod/tools`, `prod/web`." in text
    assert text.count("shop:2") == 1


@pytest.mark.parametrize("limit", [2_000, 5_000, 60_000])
def test_two_thousand_changes_stay_within_the_limit_and_show_the_worst(limit: int) -> None:
    many = [
        change(f"prod/s{i}", FieldChange("spec.text", f"before {i} " * 20, f"after {i} " * 20), component=f"app/s{i}")
        for i in range(1999)
    ]
    worst = change("prod/db", FieldChange("spec.y", 1, 2), operation=Operation.REPLACE, component="zz")
    reason = Reason(Level.CRITICAL, "deletes-data", "the database goes", (worst.urn,))
    found = review(*many, worst, risk=Level.CRITICAL, reasons=(reason,))
    text = markdown.document([found], limit, artifact="preview")
    assert len(text.encode()) <= limit
    assert "the database goes" in text
    assert "🔴 <code>± Deployment prod/db</code>" in text
    left = re.search(r"Not shown here: (\d+) more resources\. See the artifact `preview`\.", text)
    assert left
    assert int(left[1]) + text.count("<details>") + text.count("\n- ⚪ ") == 2000


def test_one_huge_difference_leaves_room_for_the_others() -> None:
    file = "".join(f"line {i}\n" for i in range(4_000))
    huge = config("huge", "a.txt", file, file.replace("line", "LINE"))
    text = markdown.document([review(huge, image("api"))], 5_000)
    assert len(text.encode()) <= 5_000
    assert "± ConfigMap prod/huge" in text
    assert "shop:2" in text


def test_a_fence_is_longer_than_any_within() -> None:
    text = markdown.document([review(config("c", "a.md", "x\n", "x\n```\n````\n"))], LIMIT)
    assert "`````diff\n" in text


def test_the_limit_counts_bytes_not_characters() -> None:
    many = [change(f"prod/é{i}", FieldChange("spec.x", "ä" * 90, "ö" * 90), component="🚂") for i in range(200)]
    assert len(markdown.document([review(*many)], 20_000).encode()) <= 20_000
