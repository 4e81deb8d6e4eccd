// The same client with what a browser has: gRPC-Web by `fetch`, through a proxy. Node.js has `fetch` too, so that it can be
// tried without one: `node dist/src/web.js HOST:PORT [PROTOCOL]`, where PROTOCOL is grpc-web or connect.
//
// See docs/how-to/browsers.md.

import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

import { describe } from "./refusals.js";
import { scan } from "./scan.js";

const [address = "localhost:8080", protocol = "grpc-web"] = process.argv.slice(2);
const options = { baseUrl: `http://${address}`, defaultTimeoutMs: 10_000, useBinaryFormat: true };
const transport = protocol === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
try {
  process.exitCode = (await scan(transport)) ? 0 : 1;
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
