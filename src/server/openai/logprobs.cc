#include "server/openai/logprobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"

namespace caravel::server::openai {
namespace {

void write_number(float logprob, std::string& out) {
  // JSON has no infinity; vLLM writes the same number for it.
  const double number = logprob > -9999.0F ? logprob : -9999.0;
  fmt::format_to(std::back_inserter(out), "{}", number);
  if (number == std::trunc(number)) out += ".0";
}

void write_text(std::string_view text, std::string& out) {
  const auto is_escaped = [](char c) { return c == '"' || c == '\\' || static_cast<uint8_t>(c) < 0x20; };
  if (std::ranges::any_of(text, is_escaped)) {
    out += to_text(text);
  } else {
    out += '"';
    out += text;
    out += '"';
  }
}

/// Without the brace that ends it.
void begin_chat_token(int32_t token, float logprob, const TokenNames& names, std::string& out) {
  out += R"({"token":)";
  write_text(names.name(token), out);
  out += R"(,"logprob":)";
  write_number(logprob, out);
  out += R"(,"bytes":[)";
  bool first = true;
  for (const char byte : names.tokenizer.token_bytes(token)) {
    if (!std::exchange(first, false)) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", static_cast<uint8_t>(byte));
  }
  out += ']';
}

/// vLLM's form.
void write_prompt_logprob(const TokenLogprob& entry, size_t top, const TokenNames& names, std::string& out) {
  const auto write = [&](int32_t token, float logprob, size_t rank) {
    fmt::format_to(std::back_inserter(out), R"("{}":{{"logprob":)", token);
    write_number(logprob, out);
    fmt::format_to(std::back_inserter(out), R"(,"rank":{},"decoded_token":)", rank);
    write_text(names.name(token), out);
    out += '}';
  };
  out += '{';
  write(entry.token, entry.logprob, static_cast<size_t>(entry.rank));
  for (size_t i = 0; i < std::min(top, entry.top.size()); ++i) {
    if (entry.top[i].first == entry.token) continue;
    out += ',';
    write(entry.top[i].first, entry.top[i].second, i + 1);
  }
  out += '}';
}

/// The most likely tokens, and the token itself if it is none of them: name -> log-probability.
void write_top(const TokenLogprob& entry, size_t top, const TokenNames& names, std::string& out) {
  std::unordered_set<std::string> written;
  const auto write = [&](int32_t token, float logprob) {
    std::string name = names.name(token);
    // Two tokens may have one name: the likelier is kept.
    const auto [place, is_new] = written.insert(std::move(name));
    if (!is_new) return;
    if (written.size() > 1) out += ',';
    write_text(*place, out);
    out += ':';
    write_number(logprob, out);
  };
  out += '{';
  for (size_t i = 0; i < std::min(top, entry.top.size()); ++i) write(entry.top[i].first, entry.top[i].second);
  write(entry.token, entry.logprob);
  out += '}';
}

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80U; }));
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

void write_chat_logprob(const TokenLogprob& logprob, size_t top, const TokenNames& names, std::string& out) {
  begin_chat_token(logprob.token, logprob.logprob, names, out);
  out += R"(,"top_logprobs":[)";
  for (size_t i = 0; i < std::min(top, logprob.top.size()); ++i) {
    if (i > 0) out += ',';
    begin_chat_token(logprob.top[i].first, logprob.top[i].second, names, out);
    out += '}';
  }
  out += "]}";
}

Json chat_logprobs(std::span<const TokenLogprob> logprobs, size_t top, const TokenNames& names, AnswerText& out) {
  return out.list(logprobs.size(),
                  [=](size_t i, std::string& text) { write_chat_logprob(logprobs[i], top, names, text); });
}

Json prompt_logprobs_json(std::span<const TokenLogprob> logprobs, size_t top, const Tokenizer& tokenizer,
                          AnswerText& out) {
  return out.list(logprobs.size() + 1, [=, names = TokenNames{.tokenizer = tokenizer}](size_t i, std::string& text) {
    if (i == 0) {
      text += "null";
    } else {
      write_prompt_logprob(logprobs[i - 1], top, names, text);
    }
  });
}

Json TextLogprobs::json(const Prompt& prompt, std::span<const TokenLogprob> logprobs, AnswerText& out) {
  const size_t before = prompt.tokens.size();
  const size_t count = before + logprobs.size();
  const auto token = [=](size_t i) { return i < before ? prompt.tokens[i] : logprobs[i - before].token; };
  // Nothing is known of a prompt's first token.
  const auto entry = [=](size_t i) -> const TokenLogprob* {
    if (i >= before) return &logprobs[i - before];
    return i == 0 ? nullptr : &prompt.logprobs[i - 1];
  };
  const auto list = [&](auto write_known) {
    return out.list(count, [=](size_t i, std::string& text) {
      if (const TokenLogprob* const known = entry(i)) {
        write_known(*known, text);
      } else {
        text += "null";
      }
    });
  };
  Json json = Json::object();
  json["tokens"] = out.list(count, [=, this](size_t i, std::string& text) { write_text(names_.name(token(i)), text); });
  json["token_logprobs"] =
      list([](const TokenLogprob& known, std::string& text) { write_number(known.logprob, text); });
  json["top_logprobs"] =
      list([this](const TokenLogprob& known, std::string& text) { write_top(known, top_, names_, text); });
  json["text_offset"] = out.list(count, [=, this, after = count_characters(prompt.text)](size_t i, std::string& text) {
    if (before > 0 && i == before) {
      // The answer's text is made by itself, as the engine makes it.
      detokenizer_ = Detokenizer(names_.tokenizer, skip_special_);
      offset_ = after;
    }
    fmt::format_to(std::back_inserter(text), "{}", offset_);
    std::string piece;
    detokenizer_.push(token(i), piece);
    offset_ += count_characters(piece);
  });
  return json;
}

}  // namespace caravel::server::openai
