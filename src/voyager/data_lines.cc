#include "voyager/data_lines.h"

#include <utility>

namespace caravel::voyager {
namespace {

void read_line(std::string_view line, const DataLines::OnData& on_data) {
  constexpr std::string_view kData = "data:";
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.starts_with(kData)) return;
  line.remove_prefix(kData.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!line.empty()) on_data(line);
}

}  // namespace

void DataLines::feed(std::string_view bytes, const OnData& on_data) {
  for (size_t end = 0; (end = bytes.find('\n')) != bytes.npos; bytes.remove_prefix(end + 1)) {
    line_ += bytes.substr(0, end);
    read_line(std::exchange(line_, {}), on_data);
  }
  line_ += bytes;
}

void DataLines::finish(const OnData& on_data) { read_line(std::exchange(line_, {}), on_data); }

}  // namespace caravel::voyager
