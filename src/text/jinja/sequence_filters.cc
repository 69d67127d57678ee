#include <algorithm>

#include "base/error.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/text_operations.h"

namespace caravel::text::jinja {
namespace {

Value length(Interpreter&, const Value& value, const Arguments& arguments) {
  arguments.expect_none("length");
  return length_of(value);
}

Value first(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("first");
  if (value.is_sequence(Sequence::Kind::kGenerator)) {
    const Sequence& generator = value.sequence();
    if (generator.consumed < generator.items.size()) return generator.items[generator.consumed++];
    return Undefined{Undefined::Kind::kEmptySequence};
  }
  std::vector<Value> items = iterate(value, interpreter.budget());
  return items.empty() ? Value(Undefined{Undefined::Kind::kEmptySequence}) : std::move(items.front());
}

Value last(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("last");
  if (value.is_sequence(Sequence::Kind::kGenerator))
    throw InvalidArgument("last: a generator has no end to start from");
  std::vector<Value> items = iterate(value, interpreter.budget());
  return items.empty() ? Value(Undefined{Undefined::Kind::kEmptySequence}) : std::move(items.back());
}

Value list(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("list");
  return Value::sequence(iterate(value, interpreter.budget()));
}

Value join_filter(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [separator, attribute] = arguments.bind("join", {"d", "attribute"});
  std::vector<std::string> parts;
  for (const Value& item : iterate(value, interpreter.budget())) {
    parts.push_back(to_str(read_attribute(interpreter, item, attribute), interpreter.budget()));
  }
  const std::string between = separator == nullptr ? "" : to_str(*separator, interpreter.budget());
  return joined(interpreter.budget(), between, parts);
}

// What an item is sorted or compared by: strings without regard to case, unless asked for.
Value sort_key(Interpreter& interpreter, const Value& item, const Value* attribute, bool case_sensitive) {
  const auto folded = [&](const Value& value) {
    return value.is_string() && !case_sensitive ? Value(to_lower(value.string())) : value;
  };
  if (attribute == nullptr || !attribute->is_string() || attribute->string().find(',') == std::string::npos) {
    return folded(read_attribute(interpreter, item, attribute));
  }
  std::vector<Value> parts;
  std::string_view rest = attribute->string();
  while (true) {
    const size_t comma = rest.find(',');
    const Value name{std::string(rest.substr(0, comma))};
    parts.push_back(folded(read_attribute(interpreter, item, &name)));
    if (comma == std::string_view::npos) return Value::sequence(std::move(parts));
    rest.remove_prefix(comma + 1);
  }
}

std::vector<Value> sorted(Interpreter& interpreter, const std::vector<Value>& items, const std::vector<Value>& keys,
                          bool reversed) {
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return reversed ? less(keys[b], keys[a], interpreter.budget()) : less(keys[a], keys[b], interpreter.budget());
  });
  std::vector<Value> out;
  out.reserve(order.size());
  for (const size_t i : order) out.push_back(items[i]);
  return out;
}

Value sort(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [reversed, case_sensitive, attribute] = arguments.bind("sort", {"reverse", "case_sensitive", "attribute"});
  const std::vector<Value> items = iterate(value, interpreter.budget());
  std::vector<Value> keys;
  for (const Value& item : items)
    keys.push_back(sort_key(interpreter, item, attribute, truth_or(case_sensitive, false)));
  return Value::sequence(sorted(interpreter, items, keys, truth_or(reversed, false)));
}

Value dictsort(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [case_sensitive, by, reversed] = arguments.bind("dictsort", {"case_sensitive", "by", "reverse"});
  if (value.is_undefined()) throw_undefined(value);
  if (!value.is_dict()) throw fail<InvalidArgument>("dictsort: a {} is no dict", value.type_name());
  const std::string what = by == nullptr ? "key" : string_argument("dictsort", "by", by);
  if (what != "key" && what != "value") throw fail<InvalidArgument>("dictsort: '{}' is neither key nor value", what);
  std::vector<Value> items;
  std::vector<Value> keys;
  interpreter.budget().items(value.dict().size());
  for (const auto& [key, item] : value.dict().entries()) {
    items.push_back(key_and_value(key, item));
    keys.push_back(sort_key(interpreter, what == "key" ? key : item, nullptr, truth_or(case_sensitive, false)));
  }
  return Value::sequence(sorted(interpreter, items, keys, truth_or(reversed, false)));
}

Value items_filter(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  arguments.expect_none("items");
  std::vector<Value> pairs;
  if (!value.is_undefined()) {
    if (!value.is_dict()) throw fail<InvalidArgument>("items: a {} is no dict", value.type_name());
    interpreter.budget().items(value.dict().size());
    for (const auto& [key, item] : value.dict().entries()) pairs.push_back(key_and_value(key, item));
  }
  return Value::sequence(std::move(pairs), Sequence::Kind::kGenerator);
}

Value unique(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [case_sensitive, attribute] = arguments.bind("unique", {"case_sensitive", "attribute"});
  Dict seen;
  std::vector<Value> out;
  for (Value& item : iterate(value, interpreter.budget())) {
    const Value key = sort_key(interpreter, item, attribute, truth_or(case_sensitive, false));
    if (seen.find(key) != nullptr) continue;
    seen.set(key, None{});
    out.push_back(std::move(item));
  }
  return Value::sequence(std::move(out), Sequence::Kind::kGenerator);
}

Value min(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const auto [case_sensitive, attribute] = arguments.bind("min", {"case_sensitive", "attribute"});
  const std::vector<Value> items = iterate(value, interpreter.budget());
  if (items.empty()) return Undefined{Undefined::Kind::kEmptySequence};
  size_t best = 0;
  Value best_key = sort_key(interpreter, items[0], attribute, truth_or(case_sensitive, false));
  for (size_t i = 1; i < items.size(); ++i) {
    Value key = sort_key(interpreter, items[i], attribute, truth_or(case_sensitive, false));
    if (!less(key, best_key, interpreter.budget())) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

constexpr NamedFunction kSequenceFilters[] = {
    {"dictsort", dictsort}, {"first", first},   {"items", items_filter}, {"join", join_filter},
    {"last", last},         {"length", length}, {"list", list},          {"min", min},
    {"sort", sort},         {"unique", unique},
};

}  // namespace

std::span<const NamedFunction> sequence_filters() { return kSequenceFilters; }

}  // namespace caravel::text::jinja
