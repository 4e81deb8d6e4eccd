"""Code that was written for bluesky-queueserver finds what it imports.

Guarantees: where the package bluesky_queueserver is not installed, a small one of our own with that name is offered,
in the environment only, with the submodules that startup code imports from. Where it is installed it is used, and is
given the namespace. Either way the code learns that it runs in a worker.
Does not offer the parts of that package that talk to its server.
"""

import sys
from collections.abc import Sequence
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
_MODULES: Final = {
    _PACKAGE: ("__version__", *_MODES, *_DECORATOR, *_REGISTRATION, *_OPERATIONS, *_LISTS),
    f"{_PACKAGE}.manager": (),
    f"{_PACKAGE}.manager.profile_tools": (*_MODES, *_NAMESPACE, "load_devices_from_happi"),
    f"{_PACKAGE}.manager.annotation_decorator": _DECORATOR,
    f"{_PACKAGE}.manager.profile_ops": (*_REGISTRATION, *_OPERATIONS),
    f"{_PACKAGE}.manager.gen_lists": _LISTS,
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
    sys.meta_path.append(ShimFinder(_PACKAGE, f"{_PACKAGE} is not installed here", _MODULES, _make))


def _make(name: str) -> Any:
    return _VERSION if name == "__version__" else getattr(user_api, name)
