"""Finds what defines something: one function for each way to look."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.validate.model import Place
from cli.validate.ssot import model
from cli.validate.ssot.files import Files


@dataclass(frozen=True, order=True)
class Definition:
    """Something that defines a value. `where` names it in its file, whatever line it moves to."""

    file: str
    line: int
    where: str
    value: str

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.where)


def found(look: Any, files: Files, sources: tuple[str, ...] = ()) -> Iterator[Definition]:
    """Every definition that a look finds, those in the source included."""
    if isinstance(look, model.CopyOf):
        yield from _copies(look, files, sources)
    else:
        yield from _WAYS[type(look)](look, files)


def _yaml_keys(look: model.YamlKey, files: Files) -> Iterator[Definition]:
    key, value = re.compile(look.key), re.compile(look.value)
    for name in files.chosen(look.files, look.but):
        if not all(word in files.text(name) for word in look.beside):
            continue
        every = files.keys(name).all
        there = {each.path for each in every} if look.beside else set()
        for each in every:
            if not key.search(each.dotted) or not value.search(each.value or ""):
                continue
            if all((*each.path[:-1], other) in there for other in look.beside):
                yield Definition(name, each.line, each.dotted, each.value or each.dotted)


def _python_names(look: model.PythonName, files: Files) -> Iterator[Definition]:
    wanted, value = re.compile(look.name), re.compile(look.value)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "name"):
            if entry.value and wanted.search(entry.name) and value.search(entry.value):
                yield Definition(name, entry.line, entry.inside, entry.value)


def _python_texts(look: model.PythonText, files: Files) -> Iterator[Definition]:
    wanted = re.compile(look.text)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "text"):
            if match := wanted.search(entry.value):
                yield Definition(name, entry.line, entry.inside or match[0], match[0])


def _python_arguments(look: model.PythonArgument, files: Files) -> Iterator[Definition]:
    wanted, value = re.compile(look.name), re.compile(look.value)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "argument"):
            if wanted.search(entry.name) and value.search(entry.value):
                yield Definition(name, entry.line, entry.inside or entry.name, f"{entry.name}: {entry.value}")


def _python_calls(look: model.PythonCall, files: Files) -> Iterator[Definition]:
    wanted, value = re.compile(look.function), re.compile(look.value)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "call"):
            if wanted.search(entry.name) and value.search(entry.value):
                yield Definition(name, entry.line, entry.inside or entry.name, f"{entry.name}({entry.value})")


def _python_keys(look: model.PythonKeys, files: Files) -> Iterator[Definition]:
    wanted = set(look.keys)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "keys"):
            if wanted <= set(entry.name.split("\n")):
                yield Definition(name, entry.line, entry.inside, ", ".join(look.keys))


def _python_environment(look: model.PythonEnvironment, files: Files) -> Iterator[Definition]:
    wanted = re.compile(look.name)
    for name in files.chosen(look.files, look.but):
        for entry in files.python(name, "environment"):
            if wanted.search(entry.name):
                yield Definition(name, entry.line, entry.name or entry.inside, entry.name)


def _texts(look: model.Text, files: Files) -> Iterator[Definition]:
    wanted = re.compile(look.pattern)
    for name in files.chosen(look.files, look.but):
        text = files.text(name)
        if not wanted.search(text) and not re.search(look.pattern, text, re.MULTILINE):
            continue
        for at, line in enumerate(text.splitlines(), 1):
            if match := wanted.search(line):
                yield Definition(name, at, match[0].strip(), match[0].strip())


def _files(look: model.AFile, files: Files) -> Iterator[Definition]:
    return (Definition(name, 1, "", name) for name in files.chosen(look.files, look.but))


def _copies(look: model.CopyOf, files: Files, sources: tuple[str, ...]) -> Iterator[Definition]:
    wanted = re.compile(look.value)
    texts = [files.text(name) for name in files.chosen(source.partition("#")[0] for source in sources)]
    values = {match[1] if match.groups() else match[0] for text in texts for match in wanted.finditer(text)}
    if not values:
        return
    any_of = re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))))
    for name in files.chosen(look.files, look.but):
        text = files.text(name)
        for match in any_of.finditer(text):
            yield Definition(name, text.count("\n", 0, match.start()) + 1, match[0], match[0])


def _generated(look: model.Generated, files: Files) -> Iterator[Definition]:
    """Pages that differ from what their source says now: by hand, or left behind."""
    module, _, function = look.by.partition(":")
    pages: Mapping[str, str] = getattr(importlib.import_module(module), function)()
    for name in files.chosen(look.files, look.but):
        if name in pages and files.text(name) != pages[name]:
            yield Definition(name, _first_difference(files.text(name), pages[name]), "", "differs from its source")


def _first_difference(one: str, other: str) -> int:
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return next((at for at, (a, b) in enumerate(pairs, 1) if a != b), 1)


_WAYS: Final[Mapping[type, Callable[[Any, Files], Iterator[Definition]]]] = {
    model.YamlKey: _yaml_keys,
    model.PythonName: _python_names,
    model.PythonText: _python_texts,
    model.PythonArgument: _python_arguments,
    model.PythonCall: _python_calls,
    model.PythonKeys: _python_keys,
    model.PythonEnvironment: _python_environment,
    model.Text: _texts,
    model.AFile: _files,
    model.Generated: _generated,
}
