// A JSON schema, a regular expression or a GBNF grammar, by the first byte: compiles, and a text can be drawn under its
// masks that never leads nowhere; or it is refused with one of the named errors.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "grammar/compiler.h"

namespace {

using caravel::GrammarSpec;
namespace grammar = caravel::grammar;

std::shared_ptr<const grammar::TokenTrie> make_trie() {
  std::vector<std::string> tokens = {"\": ", "\", \"", "}}", "true", "12", "ab", "  "};
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  return std::make_shared<grammar::TokenTrie>(views);
}

void draw(grammar::StateSpace& space) {
  int32_t state = space.start();
  for (uint32_t i = 0; i < 50; ++i) {
    const auto mask = space.mask(state);
    std::vector<int32_t> allowed;
    for (int32_t token = 0; token < 263; ++token) {
      if (((*mask)[static_cast<size_t>(token) / 32] >> (token % 32) & 1U) != 0) allowed.push_back(token);
    }
    if (allowed.empty()) {
      if (!space.complete(state)) std::abort();
      return;
    }
    state = space.advance(state, allowed[(i * 7919U) % allowed.size()]);
    if (state == grammar::StateSpace::kDead) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto kVocabulary = make_trie();
  constexpr GrammarSpec::Kind kKinds[] = {GrammarSpec::Kind::kJsonSchema, GrammarSpec::Kind::kRegex,
                                          GrammarSpec::Kind::kGbnf};
  if (size == 0) return 0;
  const GrammarSpec spec{.kind = kKinds[data[0] % 3],
                         .text = std::string(reinterpret_cast<const char*>(data) + 1, size - 1)};
  try {
    grammar::StateSpace space(std::make_shared<grammar::Automaton>(grammar::parse_spec(spec)), kVocabulary);
    draw(space);
  } catch (const caravel::Error&) {
    // refused, as it should be
  }
  return 0;
}
