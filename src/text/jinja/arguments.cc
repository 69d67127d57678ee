#include "text/jinja/arguments.h"

#include <string_view>

namespace caravel::text::jinja {

void Arguments::bind(const char* callee, const char* const* names, size_t count, const Value** bound) const {
  if (positional.size() > count) {
    throw fail<InvalidArgument>("{}() takes at most {} arguments, {} are given", callee, count, positional.size());
  }
  for (size_t i = 0; i < positional.size(); ++i) bound[i] = &positional[i];
  for (const auto& [name, value] : keyword) {
    size_t i = 0;
    while (i < count && std::string_view(names[i]) != name) ++i;
    if (i == count) throw fail<InvalidArgument>("{}() has no argument named '{}'", callee, name);
    if (bound[i] != nullptr) throw fail<InvalidArgument>("{}() got two values for '{}'", callee, name);
    bound[i] = &value;
  }
}

void Arguments::expect_none(const char* callee) const {
  if (!positional.empty() || !keyword.empty()) {
    throw fail<InvalidArgument>("{}() takes no arguments, {} are given", callee, positional.size() + keyword.size());
  }
}

int64_t integer_or(const Value* argument, int64_t otherwise) {
  if (argument == nullptr) return otherwise;
  if (argument->is_undefined()) throw_undefined(*argument);
  if (!argument->is_integral()) throw fail<InvalidArgument>("expected an int, not a {}", argument->type_name());
  return argument->integer();
}

bool truth_or(const Value* argument, bool otherwise) { return argument == nullptr ? otherwise : argument->truthy(); }

const std::string& string_argument(const char* callee, const char* name, const Value* argument) {
  if (argument == nullptr) throw fail<InvalidArgument>("{}() needs the argument '{}'", callee, name);
  if (argument->is_undefined()) throw_undefined(*argument);
  if (!argument->is_string()) {
    throw fail<InvalidArgument>("{}(): '{}' must be a str, not a {}", callee, name, argument->type_name());
  }
  return argument->string();
}

}  // namespace caravel::text::jinja
