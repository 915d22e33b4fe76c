"""The macro console: a session's console on top of mcpyrate's ``MacroConsole``.

``MacroConsole`` keeps one module per process for macros that are defined at the prompt, and one name in the
namespace for its expander. Sessions share the process and the namespace, so here both are the session's own.
"""

from __future__ import annotations

import ast
import code
import copy
import sys
import types
from typing import Any, Callable, Optional

from mcpyrate.compiler import create_module
from mcpyrate.core import MacroExpansionError
from mcpyrate.debug import format_bindings
from mcpyrate.expander import MacroExpander, find_macros, global_postprocess
from mcpyrate.repl.console import MacroConsole as _MacroConsole

from . import documentation
from .console import Console

__all__ = ["MacroConsole"]


class MacroConsole(Console, _MacroConsole):
    """A console with macros: ``obj?``, ``obj??``, ``macros?``, ``macro(f)`` and macro-imports."""

    def __init__(self, label: str, namespace: dict[str, Any]) -> None:
        # MacroConsole's own __init__ is left out: it claims the two process-wide names.
        code.InteractiveConsole.__init__(self, namespace, f"<{label}>")
        self._begin(label)
        self.expander = MacroExpander(bindings={}, filename=self.filename)
        self._macro_bindings_changed = False
        self._module_name = f"__replserve_{label.replace(' ', '_')}__"
        self._module = create_module(dotted_name=self._module_name, filename=self.filename)
        self._module_metadata = copy.copy(vars(self._module))

    def run_block(self, source: str, filename: str, is_final: bool) -> bool:
        """As the plain console does, and look for the three commands that are no Python first."""
        inquiry = self._inquiry(source)
        if inquiry is not None:
            self._inquire(inquiry, filename)
            return False
        try:
            more = super().run_block(source, filename, is_final)
        except (MacroExpansionError, ImportError) as error:
            # Raised by macro-imports and by macros while the block was expanded; the frames are theirs, and
            # the block is what is wrong.
            self._fail(error)
            return False
        if not more:
            self._refresh_macro_functions()
        return more

    def compile_block(self, source: str, filename: str, is_final: bool) -> Optional[types.CodeType]:
        compiled = None
        try:
            compiled = super().compile_block(source, filename, is_final)
            if compiled is None:
                return None
        except (OverflowError, SyntaxError, ValueError):
            pass  # what ast.parse says of the same source is what is shown
        tree = ast.parse(source + "\n" if is_final else source, filename)
        if not self._has_macros(tree) and compiled is not None:
            return compiled
        tree = global_postprocess(self.expander.visit(tree))
        flags = self.compile.compiler.flags
        return compile(ast.Interactive(tree.body), filename, "single", flags, True)

    def expand(self, tree: Any) -> Any:
        return global_postprocess(self.expander.visit(tree)) if self._has_macros(tree) else tree

    def _has_macros(self, tree: ast.Module) -> bool:
        """Import the macros that a block asks for; return whether it may use any."""
        bindings = self._find_macros(tree)
        if bindings:
            self._macro_bindings_changed = True
            self.expander.bindings.update(bindings)
        return bool(self.expander.bindings)

    def run_statements(self, source: str, filename: str) -> bool:
        """As the plain console does, and look for the three commands that are no Python first."""
        inquiry = self._inquiry(source)
        if inquiry is not None:
            self._inquire(inquiry, filename)
            return False
        try:
            super().run_statements(source, filename)
        except (MacroExpansionError, ImportError) as error:
            self._fail(error)
        self._refresh_macro_functions()
        return False

    def run_script(self, source: str, filename: str) -> Any:
        """As the plain console does; macros that are defined in it are found by later ones."""
        value = super().run_script(source, filename)
        self._refresh_macro_functions()
        return value

    def _find_macros(self, tree: ast.Module) -> dict[str, Callable[..., Any]]:
        """Import the macros that a block asks for; those of ``__self__`` are looked up in the namespace."""
        names = vars(self._module)
        if any(isinstance(each, ast.ImportFrom) and each.module == "__self__" for each in tree.body):
            names.update(self.locals)
            names.update(self._module_metadata)
        try:
            return find_macros(tree, filename=self.expander.filename, reload=True, self_module=self._module_name)
        finally:
            if len(names) > len(self._module_metadata):
                names.clear()
                names.update(self._module_metadata)

    @staticmethod
    def _inquiry(source: str) -> Optional[tuple[str, str]]:
        """What is asked for, if the block is ``macros?``, ``obj?`` or ``obj??``, and of what."""
        text = source.strip()
        if "\n" in text or not text.endswith("?"):
            return None
        if text == "macros?":
            return ("macros", "")
        subject = text.rstrip("?")
        try:
            # A comment or a string that ends in a question mark is Python.
            ast.parse(text)
            return None
        except SyntaxError:
            pass
        return ("source" if text.endswith("??") else "doc", subject)

    def _inquire(self, inquiry: tuple[str, str], filename: str) -> None:
        what, subject = inquiry
        if what == "macros":
            self.write(format_bindings(self.expander, color=False))
            return
        show = documentation.source if what == "source" else documentation.doc
        try:
            expression = self.compile.compiler(subject.strip(), filename, "eval")
            # No macro is expanded here: the name of a macro means the function behind it.
            subject_object = self.expander.bindings.get(subject.strip())
            if subject_object is None:
                subject_object = self.perform(expression, eval)
        except (OverflowError, SyntaxError, ValueError):
            self.showsyntaxerror(filename)
        except SystemExit:
            raise
        except BaseException:
            self.show_failure()
        else:
            show(subject_object)

    def _fail(self, error: BaseException) -> None:
        self.note_failure()
        if self._current.failures is not None:
            self._current.failures.append(error)
            return
        self.write(f"{type(error).__name__}: {error}\n")

    def close(self) -> None:
        super().close()
        self.expander.bindings.clear()
        vars(self._module).clear()
        if sys.modules.get(self._module_name) is self._module:
            del sys.modules[self._module_name]
