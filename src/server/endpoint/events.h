#pragma once

#include <string_view>

#include "server/endpoint/answer_text.h"

namespace caravel::server {

/// One server-sent event without a name.
inline void add_event(const Json& data, AnswerText& out) {
  out.add_text("data: ");
  out.add_json(data);
  out.add_text("\n\n");
}

/// One with a name.
inline void add_event(std::string_view name, const Json& data, AnswerText& out) {
  out.add_text("event: ");
  out.add_text(name);
  out.add_text("\n");
  add_event(data, out);
}

}  // namespace caravel::server
