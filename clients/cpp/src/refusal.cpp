#include "refusal.h"

#include <google/protobuf/util/time_util.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <array>

Refusal::Refusal(const grpc::Status& status) : std::runtime_error(status.error_message()), code_(status.error_code()) {
  // The details are a google.rpc.Status, which the trailers carry as bytes.
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.UnpackTo(&info)) {
      reason_ = info.reason();
    } else if (detail.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        violations_.emplace_back(violation.field(), violation.description());
      }
    } else if (detail.UnpackTo(&retry)) {
      using google::protobuf::util::TimeUtil;
      retry_delay_ = std::chrono::milliseconds(TimeUtil::DurationToMilliseconds(retry.retry_delay()));
    }
  }
}

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  out << name_of(refusal.code_) << (refusal.reason_.empty() ? "" : " ") << refusal.reason_ << ": " << refusal.what();
  for (const auto& [field, description] : refusal.violations_) {
    out << "\n  " << field << ": " << description;
  }
  return out;
}

std::string name_of(grpc::StatusCode code) {
  static const std::array<const char*, 17> names = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return names.at(code);
}

void check(const grpc::Status& status) {
  if (!status.ok()) throw Refusal(status);
}
