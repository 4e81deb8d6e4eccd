// Follows one item of the queue to its end, whatever happens to the connection.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "queueserver/manager/v1/event_service.grpc.pb.h"
#include "readings.h"

class Follower {
 public:
  Follower(const std::shared_ptr<grpc::Channel>& channel, std::string item_uid);

  /// Watches until the item has ended. `when_watching` is called as soon as nothing can be missed any more, and again
  /// after a reconnection if it threw a Refusal for which a new try helps.
  queueserver::common::v1::ItemResult follow(const std::function<void()>& when_watching);

  const Readings& readings() const { return readings_; }

 private:
  using Response = queueserver::manager::v1::WatchEventsResponse;

  /// One call, from the token on until the item has ended. Throws a Refusal when the call breaks.
  queueserver::common::v1::ItemResult watch(const std::function<void()>& when_watching);
  /// Keeps the token of a message that was taken in.
  void remember(const std::string& token, const std::function<void()>& when_watching);
  /// Takes one message in; answers how the item ended, if it says so.
  std::optional<queueserver::common::v1::ItemResult> take(const Response& response);
  void take(const queueserver::manager::v1::DocumentEmitted& emitted);

  std::unique_ptr<queueserver::manager::v1::EventService::Stub> events_;
  std::string item_uid_;
  /// From here the watch can be resumed; empty before the first snapshot is complete.
  std::string resume_token_;
  bool watched_ = false;
  Readings readings_;
};
