"""Code that was written for bluesky-queueserver finds what it imports.

Guarantees: where the package bluesky_queueserver is not installed, a small one of our own with that name is offered,
in the environment, and in programs that ask for it (the distribution queueserver-compat), with the submodules that
public code imports from. Where it is installed it is used, and in the environment it is given the namespace. Startup
code learns that it runs in a worker.
What sends requests to a server over 0MQ is offered where pyzmq is installed.
"""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

from queueserver_environment import user_api
from queueserver_environment.startup.shim_finder import ShimFinder
from queueserver_environment.startup.startup_imports import after_import
from queueserver_environment.user_api import modes
from queueserver_environment.user_api.list_command import use_list_command
from queueserver_environment.user_api.user_namespace import global_user_namespace

_PACKAGE: Final = "bluesky_queueserver"
_VERSION: Final = "0.0.25"
"""Version whose names are offered: code reads it to know what it can use."""
_MODES: Final = tuple(name for name, home in user_api.HOMES.items() if home == "modes")
_DECORATOR: Final = ("parameter_annotation_decorator",)
_NAMESPACE: Final = ("set_user_ns", "global_user_namespace")
_REGISTRATION: Final = ("register_device", "register_plan")
_OPERATIONS: Final = ("validate_plan", "bind_plan_arguments", "construct_parameters", "format_text_descriptions")
_LISTS: Final = ("gen_list_of_plans_and_devices",)
_SENDERS: Final = ("ZMQCommSendThreads", "ZMQCommSendAsync", "CommTimeoutError")
_KEYS: Final = ("generate_zmq_keys", "generate_zmq_public_key", "validate_zmq_key")
_RECEIVERS: Final = (
    *("ReceiveConsoleOutput", "ReceiveConsoleOutputAsync", "ReceiveSystemInfo", "ReceiveSystemInfoAsync"),
)
_ENCODINGS: Final = ("ZMQEncoding", "supported_zmq_encodings", "process_zmq_encoding_name")
_MODULES: Final = {
    _PACKAGE: ("__version__", *_MODES, *_DECORATOR, *_REGISTRATION, *_OPERATIONS, *_LISTS),
    f"{_PACKAGE}.manager": (),
    f"{_PACKAGE}.manager.profile_tools": (*_MODES, *_NAMESPACE, "load_devices_from_happi"),
    f"{_PACKAGE}.manager.annotation_decorator": _DECORATOR,
    f"{_PACKAGE}.manager.profile_ops": (*_REGISTRATION, *_OPERATIONS),
    f"{_PACKAGE}.manager.gen_lists": _LISTS,
}
_WITH_PYZMQ: Final = {
    **_MODULES,
    _PACKAGE: (*_MODULES[_PACKAGE], *_SENDERS, *_KEYS, *_RECEIVERS),
    f"{_PACKAGE}.manager.comms": (
        *(*_SENDERS, *_KEYS, *_ENCODINGS),
        *("CommJsonRpcError", "zmq_single_request", "default_zmq_control_address"),
    ),
    f"{_PACKAGE}.manager.output_streaming": (*_RECEIVERS, "default_zmq_info_address"),
}


def offer_user_api(namespace: dict[str, Any], list_command: Sequence[str] = ()) -> None:
    """Prepare this process for user code with this namespace; call it once, before any of it runs.

    `list_command` is the command that lists the plans and devices of startup code.
    """
    use_list_command(list_command)
    modes.set_re_worker_active()
    modes.set_ipython_mode(using_ipython=False)
    global_user_namespace.set_user_namespace(user_ns=namespace)

    def tell(profile_tools: ModuleType) -> None:
        profile_tools.global_user_namespace.set_user_namespace(user_ns=namespace, use_ipython=False)

    after_import(f"{_PACKAGE}.manager.profile_tools", tell)
    offer_package()


def offer_package() -> None:
    """Offer the package, unless it was offered before. An installed one wins, because it is found first."""
    if any(isinstance(finder, ShimFinder) and finder.package == _PACKAGE for finder in sys.meta_path):
        return
    modules = _MODULES if find_spec("zmq") is None else _WITH_PYZMQ
    sys.meta_path.append(ShimFinder(_PACKAGE, f"{_PACKAGE} is not installed here", modules, _make))


def _make(name: str) -> Any:
    return _VERSION if name == "__version__" else getattr(user_api, name)
