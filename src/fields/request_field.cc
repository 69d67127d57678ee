#include "fields/request_field.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"

namespace caravel {
namespace {

constexpr std::pair<Surface, std::string_view> kEndpoints[] = {
    {Surface::kChat, "/v1/chat/completions"},
    {Surface::kCompletions, "/v1/completions"},
    {Surface::kResponses, "/v1/responses"},
    {Surface::kMessages, "/v1/messages"},
    {Surface::kCountTokens, "/v1/messages/count_tokens"},
    {Surface::kEmbeddings, "/v1/embeddings"},
    {Surface::kScore, "/v1/score"},
    {Surface::kTokenize, "/tokenize"},
    {Surface::kDetokenize, "/detokenize"},
};

}  // namespace

std::string_view RequestField::outer() const {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view RequestField::own_name() const { return is_inner() ? name.substr(name.find('.') + 1) : name; }

std::optional<double> RequestField::default_on(Surface surface) const {
  for (const Default& exception : exceptions) {
    if (exception.surfaces.has(surface)) return exception.value;
  }
  return otherwise;
}

std::string RequestField::flag_names() const {
  if (!flag.empty()) return std::string(flag);
  std::string names = "--" + std::string(name);
  std::ranges::replace(names, '_', '-');
  return names;
}

const RequestField* find_field(std::string_view name, Surface surface) {
  for (const RequestField& field : request_fields()) {
    if (field.surfaces.has(surface) && field.name == name) return &field;
  }
  return nullptr;
}

std::string unknown_field_hint(std::string_view name, Surface surface) {
  std::vector<std::string> names;
  for (const RequestField& field : request_fields()) {
    const bool is_read = field.use == FieldUse::kRead && !field.is_inner();
    if (is_read && field.surfaces.has(surface)) names.emplace_back(field.name);
  }
  if (const std::string near = near_miss(name, names); !near.empty()) return fmt::format("Did you mean '{}'?", near);
  for (const auto& [other, path] : kEndpoints) {
    const RequestField* const field = find_field(name, other);
    if (field != nullptr && field->use == FieldUse::kRead) return fmt::format("{} reads '{}'.", path, name);
  }
  return "";
}

}  // namespace caravel
