#include "server/openai/logprobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace caravel::server::openai {
namespace {

/// JSON has no infinity; vLLM writes the same number for it.
double finite(float logprob) { return std::max(static_cast<double>(logprob), -9999.0); }

Json bytes_json(std::string_view bytes) {
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
  return list;
}

Json chat_token(int32_t token, float logprob, const TokenNames& names) {
  return {{"token", names.name(token)},
          {"logprob", finite(logprob)},
          {"bytes", bytes_json(names.tokenizer.token_bytes(token))}};
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80U; }));
}

/// The most likely tokens, and the token itself if it is none of them: name -> log-probability.
Json top_json(const TokenLogprob& entry, size_t top, const TokenNames& names) {
  Json object = Json::object();
  // Two tokens may have one name: the likelier is kept.
  const auto add = [&](int32_t token, float logprob) { object.emplace(names.name(token), finite(logprob)); };
  for (size_t i = 0; i < std::min(top, entry.top.size()); ++i) add(entry.top[i].first, entry.top[i].second);
  add(entry.token, entry.logprob);
  return object;
}

}  // namespace

std::string TokenNames::name(int32_t token) const {
  if (as_ids) return fmt::format("token_id:{}", token);
  const std::string_view bytes = tokenizer.token_bytes(token);
  if (is_valid_utf8(bytes)) return std::string(bytes);
  std::string escaped;
  for (const char byte : bytes) escaped += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
  return escaped;
}

Json chat_logprobs(std::span<const TokenLogprob> logprobs, size_t top, const TokenNames& names) {
  Json list = Json::array();
  for (const TokenLogprob& entry : logprobs) {
    Json token = chat_token(entry.token, entry.logprob, names);
    Json likely = Json::array();
    for (size_t i = 0; i < std::min(top, entry.top.size()); ++i) {
      likely.push_back(chat_token(entry.top[i].first, entry.top[i].second, names));
    }
    token["top_logprobs"] = std::move(likely);
    list.push_back(std::move(token));
  }
  return list;
}

Json prompt_logprobs_json(std::span<const TokenLogprob> logprobs, size_t top, const Tokenizer& tokenizer) {
  const TokenNames names{.tokenizer = tokenizer};
  Json list = Json::array({nullptr});
  for (const TokenLogprob& entry : logprobs) {
    Json object = Json::object();
    const auto add = [&](int32_t token, float logprob, size_t rank) {
      object.emplace(std::to_string(token),
                     Json{{"logprob", finite(logprob)}, {"rank", rank}, {"decoded_token", names.name(token)}});
    };
    add(entry.token, entry.logprob, static_cast<size_t>(entry.rank));
    for (size_t i = 0; i < std::min(top, entry.top.size()); ++i) add(entry.top[i].first, entry.top[i].second, i + 1);
    list.push_back(std::move(object));
  }
  return list;
}

void TextLogprobs::add_token(int32_t token) {
  tokens_.push_back(names_.name(token));
  text_offset_.push_back(offset_);
  std::string text;
  detokenizer_.push(token, text);
  offset_ += count_characters(text);
}

void TextLogprobs::add_prompt(std::span<const int32_t> tokens, std::span<const TokenLogprob> logprobs,
                              std::string_view text) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    add_token(tokens[i]);
    token_logprobs_.push_back(i == 0 ? Json(nullptr) : Json(finite(logprobs[i - 1].logprob)));
    top_logprobs_.push_back(i == 0 ? Json(nullptr) : top_json(logprobs[i - 1], top_, names_));
  }
  skip_prompt(text);
}

void TextLogprobs::skip_prompt(std::string_view text) {
  // The answer's text is made by itself, as the engine makes it.
  detokenizer_ = Detokenizer(names_.tokenizer, skip_special_);
  offset_ = count_characters(text);
}

void TextLogprobs::add(std::span<const TokenLogprob> logprobs) {
  for (const TokenLogprob& entry : logprobs) {
    add_token(entry.token);
    token_logprobs_.push_back(finite(entry.logprob));
    top_logprobs_.push_back(top_json(entry, top_, names_));
  }
}

Json TextLogprobs::take() {
  return {{"tokens", std::exchange(tokens_, Json::array())},
          {"token_logprobs", std::exchange(token_logprobs_, Json::array())},
          {"top_logprobs", std::exchange(top_logprobs_, Json::array())},
          {"text_offset", std::exchange(text_offset_, Json::array())}};
}

}  // namespace caravel::server::openai
