"""Posts a preview's Markdown as one comment on a pull or merge request, and keeps that one up to date.

    python3 -I cli/ci/comment.py FILE      in a GitHub job on `workflow_run`, or a GitLab job of a merge request

It needs the standard library alone, and runs with a token where FILE was made by code that nobody has reviewed: so FILE
is text of bounded size, mentions and links in it reach nobody, and which request it is for is asked of the event and of
the server.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

MARKER: Final = "<!-- turnout:preview -->"
LARGEST: Final = 64_000
"""Bytes of FILE that are posted: GitHub takes 65,536 characters."""
_PAGE: Final = 100
_PAGES: Final = 100
_TIMEOUT: Final = 30.0
_ALIVE: Final = re.compile(
    r"@(?=[^\s@])|[#!](?=[\d<])|\bG[HL](?=[-\\<])"  # people, issues, requests
    r"|/(?=[/\\<])|\bwww(?=[.\\<])"  # links, also to other repositories' issues, which those would then show
    r"|^[ \t]*/(?=\w)"  # commands, as GitLab obeys them
    r"|&(?=[#\w])(?!(?:amp|lt|gt|quot|#x27);)",  # entities that any of these can be spelt with
    re.IGNORECASE | re.MULTILINE,
)
APART: Final = "\u2060"


@dataclass(frozen=True)
class Run:
    """The run that made the preview; `commit` and `link` as the server knows them."""

    commit: str
    link: str


@dataclass(frozen=True)
class Comment:
    """One comment of ours."""

    id: int
    body: str


class Forge(Protocol):
    """What keeps the request and its comments."""

    def run(self) -> Run: ...
    def request(self) -> str:
        """The request's number; empty where there is none that is open and at that commit."""

    def comments(self) -> Iterator[Comment]:
        """Our own, on all pages."""

    def create(self, body: str) -> None: ...
    def update(self, id: int, body: str) -> None: ...
    def delete(self, id: int) -> None: ...


def post(forge: Forge, text: str | None) -> str:
    """Create or update the one comment; says what was done. `text` None: the preview left nothing."""
    if not forge.request():
        return "no open request is at this commit any more: nothing to comment on"
    wanted = body(text, forge.run())
    found = [comment for comment in forge.comments() if comment.body.startswith(MARKER)]
    for comment in found[1:]:
        forge.delete(comment.id)
    if not found:
        forge.create(wanted)
        return "commented"
    if found[0].body.strip() == wanted.strip():
        return "the comment is up to date"
    forge.update(found[0].id, wanted)
    return "updated the comment"


def body(text: str | None, run: Run) -> str:
    """The comment: first what we know ourselves, then what the preview says."""
    made = f"<sub>of commit {run.commit[:12]}, by [this run]({run.link})</sub>"
    said = tame(text) if text else "**The preview failed before it could say anything**: the run's log tells why."
    return f"{MARKER}\n{made}\n\n{said}\n"


def apart(text: str) -> str:
    """The same to read, with mentions, references, links and commands that reach nobody and nothing."""
    return _ALIVE.sub(lambda found: found[0] + APART, text)


def tame(text: str) -> str:
    """Within bounds, with no marker of its own, and with nothing in it that reaches anybody."""
    whole = "".join(letter for letter in text.replace(MARKER, "") if letter >= " " or letter in "\n\t")
    tamed = apart(whole).strip()
    data = tamed.encode(errors="replace")
    if len(data) <= LARGEST:
        return tamed
    return data[:LARGEST].decode(errors="ignore").rpartition("\n")[0] + "\n\n… cut off here: the artifact has all of it"


def read(file: Path) -> str | None:
    """The beginning of a regular file; None where there is none."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, 2 * LARGEST).decode(errors="replace") if regular else None
    finally:
        os.close(descriptor)


class Http:
    """JSON over HTTP, with the token in a header and nowhere else."""

    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        self._base, self._headers = base.rstrip("/"), headers

    def ask(self, method: str, path: str, data: Any = None, **query: str | int) -> Any:
        """The answer's content. Raises SystemExit with what the server said."""
        url = f"{self._base}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        content = None if data is None else json.dumps(data).encode()
        headers = {**self._headers, "Content-Type": "application/json", "User-Agent": "turnout"}
        request = urllib.request.Request(url, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            raise SystemExit(f"comment: {method} {path}: {error.code} {said}") from None
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise SystemExit(f"comment: {method} {path}: {error}") from None

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """The items of all pages."""
        for page in range(1, _PAGES + 1):
            items: list[dict[str, Any]] = self.ask("GET", path, per_page=_PAGE, page=page)
            yield from items
            if len(items) < _PAGE:
                return


class GitHub:
    """A job on `workflow_run`, with the workflow's own token. Comments are its own when `author` wrote them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        token = variables["GITHUB_TOKEN"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        self._http = Http(variables["GITHUB_API_URL"], headers)
        self._event = json.loads(Path(variables["GITHUB_EVENT_PATH"]).read_text())["workflow_run"]
        self._repository = f"/repos/{variables['GITHUB_REPOSITORY']}"
        self._author = variables.get("TURNOUT_COMMENT_AUTHOR", "github-actions[bot]")
        self._number = ""

    def run(self) -> Run:
        return Run(self._event["head_sha"], self._event["html_url"])

    def request(self) -> str:
        """By the branch that the event names: for a fork, the event does not name the request."""
        owner, branch = self._event["head_repository"]["owner"]["login"], self._event["head_branch"]
        path = f"{self._repository}/pulls"
        found = self._http.ask("GET", path, state="open", head=f"{owner}:{branch}", per_page=_PAGE)
        here = [one for one in found if self._event["event"] == "pull_request" and self._is_it(one)]
        self._number = str(here[0]["number"]) if here else ""
        return self._number

    def comments(self) -> Iterator[Comment]:
        for row in self._http.pages(f"{self._repository}/issues/{self._number}/comments"):
            if row["user"]["login"] == self._author:
                yield Comment(row["id"], row["body"])

    def create(self, body: str) -> None:
        self._http.ask("POST", f"{self._repository}/issues/{self._number}/comments", {"body": body})

    def update(self, id: int, body: str) -> None:
        self._http.ask("PATCH", f"{self._repository}/issues/comments/{id}", {"body": body})

    def delete(self, id: int) -> None:
        self._http.ask("DELETE", f"{self._repository}/issues/comments/{id}")

    def _is_it(self, pull: Mapping[str, Any]) -> bool:
        head = pull["head"]
        same = (head.get("repo") or {}).get("id") == self._event["head_repository"]["id"]
        return bool(same and head["sha"] == self._event["head_sha"])


class GitLab:
    """A job of a merge request's pipeline, with a project access token in TURNOUT_COMMENT_TOKEN."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._http = Http(variables["CI_API_V4_URL"], {"PRIVATE-TOKEN": variables["TURNOUT_COMMENT_TOKEN"]})
        self._number = variables.get("CI_MERGE_REQUEST_IID", "")
        self._commit = variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or variables["CI_COMMIT_SHA"]
        self._link = variables["CI_PIPELINE_URL"]
        self._path = f"/projects/{variables['CI_PROJECT_ID']}/merge_requests/{self._number}"

    def run(self) -> Run:
        return Run(self._commit, self._link)

    def request(self) -> str:
        if not self._number:
            return ""
        found = self._http.ask("GET", self._path)
        return self._number if found["state"] == "opened" and found["sha"] == self._commit else ""

    def comments(self) -> Iterator[Comment]:
        me = self._http.ask("GET", "/user")["id"]
        for row in self._http.pages(f"{self._path}/notes"):
            if row["author"]["id"] == me:
                yield Comment(row["id"], row["body"])

    def create(self, body: str) -> None:
        self._http.ask("POST", f"{self._path}/notes", {"body": body})

    def update(self, id: int, body: str) -> None:
        self._http.ask("PUT", f"{self._path}/notes/{id}", {"body": body})

    def delete(self, id: int) -> None:
        self._http.ask("DELETE", f"{self._path}/notes/{id}")


def main(arguments: list[str], variables: Mapping[str, str]) -> int:
    """What was done goes to stdout; a wrong use or a server's refusal ends the process with its reason."""
    if len(arguments) != 1:
        raise SystemExit("usage: comment.py FILE")
    forge: Forge = GitLab(variables) if "GITLAB_CI" in variables else GitHub(variables)
    sys.stdout.write(post(forge, read(Path(arguments[0]))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
