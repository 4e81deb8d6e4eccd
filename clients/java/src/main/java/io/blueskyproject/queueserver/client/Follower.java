package io.blueskyproject.queueserver.client;

import io.blueskyproject.queueserver.common.v1.HistoryEntry;
import io.blueskyproject.queueserver.common.v1.ItemResult;
import io.blueskyproject.queueserver.manager.v1.DocumentEmitted;
import io.blueskyproject.queueserver.manager.v1.EventKind;
import io.blueskyproject.queueserver.manager.v1.EventServiceGrpc;
import io.blueskyproject.queueserver.manager.v1.WatchEvent;
import io.blueskyproject.queueserver.manager.v1.WatchEventsRequest;
import io.blueskyproject.queueserver.manager.v1.WatchEventsResponse;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.Optional;

/** Follows one item of the queue to its end, whatever happens to the connection. */
final class Follower {
  private final EventServiceGrpc.EventServiceBlockingStub events;
  private final String itemUid;
  private final Readings readings = new Readings();
  /** From here the watch can be resumed; empty before the first snapshot is complete. */
  private String resumeToken = "";
  private boolean watched;

  Follower(Channel channel, String itemUid) {
    // While there is no Manager, gRPC keeps trying to connect, and the call waits for it.
    this.events = EventServiceGrpc.newBlockingStub(channel).withWaitForReady();
    this.itemUid = itemUid;
  }

  Readings readings() {
    return readings;
  }

  /**
   * Watches until the item has ended. {@code whenWatching} is run as soon as nothing can be missed any more, and again
   * after a reconnection if it was refused in a way for which a new try helps.
   */
  ItemResult follow(Runnable whenWatching) throws InterruptedException {
    while (true) {
      try {
        return watch(whenWatching);
      } catch (StatusRuntimeException error) {
        Refusal refusal = Refusal.of(error);
        if (refusal.reason().equals("RESUME_TOKEN_EXPIRED")) {
          // We were away for so long that the changes are no longer kept: begin anew, with a snapshot.
          resumeToken = "";
        } else if (refusal.code() != Status.Code.UNAVAILABLE && !refusal.reason().equals("WATCHER_TOO_SLOW")) {
          throw error;
        }
        System.out.println("Reconnecting: " + refusal.code());
        Thread.sleep(refusal.retryDelay().toMillis());
      }
    }
  }

  /** One call, from the token on; ends with the item, or with an exception when the call breaks. */
  private ItemResult watch(Runnable whenWatching) {
    WatchEventsRequest request = WatchEventsRequest.newBuilder()
        .addKinds(EventKind.EVENT_KIND_DOCUMENT)
        .addKinds(EventKind.EVENT_KIND_HISTORY)
        .setResumeToken(resumeToken)
        .setMaxMessageBytes(Client.MAX_MESSAGE_BYTES)
        .build();
    // Leaving the context cancels the call, which has no end of its own.
    try (Context.CancellableContext context = Context.current().withCancellation()) {
      Context previous = context.attach();
      try {
        Iterator<WatchEventsResponse> stream = events.watchEvents(request);
        while (stream.hasNext()) {
          WatchEventsResponse response = stream.next();
          Optional<ItemResult> result = take(response);
          if (result.isPresent()) {
            return result.get();
          }
          remember(response.getResumeToken(), whenWatching);
        }
      } finally {
        context.detach(previous);
      }
    }
    throw Status.UNAVAILABLE.withDescription("the stream ended").asRuntimeException();
  }

  private void remember(String token, Runnable whenWatching) {
    // A part of a snapshot has no token, unless it is the last one.
    if (token.isEmpty()) {
      return;
    }
    resumeToken = token;
    if (!watched) {
      whenWatching.run();
      watched = true;
    }
  }

  /** Takes one message in; answers how the item ended, if it says so. */
  private Optional<ItemResult> take(WatchEventsResponse response) {
    response.getSnapshot().getDocumentsList().forEach(this::take);
    for (HistoryEntry entry : response.getSnapshot().getHistoryList()) {
      if (entry.getItem().getItemUid().equals(itemUid)) {
        return Optional.of(entry.getResult());
      }
    }
    for (WatchEvent event : response.getBatch().getEventsList()) {
      switch (event.getEventCase()) {
        case DOCUMENT -> take(event.getDocument());
        case HISTORY_ADDED -> {
          HistoryEntry entry = event.getHistoryAdded().getEntry();
          if (entry.getItem().getItemUid().equals(itemUid)) {
            return Optional.of(entry.getResult());
          }
        }
        default -> { }
      }
    }
    return Optional.empty();
  }

  private void take(DocumentEmitted emitted) {
    if (emitted.getItemUid().equals(itemUid)) {
      readings.take(emitted.getDocument()).ifPresent(row -> System.out.println("Row " + row));
    }
  }
}
