// Which ending does the model find likelier? Scores run in the background: what is asked meanwhile goes first.
//
//   score [MODEL]

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "caravel/engine.h"

int main(int argc, char** argv) try {
  const auto engine = caravel::Engine::open({.model = argc > 1 ? argv[1] : ""});
  const auto& tokenizer = engine->tokenizer();
  const std::vector<std::string> beginnings = {"The capital of France is", "The capital of Italy is"};
  const std::vector<std::string> endings = {" Paris.", " Rome."};

  // Each prefix is computed once, whatever the number of its continuations.
  caravel::ScoreRequest request{.background = true};
  for (const std::string& beginning : beginnings) {
    request.items.push_back({.prefix = tokenizer.encode(beginning), .continuations = {}});
    for (const std::string& ending : endings) {
      request.items.back().continuations.push_back(tokenizer.encode(ending, {.add_special = false}));
    }
  }
  const auto scoring = engine->score(request);
  const caravel::Result& result = scoring->result();  // waits; scoring->cancel() would end it
  if (!result.error.empty()) throw caravel::Error(result.error);
  for (size_t i = 0; i < beginnings.size(); ++i) {
    for (size_t k = 0; k < endings.size(); ++k) {
      std::printf("log p(%s | %s) = %.3f\n", endings[k].c_str(), beginnings[i].c_str(), result.scores[i][k].logprob);
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
