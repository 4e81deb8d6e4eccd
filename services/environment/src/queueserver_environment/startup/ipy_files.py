"""Files with IPython's syntax (`.ipy`): lines that begin with % or ! become calls of the shell's stand-in.

Guarantees: Python statements are left alone and every line keeps its number. `%name rest` becomes
`get_ipython().run_line_magic("name", "rest")`, `!command` becomes `get_ipython().system("command")`. Other syntax of
IPython (cell magics, `x = %name`, trailing question marks, top-level await) stays the SyntaxError that it is in Python.
"""

import ast
import io
import re
import tokenize
from typing import Final, cast

_MAGIC: Final = re.compile(r"(?P<indent>\s*)%(?P<name>[A-Za-z_]\w*)[ \t]*(?P<rest>.*)")
_COMMAND: Final = re.compile(r"(?P<indent>\s*)!(?P<rest>.*)")


def to_python(text: bytes, filename: str) -> ast.Module:
    """Parse a file.

    Raises
    ------
    SyntaxError
        It is neither Python nor Python with magics in the allowed places.
    """
    # Not splitlines(), which knows line ends that Python does not.
    lines = re.split(r"\r\n|\r|\n", _decoded(text, filename))
    while True:
        try:
            # Not ast.parse, whose frame would appear in tracebacks.
            return _parse("\n".join(lines) + "\n", filename)
        except SyntaxError as error:
            # A % or ! within an expression is Python; only a line that can't begin with one stops the parser.
            if not _replace(lines, (error.lineno or 0) - 1):
                raise


def _parse(text: str, filename: str) -> ast.Module:
    return cast("ast.Module", compile(text, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True))


def _decoded(text: bytes, filename: str) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
        return text.decode(encoding)
    except (UnicodeDecodeError, SyntaxError) as error:
        raise SyntaxError(f"the file can't be decoded: {error}", (filename, 1, 0, "")) from None


def _replace(lines: list[str], index: int) -> bool:
    """Replace a line with IPython's syntax; tell whether it was one."""
    line = lines[index] if 0 <= index < len(lines) else ""
    if magic := _MAGIC.fullmatch(line):
        call = f"run_line_magic({magic['name']!r}, {magic['rest'].rstrip()!r})"
    elif magic := _COMMAND.fullmatch(line):
        call = f"system({magic['rest'].strip()!r})"
    else:
        return False
    lines[index] = f"{magic['indent']}get_ipython().{call}"
    return True
