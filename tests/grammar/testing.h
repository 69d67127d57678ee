#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "grammar/compiler.h"
#include "grammar/json_schema.h"

namespace caravel::grammar {

inline GrammarSpec regex_spec(std::string pattern) {
  return {.kind = GrammarSpec::Kind::kRegex, .text = std::move(pattern)};
}
inline GrammarSpec gbnf_spec(std::string text) { return {.kind = GrammarSpec::Kind::kGbnf, .text = std::move(text)}; }
inline GrammarSpec schema_spec(std::string text) {
  return {.kind = GrammarSpec::Kind::kJsonSchema, .text = std::move(text)};
}

/// Every byte as a token, then `words`.
inline TokenTrie byte_trie(const std::vector<std::string>& words = {}, bool drops_leading_space = false) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.insert(tokens.end(), words.begin(), words.end());
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  return TokenTrie(views, drops_leading_space);
}

inline StateSpace make_space(const Grammar& grammar, TokenTrie trie = byte_trie()) {
  return StateSpace(std::make_shared<Automaton>(grammar), std::make_shared<TokenTrie>(std::move(trie)));
}

inline bool allows(const MaskBits& mask, int32_t token) {
  return (mask[static_cast<size_t>(token) / 32] >> (token % 32) & 1U) != 0;
}

/// The texts of `yes` are whole texts of the grammar, those of `no` are not.
inline void expect_texts(const Grammar& grammar, const std::vector<std::string>& yes,
                         const std::vector<std::string>& no) {
  StateSpace space = make_space(grammar);
  const auto accepts = [&](std::string_view text) { return space.complete(space.advance(space.start(), text)); };
  for (const std::string& text : yes) EXPECT_TRUE(accepts(text)) << text;
  for (const std::string& text : no) EXPECT_FALSE(accepts(text)) << text;
}

inline void expect_texts(const GrammarSpec& spec, const std::vector<std::string>& yes,
                         const std::vector<std::string>& no) {
  SCOPED_TRACE(spec.text);
  expect_texts(parse_spec(spec), yes, no);
}

/// Compiling throws an `E` whose message has `part`.
template <typename E>
void expect_refused(const GrammarSpec& spec, const std::string& part) {
  Compiler compiler([] { return byte_trie(); });
  try {
    compiler.compile(spec);
    ADD_FAILURE() << spec.text << " was accepted";
  } catch (const E& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "more than a line";
  } catch (const std::exception& error) {
    ADD_FAILURE() << spec.text << ": another kind of error: " << error.what();
  }
}

/// A text drawn token by token among those that the masks allow; what ends something is preferred, so that it ends.
/// Empty: it was not whole after max_tokens.
inline std::optional<std::string> draw_text(StateSpace& space, const TokenTrie& trie, std::mt19937& random,
                                            int max_tokens) {
  std::string text;
  int32_t state = space.start();
  for (int i = 0; i < max_tokens; ++i) {
    const auto mask = space.mask(state);
    std::vector<int32_t> allowed;
    std::vector<int32_t> closing;
    for (int32_t token = 0; token < static_cast<int32_t>(trie.size()); ++token) {
      if (!allows(*mask, token)) continue;
      allowed.push_back(token);
      const std::string_view bytes = trie.bytes(token);
      if (bytes == "\"" || bytes == "]" || bytes == "}") closing.push_back(token);
    }
    if (space.complete(state) && (allowed.empty() || random() % 3 == 0)) return text;
    if (allowed.empty()) {
      ADD_FAILURE() << "a dead end after " << text;
      return std::nullopt;
    }
    const auto& from = !closing.empty() && random() % 3 != 0 ? closing : allowed;
    const int32_t token = from[random() % from.size()];
    text += trie.bytes(token);
    state = space.advance(state, token);
    if (state == StateSpace::kDead) {
      ADD_FAILURE() << "the mask allowed what cannot follow: " << text;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace caravel::grammar
