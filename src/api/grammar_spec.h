#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace caravel {

/// What an answer must look like. An answer that ends by itself fits it whole; one cut by max_tokens is a beginning.
struct GrammarSpec {
  enum class Kind : uint8_t {
    kNone,
    kJsonObject,  // any JSON object
    kJsonSchema,  // text: the schema, as JSON
    kRegex,       // text: a regular expression that matches the whole answer
    kChoice,      // choices: one of them, to the byte
    kGbnf,        // text: llama.cpp's grammar notation, from its rule `root`
  };
  Kind kind = Kind::kNone;
  std::string text;
  std::vector<std::string> choices;
  /// kGbnf: JSON schemas that the grammar's rules may call: `schema-0` is the first, and so on, without being defined
  /// there. So a schema is embedded in other text: root ::= "<tool_call>" schema-0 "</tool_call>".
  std::vector<std::string> schemas;

  bool operator==(const GrammarSpec&) const = default;
};

}  // namespace caravel
