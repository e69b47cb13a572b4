"""What a Python file defines: names, texts, arguments, calls, dicts, variables of the environment that it reads."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["name", "text", "argument", "call", "keys", "environment"]
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Entry:
    """`inside`: the dotted name of the function, class or assignment that it stands in; empty for the module itself."""

    kind: Kind
    name: str
    value: str
    line: int
    inside: str


def entries(text: str) -> list[Entry]:
    """Everything in one file; nothing for what is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    return list(_block(tree.body, "", scope=True))


def names(text: str) -> dict[str, int]:
    """Dotted name to line of everything that a module or its classes define."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return {}
    return dict(_names(tree.body, ""))


def _names(body: list[ast.stmt], inside: str) -> Iterator[tuple[str, int]]:
    for statement in body:
        if isinstance(statement, _DEFS):
            yield _dotted(inside, statement.name), statement.lineno
        if isinstance(statement, ast.ClassDef):
            yield from _names(statement.body, _dotted(inside, statement.name))
        yield from ((_dotted(inside, name), statement.lineno) for name, _ in _assigned(statement))


def _block(body: list[ast.stmt], inside: str, *, scope: bool) -> Iterator[Entry]:
    for statement in body:
        if isinstance(statement, _DEFS):
            own = _dotted(inside, statement.name)
            yield from _block(statement.body, own, scope=isinstance(statement, ast.ClassDef))
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        targets = _assigned(statement) if scope else []
        for name, value in targets:
            yield Entry("name", name, _literal(value), statement.lineno, _dotted(inside, name))
        yield from _within(statement, _dotted(inside, targets[0][0]) if targets else inside)


def _assigned(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Names with what each is given, `a, b = 1, 2` included."""
    if isinstance(statement, ast.Assign):
        return [pair for target in statement.targets for pair in _pairs(target, statement.value)]
    if isinstance(statement, ast.AnnAssign) and statement.value:
        return list(_pairs(statement.target, statement.value))
    return []


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple):
        parts = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
        for one, part in zip(target.elts, parts, strict=False):
            yield from _pairs(one, part)


def _within(statement: ast.stmt, inside: str) -> Iterator[Entry]:
    """Every expression of a statement, its nested blocks and functions included.

    This is most of the time of a validation, hence a stack and no recursion.
    """
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield Entry("text", "", node.value, node.lineno, inside)
            continue
        if type(node) in _TELLING:
            yield from _TELLING[type(node)](node, inside)
        stack.extend(_below(node))


def _below(node: ast.AST) -> list[ast.AST]:
    """The children that may hold a literal: no docstrings, and no pieces of an f-string, which is told whole."""
    found: list[ast.AST] = []
    for name in node._fields:
        child = getattr(node, name, None)
        if type(child) is list:
            found += [each for each in child if isinstance(each, ast.AST) and type(each) not in _DULL]
        elif isinstance(child, ast.AST) and type(child) not in _DULL:
            found.append(child)
    if isinstance(node, ast.JoinedStr):
        return [each for each in found if not isinstance(each, ast.Constant)]
    return [each for each in found if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]


def _fstring(node: ast.JoinedStr, inside: str) -> Iterator[Entry]:
    yield Entry("text", "", _joined(node), node.lineno, inside)


def _subscript(node: ast.Subscript, inside: str) -> Iterator[Entry]:
    if _is_environ(node.value):
        yield Entry("environment", _literal(node.slice), "", node.lineno, inside)


def _call(node: ast.Call, inside: str) -> Iterator[Entry]:
    function = _function(node.func)
    first = _literal(node.args[0]) if node.args else ""
    if function.endswith(("environ.get", "getenv")):
        yield Entry("environment", first, "", node.lineno, inside)
    elif first:
        yield Entry("call", function, first, node.lineno, inside)
    for given in node.keywords:
        if given.arg and (value := _literal(given.value)):
            yield Entry("argument", given.arg, value, given.value.lineno, inside)
            yield Entry("call", function, value, given.value.lineno, inside)


def _dict(node: ast.Dict, inside: str) -> Iterator[Entry]:
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    if keys:
        yield Entry("keys", "\n".join(keys), "", node.lineno, inside)
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and (said := _literal(value)):
            yield Entry("argument", key.value, said, key.lineno, inside)


def _function(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_function(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_environ(node: ast.expr) -> bool:
    return _function(node).endswith("environ")


def _joined(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def _literal(node: ast.AST | None) -> str:
    """A literal as text: a string's content, else as it is written; empty for what has to be computed."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else repr(node.value)
    if isinstance(node, ast.JoinedStr):
        return _joined(node)
    if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict | ast.UnaryOp) and _is_plain(node):
        return ast.unparse(node)
    return ""


def _is_plain(node: ast.AST) -> bool:
    plain = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.expr_context, ast.unaryop)
    return all(isinstance(each, plain) for each in ast.walk(node))


def _dotted(inside: str, name: str) -> str:
    return f"{inside}.{name}" if inside else name


_DULL = frozenset(
    {ast.Name, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom}
)
_TELLING: dict[type, Callable[[Any, str], Iterator[Entry]]] = {
    ast.JoinedStr: _fstring,
    ast.Call: _call,
    ast.Dict: _dict,
    ast.Subscript: _subscript,
}
