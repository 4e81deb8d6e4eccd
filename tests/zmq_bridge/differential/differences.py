"""Where the bridge answers differently from bluesky-queueserver 0.0.25 on purpose: docs/reference/zmq-differences.md.

Anything that differs and is not here is a fault of the bridge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.zmq_bridge.differential import explaining as is_about
from tests.zmq_bridge.differential.comparison import Mismatch
from tests.zmq_bridge.differential.pair import Call

_SUBMITTING: Final = "all that submit an item"
_MISTAKE: Final = "it can only be a mistake"


@dataclass(frozen=True)
class Difference:
    """One entry of the table, in the words of the page."""

    name: str
    where: str
    what: str
    why: str
    #: How it is recognised.
    applies: Callable[[Call, Mismatch], bool]
    #: What follows differs too.
    diverges: bool = False


def explanation(call: Call, mismatch: Mismatch) -> Difference | None:
    """The difference that a mismatch is, if it is one."""
    return next((entry for entry in DIFFERENCES if entry.applies(call, mismatch)), None)


DIFFERENCES: Final = (
    Difference(
        "item as submitted",
        _SUBMITTING,
        "an item that was not taken comes back as it was submitted; there, one that was valid comes back with an owner "
        "and a uid that no item has",
        "a uid that does not exist is of no use",
        is_about.item_as_submitted,
    ),
    Difference(
        "texts of Python",
        "all",
        "where the message there is the text of an exception of Python, it is a sentence of its own here",
        "such texts depend on the version of Python",
        is_about.python_text,
    ),
    Difference(
        "user as text",
        _SUBMITTING,
        "a `user` that is no text comes back as JSON text",
        "users are text in the contract",
        is_about.user_is_no_text,
        diverges=True,
    ),
    Difference(
        "user without a name",
        _SUBMITTING,
        "an empty `user` is refused",
        "who submitted would not be known",
        is_about.user_is_empty,
        diverges=True,
    ),
    Difference(
        "merged metadata",
        _SUBMITTING,
        "a list of objects as `meta` comes back as one object, which is what the plan gets",
        "the contract has one object",
        is_about.meta_is_merged,
        diverges=True,
    ),
    Difference(
        "unsuitable device",
        _SUBMITTING,
        "where the hint of a parameter is a device (`Movable`, `Readable` …), the name of none, or of one that can't "
        "do what the hint asks for, is refused; there, any text is accepted, and the plan fails when it runs",
        "it can only be a mistake; parameters without a hint take any text here too",
        is_about.unsuitable_device,
        diverges=True,
    ),
    Difference(
        "no list",
        "all with `args`, `items` or `uids`",
        "what is no list is refused; there, the keys of an object or the letters of a text are taken",
        _MISTAKE,
        is_about.no_list,
        diverges=True,
    ),
    Difference(
        "inexact numbers",
        _SUBMITTING,
        "a number that is not exact in double precision, 2^53 and beyond, is refused, and so are NaN and infinity",
        "a plan would get another number than was sent",
        is_about.inexact_number,
        diverges=True,
    ),
    Difference(
        "batch to an index",
        "`queue_item_move_batch`",
        "a number as `pos_dest` is refused",
        "it was never documented: a batch goes to the front, to the back or next to an item",
        is_about.number_as_destination,
        diverges=True,
    ),
    Difference(
        "empty uid",
        "`queue_item_move`, `queue_item_move_batch`",
        "an empty text names no item; there, it is sometimes as if it had not been given",
        _MISTAKE,
        is_about.empty_uid,
        diverges=True,
    ),
    Difference(
        "null as uid",
        "`queue_item_remove_batch`",
        "`null` names no item; there, it names the last one, which is removed",
        _MISTAKE,
        is_about.null_uid,
        diverges=True,
    ),
    Difference(
        "running item removed",
        "`queue_item_remove_batch`",
        "without `ignore_missing`, the uid of the running item is refused; there, it is passed over",
        "nothing was removed, and the client asked to be told",
        is_about.running_item_is_removed,
        diverges=True,
    ),
    Difference(
        "running item moved",
        "`queue_item_move_batch`",
        "a batch with the running item is refused as a whole; there, some of its items have been moved already",
        "a refused request changes nothing",
        is_about.running_item_is_moved,
        diverges=True,
    ),
    Difference(
        "update of an equal item",
        "`queue_item_update`",
        "an update that makes an item like another one of the queue is carried out; there, it may be refused, and "
        "the item is lost",
        "a refused request changes nothing",
        is_about.lost_update,
        diverges=True,
    ),
    Difference(
        "function without a name",
        "`function_execute`",
        "an empty `name` is refused; there, a task begins that fails",
        _MISTAKE,
        is_about.function_without_name,
        diverges=True,
    ),
    Difference(
        "uids that stay",
        "`status` and all that give a `…_uid`",
        "a uid changes when what it stands for has changed; there, it also changes when an item is moved to where it "
        "is, a batch can't be added, an empty queue or history is cleared, permissions or lists are read again and are "
        "the same, or a plan ends that opened no run",
        "clients would read again what they have",
        is_about.renewed,
    ),
    Difference(
        "runs told later",
        "`status`, `re_runs`",
        "`run_list_uid` changes when a run begins or ends; there, up to half a second later",
        "there, the environment is asked twice a second; here, it tells",
        is_about.runs_are_told_later,
    ),
    Difference(
        "uids of lists",
        "`status` and all that give `plans_…_uid` or `devices_…_uid`",
        "after lists were read from their file, the uids of lists may change when the environment opens, and there "
        "they may not, or the other way round",
        "the two keep different things in their files",
        is_about.lists_of_a_file,
    ),
    Difference(
        "uid of the queue",
        "`permissions_set`, `permissions_reload`",
        "`plan_queue_uid` changes too if other plans of the queue may be executed now",
        "our own clients see in the queue which items would fail",
        is_about.queue_uid_of_permissions,
    ),
    Difference(
        "lists without a task",
        "`permissions_set`, `permissions_reload`",
        "`task_results_uid` and `worker_background_tasks` stay as they are; there, the environment computes its lists "
        "in a task of its own",
        "no client asked for the task, and none can read its result",
        is_about.task_of_permissions,
    ),
    Difference(
        "invalid pattern",
        "`permissions_set`, `permissions_reload`",
        "permissions with a pattern that can't be used are refused, and those in force stay; there, they are accepted, "
        "all groups but `root` are unknown then, and `root` may use everything",
        "a mistake would take every right from some and give every right to others",
        is_about.invalid_pattern,
        diverges=True,
    ),
    Difference(
        "six lists",
        "`permissions_get`",
        "each group has all its six lists",
        "what is absent and what is shown mean the same",
        is_about.six_lists,
    ),
    Difference(
        "booleans of the lock",
        "`lock`, `unlock`, `lock_info`, `status`",
        "`environment` and `queue` are true or false, whatever was sent; there, it comes back as it was sent",
        "they are booleans in the contract",
        is_about.lock_booleans,
    ),
    Difference(
        "empty note",
        "`lock`, `lock_info`",
        "an empty `note` is the same as none, `null`",
        "it says nothing",
        is_about.empty_note,
    ),
    Difference(
        "item put back",
        "`queue_get`, `queue_item_get` and all that return an item",
        "an item that was put back into the queue has no `result`",
        "its result is in the history, and it is another attempt",
        is_about.result_in_queue,
    ),
    Difference(
        "runs of a destroyed environment",
        "`history_get`, `re_runs`, `status`",
        "the history has the runs that the plan had opened, and the list of runs is empty; there, it is the other way "
        "round",
        "the runs are known, and the plan has ended",
        is_about.destroyed_runs,
    ),
    Difference(
        "lost tasks",
        "`task_status`, `task_result`",
        "a task that ran when its environment was closed or destroyed has failed; there, it is not found",
        "a task that was accepted has a result",
        is_about.lost_task,
    ),
    Difference(
        "uid of lost tasks",
        "`environment_close`, `environment_destroy`",
        "`task_results_uid` changes if a task was lost",
        "it has a result now",
        is_about.lost_task_uid,
    ),
    Difference(
        "tracebacks",
        "`task_result`",
        "a task that failed outside of the user's code, for example because there is no such function, has no "
        "`traceback`",
        "it would show the server's own code",
        is_about.no_traceback,
    ),
)
