"""Files for TLS that can't be used: each is named in one sentence, with what to do."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from queueserver_rpc.tls_files import Side, TlsError, TlsFiles, add_tls_options, read_tls_options

from tests.harness.certificates import Certificates, future, past, self_made, with_pass_phrase


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


def worker_files(made: Certificates) -> TlsFiles:
    return TlsFiles(Side.SERVER, "", *made.worker)


def manager_files(made: Certificates) -> TlsFiles:
    return TlsFiles(Side.CLIENT, "worker-", *made.manager)


def refusal(files: TlsFiles) -> str:
    with pytest.raises(TlsError) as caught:
        files.read()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_files_that_fit_are_read(made: Certificates) -> None:
    material = worker_files(made).read()
    assert (material.certificate, material.key, material.ca) == tuple(path.read_bytes() for path in made.worker)
    assert manager_files(made).read().certificate == made.manager[0].read_bytes()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_file_that_is_not_there_is_named_with_its_option(made: Certificates, number: int) -> None:
    path, option = made.manager[number], ("cert", "key", "ca")[number]
    path.unlink()
    assert refusal(manager_files(made)) == (
        f"--worker-tls-{option}: can't read {path}: no such file or directory. Correct the path or the file's mode."
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (0, "has no certificate that can be read. Give a file in PEM."),
        (1, "has no private key that can be read. Give a file in PEM."),
        (2, "has no certificate in PEM. Give the CA's certificate."),
    ],
)
def test_a_file_with_something_else_in_it_is_named(made: Certificates, number: int, sentence: str) -> None:
    path = made.worker[number]
    path.write_text("nothing of the kind", encoding="ascii")
    assert refusal(worker_files(made)) == f"--tls-{('cert', 'key', 'ca')[number]}: {path} {sentence}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_access_is_refused(made: Certificates, mode: int) -> None:
    key = made.worker[1]
    key.chmod(mode)
    assert refusal(worker_files(made)) == (
        f"--tls-key: other users of this machine may access {key}. Type: chmod 600 {key}"
    )


def test_a_key_of_another_certificate_is_refused(made: Certificates) -> None:
    certificate, _, ca = made.worker
    key = made.manager[1]
    assert refusal(TlsFiles(Side.SERVER, "", certificate, key, ca)) == (
        f"--tls-cert: the key in {key} does not belong to the certificate in {certificate}. Give both files of one "
        "service."
    )


def test_a_key_with_a_pass_phrase_is_refused_without_asking_for_it(made: Certificates) -> None:
    key = made.worker[1]
    with_pass_phrase(key, b"secret")
    assert f"--tls-key: {key} has a pass phrase. Give a file without one" in refusal(worker_files(made))


@pytest.mark.parametrize("files", [worker_files, manager_files])
def test_an_expired_certificate_is_refused(made: Certificates, files: object) -> None:
    made.make("worker", "manager", period=past())
    assert callable(files)
    assert "has expired: make a new one with qserver-certs" in refusal(files(made))


@pytest.mark.parametrize("files", [worker_files, manager_files])
def test_a_certificate_that_is_not_valid_yet_is_refused(made: Certificates, files: object) -> None:
    made.make("worker", "manager", period=future())
    assert callable(files)
    assert "is not valid yet. Check the clock of this machine, or make a new one" in refusal(files(made))


def test_an_expired_ca_is_refused(made: Certificates) -> None:
    made.make_expired_authority()
    assert f"--tls-ca: the CA's certificate in {made.ca} expired on 20" in refusal(worker_files(made))


def test_a_certificate_of_a_service_is_no_ca(made: Certificates) -> None:
    certificate, key, _ = made.worker
    assert refusal(TlsFiles(Side.SERVER, "", certificate, key, certificate)) == (
        f"--tls-ca: {certificate} has no certificate of a CA. Give the CA's certificate, not a service's."
    )


def test_a_certificate_for_the_other_end_is_refused(made: Certificates) -> None:
    certificate, key, ca = made.manager
    assert f"the certificate in {certificate} is not one for servers" in refusal(
        TlsFiles(Side.SERVER, "", certificate, key, ca)
    )
    certificate, key, ca = made.worker
    assert f"the certificate in {certificate} is not one for clients" in refusal(
        TlsFiles(Side.CLIENT, "worker-", certificate, key, ca)
    )


def test_a_certificate_of_another_ca_than_the_peers_may_be_used(made: Certificates, tmp_path: Path) -> None:
    TlsFiles(Side.CLIENT, "worker-", *self_made(tmp_path), made.ca).read()


def parsed(*words: str, **environment: str) -> TlsFiles | None:
    parser = argparse.ArgumentParser()
    add_tls_options(parser, Side.CLIENT, "worker-")
    return read_tls_options(parser.parse_args(words), Side.CLIENT, "worker-", environment)


def test_all_three_options_are_given_or_none() -> None:
    assert parsed() is None
    with pytest.raises(ValueError, match=r"^for TLS --worker-tls-ca is missing$"):
        parsed("--worker-tls-cert", "/a", "--worker-tls-key", "/b")
    with pytest.raises(ValueError, match=r"^for TLS --worker-tls-cert and --worker-tls-ca are missing$"):
        parsed("--worker-tls-key", "/b")


def test_options_come_from_variables_too_and_those_of_the_command_line_count_before_them() -> None:
    variables = {"QSERVER_WORKER_TLS_CERT": "/a", "QUEUESERVER_WORKER_TLS_KEY": "/b", "QSERVER_WORKER_TLS_CA": "/c"}
    found = parsed("--worker-tls-cert", "/d", **variables)
    assert found is not None
    assert found.paths == (Path("/d"), Path("/b"), Path("/c"))
