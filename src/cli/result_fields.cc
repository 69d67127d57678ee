#include "cli/result_fields.h"

#include <algorithm>
#include <cstdint>

namespace caravel::cli {
namespace {

struct Field {
  std::string_view name;
  enum class In : uint8_t {
    kAll,      // in every result
    kAnswers,  // in every answer, where it is asked for
    kSome,     // in answers that have it
  } in;
};

constexpr Field kFields[] = {
    {"id", Field::In::kAll},
    {"index", Field::In::kAll},
    {"text", Field::In::kAnswers},
    {"message", Field::In::kSome},
    {"token_ids", Field::In::kAnswers},
    {"finish_reason", Field::In::kAll},
    {"logprobs", Field::In::kAnswers},
    {"prompt_logprobs", Field::In::kSome},
    {"usage", Field::In::kAnswers},
};

}  // namespace

ResultFields::ResultFields() : kept_(names()) { std::erase(kept_, "token_ids"); }

const std::vector<std::string>& ResultFields::names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Field& field : kFields) names.emplace_back(field.name);
    return names;
  }();
  return kNames;
}

bool ResultFields::has(std::string_view name) const { return std::ranges::find(kept_, name) != kept_.end(); }

Json ResultFields::pick(Json result) const {
  for (const auto& [name, in] : kFields) {
    if (in != Field::In::kAll && !has(name)) result.erase(std::string(name));
  }
  return result;
}

bool ResultFields::missing_in(const Json& result) const {
  return asked_ && std::ranges::any_of(kFields, [&](const Field& field) {
           return field.in == Field::In::kAnswers && has(field.name) && !result.contains(std::string(field.name));
         });
}

}  // namespace caravel::cli
