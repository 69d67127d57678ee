#include "cli/given_fields.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/overloaded.h"

namespace caravel::cli {
namespace {

using P = SamplingParams;
using Kind = GrammarSpec::Kind;

constexpr std::string_view kFormObject = "structured_outputs";

bool says(const Json& body, std::string_view name) {
  const auto found = body.find(std::string(name));
  return found != body.end() && !found->is_null();
}

/// Null where it is not given.
Json given_value(const SamplingParams& given, const RequestField::Member& member) {
  static const SamplingParams kNothing;
  const Overloaded value = {
      [](std::monostate) { return Json(nullptr); },
      [&](std::vector<std::pair<int32_t, float>> P::*biases) {
        Json json;
        for (const auto& [token, bias] : given.*biases) json[std::to_string(token)] = bias;
        return json;
      },
      [&]<typename T>(std::optional<T> P::*number) { return given.*number ? Json(*(given.*number)) : Json(nullptr); },
      [&]<typename T>(T P::*other) { return given.*other == kNothing.*other ? Json(nullptr) : Json(given.*other); },
  };
  return std::visit(value, member);
}

/// Under any of the names that it has.
bool says_member(const Json& body, const RequestField::Member& member, Surface surface) {
  return std::ranges::any_of(request_fields(), [&](const RequestField& field) {
    return field.surfaces.has(surface) && field.member == member && says(body, field.name);
  });
}

bool says_form(const Json& body, Surface surface) {
  if (says(body, kFormObject) || says(body, "response_format")) return true;
  if (says(body, "text") && body["text"].is_object() && says(body["text"], "format")) return true;  // of /v1/responses
  return std::ranges::any_of(request_fields(), [&](const RequestField& field) {
    return field.surfaces.has(surface) && field.form != Kind::kNone && says(body, field.name);
  });
}

Json form_value(const GrammarSpec& grammar) {
  if (grammar.kind == Kind::kJsonObject) return true;
  if (grammar.kind == Kind::kChoice) return grammar.choices;
  return grammar.text;
}

}  // namespace

void add_given_fields(Json& body, const SamplingParams& given, Surface surface) {
  const bool form_is_open = given.grammar.kind != Kind::kNone && !says_form(body, surface);
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.has(surface)) continue;
    if (form_is_open && field.form == given.grammar.kind && field.outer() == kFormObject) {
      body[std::string(kFormObject)][std::string(field.own_name())] = form_value(given.grammar);
    }
    Json value = given_value(given, field.member);
    if (!value.is_null() && !says_member(body, field.member, surface)) {
      body[std::string(field.name)] = std::move(value);
    }
  }
  // Chats and rows have a flag and a number in place of the member.
  if (given.logprobs && !says(body, "logprobs") && find_field("top_logprobs", surface) != nullptr &&
      find_field("logprobs", surface) != nullptr) {
    body["logprobs"] = true;
    body["top_logprobs"] = *given.logprobs;
  }
}

}  // namespace caravel::cli
