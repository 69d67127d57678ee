#include "chat/score_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/error.h"
#include "chat/prompt.h"
#include "fields/empty_array.h"

namespace caravel::chat {
namespace {

using Tokens = std::vector<int32_t>;

Tokens parse_ids(const Json& value, const std::string& path, int vocab_size) {
  Tokens tokens = as_token_ids(value, path);
  if (tokens.empty()) throw empty_array(path);
  check_token_ids(tokens, path, vocab_size);
  return tokens;
}

/// path: the continuation's.
std::pair<Tokens, Tokens> encode_texts(const Tokenizer& tokenizer, const std::string& prefix,
                                       const std::string& continuation, const std::string& path) {
  try {
    return encode_pair(tokenizer, prefix, continuation);
  } catch (const InvalidField&) {
    throw;
  } catch (const InvalidArgument& error) {
    throw bad_field(path, fmt::format("Invalid '{}': {}.", path, error.what()));
  }
}

}  // namespace

ScorePairs parse_score_pairs(Fields& fields, const Tokenizer& tokenizer, int vocab_size, size_t most) {
  const Json& prefix = fields.require("prefix");
  const std::string prefix_path = fields.path("prefix");
  const std::string path = fields.path("continuations");
  const Json& continuations = as_array(fields.require("continuations"), path, most);
  if (continuations.empty()) throw empty_array(path);
  if (!prefix.is_string() && !prefix.is_array()) {
    throw wrong_type(prefix, prefix_path, "a string or an array of token ids");
  }
  const Tokens prefix_ids = prefix.is_array() ? parse_ids(prefix, prefix_path, vocab_size) : Tokens();
  ScorePairs pairs;
  std::map<Tokens, size_t> items;  // by prefix
  for (const Json& continuation : continuations) {
    const std::string item_path = join_path(path, pairs.places.size());
    auto [before, after] = prefix.is_string() ? encode_texts(tokenizer, prefix.get<std::string>(),
                                                             as_string(continuation, item_path), item_path)
                                              : std::pair(prefix_ids, parse_ids(continuation, item_path, vocab_size));
    const auto [place, is_new] = items.try_emplace(before, pairs.items.size());
    pairs.tokens += after.size() + (is_new ? before.size() : 0);
    if (is_new) pairs.items.push_back({.prefix = std::move(before), .continuations = {}});
    auto& members = pairs.items[place->second].continuations;
    pairs.places.emplace_back(place->second, members.size());
    members.push_back(std::move(after));
  }
  return pairs;
}

Json score_json(const ScorePairs& pairs, const std::vector<std::vector<Score>>& scores, size_t index,
                const Tokenizer& tokenizer) {
  const auto [item, member] = pairs.places[index];
  const Score& score = scores.at(item).at(member);
  Json tokens = Json::array();
  for (const int32_t token : score.tokens) tokens.push_back(std::string(tokenizer.token_bytes(token)));
  return {{"logprob", score.logprob},
          {"is_greedy", std::ranges::all_of(score.is_greedy, std::identity())},
          {"tokens", std::move(tokens)},
          {"token_ids", score.tokens},
          {"token_logprobs", score.token_logprobs}};
}

std::pair<Tokens, Tokens> encode_pair(const Tokenizer& tokenizer, std::string prefix, std::string continuation) {
  const size_t last = prefix.find_last_not_of(" \t\n\r\f\v");
  const size_t kept = last == std::string::npos ? 0 : last + 1;
  continuation.insert(0, prefix, kept);
  prefix.resize(kept);
  Tokens whole = tokenizer.encode(prefix + continuation);
  size_t split = tokenizer.encode(prefix).size();
  if (split == 0) {
    // Nothing stands before the continuation: it is scored after the token that begins or separates texts.
    const auto start = tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
    if (!start) throw InvalidField("prefix", "is empty, and the model has no token that begins a text");
    whole.insert(whole.begin(), *start);
    split = 1;
  }
  if (split >= whole.size()) {
    // As "a" and "b" do where "ab" is a token.
    throw fail<InvalidArgument>(
        "a continuation adds no token to the prefix: the number of tokens is {} with it and {} without. Begin the "
        "continuation with a space, or give both as token ids",
        whole.size(), split);
  }
  const auto seam = whole.begin() + static_cast<ptrdiff_t>(split);
  return {{whole.begin(), seam}, {seam, whole.end()}};
}

}  // namespace caravel::chat
