// A client of the Queue Server: adds a scan, runs it, follows it to its end and prints what it read.

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>

#include "follower.h"
#include "limits.h"
#include "queueserver/manager/v1/inventory_service.grpc.pb.h"
#include "queueserver/manager/v1/queue_service.grpc.pb.h"
#include "refusal.h"

namespace common = queueserver::common::v1;
namespace manager = queueserver::manager::v1;

namespace {

/// A single call is answered in milliseconds; it never waits longer than this.
void set_deadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
}

std::shared_ptr<grpc::Channel> connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(MAX_MESSAGE_BYTES);
  // A server that vanished without a word is noticed after at most 15 seconds.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  // One that comes back is found within a second.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

/// The scan of the demo with so many points, written as JSON, the shortest way to a google.protobuf.Struct.
common::ItemSpec scan(const std::string& points) {
  common::ItemSpec item;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      R"({"itemType": "ITEM_TYPE_PLAN", "name": "scan", "args": [["direct_img", "det"], "motor", -1, 1], )"
      R"("kwargs": {"num": )" +
          points + "}}",
      &item);
  if (!parsed.ok()) throw std::invalid_argument(parsed.ToString());
  return item;
}

void list_plans(const std::shared_ptr<grpc::Channel>& channel) {
  const auto inventory = manager::InventoryService::NewStub(channel);
  manager::ListPlansRequest request;
  std::string names;
  do {
    grpc::ClientContext context;
    set_deadline(context);
    manager::ListPlansResponse page;
    check(inventory->ListPlans(&context, request, &page));
    for (const common::PlanDescription& plan : page.plans()) names += (names.empty() ? "" : ", ") + plan.name();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::cout << "Plans: " << names << std::endl;
}

std::string unique_id() {
  std::random_device random;
  std::ostringstream id;
  for (int part = 0; part < 4; ++part) id << std::hex << std::setw(8) << std::setfill('0') << random();
  return id.str();
}

std::string add(manager::QueueService::Stub& queue, const common::ItemSpec& item) {
  grpc::ClientContext context;
  set_deadline(context);
  manager::AddItemRequest request;
  *request.mutable_item() = item;
  request.mutable_position()->set_back(true);
  // With a request id the call can be repeated after a broken connection without adding a second scan.
  request.set_request_id(unique_id());
  manager::AddItemResponse response;
  check(queue.AddItem(&context, request, &response));
  return response.item().item_uid();
}

void show_refusal(manager::QueueService::Stub& queue) {
  try {
    add(queue, scan(R"("five")"));
  } catch (const Refusal& refusal) {
    std::cout << "Refused: " << refusal << std::endl;
  }
}

void start(manager::QueueService::Stub& queue) {
  grpc::ClientContext context;
  set_deadline(context);
  manager::StartQueueResponse response;
  check(queue.StartQueue(&context, manager::StartQueueRequest(), &response));
  std::cout << "Queue started" << std::endl;
}

bool run(const std::string& address) {
  const auto channel = connect(address);
  const auto queue = manager::QueueService::NewStub(channel);
  list_plans(channel);
  show_refusal(*queue);
  const std::string item_uid = add(*queue, scan("5"));
  std::cout << "Added: scan " << item_uid << std::endl;
  Follower follower(channel, item_uid);
  const common::ItemResult result = follower.follow([&] { start(*queue); });
  const std::string status = common::ExitStatus_Name(result.exit_status());
  std::cout << "Ended: " << status.substr(std::string("EXIT_STATUS_").size());
  if (!result.message().empty()) std::cout << ": " << result.message();
  std::cout << '\n' << follower.readings() << std::endl;
  return result.exit_status() == common::EXIT_STATUS_COMPLETED;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? argv[1] : "localhost:60630") ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const Refusal& refusal) {
    std::cerr << "Failed: " << refusal << std::endl;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
  return EXIT_FAILURE;
}
