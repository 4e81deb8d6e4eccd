"""The command `python -m queueserver_worker`.

It is started in any directory: what lies there must not take the place of libraries.
"""

if __name__ == "__main__":
    from queueserver_worker.import_path import leave_out_current_directory

    leave_out_current_directory()

    from queueserver_worker.command import main

    raise SystemExit(main())
