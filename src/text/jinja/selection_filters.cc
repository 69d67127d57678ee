#include "base/error.h"
#include "text/jinja/filter_table.h"

namespace caravel::text::jinja {
namespace {

// As in Jinja, what is false (None too) has no items here.
std::vector<Value> items_of(Interpreter& interpreter, const Value& value) {
  return value.truthy() ? iterate(value, interpreter.budget()) : std::vector<Value>();
}

Value map(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  std::vector<Value> out;
  if (arguments.positional.empty()) {
    const auto [attribute, otherwise] = arguments.bind("map", {"attribute", "default"});
    if (attribute == nullptr) throw InvalidArgument("map needs the name of a filter, or attribute=");
    for (const Value& item : items_of(interpreter, value)) {
      out.push_back(read_attribute(interpreter, item, attribute));
      if (out.back().is_undefined() && otherwise != nullptr) out.back() = *otherwise;
    }
  } else {
    const std::string& filter = string_argument("map", "filter", arguments.positional.data());
    const Arguments rest{{arguments.positional.begin() + 1, arguments.positional.end()}, arguments.keyword};
    for (const Value& item : items_of(interpreter, value)) {
      out.push_back(interpreter.call_filter(filter, item, rest));
    }
  }
  return Value::sequence(std::move(out), Sequence::Kind::kGenerator);
}

// select and reject, and their forms that look at an attribute first: [attribute,] [test, arguments of the test].
template <bool kWanted, bool kByAttribute>
Value select(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const size_t skipped = kByAttribute ? 1 : 0;
  if (arguments.positional.size() < skipped) throw InvalidArgument("selectattr and rejectattr need an attribute");
  const Value* attribute = kByAttribute ? arguments.positional.data() : nullptr;
  const std::string* test = nullptr;
  Arguments rest;
  if (arguments.positional.size() > skipped) {
    test = &string_argument("select", "test", &arguments.positional[skipped]);
    rest = {{arguments.positional.begin() + static_cast<std::ptrdiff_t>(skipped) + 1, arguments.positional.end()},
            arguments.keyword};
  }
  std::vector<Value> out;
  for (Value& item : items_of(interpreter, value)) {
    const Value read = read_attribute(interpreter, item, attribute);
    const bool passes = test == nullptr ? read.truthy() : interpreter.call_test(*test, read, rest);
    if (passes == kWanted) out.push_back(std::move(item));
  }
  return Value::sequence(std::move(out), Sequence::Kind::kGenerator);
}

constexpr NamedFunction kSelectionFilters[] = {
    {"map", map},
    {"reject", select<false, false>},
    {"rejectattr", select<false, true>},
    {"selectattr", select<true, true>},
};

}  // namespace

std::span<const NamedFunction> selection_filters() { return kSelectionFilters; }

}  // namespace caravel::text::jinja
