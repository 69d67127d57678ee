#include <cmath>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "base/overloaded.h"
#include "fields/sampling.h"

namespace caravel {
namespace {

using P = SamplingParams;

void check_id(std::string_view name, int32_t id, int vocab_size) {
  if (id < 0 || id >= vocab_size) {
    throw InvalidField(name, fmt::format("has token id {}; the vocabulary has ids 0 to {}", id, vocab_size - 1));
  }
}

void check_count(std::string_view name, int value, int low, int high) {
  if (value >= low && value <= high) return;
  const bool bounded = high != std::numeric_limits<int>::max();
  throw InvalidField(name, bounded ? fmt::format("is {}; it must be {} to {}", value, low, high)
                                   : fmt::format("is {}; it must be {} or more", value, low));
}

std::string range_text(const NumberRange& range) {
  constexpr NumberRange kAny;
  if (range == kAny) return "a finite number";
  if (range.high != kAny.high) return fmt::format("in {}{}, {}]", range.above ? '(' : '[', range.low, range.high);
  return range.above ? fmt::format("more than {}", range.low) : fmt::format("{} or more", range.low);
}

void check_field(const RequestField& field, const SamplingParams& params, int vocab_size) {
  const std::string_view name = field.name;
  const Overloaded check = {
      [](std::monostate) {},
      [](bool P::*) {},
      [](std::optional<uint64_t> P::*) {},
      [&](std::optional<int> P::*member) {
        if (const auto value = params.*member) {
          check_count(name, *value, static_cast<int>(field.range.low), static_cast<int>(field.range.high));
        }
      },
      [&](std::optional<float> P::*member) {
        const auto value = params.*member;
        if (value && !field.range.has(*value)) {
          throw InvalidField(name, fmt::format("is {}; it must be {}", *value, range_text(field.range)));
        }
      },
      [&](std::vector<std::string> P::*member) {
        for (const std::string& text : params.*member) {
          if (text.empty()) throw InvalidField(name, "has an empty text");
        }
      },
      [&](std::vector<int32_t> P::*member) {
        for (const int32_t id : params.*member) check_id(name, id, vocab_size);
      },
      [&](std::vector<std::pair<int32_t, float>> P::*member) {
        for (const auto& [id, bias] : params.*member) {
          check_id(name, id, vocab_size);
          // Minus infinity rules a token out.
          if (std::isnan(bias) || bias == std::numeric_limits<float>::infinity()) {
            throw InvalidField(name, fmt::format("is {}; it must be a number or minus infinity", bias));
          }
        }
      },
  };
  std::visit(check, field.member);
}

void check_beams(const SamplingParams& params) {
  const int n = *params.n;
  const int width = *params.beam_width;
  if (width != 0 && width < n) {
    throw InvalidField("beam_width", fmt::format("is {}; it must be at least n, which is {}", width, n));
  }
  const RequestField& field = *find_field("beam_width", Surface::kRows);
  check_count("beam_width", width != 0 ? width : n, 1, static_cast<int>(field.range.high));
  // Beams are ranked by the model's own log-probabilities, and their texts are known at the end alone.
  constexpr std::string_view kProblem = "cannot be used with beam search: leave one of them out";
  const auto refuse = [&](std::string_view name, bool given) {
    if (given) throw InvalidField(name, kProblem);
  };
  if (params.grammar.kind != GrammarSpec::Kind::kNone) throw fail<InvalidArgument>("a grammar {}", kProblem);
  refuse("stop", !params.stop.empty());
  refuse("repetition_penalty", params.repetition_penalty != 1.0F);
  refuse("presence_penalty", params.presence_penalty != 0.0F);
  refuse("frequency_penalty", params.frequency_penalty != 0.0F);
  refuse("logit_bias", !params.logit_bias.empty());
  refuse("allowed_token_ids", !params.allowed_token_ids.empty());
  refuse("bad_words", !params.bad_words.empty());
}

}  // namespace

void validate_sampling(const SamplingParams& params, int vocab_size) {
  // The surfaces whose ranges are the engine's own.
  constexpr Surfaces kOwn = Surface::kRows | kCommandLine;
  for (const RequestField& field : request_fields()) {
    if (field.surfaces.overlaps(kOwn)) check_field(field, params, vocab_size);
  }
  if (*params.min_tokens > *params.max_tokens) {
    throw InvalidField("min_tokens", fmt::format("is {}; it must be at most max_tokens, which is {}",
                                                 *params.min_tokens, *params.max_tokens));
  }
  if (params.use_beam_search) {
    check_beams(params);
  } else if (*params.beam_width != 0) {
    throw InvalidField("beam_width", fmt::format("is {}, but use_beam_search is off", *params.beam_width));
  }
}

}  // namespace caravel
