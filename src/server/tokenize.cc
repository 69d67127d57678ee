#include "server/tokenize.h"

#include <fmt/format.h>

#include "server/answers.h"
#include "server/openai/conversation.h"
#include "server/openai/request_head.h"
#include "text/tokenizer_data.h"

namespace caravel::server {
namespace {


/// The messages as /v1/chat/completions would hand them to the model.
std::vector<int32_t> chat_tokens(Fields& fields, const openai::Context& context) {
  openai::Conversation conversation;
  const std::string path = fields.path("messages");
  conversation.messages = openai::parse_chat_messages(fields.require("messages"), path);
  if (const Json* tools = fields.find("tools")) conversation.tools = as_array(*tools, fields.path("tools"));
  if (const Json* kwargs = fields.find("chat_template_kwargs")) {
    conversation.kwargs = as_object(*kwargs, fields.path("chat_template_kwargs"));
  }
  conversation.continue_final_message = fields.boolean("continue_final_message", false);
  conversation.add_generation_prompt = fields.boolean("add_generation_prompt", !conversation.continue_final_message);
  if (fields.find("add_special_tokens") != nullptr) {
    conversation.add_special_tokens = fields.boolean("add_special_tokens", false);
  }
  fields.refuse("chat_template", "start the server with --chat-template");
  return openai::render_chat(context, conversation, path).tokens;
}

std::vector<int32_t> prompt_tokens(Fields& fields, const Tokenizer& tokenizer) {
  const std::string& prompt = as_string(fields.require("prompt"), fields.path("prompt"));
  return tokenizer.encode(prompt, {.add_special = fields.boolean("add_special_tokens", true)});
}

}  // namespace

http::Response tokenize(Services& services, const http::Request& request) {
  const openai::Context& context = services.context;
  const Tokenizer& tokenizer = context.engine.tokenizer();
  const Json body = parse_json(request.body);
  Fields fields(body);
  openai::parse_model(fields, context);
  const bool with_strings = fields.boolean("return_token_strs", false);
  const std::vector<int32_t> tokens =
      fields.find("messages") != nullptr ? chat_tokens(fields, context) : prompt_tokens(fields, tokenizer);
  fields.refuse_unknown();

  Json strings = nullptr;
  if (with_strings) {
    strings = Json::array();
    for (const int32_t token : tokens) strings.push_back(tokenizer.data().tokens[static_cast<size_t>(token)].text);
  }
  return json_response(to_text({{"count", tokens.size()},
                                        {"max_model_len", context.engine.model().max_model_len},
                                        {"tokens", tokens},
                                        {"token_strs", std::move(strings)}}));
}

http::Response detokenize(Services& services, const http::Request& request) {
  const openai::Context& context = services.context;
  const Tokenizer& tokenizer = context.engine.tokenizer();
  const Json body = parse_json(request.body);
  Fields fields(body);
  openai::parse_model(fields, context);
  const std::vector<int32_t> tokens = as_token_ids(fields.require("tokens"), fields.path("tokens"));
  fields.refuse_unknown();
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= tokenizer.vocab_size()) {
      throw bad_field(join_path("tokens", i), fmt::format("Token id {} is beyond the vocabulary of {}.",
                                                                          tokens[i], tokenizer.vocab_size()));
    }
  }
  return json_response(to_text({{"prompt", tokenizer.decode(tokens, /*skip_special=*/false)}}));
}

}  // namespace caravel::server
