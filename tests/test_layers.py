"""The layer rule: who may import whom in trioweb (architecture: "The architecture").

    rules <- message <- (app | wire) <- run <- (cli, testing)

Every import counts, also one inside a function or only for types: a reader who has to
know another room to understand this one does not care when it is loaded.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "trioweb"

# A room, and the rooms it may import.  `top` is the files beside the folders.
BELOW: Mapping[str, frozenset[str]] = {
    "rules": frozenset({"rules"}),
    "message": frozenset({"rules", "message"}),
    "app": frozenset({"rules", "message", "app"}),
    "wire": frozenset({"rules", "message", "wire"}),
    "run": frozenset({"rules", "message", "app", "wire", "run"}),
    "top": frozenset({"rules", "message", "app", "wire", "run", "top"}),
    "testing": frozenset({"rules", "message", "app", "wire", "run", "testing"}),
}

# What would bring the outside world into a room of decisions: IO, clock, chance.
OUTSIDE = frozenset({"trio", "socket", "ssl", "os", "time", "random", "secrets"})
BANNED: Mapping[str, frozenset[str]] = {
    "rules": OUTSIDE,
    "message": OUTSIDE - {"trio", "secrets"},
}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name as a file states it: `from where import name`."""

    file: str
    line: int
    where: str
    name: str = ""  # empty for `import where`

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def faults(root: Path) -> list[str]:
    """Every import below *root*, the folder of trioweb, that breaks the layer rule."""
    modules = {module_name(root, path): path for path in sorted(root.rglob("*.py"))}
    found: list[str] = []
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        statements = list(imports(path, str(path.relative_to(root.parent))))
        found += [fault for each in statements if (fault := judge(module, each))]
        graph[module] = {target(each, modules) for each in statements} & modules.keys()
    return found + cycle(graph)


def module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, file: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            where = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Import(file, node.lineno, where, alias.name)


def judge(module: str, found: Import) -> str | None:
    """What is wrong with *found* in *module*, if anything is."""
    if found.where.startswith("."):
        return f"{found.place}: relative import"
    here = room(module)
    if found.where.split(".")[0] == "trioweb":
        there = room(f"{found.where}.{found.name}" if found.name else found.where)
        if there not in BELOW.get(here, {}):
            return f"{found.place}: {here} imports {there}"
    elif not allowed(here, found.where.split(".")[0]):
        return f"{found.place}: {here} imports {found.where}"
    return None


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in BELOW else "top"


def allowed(here: str, package: str) -> bool:
    if package in BANNED.get(here, {}):
        return False
    # The standard library's stubs, which exist for type checkers only.
    stubs = package == "_typeshed"
    return here != "rules" or stubs or package in sys.stdlib_module_names


def target(found: Import, modules: Mapping[str, Path]) -> str:
    """The module that *found* loads: `from a import b` is a.b where that is one."""
    inner = f"{found.where}.{found.name}"
    return inner if inner in modules else found.where


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return ["import cycle: " + " <- ".join(error.args[1])]
    return []


def test_every_import_points_down() -> None:
    assert faults(ROOT) == []


def test_every_room_of_the_package_is_known() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders <= BELOW.keys()


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / "trioweb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "trioweb"


FAULTY = [
    ("up", "rules/a.py", "from trioweb.message.b import B", "rules imports message"),
    ("up as a whole", "wire/a.py", "import trioweb.run.b", "wire imports run"),
    ("up by folder", "app/a.py", "from trioweb import run", "app imports run"),
    ("sideways", "app/a.py", "from trioweb.wire import b", "app imports wire"),
    ("sideways", "wire/a.py", "import trioweb.app.b as b", "wire imports app"),
    ("to the top", "run/a.py", "from trioweb import App", "run imports top"),
    ("to the top", "testing/a.py", "import trioweb.cli", "testing imports top"),
    ("testing", "cli.py", "from trioweb.testing import client", "top imports testing"),
    ("testing", "run/a.py", "import trioweb.testing", "run imports testing"),
    (
        "only for types",
        "message/a.py",
        "if TYPE_CHECKING:\n    from trioweb.app.b import B",
        "message imports app",
    ),
    ("late", "app/a.py", "def f():\n    import trioweb.wire", "app imports wire"),
    ("relative", "app/a.py", "from .b import B", "relative import"),
    ("relative", "app/a.py", "from . import b", "relative import"),
    ("relative", "app/a.py", "from ..rules import b", "relative import"),
    ("in a deeper folder", "app/deep/a.py", "import trioweb.wire", "app imports wire"),
    ("foreign", "rules/a.py", "import h11", "rules imports h11"),
    *(
        ("outside", "rules/a.py", f"import {name}", f"rules imports {name}")
        for name in sorted(OUTSIDE)
    ),
    ("outside", "rules/a.py", "from os.path import join", "rules imports os.path"),
    *(
        ("outside", "message/a.py", f"import {name}", f"message imports {name}")
        for name in sorted(OUTSIDE - {"trio", "secrets"})
    ),
]


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [row[1:] for row in FAULTY],
    ids=[f"{row[0]}: {row[3]}" for row in FAULTY],
)
def test_the_check_fails_on(tmp_path: Path, name: str, text: str, fault: str) -> None:
    (found,) = faults(write(tmp_path, {name: text}))
    assert found.startswith(f"trioweb/{name}:")
    assert found.endswith(fault)


def test_the_check_fails_on_a_cycle(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "app/a.py": "from trioweb.app import b",
            "app/b.py": "def late():\n    from trioweb.app.c import C",
            "app/c.py": "import trioweb.app.a",
        },
    )
    (found,) = faults(root)
    assert found.startswith("import cycle: trioweb.app.")


def test_the_check_passes_what_points_down(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "__init__.py": "from trioweb.app.a import A",
            "__main__.py": "from trioweb.cli import main",
            "cli.py": "import os\nfrom trioweb.run import a\nfrom trioweb import A",
            "rules/a.py": "import re\nfrom collections.abc import Mapping",
            "message/a.py": "import trio\nimport trioweb.rules.a",
            "app/a.py": "import time\nfrom trioweb.message.a import A",
            "wire/a.py": "import h11\nfrom trioweb.message import a",
            "run/a.py": "import ssl\nfrom trioweb import app, wire",
            "testing/__init__.py": "from trioweb.testing.client import client",
            "testing/client.py": "import httpx2\nfrom trioweb.run import a",
        },
    )
    assert faults(root) == []
