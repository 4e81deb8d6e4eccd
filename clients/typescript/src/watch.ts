import { setTimeout as pause } from "node:timers/promises";

import { type Client, Code, ConnectError } from "@connectrpc/connect";

import type { ItemResult } from "../gen/queueserver/common/v1/item_pb.js";
import { EventKind, type WatchEvent } from "../gen/queueserver/manager/v1/event_pb.js";
import type { EventService } from "../gen/queueserver/manager/v1/event_service_pb.js";
import type { Readings } from "./readings.js";
import { nameOf, retryDelay } from "./refusals.js";

/** Longest message in bytes that this client takes: an event with a large array has more than the usual 4 MiB. */
export const LONGEST_MESSAGE = 64 * 1024 * 1024;

/** Milliseconds after which a silent watch is a broken one: the server sends something every 10 seconds. */
const LONGEST_SILENCE = 30_000;

/** Follows an item to its end, whatever happens to the connection meanwhile. */
export class Watch {
  /** Where to go on; empty before the snapshot is complete. */
  private token = "";
  private begun = false;
  private lost = false;

  constructor(
    private readonly events: Client<typeof EventService>,
    private readonly itemUid: string,
    private readonly readings: Readings,
    /** Called once, when nothing of what follows can be missed. */
    private readonly begin: () => Promise<void>,
  ) {}

  /** Wait for the item's result. */
  async follow(): Promise<ItemResult> {
    for (;;) {
      try {
        const result = await this.once();
        if (result) {
          return result;
        }
      } catch (error) {
        const refusal = ConnectError.from(error);
        if (refusal.code !== Code.Unavailable && refusal.code !== Code.Canceled) {
          throw error;
        }
        if (!this.lost) {
          console.log(`Reconnecting: ${nameOf(Code.Unavailable)}`);
          this.lost = true;
        }
        await pause(retryDelay(refusal));
      }
    }
  }

  private async once(): Promise<ItemResult | undefined> {
    const ending = new AbortController();
    const silence = setTimeout(() => ending.abort(), LONGEST_SILENCE);
    const request = {
      kinds: [EventKind.DOCUMENT, EventKind.HISTORY],
      resumeToken: this.token,
      maxMessageBytes: LONGEST_MESSAGE,
    };
    try {
      for await (const message of this.events.watchEvents(request, { signal: ending.signal, timeoutMs: 0 })) {
        silence.refresh();
        this.lost = false;
        const { payload } = message;
        if (payload.case === "batch") {
          for (const event of payload.value.events) {
            const result = this.take(event);
            if (result) {
              return result;
            }
          }
        }
        this.token = message.resumeToken || this.token;
        if (!this.begun && payload.case === "snapshot" && payload.value.complete) {
          await this.begin();
          this.begun = true;
        }
      }
      return undefined;
    } finally {
      clearTimeout(silence);
      // Leaving the loop alone would leave the call open.
      ending.abort();
    }
  }

  /** Look at one event; the result of the item when that is there. */
  private take({ event }: WatchEvent): ItemResult | undefined {
    if (event.case === "document" && event.value.itemUid === this.itemUid && event.value.document) {
      this.readings.add(event.value.document);
    }
    if (event.case === "historyAdded" && event.value.entry?.item?.itemUid === this.itemUid) {
      return event.value.entry.result;
    }
    return undefined;
  }
}
