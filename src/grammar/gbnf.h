#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "grammar/expr.h"

namespace caravel::grammar {

/// llama.cpp's grammar notation: rules `name ::= ...` of "literals", [classes], `.`, (groups), `|` and the repetitions
/// `*`, `+`, `?`, `{m}`, `{m,}`, `{m,n}`; escapes \n \r \t \\ \" \[ \] \xHH \uHHHH \UHHHHHHHH; comments from `#`. Its
/// root is the rule `root`. The rules schema-0, schema-1, ... are the JSON schemas of `schemas`. Throws InvalidArgument
/// with the line, Unsupported (tokens by name or id); what is wrong with one of `schemas` is a SchemaError.
Grammar parse_gbnf(std::string_view text, const std::vector<std::string>& schemas = {});

}  // namespace caravel::grammar
