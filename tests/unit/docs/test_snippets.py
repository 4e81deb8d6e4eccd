"""Each page with code in it is executed by a test, or is named here with the reason why not."""

from __future__ import annotations

import re

from tests.harness.services import REPOSITORY

#: Pages whose code a test executes, and the test.
EXECUTED = {
    "README.md": "tests/wheels/test_wheels.py",
    "docs/how-to/backup.md": "tests/tutorials/test_how_to_at_terminals.py",
    "docs/how-to/browsers.md": "tests/languages/envoy.py",
    "docs/how-to/coming-from-bluesky-queueserver.md": "tests/integration/import_state/test_page.py",
    "docs/how-to/compose.md": "tests/compose/test_startup_code.py",
    "docs/how-to/describing-plans.md": "tests/unit/environment/describe/test_describing_page.py",
    "docs/how-to/grpcurl.md": "tests/how_to/test_how_to_pages.py",
    "docs/how-to/hanging-plans.md": "tests/tutorials/test_how_to_at_terminals.py",
    "docs/how-to/lock.md": "tests/tutorials/test_how_to_at_terminals.py",
    "docs/how-to/other-languages.md": "tests/e2e/test_service_config.py",
    "docs/how-to/permissions.md": "tests/unit/manager/store/files/test_permission_file.py",
    "docs/reference/configuration.md": "tests/unit/standalone/configuration/test_option_page.py",
    "docs/how-to/standby.md": "tests/e2e/test_standby_page.py",
    "docs/how-to/python-client.md": "tests/tutorials/test_python_client_page.py",
    "docs/how-to/worker-elsewhere.md": "tests/how_to/test_worker_elsewhere_page.py",
    **{
        page.relative_to(REPOSITORY).as_posix(): "tests/tutorials/test_tutorials.py"
        for page in (REPOSITORY / "docs/tutorials").glob("[0-9]*.md")
    },
}
NOT_EXECUTED = {
    "docs/how-to/following-plans.md": "words with UID and PLAN; tests/e2e/test_cli_waiting.py and others execute such",
    "docs/how-to/old-clients.md": "it replaces a server; tests/zmq_bridge/test_start_re_manager.py starts such",
    "docs/how-to/own-python.md": "paths of another machine; tests/environments starts servers in that way",
    "docs/how-to/redis.md": "hosts of another site; tests/integration/manager/store/test_access.py creates its user",
    "docs/how-to/security.md": "one line, which opens the server to the network",
    "docs/how-to/stop-and-inspect.md": "it ends the server; tests/e2e/test_cli_server.py executes the commands",
    "docs/how-to/systemd.md": "it sets up a service of the machine; test_systemd_units.py checks the units",
    "docs/how-to/watch.md": "an example of what is shown; tests/e2e/test_dashboard.py executes the command",
    "docs/tutorials/index.md": "an example of what blocks look like; the first tutorial has the same",
}
_CODE = re.compile(r"^```(?:sh|python|yaml|json|ini|ts|console)\b", re.MULTILINE)


def test_every_page_with_code_is_executed_or_says_why_not() -> None:
    pages = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"))
        if _CODE.search(path.read_text(encoding="utf-8"))
    }
    assert pages == EXECUTED.keys() | NOT_EXECUTED.keys()
    assert not EXECUTED.keys() & NOT_EXECUTED.keys()


def test_the_tests_that_execute_pages_are_there() -> None:
    assert [test for test in EXECUTED.values() if not (REPOSITORY / test).is_file()] == []
