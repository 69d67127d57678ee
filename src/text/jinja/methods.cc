#include "text/jinja/methods.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/filter_table.h"
#include "text/jinja/operators.h"

namespace caravel::text::jinja {
namespace {

Value dict_get(Interpreter&, const Value& self, const Arguments& arguments) {
  const auto [key, otherwise] = arguments.bind("get", {"key", "default"});
  if (key == nullptr) throw InvalidArgument("get() needs a key");
  if (key->is_undefined()) return otherwise == nullptr ? Value(None{}) : *otherwise;
  const Value* value = self.dict().find(*key);
  if (value != nullptr) return *value;
  return otherwise == nullptr ? Value(None{}) : *otherwise;
}

Value dict_items(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  arguments.expect_none("items");
  std::vector<Value> out;
  interpreter.budget().items(self.dict().size());
  for (const auto& [key, value] : self.dict().entries()) out.push_back(key_and_value(key, value));
  return Value::sequence(std::move(out), Sequence::Kind::kItems);
}

Value dict_keys(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  arguments.expect_none("keys");
  return Value::sequence(iterate(self, interpreter.budget()), Sequence::Kind::kKeys);
}

Value dict_values(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  arguments.expect_none("values");
  std::vector<Value> out;
  interpreter.budget().items(self.dict().size());
  for (const auto& [key, value] : self.dict().entries()) out.push_back(value);
  return Value::sequence(std::move(out), Sequence::Kind::kValues);
}

Value sequence_count(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [wanted] = arguments.bind("count", {"value"});
  if (wanted == nullptr) throw InvalidArgument("count() needs a value");
  int64_t count = 0;
  for (const Value& item : self.sequence().items) count += equals(item, *wanted, interpreter.budget()) ? 1 : 0;
  return count;
}

Value sequence_index(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const auto [wanted] = arguments.bind("index", {"value"});
  if (wanted == nullptr) throw InvalidArgument("index() needs a value");
  const auto& items = self.sequence().items;
  for (size_t i = 0; i < items.size(); ++i) {
    if (equals(items[i], *wanted, interpreter.budget())) return static_cast<int64_t>(i);
  }
  throw InvalidArgument("index(): the value is not in the list");
}

constexpr NamedFunction kDictMethods[] = {
    {"get", dict_get}, {"items", dict_items}, {"keys", dict_keys}, {"values", dict_values}};
constexpr NamedFunction kSequenceMethods[] = {{"count", sequence_count}, {"index", sequence_index}};

// `transformers` runs templates in a sandbox where the data cannot be changed.
constexpr std::string_view kDictUnsafe[] = {"clear", "pop", "popitem", "setdefault", "update"};
constexpr std::string_view kListUnsafe[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};

Value find_in(std::span<const NamedFunction> methods, std::span<const std::string_view> unsafe, const Value& object,
              std::string_view name) {
  for (const auto& [key, function] : methods) {
    if (key == name) return Builtin{key.data(), function, std::make_shared<const Value>(object)};
  }
  if (std::find(unsafe.begin(), unsafe.end(), name) != unsafe.end()) {
    return Value::undefined(Undefined::Kind::kUnsafe, name);
  }
  return Undefined{};
}

}  // namespace

Value find_method(const Value& object, std::string_view name) {
  switch (object.type()) {
    case Value::Type::kString:
      if (const Builtin::Function function = find_string_method(name)) {
        return Builtin{"str method", function, std::make_shared<const Value>(object)};
      }
      return Undefined{};
    case Value::Type::kDict:
      return find_in(kDictMethods, kDictUnsafe, object, name);
    case Value::Type::kSequence:
      if (object.sequence().kind == Sequence::Kind::kList) return find_in(kSequenceMethods, kListUnsafe, object, name);
      if (object.sequence().kind == Sequence::Kind::kTuple) return find_in(kSequenceMethods, {}, object, name);
      return Undefined{};
    default:
      return Undefined{};
  }
}

}  // namespace caravel::text::jinja
