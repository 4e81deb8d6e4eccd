from bluesky import plans as bp


def two_counts(detectors, num: int = 1, md: dict = None):
    """Count twice, as two runs."""
    for _ in range(2):
        yield from bp.count(detectors, num=num, md=md or {})
