"""One comment, found on any page, with nothing taken on trust: against a small server that keeps comments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.ci import comment

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "token-of-the-test"
ME, OTHER = "github-actions[bot]", "mallory"
SHA = "3f2a91c0d1e2f3a4b5c63f2a91c0d1e2f3a4b5c6"


class Server:
    """GitHub's and GitLab's calls about comments, as far as the program makes them. `log`: every write, in order."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.pulls = [pull(7)]
        self.log: list[str] = []
        self.asked: list[str] = []
        self.refuses = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def said(self, author: str, body: str) -> dict[str, Any]:
        made = {"id": len(self.comments) + 1, "body": body, "user": {"login": author}, "author": {"id": author}}
        self.comments.append(made)
        return made

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> Any:
        self.asked.append(f"{method} {path}")
        if method == "GET":
            return self._read(path, query)
        self.log.append(f"{method} {path}")
        if method == "POST":
            return self.said(ME, data["body"])
        [found] = [one for one in self.comments if one["id"] == int(path.rpartition("/")[2])]
        if method == "DELETE":
            return self.comments.remove(found)
        found["body"] = data["body"]
        return found

    def _read(self, path: str, query: dict[str, list[str]]) -> Any:
        if path == "/repos/org/shop/pulls":
            assert query["head"] == ["mallory:patch-1"]
            return self.pulls
        if path.endswith(("/issues/7/comments", "/merge_requests/7/notes")):
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return self.comments[size * (page - 1) : size * page]
        return {"/user": {"id": ME}, "/projects/5/merge_requests/7": {"state": "opened", "sha": SHA}}[path]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Silent."""

        def _handle(self) -> None:
            assert TOKEN in (self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            place = urlsplit(self.path)
            data = json.loads(content) if content else None
            answer = {} if server.refuses else server.answer(self.command, place.path, parse_qs(place.query), data)
            self.send_response(403 if server.refuses else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    return Handler


def pull(number: int, sha: str = SHA, repository: int = 9) -> dict[str, Any]:
    return {"number": number, "head": {"sha": sha, "repo": {"id": repository}}}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def event(tmp_path: Path) -> Path:
    run = {
        "event": "pull_request",
        "head_sha": SHA,
        "head_branch": "patch-1",
        "html_url": "https://forge/runs/1",
        "head_repository": {"id": 9, "owner": {"login": "mallory"}},
    }
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"workflow_run": run}))
    return file


def github(server: Server, event: Path) -> dict[str, str]:
    return {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": server.url,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "org/shop",
    }


def gitlab(server: Server) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": server.url,
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": SHA,
        "CI_PIPELINE_URL": "https://forge/pipelines/1",
        "TURNOUT_COMMENT_TOKEN": TOKEN,
    }


def run(file: Path, variables: dict[str, str], *, expect: int = 0) -> str:
    """As the job runs it: alone, with the standard library, out of any folder."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "cli/ci/comment.py", file],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_one_comment_is_made_and_kept_up_to_date(server: Server, event: Path, tmp_path: Path, forge: str) -> None:
    variables = github(server, event) if forge == "github" else gitlab(server)
    for number in range(250):
        server.said(OTHER if number % 2 else ME, "another one")
    server.said(OTHER, comment.MARKER + "\nnot ours, though it begins like it")
    file = tmp_path / "comment.md"
    file.write_text(f"{comment.MARKER}\n## prod: 2 to update\n")
    assert run(file, variables) == "commented\n"
    assert run(file, variables) == "the comment is up to date\n"
    file.write_text(f"{comment.MARKER}\n## prod: no changes\n")
    assert run(file, variables) == "updated the comment\n"
    assert len(server.log) == 2
    assert len(server.comments) == 252
    lines = server.comments[-1]["body"].splitlines()
    assert lines[0] == comment.MARKER
    assert lines[1].startswith(f"<sub>of commit {SHA[:12]}, by [this run](https://forge/")
    assert lines[-1] == "## prod: no changes"
    assert server.comments[-2]["body"].endswith("not ours, though it begins like it")


def test_of_several_of_our_own_one_is_left(server: Server, event: Path, tmp_path: Path) -> None:
    for _ in range(3):
        server.said(ME, comment.MARKER + "\nold")
    (tmp_path / "comment.md").write_text("new")
    run(tmp_path / "comment.md", github(server, event))
    assert [one["id"] for one in server.comments] == [1]


@pytest.mark.parametrize(
    "pulls",
    [[], [pull(7, sha="f" * 40)], [pull(7, repository=8)]],
    ids=["none is open", "it has a newer commit", "another repository's branch of that name"],
)
def test_only_the_request_of_that_very_commit_is_commented(
    server: Server, event: Path, tmp_path: Path, pulls: list[dict[str, Any]]
) -> None:
    server.pulls = pulls
    (tmp_path / "comment.md").write_text("number: 1, as the artifact says")
    assert "nothing to comment on" in run(tmp_path / "comment.md", github(server, event))
    assert server.log == []


def test_a_run_for_another_event_comments_nothing(server: Server, event: Path, tmp_path: Path) -> None:
    event.write_text(event.read_text().replace('"pull_request"', '"push"'))
    assert "nothing to comment on" in run(tmp_path / "comment.md", github(server, event))


def test_a_preview_that_left_nothing_is_told(server: Server, event: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "missing.md", github(server, event)) == "commented\n"
    assert "failed before it could say anything" in server.comments[0]["body"]


def test_a_link_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the runner")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    assert [comment.read(tmp_path / name) for name in ("link", "pipe", "missing", ".")] == [None] * 4
    assert comment.read(secret) == "of the runner"


def test_hostile_text_is_bounded_and_reaches_nobody() -> None:
    link = "https://github.com/org/shop/issues/12"
    hostile = f"{comment.MARKER}@everyone fixes #12, GH-12, {link} \x1b[31m\x00 done\n" + "ä" * 200_000
    tamed = comment.tame(hostile)
    assert len(tamed.encode()) < 65_000
    assert comment.MARKER not in tamed
    assert not [live for live in ("@everyone", "#12", "GH-12", "https://") if live in tamed]
    assert "\x1b" not in tamed and "\x00" not in tamed
    assert tamed.endswith("the artifact has all of it")


@pytest.mark.parametrize(
    "text",
    [
        "@org/team",
        "@<!-- -->user",
        "&commat;user",
        "&#64;user",
        "&#x40user",
        "org/shop#12",
        "&num;12",
        "#<b></b>12",
        "GH-12",
        "gh\\-12",
        "GL-12",
        "!12",
        "https://github.com/org/shop/issues/12",
        "https:/\\/github.com/org/shop/pull/12",
        "https&colon;//github.com/org/shop/pull/12",
        "[all](//github.com/org/shop/issues/12)",
        "www.github.com/org/shop/issues/12",
        "/close",
        "  /assign me",
    ],
)
def test_nothing_that_a_forge_follows_is_left_whole(text: str) -> None:
    """People, teams, issues, requests, links and commands, also those spelt with entities, escapes or empty tags."""
    tamed = comment.tame(f"said:\n{text} by a fork")
    assert text.strip() not in tamed
    assert tamed.replace(comment.APART, "") == f"said:\n{text} by a fork"


def test_what_a_preview_writes_is_posted_as_it_is() -> None:
    """Nothing of our own Markdown is taken apart twice."""
    kept = ("@@ a.yaml @@", "<code>a &amp;&lt; &quot;b&quot;</code>")
    text = f"## prod\n\n```diff\n{kept[0]}\n+ image: a@sha256:ff\n```\n| a | b |\n{kept[1]}\n"
    assert all(one in comment.tame(text) for one in kept)
    assert comment.tame(text).replace(comment.APART, "") == text.strip()


def test_a_refusal_of_the_server_fails_the_job(server: Server, event: Path, tmp_path: Path) -> None:
    server.refuses = True
    assert "comment: GET /repos/org/shop/pulls: 403" in run(tmp_path / "x", github(server, event), expect=1)
