// A chat in which the model may call a function: its call is run here, and the answer uses what came back.
//
//   chat_with_tool [MODEL [TOOL_CALL_PARSER]]
//
// The default model's template knows no tools: it is told of them in the form of Hermes' models.

#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "caravel/engine.h"

namespace {

std::string weather() { return R"({"sky": "sunny", "celsius": 21})"; }

/// Streams one answer of the assistant's, and gives it as a message.
caravel::Message answer(caravel::Engine& engine, const caravel::ChatRequest& request) {
  const auto chat = engine.chat(request);
  while (const auto next = chat->next()) {
    for (const caravel::Piece& piece : next->pieces) {
      if (piece.kind == caravel::Piece::Kind::kContent) std::printf("%s", piece.text.c_str());
    }
    std::fflush(stdout);
  }
  const caravel::Result& result = chat->result();
  if (!result.error.empty()) throw caravel::Error(result.error);
  const caravel::Completion& completion = result.completions.front();
  return {.role = "assistant", .content = completion.content, .tool_calls = completion.tool_calls};
}

}  // namespace

int main(int argc, char** argv) try {
  caravel::EngineConfig config{.tool_call_parser = "hermes"};
  if (argc > 1) config.model = argv[1];
  if (argc > 1) config.tool_call_parser = argc > 2 ? argv[2] : "";  // empty: as the template has it
  const auto engine = caravel::Engine::open(config);
  caravel::ChatRequest request;
  request.messages = {{.role = "user", .content = "What is the weather in Paris?"}};
  request.tools = {
      {.name = "weather",
       .description = "The weather in a city",
       .parameters =
           R"({"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]})"}};
  request.tool_choice = caravel::ChatRequest::ToolChoice::kRequired;
  request.sampling.max_tokens = 64;

  caravel::Message reply = answer(*engine, request);
  for (const caravel::ToolCall& call : reply.tool_calls) {
    std::printf("[%s(%s)]\n", call.name.c_str(), call.arguments.c_str());
  }
  request.messages.push_back(reply);
  for (const caravel::ToolCall& call : reply.tool_calls) {
    request.messages.push_back({.role = "tool", .content = weather(), .tool_call_id = call.id});
  }
  request.tool_choice = caravel::ChatRequest::ToolChoice::kNone;
  answer(*engine, request);
  std::printf("\n");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
