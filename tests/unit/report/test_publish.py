from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.ci import comment
from cli.errors import TurnoutError, UsageError
from cli.report import publish
from cli.report.publish import Wanted

from .reviews import image, review

REVIEWS = [review(image("api")), review(environment="dev")]


def test_without_a_wish_it_is_the_terminals_view(capsys: pytest.CaptureFixture[str]) -> None:
    publish.publish(REVIEWS, Wanted())
    assert "app/api\n  ~ Deployment prod/api\n" in capsys.readouterr().out


def test_files_are_written_beside_the_terminals_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: tmp_path / name for name in ("markdown", "html", "junit", "sarif")}
    places = {name: str(file) for name, file in files.items()}
    wanted = Wanted(False, places["markdown"], places["html"], places["junit"], places["sarif"])
    publish.publish(REVIEWS, wanted)
    assert "app/api" in capsys.readouterr().out
    starts = {name: file.read_text()[:14] for name, file in files.items()}
    assert starts["markdown"] == comment.MARKER[:14]
    assert starts["html"] == "<!doctype html"
    assert starts["junit"].startswith("<?xml")
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"


@pytest.mark.parametrize("wanted", [Wanted(as_json=True), Wanted(markdown="-"), Wanted(html="-")])
def test_a_document_on_stdout_stands_alone(wanted: Wanted, capsys: pytest.CaptureFixture[str]) -> None:
    publish.publish(REVIEWS, wanted)
    out = capsys.readouterr().out
    assert out[:1] in "{<"
    assert out.count("origin/main 3f2a91c") <= 2
    assert "app/api\n  ~ Deployment" not in out


def test_json_is_one_document_for_all_environments(capsys: pytest.CaptureFixture[str]) -> None:
    publish.publish(REVIEWS, Wanted(as_json=True))
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["kind"]) == (2, "preview")
    assert [entry["environment"] for entry in found["environments"]] == ["prod", "dev"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(as_json=True, markdown="-"), "--markdown and --json cannot both be on stdout"),
        (Wanted(html="-", junit="-"), "--html and --junit cannot both be on stdout"),
        (Wanted(max_bytes=100), "--max-bytes 100 is too little"),
        (Wanted(html="/no/such/folder/x.html"), "--html /no/such/folder/x.html cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(wanted: Wanted, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        publish.check(wanted)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TurnoutError, match="could not be written"):
        publish.publish(REVIEWS, Wanted(markdown=str(tmp_path)))
