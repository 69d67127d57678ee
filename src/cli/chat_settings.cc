#include "cli/chat_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "base/near_miss.h"
#include "fields/fields.h"
#include "fields/sampling.h"

namespace caravel::cli {
namespace {

using P = SamplingParams;

bool is_setting(const RequestField& field) {
  return field.surfaces.has(Surface::kTerminal) && !std::holds_alternative<std::monostate>(field.member);
}

const RequestField& setting_called(const std::string& given) {
  std::string name = given.substr(std::min(given.find_first_not_of('-'), given.size()));
  std::ranges::replace(name, '-', '_');
  const RequestField* const field = find_field(name, Surface::kTerminal);
  if (field != nullptr && is_setting(*field)) return *field;
  if (field == nullptr && find_field(name, Surface::kFlags) != nullptr) {
    throw fail<InvalidArgument>("'{}' means nothing in a chat, which draws one answer and shows its text", given);
  }
  if (name == "num_ctx" || name == "ctx_size" || name == "max_model_len") {
    throw InvalidArgument("the context is as long as the chat began it: leave, and begin with --max-model-len N");
  }
  if (name == "system") throw InvalidArgument("a system prompt is given by /system TEXT");
  if (name == "num_predict" || name == "n_predict" || name == "max_new_tokens") {
    throw fail<InvalidArgument>("'{}' is max_tokens here", given);
  }
  const std::string near = near_miss(name, chat_setting_names());
  throw fail<InvalidArgument>("no parameter is called '{}'{}; /set lists them", given,
                              near.empty() ? "" : fmt::format("; the nearest is '{}'", near));
}

/// What a person wrote, as a body would have it.
Json value_of(const RequestField& field, const std::string& text) {
  const bool is_list = text.starts_with('[');
  if (field.type == FieldType::kTokenIds && !is_list) return value_of(field, "[" + text + "]");
  const bool takes_text = field.type == FieldType::kTexts || field.type == FieldType::kTextOrTexts;
  if (takes_text && !is_list && !text.starts_with('"')) {
    return field.type == FieldType::kTexts ? Json::array({text}) : Json(text);
  }
  Json value;
  try {
    value = parse_json(text);
  } catch (const FormatError&) {
    return text;  // whose type is refused
  }
  if (field.type == FieldType::kTexts && value.is_string()) return Json::array({value});
  // A flag that switches off has the opposite meaning of its member.
  return field.flag.starts_with('!') && value.is_boolean() ? Json(!value.get<bool>()) : value;
}

std::string text_of(const RequestField& field, const SamplingParams& params) {
  return std::visit(
      [&](auto member) -> std::string {
        using Member = decltype(member);
        if constexpr (std::is_same_v<Member, std::monostate>) {
          return "";
        } else {
          const auto& value = params.*member;
          using Value = std::remove_cvref_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, bool>) {
            return fmt::format("{}", value != field.flag.starts_with('!'));
          } else if constexpr (std::is_same_v<Value, std::optional<int>>) {
            if (value == std::numeric_limits<int>::max()) return "what the context leaves";
            return value ? fmt::format("{}", *value) : "";
          } else if constexpr (requires { value.has_value(); }) {
            return value ? fmt::format("{}", *value) : "";
          } else {
            return value.empty() ? "" : fmt::format("{}", value);
          }
        }
      },
      field.member);
}

/// "a number, 0 to 2".
std::string wanted(const RequestField& field) {
  const NumberRange& range = field.range;
  const bool has_low = range.low > std::numeric_limits<int>::min();
  const bool has_high = range.high < kMostInt;
  std::string text;
  if (has_low && has_high && !range.above) {
    text = fmt::format(", {} to {}", range.low, range.high);
  } else {
    if (has_low) text = range.above ? fmt::format(", more than {}", range.low) : fmt::format(", {} or more", range.low);
    if (has_high) text += fmt::format(", at most {}", range.high);
  }
  switch (field.type) {
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kInteger:
    case FieldType::kSeed:
      return "a whole number" + text;
    case FieldType::kNumber:
      return "a number" + text;
    case FieldType::kTokenIds:
      return "token ids, such as 1,2";
    case FieldType::kLogitBias:
      return R"(what is added to which token, such as {"42": -100})";
    default:
      return R"(a text, or several as ["a", "b"])";
  }
}

bool is_from_model(const RequestField& field, const GenerationDefaults& model) {
  return std::visit(
      [&](auto member) {
        if constexpr (std::is_same_v<decltype(member), std::monostate>) {
          return false;
        } else {
          return (model.*member).has_value();
        }
      },
      field.model);
}

/// Who said what holds of it.
std::string_view source_of(const RequestField& field, const SamplingParams& params, const GenerationDefaults& model) {
  if (text_of(field, params) != text_of(field, SamplingParams())) return "set";
  return is_from_model(field, model) ? "the model's" : "";
}

}  // namespace

std::vector<std::string> chat_setting_names() {
  std::vector<std::string> names;
  for (const RequestField& field : request_fields()) {
    if (is_setting(field)) names.emplace_back(field.name);
  }
  return names;
}

std::string chat_setting_text(const SamplingParams& params, const SamplingParams& resolved,
                              const GenerationDefaults& model, const std::string& name) {
  const RequestField& field = setting_called(name);
  const std::string value = text_of(field, resolved);
  const std::string_view source = source_of(field, params, model);
  return fmt::format("{} is {}{}{}. It takes {}. {}", field.name, value.empty() ? "not set" : value,
                     source.empty() ? "" : ", ", source == "set" ? "as it was set" : source, wanted(field), field.help);
}

std::string set_chat_parameter(SamplingParams& params, std::string_view assignment) {
  constexpr std::string_view kBetween = " \t=";
  constexpr std::string_view kOllamas = "parameter ";
  if (assignment.starts_with(kOllamas)) assignment.remove_prefix(kOllamas.size());
  const size_t end = std::min(assignment.find_first_of(kBetween), assignment.size());
  const size_t begin = std::min(assignment.find_first_not_of(kBetween, end), assignment.size());
  const RequestField& field = setting_called(std::string(assignment.substr(0, end)));
  const std::string text(assignment.substr(begin));
  if (text.empty())
    throw fail<InvalidArgument>("/set {} what? {}. 'default' takes back what was set", field.name, field.help);
  if (text == "default" || text == "null") {
    std::visit(
        [&](auto member) {
          if constexpr (!std::is_same_v<decltype(member), std::monostate>) params.*member = SamplingParams().*member;
        },
        field.member);
    return fmt::format("{} is not set any more", field.name);
  }
  Json body = Json::object();
  body[std::string(field.name)] = value_of(field, text);
  Fields fields(body, Surface::kTerminal);
  SamplingParams changed = params;
  try {
    read_sampling(fields, Surface::kTerminal, changed);
  } catch (const FieldError&) {
    throw fail<InvalidArgument>("'{}' cannot be '{}': give {}, or default", field.name, text, wanted(field));
  }
  params = std::move(changed);
  return fmt::format("{} is {}", field.name, text_of(field, params));
}

std::string chat_settings_text(const SamplingParams& params, const SamplingParams& resolved,
                               const GenerationDefaults& model) {
  std::string text;
  for (const RequestField& field : request_fields()) {
    if (!is_setting(field)) continue;
    const std::string value = text_of(field, resolved);
    if (value.empty()) continue;
    text += fmt::format("{:<20} {:<12} {}\n", field.name, value, source_of(field, params, model));
  }
  return text;
}

}  // namespace caravel::cli
