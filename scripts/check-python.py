"""Checks Python files without importing them: syntax, names that nothing defines, imports that nothing uses.

Takes files and directories; prints what it finds and fails if there is anything. Uses the standard library
only, so that it runs on a machine that has nothing but Python.
"""

import ast
import builtins
import pathlib
import symtable
import sys

IMPLICIT = {"__file__", "__name__", "__doc__", "__path__", "__spec__", "__package__", "__loader__",
            "__builtins__", "__annotations__", "__class__"}


def undefined_names(table, module_names):
    """The names in `table` and below that are looked up globally and that nothing there defines."""
    for symbol in table.get_symbols():
        name = symbol.get_name()
        if table.get_type() == "module":
            missing = symbol.is_referenced() and not (symbol.is_assigned() or symbol.is_imported())
        else:
            missing = symbol.is_global() and symbol.is_referenced()
        if missing and name not in module_names and not hasattr(builtins, name) and name not in IMPLICIT:
            yield name
    for child in table.get_children():
        yield from undefined_names(child, module_names)


def global_assignments(table):
    """The names that functions declare `global` and bind."""
    for symbol in table.get_symbols():
        if symbol.is_declared_global() and symbol.is_assigned():
            yield symbol.get_name()
    for child in table.get_children():
        yield from global_assignments(child)


def unused_imports(tree, source_lines):
    """The names that top-level imports bind and that the file does not mention again."""
    bound = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                continue
            if "noqa" in source_lines[node.lineno - 1]:
                continue
            for alias in node.names:
                # `import a as a` and `from a import b as b` say: for others to use.
                if alias.name != alias.asname and alias.name != "*":
                    bound[(alias.asname or alias.name).split(".")[0]] = node.lineno
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        # Annotations in quotes, and the entries of __all__.
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            used.update(part for part in bound if part in node.value)
    return [(line, name) for name, line in bound.items() if name not in used]


def check(path):
    """Yields one line for each thing that is wrong with the file."""
    source = path.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source, str(path))
        compile(source, str(path), "exec", dont_inherit=True)
        table = symtable.symtable(source, str(path), "exec")
    except (SyntaxError, Warning) as error:
        yield f"{path}:{getattr(error, 'lineno', 0)}: {error}"
        return
    if path.name.endswith(".pyi"):
        return
    star = any(isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
               for node in ast.walk(tree))
    module_names = {symbol.get_name() for symbol in table.get_symbols()
                    if symbol.is_assigned() or symbol.is_imported()} | set(global_assignments(table))
    if not star:
        for name in sorted(set(undefined_names(table, module_names))):
            yield f"{path}: nothing defines '{name}'"
    # What a package's __init__ imports, it offers to others.
    for line, name in unused_imports(tree, source.splitlines()) if path.name != "__init__.py" else ():
        yield f"{path}:{line}: '{name}' is imported and not used"


def main(arguments):
    files = []
    for argument in map(pathlib.Path, arguments):
        if argument.is_dir():
            files += sorted(argument.rglob("*.py")) + sorted(argument.rglob("*.pyi"))
        elif argument.exists():
            files.append(argument)
    found = [line for path in files for line in check(path)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
