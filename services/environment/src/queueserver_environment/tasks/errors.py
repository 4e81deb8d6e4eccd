"""Why a task fails before user code runs, or although it ran to its end."""


class TaskRefusedError(Exception):
    """The task can't be done, or its result can't be passed on; the message says why and what to do."""


class TaskNotStartedError(TaskRefusedError):
    """The task can't be done, and nothing of it was done."""
