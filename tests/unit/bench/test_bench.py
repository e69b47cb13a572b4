"""The bench counts, measures and reports what it says."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.bench import measure, works
from tests.bench.program import Shape, objects
from tests.bench.report import BEGIN, END, put_into, table
from tests.bench.works import Row


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
