"""A stand-in for IPython's get_ipython, for startup files that were written for an IPython profile.

Guarantees: `get_ipython()` works as a global name and through both usual imports from IPython, at any place in a
startup file, whether or not IPython is installed; the object has `user_ns` (the namespace of the startup code) and
`log`. Line numbers stay. Magics and everything else of a shell do not exist, and modules that startup files
import are not changed.
"""

import ast
import logging
from typing import Any, Final

_SOURCES: Final = ("IPython", "IPython.core.getipython")


class InteractiveShellStandIn:
    """What `get_ipython()` returns in startup code."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.log = logging.getLogger("startup")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"get_ipython().{name} does not exist here: the environment is no IPython shell, "
            "only get_ipython().user_ns and get_ipython().log are available"
        )


_shell = InteractiveShellStandIn()


def get_ipython() -> InteractiveShellStandIn:
    """Return the stand-in for the IPython shell."""
    return _shell


def offer_in(namespace: dict[str, Any]) -> None:
    """Make `get_ipython` a global name of the namespace and the namespace the shell's `user_ns`."""
    _shell.user_ns = namespace
    namespace["get_ipython"] = get_ipython


def redirect_imports(tree: ast.Module) -> ast.Module:
    """Let every import of get_ipython from IPython in a parsed file give the stand-in."""
    _Redirect().visit(tree)
    return ast.fix_missing_locations(tree)


class _Redirect(ast.NodeTransformer):
    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        """Split the import: get_ipython from here, everything else from where the user said."""
        wanted = [alias for alias in node.names if alias.name == "get_ipython"]
        if node.module not in _SOURCES or node.level or not wanted:
            return node
        ours = ast.copy_location(ast.ImportFrom(module=__name__, names=wanted, level=0), node)
        others = [alias for alias in node.names if alias.name != "get_ipython"]
        if not others:
            return ours
        return [ast.copy_location(ast.ImportFrom(module=node.module, names=others, level=0), node), ours]
