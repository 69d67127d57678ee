#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace caravel::report {

/// Text as an element's content or a quoted attribute's value. Ill-formed UTF-8 and control characters that HTML does
/// not allow become U+FFFD.
std::string escape_html(std::string_view text);

/// JSON as the content of a <script> element: ASCII alone, and without <, > and &, so that nothing in it ends the
/// element or begins a comment.
std::string script_json(const nlohmann::json& json);

}  // namespace caravel::report
