// A client of the Queue Server, over gRPC from Node.js: `node dist/src/main.js HOST:PORT`.
//
// The code in gen/ comes from `npm run generate`; see README.md.

import { createGrpcTransport } from "@connectrpc/connect-node";

import { describe } from "./refusals.js";
import { scan } from "./scan.js";
import { LONGEST_MESSAGE } from "./watch.js";

const transport = createGrpcTransport({
  baseUrl: `http://${process.argv[2] ?? "localhost:60630"}`,
  defaultTimeoutMs: 10_000,
  readMaxBytes: LONGEST_MESSAGE,
});
try {
  process.exitCode = (await scan(transport)) ? 0 : 1;
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
