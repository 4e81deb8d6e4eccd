#include "follower.h"

#include <iostream>
#include <thread>

#include "limits.h"
#include "refusal.h"

namespace common = queueserver::common::v1;
namespace manager = queueserver::manager::v1;

Follower::Follower(const std::shared_ptr<grpc::Channel>& channel, std::string item_uid)
    : events_(manager::EventService::NewStub(channel)), item_uid_(std::move(item_uid)) {}

common::ItemResult Follower::follow(const std::function<void()>& when_watching) {
  for (;;) {
    try {
      return watch(when_watching);
    } catch (const Refusal& refusal) {
      if (refusal.reason() == "RESUME_TOKEN_EXPIRED") {
        // We were away for so long that the changes are no longer kept: begin anew, with a snapshot.
        resume_token_.clear();
      } else if (refusal.code() != grpc::UNAVAILABLE && refusal.reason() != "WATCHER_TOO_SLOW") {
        throw;
      }
      std::cout << "Reconnecting: " << name_of(refusal.code()) << std::endl;
      std::this_thread::sleep_for(refusal.retry_delay());
    }
  }
}

common::ItemResult Follower::watch(const std::function<void()>& when_watching) {
  manager::WatchEventsRequest request;
  request.add_kinds(manager::EVENT_KIND_DOCUMENT);
  request.add_kinds(manager::EVENT_KIND_HISTORY);
  request.set_resume_token(resume_token_);
  request.set_max_message_bytes(MAX_MESSAGE_BYTES);
  grpc::ClientContext context;
  // While there is no Manager, gRPC keeps trying to connect, and the call waits for it.
  context.set_wait_for_ready(true);
  const auto stream = events_->WatchEvents(&context, request);
  Response response;
  while (stream->Read(&response)) {
    if (const auto result = take(response)) {
      context.TryCancel();
      return *result;
    }
    remember(response.resume_token(), when_watching);
  }
  check(stream->Finish());
  throw Refusal(grpc::Status(grpc::UNAVAILABLE, "the stream ended"));
}

void Follower::remember(const std::string& token, const std::function<void()>& when_watching) {
  // A part of a snapshot has no token, unless it is the last one.
  if (token.empty()) return;
  resume_token_ = token;
  if (!watched_) {
    when_watching();
    watched_ = true;
  }
}

std::optional<common::ItemResult> Follower::take(const Response& response) {
  for (const auto& emitted : response.snapshot().documents()) take(emitted);
  for (const auto& entry : response.snapshot().history()) {
    if (entry.item().item_uid() == item_uid_) return entry.result();
  }
  for (const manager::WatchEvent& event : response.batch().events()) {
    if (event.has_document()) {
      take(event.document());
    } else if (event.has_history_added() && event.history_added().entry().item().item_uid() == item_uid_) {
      return event.history_added().entry().result();
    }
  }
  return std::nullopt;
}

void Follower::take(const manager::DocumentEmitted& emitted) {
  if (emitted.item_uid() != item_uid_) return;
  if (const auto row = readings_.take(emitted.document())) std::cout << "Row " << row << std::endl;
}
