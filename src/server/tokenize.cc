#include "server/tokenize.h"

#include <fmt/format.h>

#include <utility>

#include "server/endpoint/json_response.h"
#include "server/endpoint/model_name.h"

namespace caravel::server {
namespace {

std::vector<int32_t> prompt_tokens(Fields& fields, const Tokenizer& tokenizer) {
  const std::string& prompt = as_string(fields.require("prompt"), fields.path("prompt"));
  return tokenizer.encode(prompt, {.add_special = fields.boolean("add_special_tokens", true)});
}

}  // namespace

std::unique_ptr<http::Work> tokenize(const Call& call) {
  const Tokenizer& tokenizer = call.services.engine.tokenizer();
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kTokenize);
  parse_model(fields, call.services);
  const bool with_strings = fields.boolean("return_token_strs", false);
  const std::vector<int32_t> tokens = fields.find("messages") != nullptr
                                          ? call.services.renderer.render(chat::parse_conversation(fields)).tokens
                                          : prompt_tokens(fields, tokenizer);
  fields.refuse_unknown();

  Json strings = nullptr;
  if (with_strings) {
    strings = Json::array();
    for (const int32_t token : tokens) strings.push_back(std::string(tokenizer.token_text(token)));
  }
  return http::ready(json_response(to_text({{"count", tokens.size()},
                                            {"max_model_len", call.services.engine.model().max_model_len},
                                            {"tokens", tokens},
                                            {"token_strs", std::move(strings)}})));
}

std::unique_ptr<http::Work> detokenize(const Call& call) {
  const Tokenizer& tokenizer = call.services.engine.tokenizer();
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kDetokenize);
  parse_model(fields, call.services);
  const std::vector<int32_t> tokens = as_token_ids(fields.require("tokens"), fields.path("tokens"));
  fields.refuse_unknown();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= tokenizer.vocab_size()) {
      throw bad_field(join_path("tokens", i),
                      fmt::format("Token id {} is beyond the vocabulary of {}.", tokens[i], tokenizer.vocab_size()));
    }
  }
  return http::ready(json_response(to_text({{"prompt", tokenizer.decode(tokens, /*skip_special=*/false)}})));
}

}  // namespace caravel::server
