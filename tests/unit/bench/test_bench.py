"""The bench counts, measures and reports what it says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.settings import load
from tests.bench import fleet, hermetic, measure, scale, works
from tests.bench.__main__ import arguments
from tests.bench.measure import Sample
from tests.bench.program import Shape, objects
from tests.bench.report import BEGIN, END, put_into, table
from tests.bench.works import Row

ROOT = Path(__file__).parents[3]


def python(text: str, folder: Path) -> measure.Sample:
    return measure.run([sys.executable, "-c", text], cwd=folder, env={})


def test_a_shape_holds_what_it_counts() -> None:
    shape = Shape("space", triples=333)
    assert shape.resources == 1001
    made = objects(shape)
    assert len(made) == shape.resources - 1, "the stack is no object"
    assert Counter(one["kind"] for one in made) == {"Namespace": 1, "ConfigMap": 333, "Deployment": 333, "Service": 333}
    assert len(objects(Shape("space", plain=4998))) == 4999


def test_works_have_the_sizes_that_their_names_say() -> None:
    assert {work.key: work.shape.resources for work in works.works(5)} == {
        "62": 62,
        "1001": 1001,
        "1000": 1000,
        "5000": 5000,
    }


def test_the_memory_of_a_child_is_counted_with_its_parent(tmp_path: Path) -> None:
    child = "x = bytearray(80 * 2**20); import time; time.sleep(0.5)"
    sample = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])", tmp_path)
    assert sample.peak_mb > 80
    assert sample.peaks["command"] < 80 < sample.peaks["other"]
    assert sample.seconds >= 0.5


def test_processor_time_is_the_trees_and_not_the_clocks(tmp_path: Path) -> None:
    burn = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    sample = python(f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {burn!r}])", tmp_path)
    assert 0.5 <= sample.cpu_seconds < 2


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(measure.Failed, match=r"(?s)exit 3.*last words"):
        python("import sys; print('last words'); sys.exit(3)", tmp_path)


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "LIMIT", 0.2)
    began = time.monotonic()
    with pytest.raises(measure.Failed):
        python("import time; time.sleep(60)", tmp_path)
    assert time.monotonic() - began < 30


def test_the_table_has_a_column_for_each_tool_and_replaces_the_one_before() -> None:
    rows = [
        Row("destroy", "kubectl", 62, 3.14159, 5, 94.2),
        Row("destroy", "turnout", 62, 2.5, 5, 300.4, 1, {"provider": 61}),
    ]
    lines = table(rows)
    assert lines[-1] == "| destroy | 62 | 2.50 s (300 MB, provider 61) |  |  | 3.14 s (94 MB) |"
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_into(page, rows) == "before\n" + "\n".join([BEGIN, *lines, END]) + "\nafter\n"


def test_the_rehearsal_has_a_row_for_each_size_and_strategy_in_a_table_of_its_own() -> None:
    rows = [
        Row(f"scale: {strategy}, {name}", "turnout", size, 12.3, 1, 400.4, 5.6)
        for strategy in scale.STRATEGIES
        for size in (500, 50)
        for name in ("rollout", "rollback")
    ]
    rows.append(Row("scale: rolling, kubectl restart", "kubectl", 50, 11.2, 1, 90.1, 0.4))
    lines = scale.table(rows)
    assert lines[2] == "| rolling | 50 | 500 |  | 12 s, CPU 6 s, 400 MB | 12 s, CPU 6 s, 400 MB | 11 s |"
    assert [line.split(" | ")[1] for line in lines[2:]] == ["50", "500", "50", "500"]
    page = scale.put_into(f"before\n{scale.BEGIN}\nold\n{scale.END}\nafter", rows)
    assert page.startswith("before\n<!-- scale -->\n| Strategy")
    assert page.endswith("|\n<!-- /scale -->\nafter")


def test_the_two_commits_of_the_hermetic_preview_change_every_environment(tmp_path: Path) -> None:
    base = hermetic.two_commits(tmp_path / "project")
    command = ["git", "diff", "--name-only", base, "HEAD"]
    done = subprocess.run(command, cwd=tmp_path / "project", check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.staging.yaml"]


def test_the_hermetic_preview_can_be_asked_for_and_has_a_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--only", hermetic.KEY])
    assert arguments().only == [hermetic.KEY]
    monkeypatch.setattr(hermetic, "render", lambda *_: SimpleNamespace(resources=[None] * 50))
    monkeypatch.setattr(hermetic, "COMMAND", "echo")
    monkeypatch.setattr(measure, "run", lambda command, **_: Sample(1.5, 1.0, 90.0, {}, " ".join(command)))
    [one] = hermetic.measured(tmp_path, 3)
    assert (one.work, one.resources, one.seconds, one.runs) == (hermetic.WORK, 150, 1.5, 3)
    assert table([one])[2].startswith(f"| {hermetic.WORK} | 150 | 1.50 s (90 MB) |")


def test_a_fleet_is_what_a_settings_file_can_say(tmp_path: Path) -> None:
    one = fleet.Fleet(7, "blue-green")
    fleet.write(tmp_path / "fleet", one, "main", ROOT)
    fleet.release(tmp_path / "fleet", one, fleet.NEW)
    found = load(fleet.settings_file(tmp_path / "fleet", one), one.environment)
    assert (found.tier, found.app.version) == ("prod", fleet.NEW)
    assert {name: part.calls for name, part in found.app.services.items()}["s002"] == ("s001",)
    assert {part.rollout.strategy for part in found.app.services.values()} == {"blue-green"}
    assert scale.room(one) >= 2 * one.pods
