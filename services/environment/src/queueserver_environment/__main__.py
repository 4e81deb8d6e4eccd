"""Entry of the environment process.

First it ties itself to its parent: a child whose supervisor is gone must not stay alive and control
hardware. Only then is anything imported that takes time. It is run by `import_path.module_command`.
"""

if __name__ == "__main__":
    from queueserver_environment.process.orphaned import die_with_supervisor

    die_with_supervisor()

    from queueserver_environment.process.child import main

    raise SystemExit(main())
