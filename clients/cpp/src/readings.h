// The readings of a run, as a table.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "queueserver/common/v1/document.pb.h"

/// Collects the events of the stream "primary" of one run.
class Readings {
 public:
  /// Takes one document of the run in. Answers the number of the row that it brought, 0 if it brought none.
  std::int64_t take(const queueserver::common::v1::RunDocument& document);

  friend std::ostream& operator<<(std::ostream& out, const Readings& readings);

 private:
  std::string run_uid_;
  std::string descriptor_uid_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;
};
