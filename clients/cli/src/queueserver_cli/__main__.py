"""`python -m queueserver_cli` is `qserver`."""

from queueserver_cli.entries import qserver as main

if __name__ == "__main__":
    main()
