"""What startup code may import from us, under our names and, if it was written for it, bluesky-queueserver's.

Guarantees: a name is imported when it is requested, and nothing else with it.
"""

from importlib import import_module
from typing import Any, Final

HOMES: Final = {
    "is_re_worker_active": "modes",
    "set_re_worker_active": "modes",
    "clear_re_worker_active": "modes",
    "is_ipython_mode": "modes",
    "set_ipython_mode": "modes",
    "clear_ipython_mode": "modes",
    "set_user_ns": "user_namespace",
    "global_user_namespace": "user_namespace",
    "load_devices_from_happi": "happi_devices",
    "parameter_annotation_decorator": "annotation_decorator",
    "register_device": "registration",
    "register_plan": "registration",
    "bind_plan_arguments": "plan_arguments",
    "construct_parameters": "plan_arguments",
    "validate_plan": "plan_validation",
    "format_text_descriptions": "text_descriptions",
    "gen_list_of_plans_and_devices": "list_generation",
    "CommTimeoutError": "zmq_client.failures",
    "CommJsonRpcError": "zmq_client.failures",
    "ZMQEncoding": "zmq_client.failures",
    "supported_zmq_encodings": "zmq_client.failures",
    "process_zmq_encoding_name": "zmq_client.failures",
    "generate_zmq_keys": "zmq_client.keys",
    "generate_zmq_public_key": "zmq_client.keys",
    "validate_zmq_key": "zmq_client.keys",
    "ZMQCommSendThreads": "zmq_client.sending",
    "ZMQCommSendAsync": "zmq_client.sending",
    "zmq_single_request": "zmq_client.sending",
    "default_zmq_control_address": "zmq_client.sending",
    "ReceiveConsoleOutput": "zmq_client.streams",
    "ReceiveConsoleOutputAsync": "zmq_client.streams",
    "ReceiveSystemInfo": "zmq_client.streams",
    "ReceiveSystemInfoAsync": "zmq_client.streams",
    "default_zmq_info_address": "zmq_client.streams",
}
"""Module of this package in which each name is."""


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"{__name__} has no {name}: there are {', '.join(sorted(HOMES))}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
