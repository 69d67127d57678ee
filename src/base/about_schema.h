#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace caravel {

/// An error is about one of GrammarSpec::schemas: its caller, who put it there, knows what to call it.
class AboutSchema {
 public:
  AboutSchema(size_t schema_number, std::string what_is_wrong)
      : schema(schema_number), problem(std::move(what_is_wrong)) {}
  virtual ~AboutSchema() = default;

  size_t schema;
  std::string problem;
};

/// An E that is about one of them; its own message calls it schema-0, as the grammar does.
template <std::derived_from<Error> E>
class SchemaError final : public E, public AboutSchema {
 public:
  SchemaError(size_t number, const std::string& what_is_wrong)
      : E(fmt::format("grammar: schema-{}: {}", number, what_is_wrong)), AboutSchema(number, what_is_wrong) {}
};

}  // namespace caravel
