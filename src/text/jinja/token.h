#pragma once

#include <cstdint>
#include <string>

namespace caravel::text::jinja {

struct Token {
  enum class Type : uint8_t {
    kText,
    kBlockBegin,
    kBlockEnd,
    kVariableBegin,
    kVariableEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd
  };
  Type type;
  int line;
  std::string text;  // a string's value without quotes and escapes; an operator's or name's own letters

  bool is(Type other) const { return type == other; }
  bool is_operator(const char* other) const { return type == Type::kOperator && text == other; }
  bool is_name(const char* other) const { return type == Type::kName && text == other; }
};

}  // namespace caravel::text::jinja
