#include "fields/sampling.h"

#include <fmt/format.h>

#include <limits>

#include "base/numbers.h"
#include "base/overloaded.h"
#include "base/written_number.h"
#include "fields/fields.h"
#include "fields/generation_defaults.h"

namespace caravel {
namespace {

using P = SamplingParams;

std::vector<std::pair<int32_t, float>> as_logit_bias(const Json& value, const std::string& path,
                                                     const NumberRange& range) {
  std::vector<std::pair<int32_t, float>> biases;
  for (const auto& [key, bias] : as_object(value, path).get_ref<const Json::object_t&>()) {
    if (bias.is_null()) continue;  // as absent
    const std::optional<int32_t> token = parse_number<int32_t>(key);
    if (!token) throw bad_field(path, fmt::format("Invalid key in '{}': '{}'. Keys are token ids.", path, key));
    biases.emplace_back(*token, static_cast<float>(as_number(bias, join_path(path, key), range)));
  }
  return biases;
}

std::vector<std::string> as_texts(const Json& value, const std::string& path, const RequestField& field,
                                  Surface surface) {
  const auto check = [](const std::string& text, const std::string& place) {
    if (text.empty()) throw bad_field(place, fmt::format("Invalid '{}': the text is empty.", place));
  };
  if (field.type == FieldType::kTextOrTexts) {
    if (value.is_string()) {
      check(value.get_ref<const std::string&>(), path);
      return {value.get<std::string>()};
    }
    if (!value.is_array()) throw wrong_type(value, path, "a string or an array of strings");
  }
  as_array(value, path, field.max_items_on(surface));
  std::vector<std::string> texts = as_strings(value, path);
  for (size_t i = 0; i < texts.size(); ++i) check(texts[i], join_path(path, i));
  return texts;
}

/// A negative one stands for the 64 bits that it is written in.
uint64_t as_seed(const Json& value, const std::string& path) {
  if (is_written_integer(value) && !written_text(value).starts_with('-')) {
    throw FieldError(path, "integer_above_max_value",
                     fmt::format("Invalid '{}': integer above maximum value. Expected a value <= {}, but got {} "
                                 "instead.",
                                 path, std::numeric_limits<uint64_t>::max(), written_text(value)));
  }
  return value.is_number_unsigned() ? value.get<uint64_t>() : static_cast<uint64_t>(as_integer(value, path));
}

void set(SamplingParams& params, const RequestField& field, Surface surface, const Json& value,
         const std::string& path) {
  const NumberRange range = field.range_on(surface);
  const Overloaded setter = {
      [](std::monostate) {},
      [&](bool P::*member) { params.*member = as_boolean(value, path); },
      [&](std::optional<int> P::*member) {
        const auto low = static_cast<int64_t>(range.low);
        params.*member = static_cast<int>(as_integer(value, path, low, static_cast<int64_t>(range.high)));
      },
      [&](std::optional<float> P::*member) { params.*member = static_cast<float>(as_number(value, path, range)); },
      [&](std::optional<uint64_t> P::*member) { params.*member = as_seed(value, path); },
      [&](std::vector<std::string> P::*member) { params.*member = as_texts(value, path, field, surface); },
      [&](std::vector<int32_t> P::*member) { params.*member = as_token_ids(value, path); },
      [&](std::vector<std::pair<int32_t, float>> P::*member) { params.*member = as_logit_bias(value, path, range); },
  };
  std::visit(setter, field.member);
}

}  // namespace

void read_sampling(Fields& fields, Surface surface, SamplingParams& params) {
  for (const RequestField& field : request_fields()) {
    if (!field.surfaces.has(surface) || std::holds_alternative<std::monostate>(field.member)) continue;
    const Json* const value = field.required.has(surface) ? &fields.require(field.name) : fields.find(field.name);
    if (value != nullptr) set(params, field, surface, *value, fields.path(field.name));
  }
  if (find_field("best_of", surface) == nullptr) return;
  if (const auto best_of = fields.integer("best_of"); best_of && *best_of != params.n.value_or(1)) {
    throw unsupported_field(fields.path("best_of"), "ask for n answers, or for beam search with use_beam_search");
  }
}

SamplingParams default_sampling(Surface surface) {
  SamplingParams params;
  for (const RequestField& field : request_fields()) {
    const std::optional<double> value = field.surfaces.has(surface) ? field.default_on(surface) : std::nullopt;
    if (!value) continue;
    if (const auto* const integer = std::get_if<std::optional<int> P::*>(&field.member)) {
      params.** integer = static_cast<int>(*value);
    } else if (const auto* const number = std::get_if<std::optional<float> P::*>(&field.member)) {
      params.** number = static_cast<float>(*value);
    }
  }
  return params;
}

void resolve_sampling(SamplingParams& params, const GenerationDefaults& given, const SamplingParams& fallback) {
  static const SamplingParams kLast = default_sampling(Surface::kRows);
  // Who says how long an answer may be, or that it goes on past its end, gets it so.
  if (!params.repetition_window && (params.max_tokens || params.ignore_eos || params.use_beam_search)) {
    params.repetition_window = 0;
  }
  // Beams go by the model's own log-probabilities; a penalty that the request does not ask for is left out.
  GenerationDefaults defaults = given;
  if (params.use_beam_search) defaults.repetition_penalty.reset();
  for (const RequestField& field : request_fields()) {
    const auto decide = [&]<typename T>(std::optional<T> P::*member) {
      std::optional<T>& value = params.*member;
      if (const auto said_value = said(defaults, field); !value && said_value) value = static_cast<T>(*said_value);
      if (!value) value = fallback.*member;
      if (!value) value = kLast.*member;
    };
    if (const auto* const integer = std::get_if<std::optional<int> P::*>(&field.member)) {
      decide(*integer);
    } else if (const auto* const number = std::get_if<std::optional<float> P::*>(&field.member)) {
      decide(*number);
    }
  }
  if (params.top_p == 0) params.top_p = std::numeric_limits<float>::min();
}

}  // namespace caravel
