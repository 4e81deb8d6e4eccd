"""Files with IPython's syntax."""

from __future__ import annotations

import ast

import pytest
from queueserver_environment.startup.ipy_files import to_python


def lines_of(text: str) -> list[str]:
    """The statements, each at the line on which it was."""
    tree = to_python(text.encode(), "a.ipy")
    return [f"{statement.lineno}: {ast.unparse(statement)}" for statement in tree.body]


def test_magics_and_commands_become_calls_and_lines_keep_their_numbers() -> None:
    assert lines_of("x = 1\n%matplotlib qt\n\n!echo it's on\ny = 2\n") == [
        "1: x = 1",
        "2: get_ipython().run_line_magic('matplotlib', 'qt')",
        '4: get_ipython().system("echo it\'s on")',
        "5: y = 2",
    ]


def test_a_magic_may_stand_in_a_block() -> None:
    (statement,) = lines_of("if True:\n    %run -i other.py\n    x = 1\n")
    assert "    get_ipython().run_line_magic('run', '-i other.py')" in statement


def test_a_percent_sign_in_python_stays_what_it_is() -> None:
    text = "x = (7\n  % 4)\ny = '''\n%matplotlib qt\n'''\nz = 'a %s' \\\n  % x\n"
    assert ast.dump(to_python(text.encode(), "a.ipy")) == ast.dump(ast.parse(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [("x = 1\nx = = 2\n%matplotlib\n", 2), ("%matplotlib\nx = %time\n", 2), ("%%time\nx = 1\n", 1), ("RE?\n", 1)],
)
def test_what_is_neither_python_nor_a_magic_is_a_syntax_error_at_its_line(text: str, line: int) -> None:
    with pytest.raises(SyntaxError) as caught:
        to_python(text.encode(), "a.ipy")
    assert caught.value.lineno == line


def test_the_encoding_is_that_of_the_file_and_a_wrong_one_is_a_syntax_error() -> None:
    tree = to_python("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "a.ipy")
    assert "é" in ast.unparse(tree)
    with pytest.raises(SyntaxError, match="can't be decoded"):
        to_python(b"x = '\xe9'\n", "a.ipy")


def test_line_ends_of_other_systems_are_understood() -> None:
    assert lines_of("x = 1\r\n%colors Linux\r\ny = '\u2028'\r\n")[1] == (
        "2: get_ipython().run_line_magic('colors', 'Linux')"
    )
