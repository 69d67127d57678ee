// Opens a model, streams an answer, and finds the embedding of a text.
//
//   hello [MODEL]      a path or a name such as smollm2 (scripts/fetch_model smollm2 fetches that one)

#include <cstdio>
#include <exception>
#include <string>

#include "caravel/engine.h"

int main(int argc, char** argv) try {
  const auto engine = caravel::Engine::open({.model = argc > 1 ? argv[1] : ""});
  std::printf("%s, on %s\n\n", engine->model().name.c_str(), engine->model().device.c_str());

  // A request gives a stream of what is new, token by token.
  const std::string prompt = "The capital of France is";
  const auto request = engine->submit({.prompt = prompt, .sampling = {.max_tokens = 24}});
  std::printf("%s", prompt.c_str());
  while (const auto next = request->next()) {
    std::printf("%s", next->text.c_str());
    std::fflush(stdout);
  }
  const caravel::Usage usage = request->result().usage;
  std::printf("\n\n%d prompt tokens, %d generated\n", usage.prompt_tokens, usage.completion_tokens);

  const auto embedding = engine->embed({.tokens = engine->tokenizer().encode(prompt)});
  std::printf("the embedding's size: %zu\n", embedding->result().embedding.size());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
