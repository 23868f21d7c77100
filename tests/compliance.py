"""The compliance table: which tests prove which section of which specification. `make docs` writes it.

Read from the source, `@pytest.mark.spec("RFC 7636", "4.6")` on a function, a class or (as pytestmark) a file.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "compliance.md"
HEAD = """# Compliance

Which tests prove which section of which specification. Written by `make docs` from the `spec` markers of the tests.
"""


def proofs() -> dict[tuple[str, str], list[str]]:
    """Return the names of the tests by specification and section."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        of_file = [mark for node in tree.body if isinstance(node, ast.Assign) and is_pytestmark(node) for mark in marks(node.value)]
        for function, inherited in tests_in(tree, of_file):
            for mark in inherited + [mark for decorator in function.decorator_list for mark in marks(decorator)]:
                if function.name not in found[mark]:
                    found[mark].append(function.name)
    return found


def tests_in(tree: ast.Module | ast.ClassDef, inherited: list[tuple[str, str]]) -> Iterator[tuple[ast.FunctionDef, list[tuple[str, str]]]]:
    """Yield the test functions, each with the marks of what is around it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node, inherited
        if isinstance(node, ast.ClassDef):
            yield from tests_in(node, inherited + [mark for decorator in node.decorator_list for mark in marks(decorator)])


def is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def marks(node: ast.AST) -> list[tuple[str, str]]:
    """Return (document, section) of every `pytest.mark.spec(…)` below a node."""
    return [
        (str(ast.literal_eval(call.args[0])), str(ast.literal_eval(call.args[1])))
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.spec"
    ]


def render() -> str:
    """Write the table."""
    lines = [HEAD]
    of_document: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for (document, section), names in proofs().items():
        of_document[document].append((section, names))
    for document in sorted(of_document, key=natural):
        lines += [f"## {document}\n", "| Section | Tests |", "|---|---|"]
        for section, names in sorted(of_document[document], key=lambda item: natural(item[0])):
            lines.append(f"| {section} | {'<br>'.join(sentence(name) for name in sorted(names))} |")
        lines.append("")
    return "\n".join(lines)


def natural(text: str) -> list[tuple[bool, int, str]]:
    """Sort 4.10 after 4.9."""
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", text)]


def sentence(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")
