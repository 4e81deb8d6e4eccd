def take_dark(detectors=None, num: int = 1):
    """Count with the shutter closed."""
    yield from bp.count([diode] if detectors is None else detectors, num=num, md={"purpose": "dark"})


def align_stage(*, points: int = 3):
    """Read the stage a few times."""
    yield from bp.count([stage], num=points)
