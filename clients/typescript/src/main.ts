// A client of the Queue Server: it lists the plans, adds a scan, starts the queue and follows the scan to its end,
// also across a restart of the Manager. Then it prints what was measured.
//
// The code in gen/ comes from `npm run generate`; see README.md.

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { ExitStatus } from "../gen/queueserver/common/v1/item_pb.js";
import { EventService } from "../gen/queueserver/manager/v1/event_service_pb.js";
import { InventoryService } from "../gen/queueserver/manager/v1/inventory_service_pb.js";
import { QueueService } from "../gen/queueserver/manager/v1/queue_service_pb.js";
import { addScan, planNames, startQueue } from "./queue.js";
import { Readings } from "./readings.js";
import { describe } from "./refusals.js";
import { LONGEST_MESSAGE, Watch } from "./watch.js";

async function run(address: string): Promise<boolean> {
  const transport = createGrpcTransport({
    baseUrl: `http://${address}`,
    defaultTimeoutMs: 10_000,
    readMaxBytes: LONGEST_MESSAGE,
  });
  const inventory = createClient(InventoryService, transport);
  const queue = createClient(QueueService, transport);
  const events = createClient(EventService, transport);

  console.log(`Plans: ${(await planNames(inventory)).join(", ")}`);
  try {
    await addScan(queue, "five");
  } catch (error) {
    console.log(`Refused: ${describe(error)}`);
  }
  const item = await addScan(queue, 5);
  console.log(`Added: ${item.name} ${item.itemUid}`);

  const readings = new Readings();
  const watch = new Watch(events, item.itemUid, readings, async () => {
    await startQueue(queue);
    console.log("Queue started");
  });
  const result = await watch.follow();
  console.log(`Ended: ${ExitStatus[result.exitStatus]}${result.message && `: ${result.message}`}`);
  readings.print();
  return result.exitStatus === ExitStatus.COMPLETED;
}

try {
  process.exitCode = (await run(process.argv[2] ?? "localhost:60630")) ? 0 : 1;
} catch (error) {
  console.error(describe(error));
  process.exitCode = error instanceof ConnectError && error.code === Code.Unavailable ? 2 : 1;
}
