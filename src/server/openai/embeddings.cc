#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <future>

#include "server/openai/endpoints.h"
#include "server/openai/prompt.h"
#include "server/openai/request_head.h"

namespace caravel::server::openai {
namespace {

constexpr size_t kAtOnce = 8;  // texts that the engine may batch

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

/// Little-endian f32, as OpenAI's clients read it.
std::string base64_floats(const std::vector<float>& values) {
  std::string bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  }
  return base64(bytes);
}

void normalize(std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  if (sum == 0) return;
  for (float& value : values) value = static_cast<float>(value / std::sqrt(sum));
}

std::vector<std::vector<float>> embed_all(Engine& engine, const std::vector<Prompt>& prompts) {
  std::vector<std::vector<float>> embeddings(prompts.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < prompts.size(); i = next++) {
      embeddings[i] = engine.embed(prompts[i].tokens);
      normalize(embeddings[i]);
    }
  };
  std::vector<std::future<void>> helpers;
  for (size_t i = 1; i < std::min(kAtOnce, prompts.size()); ++i)
    helpers.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& helper : helpers) helper.get();
  return embeddings;
}

Json answer(const Context& context, const http::Request& request) {
  const Json body = parse_json(request.body);
  Fields fields(body);
  const std::string model = parse_model(fields, context);
  const ModelInfo& info = context.engine.model();
  std::string format = "float";
  if (const Json* value = fields.find("encoding_format")) {
    format = as_one_of(*value, "encoding_format", {"float", "base64"});
  }
  if (const auto dimensions = fields.integer("dimensions", 1, std::numeric_limits<int>::max());
      dimensions && *dimensions != info.hidden_size) {
    throw bad_field("dimensions",
                    fmt::format("Invalid 'dimensions': this model's embeddings have {}.", info.hidden_size));
  }
  std::vector<Prompt> prompts = parse_prompts(fields.require("input"), "input", context.engine.tokenizer(),
                                              fields.boolean("add_special_tokens", true));
  const std::optional<int64_t> truncation = parse_truncation(fields);
  fields.ignore({"user"});
  fields.refuse_unknown();
  size_t tokens = 0;
  for (Prompt& prompt : prompts) {
    fit_prompt(prompt, "input", truncation, 0, info);
    tokens += prompt.tokens.size();
  }
  Json data = Json::array();
  for (const std::vector<float>& embedding : embed_all(context.engine, prompts)) {
    data.push_back({{"object", "embedding"},
                    {"index", data.size()},
                    {"embedding", format == "base64" ? Json(base64_floats(embedding)) : Json(embedding)}});
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

}  // namespace

std::unique_ptr<http::Work> embeddings(const Context& context, const http::Request& request, const http::Wake&) {
  try {
    http::Response response{.status = 200, .headers = {}, .body = to_text(answer(context, request))};
    response.headers.add("Content-Type", "application/json");
    return http::ready(std::move(response));
  } catch (const std::exception& error) {
    return http::ready(error_response(error));
  }
}

}  // namespace caravel::server::openai
