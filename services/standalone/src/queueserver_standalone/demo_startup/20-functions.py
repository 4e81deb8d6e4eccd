# ruff: noqa: F821 - names that are not defined here come from the files that were executed before this one
# Demo startup code of the queue server, part 3: functions. Functions are not plans: they run without the RunEngine,
# as tasks, and give a result back.

_fifo_buffer = []


def function_sleep(time):
    """Wait for some seconds and tell about it.

    Parameters
    ----------
    time : float
        Seconds to wait.
    """
    print("*** Function 'function_sleep' started ***")
    print(f"*** Waiting for {time} seconds ***")
    ttime.sleep(time)
    print("*** Function 'function_sleep' finished ***")
    return {"success": True, "time": time}


def push_buffer_element(element):
    """Put an element at the end of the buffer; return the length."""
    _fifo_buffer.append(element)
    return len(_fifo_buffer)


def pop_buffer_element():
    """Take the oldest element out of the buffer and return it."""
    if not _fifo_buffer:
        raise IndexError("The buffer is empty: put something in with push_buffer_element.")
    return _fifo_buffer.pop(0)


def clear_buffer():
    """Empty the buffer; return how many elements were in it."""
    dropped = len(_fifo_buffer)
    _fifo_buffer.clear()
    return dropped
