"""Run with an unpacked package and nothing else: imports every module that a file of authserver names, in functions too.

`python -I -S -B .ci/import_everything.py FOLDER`; a library that was left out of the package is an error here, not in a request.
"""

# ruff: noqa: T201 - it says how much there was

import ast
import importlib
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1])
SNIPPETS = "templates"  # to be filled in
STARTS_THE_SERVER = {"authserver.wsgi", "authserver.lambda_handler"}
OF_THE_RUNTIME = {"snapshot_restore_py"}


def main() -> None:
    """Import them all, and try what imports do not show."""
    sys.path.insert(0, str(FOLDER))
    files = [path for path in (FOLDER / "authserver").rglob("*.py") if SNIPPETS not in path.parts]
    found = {pair for path in files for pair in named(ast.parse(path.read_text()))}
    for module, name in sorted(found):
        if not {module, f"{module}.{name}"} & STARTS_THE_SERVER and module not in OF_THE_RUNTIME:
            bring(module, name)
    assert importlib.import_module("psycopg").pq.__impl__ == "binary"
    assert importlib.metadata.version("authserver")
    print(f"{len(files)} files, {len(sys.modules)} modules")


def named(tree: ast.AST) -> set[tuple[str, str]]:
    """Return what is imported, as a module and a name in it, or an empty name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", alias.name) for alias in node.names}
    return found


def bring(module: str, name: str) -> None:
    """Import a module, and a module in it where the name is one."""
    if name and not hasattr(importlib.import_module(module), name):
        importlib.import_module(f"{module}.{name}")
    importlib.import_module(module)


if __name__ == "__main__":
    main()
