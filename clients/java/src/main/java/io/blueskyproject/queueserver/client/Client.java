package io.blueskyproject.queueserver.client;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.blueskyproject.queueserver.common.v1.ExitStatus;
import io.blueskyproject.queueserver.common.v1.ItemResult;
import io.blueskyproject.queueserver.common.v1.ItemSpec;
import io.blueskyproject.queueserver.common.v1.PlanDescription;
import io.blueskyproject.queueserver.manager.v1.AddItemRequest;
import io.blueskyproject.queueserver.manager.v1.InventoryServiceGrpc;
import io.blueskyproject.queueserver.manager.v1.ListPlansRequest;
import io.blueskyproject.queueserver.manager.v1.ListPlansResponse;
import io.blueskyproject.queueserver.manager.v1.QueuePosition;
import io.blueskyproject.queueserver.manager.v1.QueueServiceGrpc;
import io.blueskyproject.queueserver.manager.v1.StartQueueRequest;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A client of the Queue Server: adds a scan, runs it, follows it to its end and prints what it read. */
public final class Client {
  /**
   * The longest message that this client takes. gRPC's default is 4 MiB, and one document may carry a longer array;
   * 64 MiB is the most that the server sends.
   */
  static final int MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

  private final ManagedChannel channel;

  private Client(ManagedChannel channel) {
    this.channel = channel;
  }

  public static void main(String[] arguments) throws InterruptedException {
    ManagedChannel channel = connect(arguments.length > 0 ? arguments[0] : "localhost:60630");
    boolean completed = false;
    try {
      completed = new Client(channel).run();
    } catch (StatusRuntimeException error) {
      System.err.println("Failed: " + Refusal.of(error));
    } finally {
      channel.shutdownNow();
    }
    System.exit(completed ? 0 : 1);
  }

  private static ManagedChannel connect(String address) {
    return ManagedChannelBuilder.forTarget(address)
        .usePlaintext()
        .maxInboundMessageSize(MAX_MESSAGE_BYTES)
        // A server that vanished without a word is noticed after at most 15 seconds.
        .keepAliveTime(10, TimeUnit.SECONDS)
        .keepAliveTimeout(5, TimeUnit.SECONDS)
        .build();
  }

  private boolean run() throws InterruptedException {
    System.out.println("Plans: " + String.join(", ", plans()));
    showRefusal();
    String itemUid = add(scan("5"));
    System.out.println("Added: scan " + itemUid);
    Follower follower = new Follower(channel, itemUid);
    ItemResult result = follower.follow(this::start);
    String status = result.getExitStatus().name().substring("EXIT_STATUS_".length());
    System.out.println("Ended: " + status + (result.getMessage().isEmpty() ? "" : ": " + result.getMessage()));
    System.out.println(follower.readings());
    return result.getExitStatus() == ExitStatus.EXIT_STATUS_COMPLETED;
  }

  private List<String> plans() {
    List<String> names = new ArrayList<>();
    ListPlansRequest.Builder request = ListPlansRequest.newBuilder();
    do {
      ListPlansResponse page = InventoryServiceGrpc.newBlockingStub(channel)
          .withDeadlineAfter(10, TimeUnit.SECONDS).listPlans(request.build());
      page.getPlansList().stream().map(PlanDescription::getName).forEach(names::add);
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    return names;
  }

  private void showRefusal() {
    try {
      add(scan("\"five\""));
    } catch (StatusRuntimeException error) {
      System.out.println("Refused: " + Refusal.of(error));
    }
  }

  private String add(ItemSpec item) {
    AddItemRequest request = AddItemRequest.newBuilder()
        .setItem(item)
        .setPosition(QueuePosition.newBuilder().setBack(true))
        // With a request id the call can be repeated after a broken connection without adding a second scan.
        .setRequestId(UUID.randomUUID().toString())
        .build();
    return queue().addItem(request).getItem().getItemUid();
  }

  private void start() {
    queue().startQueue(StartQueueRequest.getDefaultInstance());
    System.out.println("Queue started");
  }

  /** A single call is answered in milliseconds; it never waits longer than the deadline. */
  private QueueServiceGrpc.QueueServiceBlockingStub queue() {
    return QueueServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
  }

  /** The scan of the demo with so many points, written as JSON, the shortest way to a google.protobuf.Struct. */
  private static ItemSpec scan(String points) {
    String json = """
        {"itemType": "ITEM_TYPE_PLAN", "name": "scan", "args": [["direct_img", "det"], "motor", -1, 1],
         "kwargs": {"num": %s}}""".formatted(points);
    ItemSpec.Builder item = ItemSpec.newBuilder();
    try {
      JsonFormat.parser().merge(json, item);
    } catch (InvalidProtocolBufferException wrong) {
      throw new IllegalArgumentException(wrong);
    }
    return item.build();
  }
}
