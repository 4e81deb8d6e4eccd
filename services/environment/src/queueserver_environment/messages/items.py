"""Items, what their submitters may use, and what came of them."""

from dataclasses import dataclass, field
from typing import Any

from queueserver_environment.messages.states import ExitStatus, FailureCause, ItemType


@dataclass(slots=True)
class FieldViolation:
    """What is wrong with a field."""

    field: str = ""
    description: str = ""


@dataclass(slots=True)
class Item:
    """A call of a plan."""

    item_type: ItemType = ItemType.UNSPECIFIED
    name: str = ""
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    item_uid: str = ""
    user: str = ""
    user_group: str = ""
    attempt: int = 0
    retry_of_uid: str = ""
    create_time: int | None = None
    held: bool = False
    problems: list[FieldViolation] = field(default_factory=list)


@dataclass(slots=True)
class GroupPermissions:
    """What a user group may use."""

    all_plans: bool = False
    allowed_plans: list[str] = field(default_factory=list)
    forbidden_plans: list[str] = field(default_factory=list)
    all_devices: bool = False
    allowed_devices: list[str] = field(default_factory=list)
    forbidden_devices: list[str] = field(default_factory=list)
    all_functions: bool = False
    allowed_functions: list[str] = field(default_factory=list)
    forbidden_functions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SubmitterAccess:
    """What a submitter may use: what both groups allow."""

    user_group: str = ""
    root: GroupPermissions | None = None
    group: GroupPermissions | None = None


@dataclass(slots=True)
class RunSummary:
    """A run of an execution."""

    run_uid: str = ""
    scan_id: int | None = None
    open: bool = False
    exit_status: str = ""


@dataclass(slots=True)
class ItemResult:
    """How an execution ended."""

    exit_status: ExitStatus = ExitStatus.UNSPECIFIED
    failure_cause: FailureCause = FailureCause.UNSPECIFIED
    message: str = ""
    traceback: str = ""
    runs: list[RunSummary] = field(default_factory=list)
    start_time: int | None = None
    stop_time: int | None = None
    console_excerpt: str = ""
    notices: list[str] = field(default_factory=list)
    ended_by: str = ""
