"""The configuration file: what is wrong with it is told with its line and with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.configuration.settings import Settings, parse
from queueserver_standalone.errors import StandaloneError


def configured(file: Path, text: str) -> Settings:
    file.write_text(text)
    return parse(["--config", str(file)])


EVERYTHING = """\
# comments are fine
network:
  listen: 127.0.0.1:${PORT}
  redis_addr: localhost:6379/2
  key_prefix: ${BEAMLINE}-qs
startup:
  startup_module: beamline.startup
  keep_re: true
  device_max_depth: ${DEPTH}
worker:
  permitted_re_metadata_keys: [/proposal, "/${BEAMLINE}"]
  question_timeout: 30
operation:
  print_console_output: off
  user_group_permissions_reload: NEVER
  update_existing_plans_and_devices: always
  default_user_group: staff
  queue_size: 10
"""


def test_each_section_is_read_and_variables_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "5", "BEAMLINE": "bl7", "DEPTH": "3"}.items():
        monkeypatch.setenv(name, value)
    found = configured(tmp_path / "config.yml", EVERYTHING)
    assert (found.listen, found.redis, found.key_prefix) == ("127.0.0.1:5", "redis://localhost:6379/2", "bl7-qs")
    assert found.startup.arguments == [
        *("--startup-module", "beamline.startup", "--keep-re", "--device-max-depth", "3"),
    ]
    assert (found.permitted_metadata, found.question_timeout) == (("/proposal", "/bl7"), "30")
    assert (found.console_output, found.files.reload, found.default_group) == ("OFF", "NEVER", "staff")
    assert found.kept == ("--queue-size", "10")


@pytest.mark.parametrize("text", ["", "# nothing\n", "network:\n", "network: {listen: }\n"])
def test_what_is_empty_says_nothing(tmp_path: Path, text: str) -> None:
    assert configured(tmp_path / "config.yml", text).listen == "127.0.0.1:60630"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "network:\n  redis_adr: x\n",
            "line 2: there is no key 'redis_adr' in the section network. Did you mean redis_a",
        ),
        ("netwrk:\n  listen: x\n", "line 1: there is no section 'netwrk'. Did you mean network?"),
        ("listen: x\n", "line 1: there is no section 'listen'. The key listen belongs in the section network."),
        ("network:\n  keep_re: true\n", "line 2: there is no key 'keep_re' in .* It belongs in the section startup."),
        ("network:\n  zzz: 1\n", "line 2: there is no key 'zzz' .* docs/reference/configuration.md lists all"),
        ("zzz: {}\n", "line 1: there is no section 'zzz'. There are network, operation, run_engine, startup, worker."),
        ("network:\n  listen: a\n  listen: b\n", "line 3: 'listen' is there twice. Keep one of them."),
        ("network: {}\nnetwork: {}\n", "line 2: 'network' is there twice. Keep one of them."),
        ("network: 5\n", "line 1: here must be keys of the section network. Correct it."),
        ("- network\n", "line 1: here must be sections, as in 'network:'. Correct it."),
        ("? [a]\n: 5\n", "line 1: a key must be a word. Correct it."),
        ("[" * 5000, "is nested too deeply, so it is not a configuration file. Correct --config."),
        (
            "startup: {keep_re: !!bool perhaps}\n",
            r"startup.keep_re \(.*, line 1\) must be true or false, not 'perhaps'.",
        ),
        ("startup: {keep_re: !!int ''}\n", "must be true or false, not ''."),
        ("startup: {keep_re: !!timestamp soon}\n", "must be true or false, not 'soon'."),
        (
            'operation: {data_dir: "/tmp/\\0"}\n',
            r"operation.data_dir \(.*, line 1\) must not have the character U\+0000",
        ),
        (
            'worker: {permitted_re_metadata_keys: ["\\uD800"]}\n',
            "must not have .* half of a surrogate pair: leave it out.",
        ),
        (
            "operation: {data_dir: ~nobody-is-called-so/x}\n",
            r"data_dir \(.*\) begins with the home directory of a user that this machine",
        ),
        ("network: [\n", "is not YAML: line 2: .* Correct it, or correct --config."),
        ("network: {listen: 5}\n", r"network.listen \(.*, line 1\) must be text, not 5: put it in quotes."),
        (
            "network: {redis_addr: ['redis://:sesame@host']}\n",
            r"redis_addr \(.*, line 1\) must be text: put it in quotes.",
        ),
        ("startup: {keep_re: 'yes'}\n", r"startup.keep_re \(.*, line 1\) must be true or false, not 'yes'."),
        ("startup: {device_max_depth: '3'}\n", "must be a whole number of levels, 0 or more, not '3'."),
        ("startup: {device_max_depth: true}\n", "must be a whole number of levels, 0 or more, not True."),
        ("startup: {device_max_depth: -1}\n", "must be a whole number of levels, 0 or more, not -1."),
        ("startup: {startup_dir: {a: b}}\n", "must be text, not {}: put it in quotes."),
        ("worker: {permitted_re_metadata_keys: /}\n", "must be a list of texts, not '/'."),
        ("worker: {permitted_re_metadata_keys: [1]}\n", r"must be a list of texts, not \[1\]."),
        ("worker: {question_timeout: true}\n", "must be a number of seconds, or none"),
        (
            "operation: {user_group_permissions_reload: LATER}\n",
            "must be NEVER or ON_REQUEST or ON_STARTUP, not 'LATER'.",
        ),
        ("network: {listen: '${NO_SUCH}'}\n", "names the variable NO_SUCH, which is not set: set it, or write"),
        ("startup: {device_max_depth: '${HOME}'}\n", "must be a whole number of levels, 0 or more, not '/"),
        ("a: &a [*a]\n", "there is no section 'a'"),
        ("network: &a\n  listen: *a\n", "must be text, not {}"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StandaloneError, match=sentence) as refusal:
        configured(tmp_path / "config.yml", text)
    assert str(tmp_path / "config.yml") in str(refusal.value)


def test_two_dollars_stand_for_one(tmp_path: Path) -> None:
    assert configured(tmp_path / "config.yml", "network: {key_prefix: '$${x}-$y'}").key_prefix == "${x}-$y"


def test_a_file_that_is_not_there_or_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(StandaloneError, match=r"nowhere\.yml can't be read: No such file .* Correct --config\."):
        parse(["--config", str(tmp_path / "nowhere.yml")])
    (tmp_path / "bytes.yml").write_bytes(b"network:\n  listen: \xff\n")
    with pytest.raises(StandaloneError, match=r"bytes\.yml is not YAML"):
        parse(["--config", str(tmp_path / "bytes.yml")])
    (tmp_path / "long.yml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(StandaloneError, match="has more than 100000 bytes"):
        parse(["--config", str(tmp_path / "long.yml")])


@pytest.mark.parametrize("variable", ["QSERVER_CONFIG", "QUEUESERVER_CONFIG"])
@pytest.mark.parametrize("name", ["nowhere.yml", "long.yml", "~nobody-is-called-so/x"])
def test_a_sentence_names_the_variable_if_that_named_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    (tmp_path / "long.yml").write_bytes(b"#" * 1_000_001)
    monkeypatch.setenv(variable, name if name.startswith("~") else str(tmp_path / name))
    with pytest.raises(StandaloneError, match=rf"Correct {variable}\.|^{variable} begins with") as refusal:
        parse([])
    assert "--config" not in str(refusal.value)


def test_a_directory_may_have_a_file_for_each_section(tmp_path: Path) -> None:
    with pytest.raises(StandaloneError, match=r"There is no configuration file .* in the directory"):
        parse(["--config", str(tmp_path)])
    (tmp_path / "network.yml").write_text("network: {key_prefix: bl7}\n")
    (tmp_path / "rest.yaml").write_text("operation: {queue_size: 10}\nworker: {question_timeout: none}\n")
    (tmp_path / ".hidden.yml").write_text("]")
    (tmp_path / "startup.py").write_text("]")
    (tmp_path / "rest.yml~").write_text("]")
    (tmp_path / "README").write_text("]")
    (tmp_path / "rest.yml.orig").write_text("]")
    (tmp_path / "__pycache__").mkdir()
    found = parse(["--config", str(tmp_path)])
    assert (found.key_prefix, found.kept) == ("bl7", ("--queue-size", "10"))
    (tmp_path / "second.yml").write_text("\nnetwork: {}\n")
    with pytest.raises(
        StandaloneError, match=r"The section network is in .*network\.yml and once more in .*, line 2\."
    ):
        parse(["--config", str(tmp_path)])


def test_a_home_directory_that_there_is_not_is_told_wherever_a_path_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["--config", "~nobody-is-called-so/x"], ["--listen", "unix:~nobody-is-called-so/x"]):
        with pytest.raises(StandaloneError, match=f"{words[0]} begins with the home directory of a user that this "):
            parse(words)
    monkeypatch.setenv("IPYTHONDIR", "~nobody-is-called-so")
    with pytest.raises(StandaloneError, match="IPYTHONDIR begins with"):
        parse(["--startup-profile", "collection"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("operation:\n  emergency_lock_key: ${sesame}\n", "names a variable, which is not set"),
        ("operation:\n  emergency_lock_key: $${a}${sesame}\n", "names a variable, which is not set"),
        ("network:\n  redis_addr: redis://:${sesame}@host\n", "names a variable, which is not set"),
        ("operation:\n  emergency_lock_key: *sesame\n", "line 2: found undefined alias .put text that begins with"),
        ("operation:\n  emergency_lock_key: !sesame!open x\n", "line 2: found undefined tag handle .put text"),
        ("operation:\n  emergency_lock_key: !!int sesame\n", None),
        ("operation:\n  emergency_lock_key: [sesame]\n", "must be text: put it in quotes"),
        ("operation:\n  emergency_lock_key: {sesame: x}\n", "must be text: put it in quotes"),
        ("operation:\n  emergency_lock_key: @sesame\n", "line 2: found character '@' that cannot start any token"),
        ("operation:\n  emergency_lock_key: 'sesame\n", "found unexpected end of stream"),
        ("operation:\n  emergency_lock_key:sesame\n", "line 2: here must be keys of the section operation"),
        ("operation: {emergency_lock_key:sesame}\n", "behind 'emergency_lock_key' must be a colon and a space"),
        ("operation: {emergency_lock_key sesame}\n", "behind 'emergency_lock_key' must be a colon and a space"),
        ("operation: {emergency_lock_key=sesame: x}\n", "behind 'emergency_lock_key' must be a colon and a space"),
        (
            "operation: {emergency_lock_key: open,sesame}\n",
            "behind a comma is no key .* a value with a comma in quotes",
        ),
        ("operation: {emergency_lock_key: open,sesame: x}\n", "behind a comma is no key of the section operation"),
        ("operation:\n  emergency_lock_key: open\n  - sesame\n", "line 3: "),
        ("emergency_lock_key sesame:\n", "line 1: behind 'emergency_lock_key' must be a colon and a space"),
    ],
)
def test_no_mistake_in_a_secret_shows_it(tmp_path: Path, text: str, sentence: str | None) -> None:
    if sentence is None:
        assert configured(tmp_path / "config.yml", text).emergency_lock_key == "sesame"
        return
    with pytest.raises(StandaloneError, match=sentence) as refusal:
        configured(tmp_path / "config.yml", text)
    assert "sesame" not in str(refusal.value)
