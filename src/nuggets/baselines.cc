#include "nuggets/baselines.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "nuggets/token_hash.h"
#include "nuggets/wait.h"

namespace caravel::nuggets {
namespace {

using Tokens = std::vector<int32_t>;

/// An answer after one prefix.
struct AnswerScore {
  Tokens prefix;
  StoredScore stored;
  bool is_known = false;
};

struct TurnAnswers {
  Tokens answer;
  std::vector<AnswerScore> scores;  // behind its question, and where there can be one, alone
};

struct Work {
  std::vector<TurnAnswers> turns;
  std::unique_ptr<RequestHandle> request;  // nullptr: there is nothing to compute
};

class AnswerScorer {
 public:
  AnswerScorer(Engine& engine, const ShotTemplate& shots, ScoreStore& store)
      : engine_(engine),
        shots_(shots),
        store_(store),
        start_(engine.tokenizer().bos_id() ? engine.tokenizer().bos_id() : engine.tokenizer().eos_id()) {}

  Work begin(const Row& row) {
    Work work;
    const auto room = static_cast<size_t>(engine_.model().max_model_len);
    ScoreRequest request;
    for (const Turn& turn : row.turns) {
      TaskTokens tokens;
      try {
        tokens = shots_.task(turn);
      } catch (const InvalidArgument&) {
        continue;  // the scorer tells of it
      }
      if (tokens.answer.empty() || tokens.alone.empty() || tokens.alone.size() + tokens.answer.size() > room) continue;
      TurnAnswers& answers = work.turns.emplace_back();
      answers.answer = std::move(tokens.answer);
      add(answers, std::move(tokens.alone), request);
      if (start_) add(answers, {*start_}, request);
    }
    if (!request.items.empty()) work.request = engine_.score(std::move(request));
    return work;
  }

  std::optional<Baselines> end(Work& work) {
    size_t item = 0;
    Baselines baselines;
    double ifd = 0;
    for (TurnAnswers& turn : work.turns) {
      std::vector<double> perplexities;
      for (AnswerScore& score : turn.scores) {
        if (!score.is_known) {
          score.stored.logprob = work.request->result().scores[item++].front().logprob;
          store_.add(hash_of(score.prefix), std::span(&score.stored, 1));
        }
        perplexities.push_back(std::exp(-score.stored.logprob / score.stored.tokens));
      }
      const auto share = 1 / static_cast<double>(work.turns.size());
      baselines.perplexity += share * perplexities.front();
      baselines.answer_tokens += share * static_cast<double>(turn.answer.size());
      if (start_) ifd += share * perplexities[0] / perplexities[1];
    }
    if (work.turns.empty()) return std::nullopt;
    if (start_) baselines.ifd = ifd;
    return baselines;
  }

 private:
  void add(TurnAnswers& turn, Tokens prefix, ScoreRequest& request) {
    AnswerScore& score = turn.scores.emplace_back();
    score.prefix = std::move(prefix);
    score.stored = {.continuation = store_.continuation(hash_of(turn.answer)),
                    .tokens = static_cast<int>(turn.answer.size())};
    if (const auto known = store_.find(hash_of(score.prefix), score.stored.continuation)) {
      score.stored = *known;
      score.is_known = true;
      return;
    }
    request.items.push_back({.prefix = score.prefix, .continuations = {turn.answer}});
  }

  Engine& engine_;
  const ShotTemplate& shots_;
  ScoreStore& store_;
  const std::optional<int32_t> start_;  // what stands before an answer alone
};

}  // namespace

bool score_answers(Engine& engine, const ShotTemplate& shots, ScoreStore& store, std::span<const Row* const> rows,
                   const std::atomic<bool>& stop,
                   const std::function<void(size_t, const std::optional<Baselines>&)>& on_done) {
  constexpr size_t kAhead = 16;  // short requests: so many fill the engine's steps
  AnswerScorer scorer(engine, shots, store);
  std::deque<Work> running;
  size_t begun = 0;
  for (size_t done = 0; done < rows.size(); ++done) {
    while (begun < rows.size() && running.size() < kAhead) running.push_back(scorer.begin(*rows[begun++]));
    Work& work = running.front();
    if (stop.load() || (work.request && !wait_for(*work.request, stop))) return false;
    on_done(done, scorer.end(work));
    running.pop_front();
  }
  return true;
}

}  // namespace caravel::nuggets
