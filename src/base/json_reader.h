#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace caravel {

/// The document that `text` is, keys in their order, numbers that nothing else holds as they were written
/// (base/written_number.h). Takes time in proportion to the text (but for sorting keys), whatever it holds. Throws
/// FormatError, which says why: not UTF-8, not JSON, deeper than `max_depth`, a key twice in one object.
nlohmann::ordered_json read_json(std::string_view text, size_t max_depth);

}  // namespace caravel
