"""The supervisor: owns the environment process, and never runs user code.

It must survive anything the environment does, so it imports neither bluesky nor the `environment` package.
It imports no grpc either: it raises the exceptions of `errors`, and `rpc` turns them into refusals. Messages of
the contract do occur here, because the environment's reports are passed on unchanged, without a second model.
"""
