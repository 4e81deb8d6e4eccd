"""Why a task fails before anybody's code runs, or although it ran to its end."""


class TaskRefusedError(Exception):
    """The task can't be done, or what came out of it can't be passed on; the message says why and what to do."""


class TaskNotStartedError(TaskRefusedError):
    """The task can't be done, and nothing of it was."""
