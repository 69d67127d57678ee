#include <utility>

#include "server/anthropic/endpoints.h"
#include "server/anthropic/message_answer.h"
#include "server/anthropic/turns.h"
#include "server/endpoint/engine_work.h"
#include "server/endpoint/json_response.h"
#include "server/endpoint/model_name.h"

namespace caravel::server::anthropic {

std::unique_ptr<http::Work> messages(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kMessages);
  Generation generation = parse_generation(fields, Surface::kMessages, call.services);
  fields.require("max_tokens");
  Turns turns = parse_turns(fields);
  fields.refuse_unknown();

  generation.prescribe(std::move(turns.form));
  set_conversation(generation, turns.conversation, /*truncation=*/std::nullopt, call.services);
  std::vector<std::unique_ptr<RequestHandle>> handles = submit(call, generation);
  return answer_with(
      call, std::move(handles),
      std::make_unique<MessageAnswer>(generation, AnswerHead::make("msg_", generation.model, call.services)));
}

std::unique_ptr<http::Work> count_message_tokens(const Call& call) {
  const Json body = parse_json(call.request.body);
  Fields fields(body, Surface::kCountTokens);
  parse_model(fields, call.services);
  const Turns turns = parse_turns(fields);
  fields.refuse_unknown();
  const size_t tokens = call.services.renderer.render(turns.conversation).tokens.size();
  return http::ready(json_response(to_text({{"input_tokens", tokens}})));
}

}  // namespace caravel::server::anthropic
