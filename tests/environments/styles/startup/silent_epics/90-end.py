from ophyd.sim import det, motor


def nothing_is_connected():
    """Tell whether everything was waited for in vain."""
    return len(missing) == 35 and not front_end.connected and not crate_00.connected
