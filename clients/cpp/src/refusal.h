// What the server answers when it refuses a call.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A call that did not succeed: code, stable reason, sentence, and the fields that are wrong.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(const grpc::Status& status);

  grpc::StatusCode code() const { return code_; }
  /// ErrorInfo.reason, for example "ITEM_INVALID"; empty if the error did not come from the Queue Server.
  const std::string& reason() const { return reason_; }
  /// How long to wait before a retry: what the server asks for, otherwise a second.
  std::chrono::milliseconds retry_delay() const { return retry_delay_; }

  friend std::ostream& operator<<(std::ostream& out, const Refusal& refusal);

 private:
  grpc::StatusCode code_;
  std::string reason_;
  std::chrono::milliseconds retry_delay_ = std::chrono::seconds(1);
  /// Path of each wrong field, and what is wrong with it.
  std::vector<std::pair<std::string, std::string>> violations_;
};

/// The code as the gRPC documentation writes it.
std::string name_of(grpc::StatusCode code);

/// Throws a Refusal unless the call succeeded.
void check(const grpc::Status& status);
