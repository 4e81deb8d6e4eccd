"""What the Manager knows and decides. Pure: no grpc, redis, asyncio, clock or random identities inside."""
