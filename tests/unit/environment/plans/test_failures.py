from pathlib import Path

import pytest
from queueserver_environment.plans.failures import MAX_TRACEBACK, error_text, startup_failure, user_traceback


def caught(source: str, filename: str = "/home/user/startup/a.py") -> BaseException:
    try:
        exec(compile(source, filename, "exec"), {})  # noqa: S102 - code under test comes with a file name of its own
    except BaseException as error:  # noqa: BLE001 - the error is what the tests look at
        return error
    raise AssertionError


def is_startup(filename: str) -> bool:
    return filename.startswith("/home/user/startup/")


def test_a_chain_of_exceptions_is_told_whole() -> None:
    text = user_traceback(caught("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('bad') from e"))
    assert "ZeroDivisionError: division by zero" in text
    assert "The above exception was the direct cause" in text
    assert text.rstrip().endswith("ValueError: bad")


def test_a_message_is_one_sentence_with_file_and_line() -> None:
    failure = startup_failure(caught("\nraise OSError('no motor\\nat all')"), is_startup)
    assert failure.message == "OSError in a.py, line 2: no motor; correct it and try again."


def test_an_exit_says_to_remove_the_call() -> None:
    failure = startup_failure(caught("raise SystemExit(4)"), is_startup)
    assert "exit (4)" in failure.message
    assert "remove the call" in failure.message


def test_a_syntax_error_of_a_module_that_is_imported_has_that_modules_place(tmp_path: Path) -> None:
    (tmp_path / "broken_module_for_test.py").write_text("x = \n")
    search = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
    source = f"{search}try:\n    import broken_module_for_test\nfinally:\n    sys.path.pop(0)"
    failure = startup_failure(caught(source), is_startup)
    assert (Path(failure.file).name, failure.line) == ("broken_module_for_test.py", 1)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("", "SyntaxError in a.py, line 1: None"),
        ("''", "SyntaxError in a.py, line 1: SyntaxError"),
        ("5", "SyntaxError in a.py, line 1: 5"),
        ("'bad'", "SyntaxError in a.py, line 1: bad"),
        ("'bad', ('b.py', 7, 1, '')", "SyntaxError in b.py, line 7: bad"),
        ("'bad', (1, 2, 3, '')", "SyntaxError in a.py, line 1: bad"),
        ("'bad', (b'b.py', 2, 3, '')", "SyntaxError in a.py, line 1: bad"),
        ("'bad', ('b.py', 'two', 3, '')", "SyntaxError in a.py, line 1: bad"),
        ("'bad', ('b.py', 2**40, 3, '')", "SyntaxError in a.py, line 1: bad"),
        ("'bad', ('b.py', -2, 3, '')", "SyntaxError in a.py, line 1: bad"),
    ],
)
def test_a_syntax_error_that_code_raises_itself_is_told_whatever_is_in_it(raised: str, told: str) -> None:
    assert startup_failure(caught(f"raise SyntaxError({raised})"), is_startup).message.startswith(told)


@pytest.mark.parametrize("source", ["raise ValueError", "raise ValueError('')", "raise ValueError('  ')"])
def test_an_exception_without_text_is_told_by_its_class(source: str) -> None:
    assert error_text(caught(source)) == "ValueError"


def test_an_exception_that_cant_be_printed_is_told_by_its_class() -> None:
    error = caught(
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError\n    __repr__ = __str__\nraise Odd()"
    )
    assert error_text(error) == "Odd"
    assert "Odd" in user_traceback(error)


def test_endless_texts_are_cut_in_the_middle_and_invalid_unicode_is_made_valid() -> None:
    text = user_traceback(caught("raise ValueError('\\ud800' + 'x' * 1_000_000 + 'end')"))
    assert len(text.encode()) < MAX_TRACEBACK + 100
    assert text.startswith("Traceback")
    assert text.rstrip().endswith("end")
