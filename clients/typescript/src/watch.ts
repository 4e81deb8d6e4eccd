import { setTimeout as pause } from "node:timers/promises";

import { type Client, Code, ConnectError } from "@connectrpc/connect";

import type { HistoryEntry, ItemResult } from "../gen/queueserver/common/v1/item_pb.js";
import { type DocumentEmitted, EventKind } from "../gen/queueserver/manager/v1/event_pb.js";
import type { EventService, WatchEventsResponse } from "../gen/queueserver/manager/v1/event_service_pb.js";
import type { Readings } from "./readings.js";
import { nameOf, reasonOf, retryDelay } from "./refusals.js";

/** Longest message in bytes that this client takes: an event with a large array has more than the usual 4 MiB. */
export const LONGEST_MESSAGE = 64 * 1024 * 1024;

/**
 * Codes of a watch that broke: no server is there, or the connection was lost (in Node.js that is either of the others),
 * or was silent for too long.
 */
const REPEATED = new Set([Code.Unavailable, Code.Canceled, Code.Aborted]);

/** Milliseconds after which a silent watch is a broken one: the server sends something every 10 seconds. */
const LONGEST_SILENCE = 30_000;

/** Follows an item to its end, whatever happens to the connection meanwhile. */
export class Watch {
  /** Where to continue; empty before the snapshot is complete. */
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
        const reason = reasonOf(refusal);
        if (reason === "RESUME_TOKEN_EXPIRED") {
          // We were away for so long that the changes are no longer kept: begin anew, with a snapshot.
          this.token = "";
        } else if (!REPEATED.has(refusal.code) && reason !== "WATCHER_TOO_SLOW") {
          throw error;
        }
        if (!this.lost) {
          console.log(`Reconnecting: ${nameOf(refusal.code)}`);
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
        const result = this.take(message);
        if (result) {
          return result;
        }
        const { payload } = message;
        this.token = message.resumeToken || this.token;
        if (!this.begun && payload.case === "snapshot" && payload.value.complete) {
          await this.begin();
          this.begun = true;
        }
      }
      return undefined;
    } finally {
      clearTimeout(silence);
      // The call has no end of its own, and Node.js does not exit before it has one.
      ending.abort();
    }
  }

  /** Look at one message; the result of the item when that is there. */
  private take({ payload }: WatchEventsResponse): ItemResult | undefined {
    if (payload.case === "snapshot") {
      payload.value.documents.forEach((emitted) => this.takeDocument(emitted));
      return payload.value.history.find((entry) => this.isOurs(entry))?.result;
    }
    for (const { event } of payload.value?.events ?? []) {
      if (event.case === "document") {
        this.takeDocument(event.value);
      } else if (event.case === "historyAdded" && this.isOurs(event.value.entry)) {
        return event.value.entry?.result;
      }
    }
    return undefined;
  }

  private takeDocument({ itemUid, document }: DocumentEmitted): void {
    if (itemUid === this.itemUid && document) {
      this.readings.add(document);
    }
  }

  private isOurs(entry: HistoryEntry | undefined): boolean {
    return entry?.item?.itemUid === this.itemUid;
  }
}
