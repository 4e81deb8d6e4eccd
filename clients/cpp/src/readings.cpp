#include "readings.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace common = queueserver::common::v1;

namespace {

std::string text_of(const common::NdArray& array) {
  std::ostringstream text;
  text << "array ";
  for (int axis = 0; axis < array.shape_size(); ++axis) text << (axis ? "x" : "") << array.shape(axis);
  text << ' ' << array.dtype();
  return text.str();
}

std::string text_of(const common::DataValue& value) {
  std::ostringstream text;
  switch (value.kind_case()) {
    case common::DataValue::kBoolean: text << std::boolalpha << value.boolean(); break;
    case common::DataValue::kInteger: text << value.integer(); break;
    case common::DataValue::kNumber: text << value.number(); break;
    case common::DataValue::kText: text << value.text(); break;
    case common::DataValue::kBinary: text << value.binary().size() << " bytes"; break;
    case common::DataValue::kList: text << value.list().values_size() << " values"; break;
    case common::DataValue::kMap: text << value.map().entries_size() << " entries"; break;
    case common::DataValue::kArray: text << text_of(value.array()); break;
    case common::DataValue::kBigInteger: text << value.big_integer(); break;
    // Null, or a kind that a newer server knows.
    case common::DataValue::kNull:
    case common::DataValue::KIND_NOT_SET: text << '-'; break;
  }
  return text.str();
}

}  // namespace

std::int64_t Readings::take(const common::RunDocument& document) {
  if (document.has_start()) {
    run_uid_ = document.start().uid();
  } else if (document.has_event_descriptor() && document.event_descriptor().name() == "primary") {
    const common::EventDescriptor& descriptor = document.event_descriptor();
    descriptor_uid_ = descriptor.uid();
    columns_.assign(descriptor.columns().begin(), descriptor.columns().end());
  } else if (document.has_event() && document.event().descriptor_uid() == descriptor_uid_) {
    const common::EventDocument& event = document.event();
    std::vector<std::string> row = {std::to_string(event.seq_num())};
    for (const std::string& column : columns_) {
      const auto found = event.data().find(column);
      row.push_back(found == event.data().end() ? "-" : text_of(found->second));
    }
    rows_.push_back(std::move(row));
    return event.seq_num();
  }
  return 0;
}

std::ostream& operator<<(std::ostream& out, const Readings& readings) {
  std::vector<std::vector<std::string>> lines = {{"seq_num"}};
  lines[0].insert(lines[0].end(), readings.columns_.begin(), readings.columns_.end());
  lines.insert(lines.end(), readings.rows_.begin(), readings.rows_.end());
  std::vector<std::size_t> widths(lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t column = 0; column < line.size(); ++column) {
      widths[column] = std::max(widths[column], line[column].size());
    }
  }
  out << "Readings of run " << readings.run_uid_;
  for (const auto& line : lines) {
    out << '\n';
    for (std::size_t column = 0; column < line.size(); ++column) {
      out << (column ? "  " : "") << std::left << std::setw(static_cast<int>(widths[column])) << line[column];
    }
  }
  return out;
}
