from bluesky.callbacks.tiled_writer import TiledWriter
from tiled.client import from_uri
from tiled.server import SimpleTiledServer

tiled_server = SimpleTiledServer()
tiled_client = from_uri(tiled_server.uri)
tiled_writer = TiledWriter(tiled_client)
RE.subscribe(tiled_writer)
