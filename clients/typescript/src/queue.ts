import { randomUUID } from "node:crypto";

import { fromJson } from "@bufbuild/protobuf";
import { ListValueSchema } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";

import type { Item } from "../gen/queueserver/common/v1/item_pb.js";
import type { InventoryService } from "../gen/queueserver/manager/v1/inventory_service_pb.js";
import type { QueueService } from "../gen/queueserver/manager/v1/queue_service_pb.js";

/** Names of the plans that the caller may use, page by page. */
export async function planNames(inventory: Client<typeof InventoryService>): Promise<string[]> {
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await inventory.listPlans({ pageToken });
    names.push(...page.plans.map((plan) => plan.name));
    pageToken = page.nextPageToken;
  } while (pageToken);
  return names;
}

/** Add a scan of `num` points to the back of the queue. A number that is none is refused by the server. */
export async function addScan(queue: Client<typeof QueueService>, num: number | string): Promise<Item> {
  const answer = await queue.addItem({
    item: {
      name: "scan",
      args: fromJson(ListValueSchema, [["direct_img", "det"], "motor", -1, 1]),
      kwargs: { num },
    },
    // With a request id the call can be repeated after a broken connection without adding a second scan.
    requestId: randomUUID(),
  });
  return answer.item!;
}

/** Start the queue. */
export async function startQueue(queue: Client<typeof QueueService>): Promise<void> {
  await queue.startQueue({ requestId: randomUUID() });
}
