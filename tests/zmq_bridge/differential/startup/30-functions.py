# Startup code of the comparison, part 3: functions.


def add(first, second=1):
    """Add two things."""
    return first + second


def give(value=None):
    """Return what it is given."""
    return value


def fail(text="failed on purpose"):
    """Fail."""
    raise ValueError(text)


def give_object():
    """Return what JSON does not have."""
    return object()


def wait_at_gate(gate="task_gate"):
    """Wait until the gate is opened."""
    with (Path(os.environ["COMPARISON_GATES"]) / gate).open("rb", buffering=0) as pipe:
        pipe.read(1)
    return "passed"


def forbidden_function():
    """Nobody may call it."""
