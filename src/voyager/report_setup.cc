#include "voyager/report_parts.h"

namespace caravel::voyager {
namespace {

/// Values by their path: "agent.seed"; those that fill more than a line or two apart.
void flatten(const Json& value, const std::string& path, report::Table& lines, report::Table& texts) {
  constexpr size_t kLong = 200;  // bytes
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) flatten(inner, path.empty() ? key : path + "." + key, lines, texts);
    return;
  }
  const std::string text = value.is_string() ? value.get<std::string>() : to_text(value);
  const bool is_long = text.size() > kLong || text.find('\n') != std::string::npos;
  (is_long ? texts : lines).rows.push_back({path, text});
}

}  // namespace

void add_setup(report::Page& page, const RunStore& run) {
  page.heading("How it was begun");
  report::Table lines{"", {"what", "value"}, {}};
  report::Table texts = lines;
  flatten(run.setup(), "", lines, texts);
  page.table(lines);
  for (const std::vector<std::string>& row : texts.rows) {
    const report::Page::Fold fold(page, row[0]);
    page.verbatim("", row[1]);
  }
}

}  // namespace caravel::voyager
