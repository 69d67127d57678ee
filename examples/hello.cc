// Opens a model, streams an answer, scores two endings of one sentence, and embeds a text.
//
//   hello [MODEL]      a path or a name such as smollm2 (scripts/fetch_model smollm2 fetches that one)

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "caravel/engine.h"

int main(int argc, char** argv) try {
  const auto engine = caravel::Engine::open({.model = argc > 1 ? argv[1] : ""});
  std::printf("%s, %lld parameters, on %s\n\n", engine->model().name.c_str(),
              static_cast<long long>(engine->model().parameters), engine->model().device.c_str());

  // A request gives a stream of what is new, token by token.
  const std::string prompt = "The capital of France is";
  const auto request = engine->submit({.prompt = prompt, .sampling = {.max_tokens = 24}});
  std::printf("%s", prompt.c_str());
  while (const auto delta = request->next()) {
    std::printf("%s", delta->text.c_str());
    std::fflush(stdout);
  }
  const caravel::Usage usage = request->result().usage;
  std::printf("\n\n%d prompt tokens, %d generated\n\n", usage.prompt_tokens, usage.completion_tokens);

  // The prefix is computed once, whatever the number of continuations.
  const auto& tokenizer = engine->tokenizer();
  const std::vector<std::string> endings = {" Paris.", " Rome."};
  caravel::ScoreRequest question{.prefix = tokenizer.encode(prompt)};
  for (const std::string& ending : endings) {
    question.continuations.push_back(tokenizer.encode(ending, {.add_special = false}));
  }
  const auto scores = engine->score(question);
  for (size_t i = 0; i < endings.size(); ++i) std::printf("log p(%s) = %.3f\n", endings[i].c_str(), scores[i].logprob);

  const std::vector<float> state = engine->embed(tokenizer.encode(prompt));
  std::printf("\nmean last state: %zu elements, the first is %.4f\n", state.size(), state.front());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
