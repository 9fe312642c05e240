"""Contracts in a user's Python file: read and checked; mistakes are reported as file:line.

A contract file imports from `drivers.contract` (and, if needed, from the exercisers' `contracts.py`) and binds each
contract to a name. Reading it runs it: it is a program, as trusted as any other.
"""
from __future__ import annotations

import ast
import contextlib
import sys
import traceback
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.judge.judge import judge
from bench.judge.view import View
from bench.trace.trace import Trace
from bench.verdict import Outcome, Verdict
from drivers.contract import Contract, ContractError, sources


def load(path: Path) -> list[Contract]:
    """The contracts of a file, or of all files of a folder, in the order in which they are written.

    What a file only imports is not its own. Raises UsageError `file:line: what is wrong` for a file that cannot be
    run, that holds no contract or two of one name, or whose probes contradict each other.
    """
    if path.is_dir():
        files = sorted(path.glob("*.py"))
        if not files:
            raise UsageError(f"{path}: no *.py file in this folder; contracts are written in Python: docs/traces.md")
        return [contract for file in files for contract in load(file)]
    tree = _parse(path)
    values = vars(_run(path, tree))
    lines = {name: line for name, line in _bound_names(tree).items() if isinstance(values.get(name), Contract)}
    contracts: dict[str, tuple[int, Contract]] = {}
    for name, line in lines.items():
        contract = values[name]
        first, same = contracts.setdefault(contract.name, (line, contract))
        if same is not contract:
            raise UsageError(f"{path}:{line}: a second contract named {contract.name!r}; the first is in line {first}")
    if not contracts:
        raise UsageError(f'{path}:1: no contract in it: bind one to a name, as in '
                         'every_message_ends = contract("every message ends", pair(…))')
    _without_contradiction(path, contracts.values())
    return [contract for _, contract in contracts.values()]


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno or 1}: {error.msg}") from error
    except ValueError as error:  # bytes that are no UTF-8, or NULs
        raise UsageError(f"{path}:1: no Python text: {error}") from error


def _run(path: Path, tree: ast.Module) -> types.ModuleType:
    module = types.ModuleType(f"contracts of {path}")
    module.__file__ = str(path)
    with _beside(path.resolve().parent, module):
        try:
            exec(compile(tree, str(path), "exec", dont_inherit=True), vars(module))
        except Exception as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
            kind = "" if isinstance(error, ContractError) else f"{type(error).__name__}: "
            raise UsageError(f"{path}:{lines[-1] if lines else 1}: {kind}{error}") from error
    return module


@contextlib.contextmanager
def _beside(folder: Path, module: types.ModuleType) -> Iterator[None]:
    """Let a file import modules beside it, as a script does; the next file's modules may have the same names."""
    before = set(sys.modules)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if "." not in name and Path(getattr(sys.modules[name], "__file__", None) or "/").parent == folder:
                del sys.modules[name]
        sys.modules.pop(module.__name__, None)


def _bound_names(tree: ast.Module) -> dict[str, int]:
    """Names that the file's own statements bind, with their first lines."""
    lines: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            lines.setdefault(node.name, node.lineno)
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    lines.setdefault(part.id, part.lineno)
    return lines


def _without_contradiction(path: Path, contracts: Iterable[tuple[int, Contract]]) -> None:
    before: list[Contract] = []
    for line, contract in contracts:
        before.append(contract)
        try:
            sources(*before)
        except ContractError as error:
            raise UsageError(f"{path}:{line}: {error}") from error


def bind(contract: Contract, values: Mapping[str, Any]) -> Contract:
    """The contract with those of `values` that are limits of it bound."""
    return contract.bind(**{name: values[name] for name in contract.unbound if name in values})


def concerns(contract: Contract, trace: Trace) -> bool:
    """True when the recording can show every role of the contract: one of its events was enabled."""
    view = View(trace)
    return all(map(view.shows, contract.roles))


def saw(contract: Contract, trace: Trace) -> bool:
    """True when an event of some role was recorded."""
    view = View(trace)
    return any(len(view.events(role)) for role in contract.roles if view.shows(role))


def judged(contract: Contract, trace: Trace) -> Verdict:
    """The verdict; inconclusive, too, when a value is not bound or cannot be compared with what was recorded."""
    if contract.unbound:
        return Verdict(Outcome.INCONCLUSIVE, str(contract), f"no value is given for {', '.join(contract.unbound)}")
    return judge(contract, trace)
