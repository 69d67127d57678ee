#pragma once

#include <string>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// Python's str() and repr(). Throw CapacityError where the text gets too long.
void append_str(std::string& out, const Value& value, Budget& budget);
void append_repr(std::string& out, const Value& value, Budget& budget);
std::string to_str(const Value& value, Budget& budget);

/// Python's repr of a float: the shortest digits that read back as the same number.
std::string float_repr(double number);

struct JsonFormat {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool multiline = false;
  std::string indent;  // one level's, where multiline
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// json.dumps as `transformers` has `tojson` call it. Throws InvalidArgument for what is not JSON.
std::string to_json(const Value& value, const JsonFormat& format, Budget& budget);

/// & < > ' " as HTML entities, as MarkupSafe writes them.
std::string html_escaped(const std::string& text);

}  // namespace caravel::text::jinja
