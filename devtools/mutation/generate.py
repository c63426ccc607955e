"""Makes the mutants: run where mutmut can be imported, with the folder and the files to change."""

from __future__ import annotations

import ast
import json
import sys
from difflib import ndiff
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from mutmut.mutation.file_mutation import mutate_file_contents

_ITSELF = "_mutmut_orig"


def mutants(path: Path) -> list[dict[str, Any]]:
    """Put a file's mutants into it, each beside the function that it is of, and list them."""
    source = path.read_text()
    made = mutate_file_contents(str(path), source)
    if not made.mutant_names:
        return []
    path.write_text(made.code.replace("from mutmut.mutation.", "from credlatch."))
    lines = made.code.splitlines()

    def text(name: str) -> list[str]:
        span = made.line_span_by_function_name[name]
        found = lines[span.start - 1 : span.end]
        begins = next(n for n, line in enumerate(found) if line.lstrip().startswith("def "))
        return [line.replace(name, "") for line in found[begins:]]

    starts = {
        (above.name if isinstance(above, ast.ClassDef) else "", node.name): node.lineno
        for above in ast.walk(ast.parse(source))
        for node in ast.iter_child_nodes(above)
        if isinstance(node, ast.FunctionDef)
    }
    module = ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")
    listed = []
    for name in made.mutant_names:
        mangled = name.rpartition("__mutmut_")[0]
        where, function = mangled[2:].split("ǁ") if mangled[1] == "ǁ" else ("", mangled[2:])
        differences = list(ndiff(text(f"{mangled}_{_ITSELF}"), text(name)))
        first = next(n for n, line in enumerate(differences) if line[0] in "+-")
        listed.append(
            {
                "id": f"{module}.{name}",
                "file": str(path),
                "line": starts[where, function] + first,
                "function": f"{where}.{function}".lstrip("."),
                "diff": [line for line in differences if line[0] in "+-"],
            }
        )
    return listed


if __name__ == "__main__":
    with Pool() as pool:
        lists = pool.map(mutants, map(Path, sys.argv[1:]), chunksize=1)
    Path("mutants.json").write_text(json.dumps([mutant for made in lists for mutant in made]))
