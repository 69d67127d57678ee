#include "text/jinja/globals.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/jinja/print.h"

namespace caravel::text::jinja {
namespace {

constexpr uint64_t kMaxRange = 100000;  // as Jinja's sandbox has it

Value range(Interpreter& interpreter, const Value&, const Arguments& arguments) {
  const auto [a, b, c] = arguments.bind("range", {"start", "stop", "step"});
  if (a == nullptr) throw InvalidArgument("range() needs a stop");
  const int64_t first = integer_or(a, 0);
  const int64_t start = b == nullptr ? 0 : first;
  const int64_t stop = b == nullptr ? first : integer_or(b, 0);
  const int64_t step = integer_or(c, 1);
  if (step == 0) throw InvalidArgument("range()'s step cannot be 0");
  // Unsigned: the bounds may lie at the two ends of an int.
  const bool empty = step > 0 ? stop <= start : stop >= start;
  const uint64_t low = static_cast<uint64_t>(step > 0 ? start : stop);
  const uint64_t high = static_cast<uint64_t>(step > 0 ? stop : start);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : ~static_cast<uint64_t>(step) + 1;
  const uint64_t count = empty ? 0 : (high - low - 1) / stride + 1;
  if (count > kMaxRange) throw fail<InvalidArgument>("range() gives more than {} items", kMaxRange);
  std::vector<Value> items;
  interpreter.budget().items(count);
  items.reserve(count);
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) items.emplace_back(start + i * step);
  return Value::sequence(std::move(items), Sequence::Kind::kRange);
}

// What namespace(...) is given: a mapping or pairs, and names.
std::vector<std::pair<Value, Value>> entries_of(Interpreter& interpreter, const Arguments& arguments) {
  std::vector<std::pair<Value, Value>> entries;
  if (arguments.positional.size() > 1) throw InvalidArgument("namespace() takes at most 1 unnamed argument");
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional.front();
    if (source.is_dict()) {
      entries = source.dict().entries();
    } else {
      for (const Value& pair : iterate(source, interpreter.budget())) {
        const std::vector<Value> items = iterate(pair, interpreter.budget());
        if (items.size() != 2) throw fail<InvalidArgument>("namespace() needs pairs, one has {} items", items.size());
        entries.emplace_back(items[0], items[1]);
      }
    }
  }
  for (const auto& [name, value] : arguments.keyword) entries.emplace_back(Value(name), value);
  return entries;
}

Value make_namespace(Interpreter& interpreter, const Value&, const Arguments& arguments) {
  Namespace* result = interpreter.make_namespace();
  for (auto& [key, value] : entries_of(interpreter, arguments)) {
    if (!key.is_string()) throw fail<InvalidArgument>("namespace() needs names, not a {}", key.type_name());
    if (Value* current = result->find(key.string())) {
      *current = std::move(value);
    } else {
      result->attributes.emplace_back(key.string(), std::move(value));
    }
  }
  return Value(result);
}

Value raise_exception(Interpreter& interpreter, const Value&, const Arguments& arguments) {
  const auto [message] = arguments.bind("raise_exception", {"message"});
  throw InvalidArgument(message == nullptr ? "raise_exception() needs a message"
                                           : to_str(*message, interpreter.budget()));
}

Value strftime_now(Interpreter& interpreter, const Value&, const Arguments& arguments) {
  const auto [format] = arguments.bind("strftime_now", {"format"});
  const std::string& pattern = string_argument("strftime_now", "format", format);
  const std::tm now = interpreter.local_time();
  std::string text(std::max<size_t>(256, std::min<size_t>(pattern.size() * 64, 1 << 20)), '\0');
  text.resize(std::strftime(text.data(), text.size(), pattern.c_str(), &now));
  return Value(std::move(text));
}

}  // namespace

void set_globals(Interpreter& interpreter) {
  static constexpr std::pair<const char*, Builtin::Function> kGlobals[] = {{"range", range},
                                                                           {"namespace", make_namespace},
                                                                           {"raise_exception", raise_exception},
                                                                           {"strftime_now", strftime_now}};
  for (const auto& [name, function] : kGlobals) interpreter.set(name, Value(Builtin{name, function, nullptr}));
}

}  // namespace caravel::text::jinja
