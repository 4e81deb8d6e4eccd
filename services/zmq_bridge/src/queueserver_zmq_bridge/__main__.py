"""``python -m queueserver_zmq_bridge``: start a bridge."""

from queueserver_zmq_bridge.command import main

if __name__ == "__main__":
    raise SystemExit(main())
