#include "server/score.h"

#include <algorithm>
#include <map>

#include "server/answers.h"
#include "server/openai/prompt.h"
#include "server/openai/request_head.h"
#include "text/encode_pair.h"

namespace caravel::server {
namespace {

using Tokens = std::vector<int32_t>;

/// One of those that may block a handler's thread.
class Place {
 public:
  Place(std::atomic<int>& taken, int limit) : taken_(taken) {
    if (taken_++ < limit) return;
    --taken_;
    throw openai::ApiError(429, "rate_limit_error", "Too many requests for scores at once; try again.", std::nullopt,
                           "rate_limit_exceeded");
  }
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::atomic<int>& taken_;
};

struct Pairs {
  // Where the seam merges differently the prefix's ids differ too; continuations of equal ones are scored together.
  std::map<Tokens, std::vector<size_t>> by_prefix;
  std::vector<Tokens> continuations;
};

/// item: the continuation's path.
std::pair<Tokens, Tokens> encode_texts(const Tokenizer& tokenizer, const std::string& prefix,
                                       const std::string& continuation, const std::string& item) {
  try {
    return text::encode_pair(tokenizer, prefix, continuation);
  } catch (const InvalidField&) {
    throw;
  } catch (const InvalidArgument& error) {
    throw bad_field(item, fmt::format("Invalid '{}': {}.", item, error.what()));
  }
}

Tokens parse_ids(const Json& value, const std::string& path, const ModelInfo& model) {
  Tokens tokens = as_token_ids(value, path);
  if (tokens.empty()) throw bad_field(path, fmt::format("Invalid '{}': it has no token.", path));
  openai::check_ids(tokens, path, model);
  return tokens;
}

Pairs parse_pairs(Fields& fields, const Tokenizer& tokenizer, const ModelInfo& model) {
  const Json& prefix = fields.require("prefix");
  const std::string path = fields.path("continuations");
  const Json& continuations = as_array(fields.require("continuations"), path);
  if (continuations.empty() || continuations.size() > openai::kMaxPrompts) {
    throw bad_field(path, fmt::format("'continuations' must have 1 to {} items, and has {}.",
                                              openai::kMaxPrompts, continuations.size()));
  }
  if (!prefix.is_string() && !prefix.is_array()) {
    throw wrong_type(prefix, fields.path("prefix"), "a string or an array of token ids");
  }
  Pairs pairs;
  for (size_t i = 0; i < continuations.size(); ++i) {
    const std::string item = join_path(path, i);
    auto [before, after] =
        prefix.is_string()
            ? encode_texts(tokenizer, prefix.get<std::string>(), as_string(continuations[i], item), item)
            : std::pair(parse_ids(prefix, fields.path("prefix"), model), parse_ids(continuations[i], item, model));
    pairs.by_prefix[std::move(before)].push_back(i);
    pairs.continuations.push_back(std::move(after));
  }
  return pairs;
}

Json score_json(const Tokenizer& tokenizer, const Score& score, size_t index) {
  Json tokens = Json::array();
  for (const int32_t token : score.tokens) tokens.push_back(std::string(tokenizer.token_bytes(token)));
  return {{"object", "score"},
          {"index", index},
          {"logprob", score.logprob},
          {"is_greedy", std::ranges::all_of(score.is_greedy, std::identity())},
          {"tokens", std::move(tokens)},
          {"token_ids", score.tokens},
          {"token_logprobs", score.token_logprobs}};
}

}  // namespace

http::Response score(Services& services, const http::Request& request) {
  const openai::Context& context = services.context;
  const Tokenizer& tokenizer = context.engine.tokenizer();
  const Json body = parse_json(request.body);
  Fields fields(body);
  const std::string model = openai::parse_model(fields, context);
  const Pairs pairs = parse_pairs(fields, tokenizer, context.engine.model());
  fields.ignore({"user"});
  fields.refuse_unknown();

  const Place place(services.scores, std::max(1, context.config.http.handler_threads / 2));
  std::vector<Json> scores(pairs.continuations.size());
  size_t tokens = 0;  // that the engine was given
  for (const auto& [prefix, members] : pairs.by_prefix) {
    ScoreRequest group{prefix, {}};
    tokens += prefix.size();
    for (const size_t member : members) {
      tokens += pairs.continuations[member].size();
      group.continuations.push_back(pairs.continuations[member]);
    }
    const std::vector<Score> results = context.engine.score(group);
    for (size_t i = 0; i < members.size(); ++i) scores[members[i]] = score_json(tokenizer, results[i], members[i]);
  }
  const openai::AnswerHead head = openai::AnswerHead::make("score-", model, context);
  return json_response(to_text({{"id", head.id},
                                        {"object", "list"},
                                        {"created", head.created},
                                        {"model", head.model},
                                        {"data", std::move(scores)},
                                        {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}));
}

}  // namespace caravel::server
