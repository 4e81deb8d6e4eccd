"""The supervisor: owns the environment process, and never runs user code.

It must survive anything the environment does, so it imports neither bluesky nor the `environment` package.
It knows no grpc either: it raises the exceptions of `errors`, and `rpc` turns them into refusals. Messages of
the contract do occur here, because what the environment reports is passed on as it is, without a second model.
"""
