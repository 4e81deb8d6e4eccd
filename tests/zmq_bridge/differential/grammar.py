"""What calls are generated from: methods, parameters right and wrong, places, batches, locks, and slow steps."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from tests.zmq_bridge.differential.other_calls import SOME_PERMISSIONS
from tests.zmq_bridge.differential.queue_calls import ADDRESSES, BATCHES, ITEMS, PLACES, WHOS, Written
from tests.zmq_bridge.differential.references import UNKNOWN, Executed, Queued, Running, Task
from tests.zmq_bridge.differential.settling import GATED_FUNCTION
from tests.zmq_bridge.differential.states import GATED, KEY, NOTHING, WHO

Calls = st.SearchStrategy[Written]
Params = st.SearchStrategy[dict[str, Any]]

#: Steps that are no calls: what waits at a gate may go on.
PASS_GATE: Final = "(pass the gate)"
PASS_TASK_GATE: Final = "(pass the gate of tasks)"

_NAMES: Final = ("det1", "det2", "stage", "stage.x", "motor", "missing", "count", "fast", "x", "", "1")
_SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 10),
    st.sampled_from((0.0, 1.0, 1.5, -2.5, 1e300, 2**31, -(2**53) + 1)),
    st.sampled_from(_NAMES),
)
#: Whatever JSON has, mostly small.
VALUES: Final = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(("a", "b", "")), inner, max_size=2)
    ),
    max_leaves=4,
)
_TYPED: Final = ("whole", "number", "text", "flag", "wholes", "numbers", "pair", "table", "maybe", "either", "word")
_LISTED: Final = ("detectors", "mode", "follow", "position", "label", "extra", "other")
#: Values that fit one of the types, so that not everything is refused.
_FITTING: Final[dict[str, Any]] = {
    "whole": 1,
    "number": 1.5,
    "text": "a",
    "flag": True,
    "wholes": [1, 2],
    "numbers": [1, 2.5],
    "pair": [1, "a"],
    "table": {"a": 1},
    "maybe": None,
    "either": "a",
    "word": "y",
    "detectors": ["det1"],
    "mode": "slow",
    "follow": "count",
    "position": 1,
    "label": "b",
    "extra": 1,
    "other": [1],
}


@st.composite
def _call_of(draw: st.DrawFn, name: str, names: tuple[str, ...]) -> dict[str, Any]:
    """A plan with arguments by name and by position, most of which fit."""
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    if draw(st.integers(0, 9)):
        chosen = [names[0], *(other for other in chosen if other != names[0])]
    kwargs = {key: _FITTING[key] if draw(st.booleans()) else draw(VALUES) for key in chosen}
    item: dict[str, Any] = {"item_type": "plan", "name": name, "kwargs": kwargs}
    if draw(st.integers(0, 3)) == 0:
        item["args"] = draw(st.lists(VALUES, max_size=3))
    if draw(st.integers(0, 5)) == 0:
        item["meta"] = draw(VALUES)
    return item


_PLANS: Final = st.one_of(
    _call_of("typed", _TYPED), _call_of("listed", _LISTED), st.just(NOTHING), st.sampled_from(ITEMS)
)
_WHO: Final = st.one_of(st.just(WHO), st.just(WHO), st.just(WHO), st.sampled_from(WHOS))
_UID: Final = st.one_of(
    st.integers(-3, 6).map(Queued), st.integers(-3, 6).map(Queued), st.just(Running()), st.just(UNKNOWN), st.just("")
)
_INDEX: Final = st.one_of(st.integers(-8, 8), st.sampled_from(("front", "back")))
_PLACE: Final = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"pos": _INDEX}),
    st.fixed_dictionaries({"before_uid": _UID}),
    st.fixed_dictionaries({"after_uid": _UID}),
    st.sampled_from(PLACES),
)
_ADDRESS: Final = st.one_of(
    st.fixed_dictionaries({"pos": _INDEX}), st.fixed_dictionaries({"uid": _UID}), st.sampled_from(ADDRESSES)
)
_DESTINATION: Final = st.one_of(
    st.fixed_dictionaries({"pos_dest": _INDEX}),
    st.fixed_dictionaries({"before_uid": _UID}),
    st.fixed_dictionaries({"after_uid": _UID}),
)
_UIDS: Final = st.one_of(st.lists(_UID, max_size=4), st.sampled_from(BATCHES))
_FLAG: Final = st.sampled_from((True, False, None, 0, 1, "x"))
_MODE: Final = st.one_of(
    st.fixed_dictionaries({}, optional={"loop": st.booleans(), "ignore_failures": st.booleans()}),
    st.just("default"),
    VALUES,
)
_KEY: Final = st.sampled_from((KEY, KEY, "another", "", None, 5))


def _merged(*parts: Params) -> Params:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


def _named(**fields: st.SearchStrategy[Any]) -> Params:
    return st.fixed_dictionaries(fields)


def _perhaps(**fields: st.SearchStrategy[Any]) -> Params:
    return st.fixed_dictionaries({}, optional=fields)


def _of(method: str, params: Params) -> Calls:
    return params.map(lambda found: (method, found))


_EDITING: Final = (
    _of("queue_item_add", _merged(_named(item=_PLANS), _WHO, _PLACE)),
    _of("queue_item_add", _merged(_named(item=_PLANS), st.just(WHO))),
    _of("queue_item_add_batch", _merged(_named(items=st.lists(_PLANS, max_size=3)), _WHO, _PLACE)),
    _of("queue_item_remove", _ADDRESS),
    _of("queue_item_remove_batch", _merged(_named(uids=_UIDS), _perhaps(ignore_missing=_FLAG))),
    _of("queue_item_move", _merged(_ADDRESS, _DESTINATION)),
    _of("queue_item_move_batch", _merged(_named(uids=_UIDS), _DESTINATION, _perhaps(reorder=_FLAG))),
    _of(
        "queue_item_update",
        _merged(
            st.tuples(_PLANS.filter(lambda item: isinstance(item, dict)), _UID).map(
                lambda found: {"item": {**found[0], "item_uid": found[1]}}
            ),
            _WHO,
            _perhaps(replace=_FLAG),
        ),
    ),
    _of("queue_clear", st.just({})),
)
_LOOKING: Final = (
    _of("queue_item_get", _ADDRESS),
    _of("re_runs", _perhaps(option=st.sampled_from(("active", "open", "closed", "x")))),
    _of("lock_info", _perhaps(lock_key=_KEY)),
    _of("task_status", _named(task_uid=st.sampled_from((Task(), UNKNOWN, [Task(), UNKNOWN], "x", 5)))),
    _of("task_result", _named(task_uid=st.sampled_from((Task(), UNKNOWN, "x")))),
    _of("plans_allowed", _named(user_group=st.sampled_from(("primary", "visitors", "root", "x")))),
    _of("permissions_get", st.just({})),
    _of("history_get", st.just({})),
)
_LOCKING: Final = (
    _of(
        "lock",
        _merged(
            _named(lock_key=_KEY, user=st.sampled_from(("holder", "another", ""))),
            _perhaps(environment=st.booleans(), queue=st.booleans(), note=st.sampled_from(("note", None, 5))),
        ),
    ),
    _of("unlock", _perhaps(lock_key=_KEY)),
)
_SETTING: Final = (
    _of("queue_mode_set", _named(mode=_MODE)),
    _of("queue_stop_cancel", st.just({})),
    _of("history_clear", _perhaps(size=st.integers(-2, 4), item_uid=st.one_of(st.just(Executed(0)), st.just(UNKNOWN)))),
    _of("permissions_set", _named(user_group_permissions=st.one_of(st.just(SOME_PERMISSIONS), VALUES))),
    _of("permissions_reload", _perhaps(restore_permissions=st.booleans())),
)


@st.composite
def _with_key(draw: st.DrawFn, calls: Calls) -> Written:
    """With the key of a lock, now and then, and now and then with a parameter that nobody knows."""
    method, params = draw(calls)
    if method not in {"lock", "unlock", "lock_info"} and draw(st.integers(0, 3)) == 0:
        params = {**params, "lock_key": draw(_KEY)}
    if draw(st.integers(0, 40)) == 0:
        params = {**params, "unknown": draw(_SCALARS)}
    return method, params


#: Calls that leave a server in the state in which it is.
STAYING: Final = st.lists(
    _with_key(st.one_of(*_EDITING, *_EDITING, *_LOOKING, *_LOCKING, *_SETTING)), min_size=8, max_size=25
)

_EXECUTABLE: Final = st.sampled_from(
    (
        NOTHING,
        NOTHING,
        GATED,
        {"item_type": "plan", "name": "failing"},
        {"item_type": "instruction", "name": "queue_stop"},
    )
)
_FUNCTIONS: Final = st.sampled_from(
    tuple(
        {"item_type": "function", "name": name, "args": args}
        for name, args in (("add", [1, 2]), ("fail", []), ("missing", []), (GATED_FUNCTION, []))
    )
)
_STEPS: Final = (
    _of("environment_open", st.just({})),
    _of("environment_open", st.just({})),
    _of("environment_close", st.just({})),
    _of("environment_destroy", st.just({})),
    _of("environment_update", st.just({})),
    _of("queue_start", st.just({})),
    _of("queue_start", st.just({})),
    _of("queue_start", st.just({})),
    _of("queue_stop", st.just({})),
    _of("queue_stop_cancel", st.just({})),
    _of("queue_autostart", _named(enable=st.booleans())),
    _of("queue_item_execute", _merged(_named(item=_EXECUTABLE), st.just(WHO))),
    _of("queue_item_add", _merged(_named(item=_EXECUTABLE), st.just(WHO), _perhaps(pos=_INDEX))),
    _of("queue_item_add", _merged(_named(item=st.just(GATED)), st.just(WHO), _perhaps(pos=_INDEX))),
    _of("queue_mode_set", _named(mode=_named(ignore_failures=st.booleans()))),
    _of("re_pause", _perhaps(option=st.sampled_from(("deferred", "immediate", "immediate")))),
    _of("re_resume", st.just({})),
    _of("re_stop", st.just({})),
    _of("re_abort", st.just({})),
    _of("re_halt", st.just({})),
    _of("function_execute", _merged(_named(item=_FUNCTIONS), st.just(WHO))),
    _of(
        "script_upload",
        _merged(_named(script=st.sampled_from(("a = 1", "1 / 0"))), _perhaps(run_in_background=st.booleans())),
    ),
    _of("queue_clear", st.just({})),
    _of("history_clear", _perhaps(size=st.integers(0, 3))),
    _of(PASS_GATE, st.just({})),
    _of(PASS_GATE, st.just({})),
    _of(PASS_TASK_GATE, st.just({})),
    *_LOOKING,
)
#: Steps from state to state.
MOVING: Final = st.lists(_with_key(st.one_of(*_STEPS)), min_size=6, max_size=20)
