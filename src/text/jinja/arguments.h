#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// What a call passes.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keyword;

  /// The arguments in the order of `names`, as Python binds them; nullptr where one was not given. Throws
  /// InvalidArgument: too many, an unknown name, or one given twice.
  template <size_t N>
  std::array<const Value*, N> bind(const char* callee, const char* const (&names)[N]) const {
    std::array<const Value*, N> bound{};
    bind(callee, names, N, bound.data());
    return bound;
  }

  /// For a callee that takes none.
  void expect_none(const char* callee) const;

 private:
  void bind(const char* callee, const char* const* names, size_t count, const Value** bound) const;
};

/// The argument as what Python would take for it, or `otherwise` where it was not given. Throws InvalidArgument.
int64_t integer_or(const Value* argument, int64_t otherwise);
bool truth_or(const Value* argument, bool otherwise);
/// Throws InvalidArgument where `argument` was not given or is no string.
const std::string& string_argument(const char* callee, const char* name, const Value* argument);

}  // namespace caravel::text::jinja
