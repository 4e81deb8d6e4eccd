"""How a page is read: which blocks are steps, and when an output is what the page says."""

from __future__ import annotations

import pytest

from tests.how_to.pages import Step, fits, steps_of

PAGE = """
Say this:

```sh
echo one
```

```text
one
```

and this:

```sh
false
```
"""


def test_commands_and_what_comes_out_of_them_are_a_step() -> None:
    assert steps_of(PAGE) == [Step(4, "echo one\n", "one\n"), Step(14, "false\n", None)]


@pytest.mark.parametrize("block", ["```text\nlost\n```\n", "```json\n{}\n```\n", "```python\nprint()\n```\n"])
def test_a_block_that_belongs_to_no_commands_is_an_error(block: str) -> None:
    with pytest.raises(ValueError, match="line 19"):
        steps_of(f"{PAGE}\nA sentence.\n{block}")


@pytest.mark.parametrize("output", ["ERROR:\n  Code: NotFound\n", 'Error invoking method "x"\n', '{\n  "code": "x"\n'])
def test_a_step_is_refused_if_the_page_shows_a_refusal(output: str) -> None:
    assert Step(1, "", output).is_refused
    assert not Step(1, "", output.lower().replace("code", "mode")).is_refused


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ("a\nb", "a\nb\n"),
        ("a  b", " a b"),
        ("…\nb\n", "b"),
        ("a\n…\nb", "a\nx\ny\nb"),
        ("a…d", "a b c d"),
        ("a\n…", "a"),
        ("(a)", "(a)"),
    ],
)
def test_what_is_left_out_may_be_anything(said: str, output: str) -> None:
    assert fits(said, output)


@pytest.mark.parametrize(
    ("said", "output"),
    [("a\nb", "a"), ("a", "a\nb"), ("a…d", "a b c"), ("a\n…\nb", "a\nx"), ("a", "A"), (".", "a"), ("", "a")],
)
def test_what_is_not_left_out_must_be_the_same(said: str, output: str) -> None:
    assert not fits(said, output)
