#include "text/jinja/filters.h"

#include "base/numbers.h"
#include "text/jinja/filter_table.h"

namespace caravel::text::jinja {

Builtin::Function find_function(std::span<const NamedFunction> table, std::string_view name) {
  for (const auto& [key, function] : table) {
    if (key == name) return function;
  }
  return nullptr;
}

Builtin::Function find_filter(std::string_view name) {
  for (const auto& table : {value_filters(), text_filters(), sequence_filters(), selection_filters()}) {
    if (const Builtin::Function function = find_function(table, name)) return function;
  }
  return nullptr;
}

Value read_attribute(Interpreter& interpreter, const Value& item, const Value* attribute) {
  if (attribute == nullptr || attribute->is_none()) return item;
  if (!attribute->is_string()) return interpreter.item(item, *attribute);
  Value value = item;
  std::string_view rest = attribute->string();
  while (true) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    const auto index = part.starts_with('-') ? std::nullopt : parse_number<int64_t>(part);
    value = interpreter.item(value, index ? Value(*index) : Value(std::string(part)));
    if (dot == std::string_view::npos) return value;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace caravel::text::jinja
