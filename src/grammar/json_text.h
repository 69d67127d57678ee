#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/expr.h"
#include "grammar/fsm.h"

namespace caravel::grammar {

using Json = nlohmann::ordered_json;

// How JSON is written: no white space before `,` and `:` nor around the whole; where it may be, nothing, one blank, or
// a line end and up to 16 blanks or tabs. Objects and arrays follow it; strings come in any spelling where any string
// may come, else with only those characters escaped that must be.

/// Nothing, or white space.
ExprPtr json_space();
/// A comma and json_space().
ExprPtr json_comma();

/// One character of a string, in any of its spellings (\uXXXX too, surrogates in pairs alone).
ExprPtr json_char();
/// Between quotes: min to max characters, of which a long count costs no more than a short one.
ExprPtr json_string(int min_length, int max_length);
/// Between quotes, what spells the texts of `content`, a machine without calls.
ExprPtr json_string(const Fsm& content);
/// `text` with its quotes, spelled as json_string(Fsm) does.
std::string json_quoted(std::string_view text);

/// The value as it is written, its objects' keys in their order, with white space where it may be. Numbers without
/// fraction are written as integers, those that a double would round as the schema has them.
ExprPtr json_constant(const Json& value);

/// `open` and `close` with white space inside of them around `inner`, which may be empty.
ExprPtr json_enclosed(const char* open, ExprPtr inner, const char* close);

}  // namespace caravel::grammar
