#pragma once

#include <string>
#include <string_view>

#include "fields/json.h"

namespace caravel::server {

/// One server-sent event without a name.
inline void add_event(const Json& data, std::string& out) {
  out += "data: ";
  out += to_text(data);
  out += "\n\n";
}

/// One with a name.
inline void add_event(std::string_view name, const Json& data, std::string& out) {
  out += "event: ";
  out += name;
  out += '\n';
  add_event(data, out);
}

}  // namespace caravel::server
