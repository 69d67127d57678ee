#include "nuggets/shot_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/philox.h"
#include "nuggets/token_hash.h"
#include "nuggets/wait.h"

namespace caravel::nuggets {
namespace {

using Tokens = std::vector<int32_t>;

Hash128 hash_of(std::string_view text, Hash128 before) {
  const auto size = static_cast<uint64_t>(text.size());  // so that no two lists of texts are one
  return hash128(text.data(), text.size(), hash128(&size, sizeof(size), before));
}

/// Of what is said in a turn, which is the last, and in those that lead to it.
std::vector<Hash128> contents_along(const Turn& turn) {
  std::vector<Hash128> contents;
  Hash128 hash;
  for (const Message* message : turn.path()) {
    if (message->role == "assistant") contents.push_back(hash_of(message->content, hash));
    hash = hash_of(message->content, hash_of(message->role, hash));
    for (const ToolCall& call : message->tool_calls) hash = hash_of(call.arguments, hash_of(call.name, hash));
  }
  contents.push_back(hash_of(turn.answer(), hash));
  return contents;
}

/// Numbers 0 to count - 1 in an order of the seed's.
std::vector<int> shuffled(size_t count, uint64_t seed) {
  std::vector<int> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int>(i);
  for (size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(uniform(seed, 0, i) * static_cast<double>(i))]);
  }
  return order;
}

double mean(double logprob, size_t tokens) { return logprob / static_cast<double>(tokens); }

}  // namespace

/// A row that is being scored.
struct ShotScorer::Work {
  struct TurnWork {
    Tokens prefix;
    Hash128 hash;                                // of the prefix
    std::unordered_map<int64_t, double> stored;  // continuation's number -> log-probability
    std::vector<int> asked;                      // indices of tasks that the request is about
  };
  size_t index = 0;
  size_t wanted = 0;  // tasks of each turn, when the request is done
  RowScore score;
  std::vector<TurnWork> turns;
  std::unique_ptr<RequestHandle> request;
};

ShotScorer::ShotScorer(Engine& engine, const ShotTemplate& shots, ScoreStore& store, std::span<const Row> tasks,
                       const Options& options)
    : engine_(engine), shots_(shots), store_(store), options_(options) {
  for (const Row& row : tasks) {
    for (size_t turn = 0; turn < row.turns.size(); ++turn) tasks_.push_back(make_task(row, turn));
  }
  for (const int i : shuffled(tasks_.size(), options.seed)) {
    if (tasks_[static_cast<size_t>(i)].problem.empty()) order_.push_back(i);
  }
  if (order_.empty()) {
    throw fail<InvalidArgument>("none of the {} tasks can be scored{}", tasks_.size(),
                                tasks_.empty() ? "" : ": " + tasks_.front().problem);
  }
}

ScoredTask ShotScorer::make_task(const Row& row, size_t turn) const {
  ScoredTask task;
  task.id = row.turns.size() == 1 ? row.id : fmt::format("{}#{}", row.id, turn + 1);
  task.content = contents_along(row.turns[turn]).back();
  try {
    task.tokens = shots_.task(row.turns[turn]);
  } catch (const InvalidArgument& error) {
    task.problem = error.what();
    return task;
  }
  const size_t size = task.tokens.alone.size() + task.tokens.answer.size();
  const auto room = static_cast<size_t>(engine_.model().max_model_len);
  if (task.tokens.answer.empty()) {
    task.problem = "its answer has no token";
  } else if (task.tokens.alone.empty()) {
    task.problem = "nothing stands before its answer";
  } else if (size > room) {
    task.problem = fmt::format("its {} tokens are more than the context's {}", size, room);
  } else {
    task.stored = store_.continuation(hash_of(task.tokens.answer, hash_of(task.tokens.question)));
  }
  return task;
}

bool ShotScorer::score_tasks() {
  struct Missing {
    ScoredTask* task;
    StoredScore stored;
  };
  std::vector<Missing> missing;
  ScoreRequest request;
  for (const int i : order_) {
    ScoredTask& task = tasks_[static_cast<size_t>(i)];
    const int64_t number = store_.continuation(hash_of(task.tokens.answer));
    const std::vector<StoredScore> known = store_.find(hash_of(task.tokens.alone));
    const auto found = std::ranges::find(known, number, &StoredScore::continuation);
    if (found != known.end()) {
      task.zero_shot = mean(found->logprob, task.tokens.answer.size());
      continue;
    }
    missing.push_back({&task, {.continuation = number, .tokens = static_cast<int>(task.tokens.answer.size())}});
    request.items.push_back({.prefix = task.tokens.alone, .continuations = {task.tokens.answer}});
  }
  if (missing.empty()) return true;
  const auto handle = engine_.score(std::move(request));
  if (!wait_for(*handle, *options_.stop)) return false;
  for (size_t i = 0; i < missing.size(); ++i) {
    auto& [task, stored] = missing[i];
    stored.logprob = handle->result().scores[i].front().logprob;
    store_.add(hash_of(task->tokens.alone), std::span(&stored, 1));
    task->zero_shot = mean(stored.logprob, task->tokens.answer.size());
  }
  return true;
}

std::unique_ptr<ShotScorer::Work> ShotScorer::begin(size_t index, const Row& row) {
  auto work = std::make_unique<Work>();
  work->index = index;
  const auto room = static_cast<size_t>(engine_.model().max_model_len);
  int too_long = 0;
  try {
    for (const Turn& turn : row.turns) {
      if (options_.stop->load()) return nullptr;
      Work::TurnWork& turn_work = work->turns.emplace_back();
      TurnScore& score = work->score.turns.emplace_back();
      turn_work.prefix = shots_.example(turn);
      turn_work.hash = hash_of(turn_work.prefix);
      const std::vector<Hash128> contents = contents_along(turn);
      for (const int i : order_) {
        const ScoredTask& task = tasks_[static_cast<size_t>(i)];
        if (std::ranges::find(contents, task.content) != contents.end()) continue;
        if (turn_work.prefix.size() + task.tokens.question.size() + task.tokens.answer.size() > room) {
          ++score.too_long;
        } else {
          score.tasks.push_back(i);
        }
      }
      too_long += score.too_long;
      if (score.tasks.empty()) {
        turn_work.prefix = {};  // a long conversation has many such
        continue;
      }
      for (const StoredScore& stored : store_.find(turn_work.hash)) {
        turn_work.stored.emplace(stored.continuation, stored.logprob);
      }
    }
  } catch (const InvalidArgument& error) {
    work->score = {.turns = {}, .problem = error.what()};
    work->turns.clear();
    return work;
  }
  if (work->score.left() == 0) {
    work->score.problem = too_long == 0 ? "it says the same as the only task"
                                        : fmt::format("with a task it is longer than the context of {} tokens", room);
  }
  return work;
}

/// Goes on to the next request, or to the end: false.
bool ShotScorer::advance(Work& work, const TaskTarget& target) {
  while (true) {
    work.wanted = target(work.score);
    ScoreRequest request;
    bool grows = false;
    for (size_t t = 0; t < work.turns.size(); ++t) {
      Work::TurnWork& turn = work.turns[t];
      const TurnScore& score = work.score.turns[t];
      turn.asked.clear();
      const size_t end = std::min(work.wanted, score.tasks.size());
      grows = grows || end > score.scores.size();
      ScoreRequest::Item item{.prefix = turn.prefix, .continuations = {}};
      for (size_t i = score.scores.size(); i < end; ++i) {
        const ScoredTask& task = tasks_[static_cast<size_t>(score.tasks[i])];
        if (turn.stored.contains(task.stored)) continue;
        turn.asked.push_back(score.tasks[i]);
        Tokens& continuation = item.continuations.emplace_back(task.tokens.question);
        continuation.insert(continuation.end(), task.tokens.answer.begin(), task.tokens.answer.end());
        item.given.push_back(static_cast<int>(task.tokens.question.size()));
      }
      if (!turn.asked.empty()) request.items.push_back(std::move(item));
    }
    if (!grows) return false;
    if (!request.items.empty()) {
      work.request = engine_.score(std::move(request));
      return true;
    }
    receive(work);
  }
}

/// Takes over what stands in the store, or was computed now.
void ShotScorer::receive(Work& work) {
  size_t item = 0;
  for (size_t t = 0; t < work.turns.size(); ++t) {
    Work::TurnWork& turn = work.turns[t];
    TurnScore& score = work.score.turns[t];
    std::vector<StoredScore> fresh;
    if (!turn.asked.empty()) {
      const std::vector<Score>& scores = work.request->result().scores[item++];
      for (size_t i = 0; i < scores.size(); ++i) {
        const int64_t number = tasks_[static_cast<size_t>(turn.asked[i])].stored;
        fresh.push_back({.continuation = number,
                         .logprob = scores[i].logprob,
                         .tokens = static_cast<int>(scores[i].tokens.size())});
        turn.stored.emplace(number, scores[i].logprob);
      }
      store_.add(turn.hash, fresh);
    }
    computed_ += static_cast<int64_t>(fresh.size());
    while (score.scores.size() < std::min(work.wanted, score.tasks.size())) {
      const int index = score.tasks[score.scores.size()];
      const ScoredTask& task = tasks_[static_cast<size_t>(index)];
      const double one_shot = mean(turn.stored.at(task.stored), task.tokens.answer.size());
      score.scores.push_back({.task = index, .one_shot = one_shot, .gain = one_shot - task.zero_shot});
    }
  }
  work.request.reset();
}

bool ShotScorer::score_rows(std::span<const Row* const> rows, const TaskTarget& target,
                            const std::function<void(size_t, RowScore)>& on_done) {
  constexpr size_t kAhead = 16;  // candidates whose tasks fill the engine's steps while one of them ends
  std::deque<std::unique_ptr<Work>> running;
  size_t begun = 0;
  while (begun < rows.size() || !running.empty()) {
    while (begun < rows.size() && running.size() < kAhead) {
      if (options_.stop->load()) return false;
      auto work = begin(begun, *rows[begun]);
      if (work == nullptr) return false;
      ++begun;
      if (work->score.problem.empty() && advance(*work, target)) {
        running.push_back(std::move(work));
      } else {
        on_done(work->index, std::move(work->score));
      }
    }
    if (running.empty()) continue;
    auto work = std::move(running.front());
    running.pop_front();
    if (!wait_for(*work->request, *options_.stop)) return false;
    receive(*work);
    if (advance(*work, target)) {
      running.push_back(std::move(work));
    } else {
      on_done(work->index, std::move(work->score));
    }
  }
  return true;
}

}  // namespace caravel::nuggets
