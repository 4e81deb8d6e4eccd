"""Programs that import ``bluesky_queueserver`` run where that package is not installed.

Installing this distribution changes nothing: no module of that name is installed with it. A program asks for it::

    import queueserver_compat

    queueserver_compat.offer()
    from bluesky_queueserver import ZMQCommSendThreads

or is run unchanged by ``python -m queueserver_compat PROGRAM …``.

Guarantees: an installed bluesky-queueserver is used in its place, always.
"""

from queueserver_environment.user_api.compatibility import offer_package as offer

__all__ = ["offer"]
