#include "fields/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/numbers.h"
#include "base/written_number.h"

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace caravel {
namespace {

bool has_written_number(const Json& json) {
  if (!json.is_structured()) return is_written_number(json);
  return std::any_of(json.begin(), json.end(), has_written_number);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// For documents with written numbers, which the library's own writer spells as lists of bytes.
void append_text(std::string& out, const Json& json) {
  if (is_written_number(json)) {
    out += written_text(json);
  } else if (json.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& item : json) {
      if (!std::exchange(first, false)) out += ',';
      append_text(out, item);
    }
    out += ']';
  } else if (json.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
      if (!std::exchange(first, false)) out += ',';
      out += dump(key) + ":";
      append_text(out, value);
    }
    out += '}';
  } else {
    out += dump(json);
  }
}

}  // namespace

Json parse_json(std::string_view body) {
  try {
    return read_json(body, kMaxJsonDepth);
  } catch (const FormatError& error) {
    throw fail<FormatError>("We could not parse this JSON: {}.", error.what());
  }
}

double as_written(float value) { return *parse_number<double>(fmt::format("{}", value)); }

std::string to_text(const Json& json) {
  if (!has_written_number(json)) return dump(json);
  std::string out;
  append_text(out, json);
  return out;
}

}  // namespace caravel
