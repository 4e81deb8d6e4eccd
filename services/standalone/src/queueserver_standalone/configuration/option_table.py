"""All options of start-re-manager.

The command line, the environment variables, the configuration file and the page docs/reference/configuration.md are
made from this table. Older options are in ``old_options``.
"""

from __future__ import annotations

from typing import Final

from queueserver_process.log import FORMATS, LEVELS

from queueserver_standalone.configuration.option import (
    Choice,
    Count,
    OnOff,
    Option,
    PathTo,
    Seconds,
    Secret,
    Switch,
    Text,
    Words,
)

DEFAULT_LISTEN: Final = "127.0.0.1:60630"
DEFAULT_WARNING_MB: Final = 1000
#: Where clients of bluesky-queueserver look for a server on their own machine.
DEFAULT_ZMQ_CONTROL: Final = "tcp://127.0.0.1:60615"
DEFAULT_ZMQ_INFO: Final = "tcp://127.0.0.1:60625"
#: Log levels with console text in the terminal, and without it.
DEFAULT_LOG_LEVEL: Final = "INFO"
QUIET_LOG_LEVEL: Final = "WARNING"
PERMISSIONS_NAME: Final = "user_group_permissions.yaml"
LISTS_NAME: Final = "existing_plans_and_devices.yaml"
#: Sections of the configuration file.
NETWORK, STARTUP, WORKER, OPERATION = "network", "startup", "worker", "operation"
_CODE: Final = "startup code: one source, the demo if none is given"
_FILES: Final = "permissions and lists: files in YAML, by default in the startup directory"
_KEPT: Final = "what is kept: megabytes in Redis and in memory (docs/reference/memory.md)"
_OLD_CLIENTS: Final = "clients of bluesky-queueserver: the 0MQ bridge serves them (docs/how-to/old-clients.md)"
_SHOWN: Final = "what is shown here"
_MEGABYTES: Final = Count("MB", of="megabytes", least=1)

#: Names the file with the other options; it can't be given in that file.
CONFIG: Final = Option(
    "config",
    "",
    PathTo("FILE|DIR"),
    "a file in YAML with options, or a directory with several such files (*.yml, *.yaml)",
    "none",
)
OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        "listen",
        NETWORK,
        Text("ADDRESS"),
        "where clients connect: HOST:PORT (port 0: any) or unix:PATH",
        DEFAULT_LISTEN,
    ),
    Option(
        "insecure_listen",
        NETWORK,
        Switch(),
        "let --listen be an address that others than this machine's own programs can reach, although no credentials "
        "are required: anyone who reaches it can run any code",
        "OFF",
    ),
    Option(
        "advertise_address",
        NETWORK,
        Text("HOST:PORT"),
        "where clients are told to find this server",
        "where it listens, with the host name where that is every interface",
    ),
    Option(
        "redis_addr",
        NETWORK,
        Secret("URL"),
        "an existing Redis: redis://, rediss:// or unix:// URL, or host[:port[/db]]; a URL with a password is better "
        "given by QSERVER_REDIS_URL, because all users can read command lines",
        "start one",
        variable="REDIS_URL",
    ),
    Option("redis_username", NETWORK, Text("NAME"), "user of that Redis, if it has users", "none"),
    Option(
        "redis_password_file",
        NETWORK,
        PathTo("FILE"),
        "file that holds the password of that Redis in one line",
        "none",
    ),
    Option("redis_password", NETWORK, Secret(), "the password itself", "none", on_command_line=False),
    Option(
        "redis_replicas",
        NETWORK,
        Count("N"),
        "so many replicas of that Redis must have a change before it counts as stored",
        "1 with redis+sentinel:// and redis+cluster://, else 0",
    ),
    Option("key_prefix", NETWORK, Text("PREFIX"), "first part of every Redis key", "qs"),
    Option(
        "data_dir",
        OPERATION,
        PathTo("DIR"),
        "where queue, history, permissions and logs are kept",
        "queueserver in $XDG_STATE_HOME or ~/.local/state, queueserver-demo for the demo",
    ),
    Option(
        "free_space_warning",
        OPERATION,
        Count("MB", of="megabytes"),
        "warn in the log, in the status and in 'qserver why' when the disk of the embedded Redis has less room than "
        "this; 0: never",
        str(DEFAULT_WARNING_MB),
    ),
    Option(
        "default_user_group",
        OPERATION,
        Text("NAME"),
        "user group of clients that send none",
        "admin if permissions have it, else primary, else the only group besides root",
    ),
    Option("scripts", OPERATION, OnOff(), "whether clients may upload code", "ON"),
    Option(
        "emergency_lock_key",
        OPERATION,
        Secret(),
        "a key that opens every lock",
        "none",
        variable="EMERGENCY_LOCK_KEY_FOR_SERVER",
        on_command_line=False,
    ),
    Option("startup_dir", STARTUP, PathTo("DIR"), "directory with startup files", heading=_CODE),
    Option(
        "startup_profile",
        STARTUP,
        Text("NAME"),
        "startup directory of this IPython profile; beside a script or module, where their permissions and list are",
        heading=_CODE,
    ),
    Option("startup_script", STARTUP, PathTo("FILE"), "startup code in a single file", heading=_CODE),
    Option("startup_module", STARTUP, Text("NAME"), "an installed module, by its dotted name", heading=_CODE),
    Option(
        "ipython_dir",
        STARTUP,
        PathTo("DIR"),
        "where the IPython profiles are",
        "$IPYTHONDIR, else ~/.ipython",
        heading=_CODE,
    ),
    Option(
        "environment_python",
        STARTUP,
        PathTo(),
        "the interpreter of the beamline's own environment, for example /opt/conda/envs/beamline/bin/python: startup "
        "code and plans run on it, and it needs bluesky but nothing of the queue server",
        "the one that runs this server",
        heading=_CODE,
    ),
    Option(
        "keep_re",
        STARTUP,
        Switch(),
        "never make a RunEngine: use the one of the startup code, or none",
        "OFF",
        heading=_CODE,
    ),
    Option(
        "strict_startup",
        STARTUP,
        Switch(),
        "open no environment if a plan or device can't be used",
        "OFF: leave it out and list it",
        heading=_CODE,
    ),
    Option("ignore_invalid_plans", STARTUP, OnOff(), "OFF is the same as --strict-startup", heading=_CODE),
    Option(
        "device_max_depth",
        STARTUP,
        Count(of="levels"),
        "levels of device trees that are listed: 1 for devices without components, 0 for all",
        "0",
        heading=_CODE,
    ),
    Option(
        "user_group_permissions",
        STARTUP,
        PathTo(),
        f"what each user group may use: a file, or a directory with {PERMISSIONS_NAME}; without any file groups "
        "admin and primary may use everything that does not begin with an underscore",
        "in the startup directory",
        heading=_FILES,
        key="user_group_permissions_path",
    ),
    Option(
        "user_group_permissions_reload",
        OPERATION,
        Choice("NEVER", "ON_REQUEST", "ON_STARTUP"),
        "when the file takes the place of permissions that were set: never, on request, or also at each start",
        "ON_STARTUP",
        heading=_FILES,
    ),
    Option(
        "existing_plans_devices",
        STARTUP,
        PathTo(),
        f"plans and devices to begin with: a file, or a directory with {LISTS_NAME}",
        "in the startup directory",
        heading=_FILES,
        key="existing_plans_and_devices_path",
    ),
    Option(
        "update_existing_plans_devices",
        OPERATION,
        Choice("NEVER", "ENVIRONMENT_OPEN", "ALWAYS"),
        "when that file is written: never, when an environment opens, or also when its plans or devices change; the "
        "demo's file never is",
        "ENVIRONMENT_OPEN",
        heading=_FILES,
        key="update_existing_plans_and_devices",
    ),
    Option(
        "permitted_re_metadata_keys",
        WORKER,
        Words("KEY"),
        "keys of RE.md that clients may see: / all, /a that key and below, /a/b",
        "/",
    ),
    Option(
        "question_timeout",
        WORKER,
        Seconds(),
        "how long a question of a plan (bps.input_plan) waits for an answer until the plan fails; none: for ever",
        "none",
    ),
    Option("queue_size", OPERATION, _MEGABYTES, "items of the queue; more are refused", "256", heading=_KEPT),
    Option("history_size", OPERATION, _MEGABYTES, "entries of the history; the oldest go", "128", heading=_KEPT),
    Option(
        "kept_answers_size",
        OPERATION,
        _MEGABYTES,
        "answers kept for repeated requests; the oldest go",
        "64",
        heading=_KEPT,
    ),
    Option(
        "event_log_size",
        OPERATION,
        _MEGABYTES,
        "changes kept for watchers that were away; the oldest go",
        "64",
        heading=_KEPT,
    ),
    Option("task_results_size", OPERATION, _MEGABYTES, "results of tasks; the oldest go", "64", heading=_KEPT),
    Option(
        "zmq_bridge",
        NETWORK,
        OnOff(),
        "whether clients of bluesky-queueserver are served too, as they are, by 0MQ",
        "ON, unless another program has the default addresses",
        heading=_OLD_CLIENTS,
    ),
    Option(
        "zmq_control_addr",
        NETWORK,
        Text("ADDRESS"),
        "where they send requests: tcp://HOST:PORT or ipc://PATH; an address that others than this machine's own "
        "programs can reach needs a key or --insecure-listen",
        DEFAULT_ZMQ_CONTROL,
        heading=_OLD_CLIENTS,
        variable="ZMQ_CONTROL_ADDRESS_FOR_SERVER",
    ),
    Option(
        "zmq_info_addr",
        NETWORK,
        Text("ADDRESS"),
        "where they subscribe to console text and status; never encrypted",
        DEFAULT_ZMQ_INFO,
        heading=_OLD_CLIENTS,
        variable="ZMQ_INFO_ADDRESS_FOR_SERVER",
    ),
    Option(
        "zmq_publish_console",
        NETWORK,
        OnOff(),
        "whether console text and status are published there",
        "ON",
        heading=_OLD_CLIENTS,
    ),
    Option(
        "zmq_encoding",
        NETWORK,
        Choice("json", "msgpack"),
        "how requests, answers and what is published are encoded",
        "json",
        heading=_OLD_CLIENTS,
        variable="ZMQ_ENCODING_FOR_SERVER",
        # QSERVER_ZMQ_ENCODING is that of the clients.
        variable_by_id=False,
    ),
    Option(
        "zmq_private_key",
        NETWORK,
        Secret(),
        "private key of the requests' address, which only clients with the public key can use then: qserver-zmq-keys "
        "makes both",
        "none: not encrypted",
        heading=_OLD_CLIENTS,
        variable="ZMQ_PRIVATE_KEY_FOR_SERVER",
        on_command_line=False,
    ),
    Option(
        "console_output",
        OPERATION,
        OnOff(),
        "show here what startup code and plans print; OFF: nor the log, except for warnings, unless --log-level says "
        "otherwise; clients see what is printed in any case",
        "ON",
        heading=_SHOWN,
        key="print_console_output",
    ),
    Option(
        "log_level",
        OPERATION,
        Choice(*LEVELS),
        f"how much is logged, to standard error; with --console-output OFF {QUIET_LOG_LEVEL} unless said; SILENT: only "
        "why a process ends",
        DEFAULT_LOG_LEVEL,
        heading=_SHOWN,
        short_forms={"--verbose": "DEBUG", "--quiet": "WARNING", "--silent": "SILENT"},
    ),
    Option(
        "log_format",
        OPERATION,
        Choice(*FORMATS),
        "a line of text for each record, or a JSON object",
        "text",
        heading=_SHOWN,
    ),
)
#: Options of the Manager of the same name, which have the same values there.
BY_ID: Final = {option.id: option for option in OPTIONS}
SIZES: Final = ("queue_size", "history_size", "kept_answers_size", "event_log_size", "task_results_size")
SOURCES: Final = ("startup_dir", "startup_profile", "startup_script", "startup_module")
