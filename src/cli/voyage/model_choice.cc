#include "cli/voyage/model_choice.h"

#include "base/error.h"
#include "cli/usage.h"
#include "http/client.h"

namespace caravel::cli {

ModelChoice parse_llm(std::string_view flag, const std::string& text) {
  const size_t hash = std::min(text.find('#'), text.size());
  ModelChoice choice{.llm = text.substr(0, hash), .model = text.substr(std::min(hash + 1, text.size()))};
  if (choice.llm.empty()) throw fail<UsageError>("{} {}: names no endpoint; give URL or URL#NAME", flag, text);
  while (choice.llm.ends_with('/') && !choice.llm.ends_with("://")) choice.llm.pop_back();
  if (constexpr std::string_view kOneOfItsPaths = "/chat/completions"; choice.llm.ends_with(kOneOfItsPaths)) {
    choice.llm.resize(choice.llm.size() - kOneOfItsPaths.size());
    throw fail<UsageError>("{} {}: give what stands before /chat/completions: {}", flag, text, choice.llm);
  }
  try {
    http::parse_url(choice.llm);
  } catch (const InvalidArgument& error) {
    throw fail<UsageError>("{} {}", flag, error.what());  // which begins with it
  }
  return choice;
}

Json to_json(const ModelChoice& choice) {
  return {{"llm", choice.llm.empty() ? Json() : Json(choice.llm)}, {"model", choice.model}};
}

ModelChoice model_choice_from(const Json& json) {
  try {
    const Json& llm = json.at("llm");
    return {.llm = llm.is_null() ? "" : llm.get<std::string>(), .model = json.at("model").get<std::string>()};
  } catch (const Json::exception& error) {
    throw fail<FormatError>("which model a run was begun with cannot be read: {}", error.what());
  }
}

}  // namespace caravel::cli
