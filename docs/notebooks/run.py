"""Runs the code cells of a notebook in order, without Jupyter, and prints what each would show.

    python docs/notebooks/run.py docs/notebooks/analytics.ipynb

All cells share one namespace. The first that fails ends it: its number and source are told, and the exit code is 1.
"""

import ast
import json
import linecache
import sys
import traceback
from pathlib import Path


def cells(notebook: Path) -> list[str]:
    """The sources of its code cells."""
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]


def run(source: str, name: str, namespace: dict[str, object]) -> None:
    # So that a traceback shows the lines.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(last, name, "eval"), namespace)
        # As in Jupyter, a semicolon at the end keeps it quiet.
        if value is not None and not source.rstrip().endswith(";"):
            print(repr(value))


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: run.py NOTEBOOK", file=sys.stderr)
        return 2
    notebook = Path(sys.argv[1])
    sources = cells(notebook)
    if not sources:
        print(f"{notebook}: it has no code cell", file=sys.stderr)
        return 1
    namespace: dict[str, object] = {"__name__": "__main__"}
    for number, source in enumerate(sources, 1):
        print(f"[{number}]", flush=True)
        try:
            run(source, f"<cell {number}>", namespace)
        except (Exception, SystemExit):
            sys.stdout.flush()
            print(f"{notebook}: cell {number} failed:\n\n{source}\n", file=sys.stderr)
            traceback.print_exc()
            return 1
    print(f"{notebook}: {len(sources)} cells ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
