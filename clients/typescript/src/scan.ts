import { createClient, type Transport } from "@connectrpc/connect";

import { ExitStatus } from "../gen/queueserver/common/v1/item_pb.js";
import { EventService } from "../gen/queueserver/manager/v1/event_service_pb.js";
import { InventoryService } from "../gen/queueserver/manager/v1/inventory_service_pb.js";
import { QueueService } from "../gen/queueserver/manager/v1/queue_service_pb.js";
import { addScan, planNames, startQueue } from "./queue.js";
import { Readings } from "./readings.js";
import { describe } from "./refusals.js";
import { Watch } from "./watch.js";

/**
 * List the plans, add a scan, start the queue, follow the scan to its end, and print what was measured. Whether it
 * completed.
 */
export async function scan(transport: Transport): Promise<boolean> {
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
