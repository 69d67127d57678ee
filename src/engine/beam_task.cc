#include "engine/beam_task.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace caravel::engine {
namespace {

constexpr int kPrompt = -1;  // part of what is about the prompt; the beams' are their places

size_t width_of(const SamplingParams& params) {
  return static_cast<size_t>(*params.beam_width != 0 ? *params.beam_width : *params.n);
}

}  // namespace

int BeamTask::candidates(const SamplingParams& params, size_t end_ids, int vocab_size) {
  const size_t wanted = std::max<size_t>(2, 1 + end_ids) * width_of(params);
  return static_cast<int>(std::min(wanted, static_cast<size_t>(vocab_size)));
}

BeamTask::BeamTask(CheckedRequest request)
    : Task(std::move(request.group)), request_(std::move(request)), width_(width_of(request_.params)) {
  top_ = request_.top;
  beams_.push_back(std::make_unique<Beam>());
}

void BeamTask::want(const scheduler::Row& row, int32_t place, StepWants& wants) {
  if (request_.prompt_logprobs) request_.prompt_logprobs->want(row, place, {this, {.part = kPrompt}}, wants);
  if (!row.draws) return;
  if (generated_ == 0) beams_.front()->sequence = &group()->first();
  for (size_t i = 0; i < beams_.size(); ++i) {
    if (beams_[i]->sequence != row.sequence) continue;
    wants.token({this, {.part = static_cast<int32_t>(i)}}, {.place = place + row.count - 1, .token = 0, .top = top_});
  }
}

void BeamTask::apply(const About& about, const TokenOutput& token, const StepOutput& output) {
  if (about.part == kPrompt) {
    request_.prompt_logprobs->apply(about, token, output);
    return;
  }
  Beam& beam = *beams_[static_cast<size_t>(about.part)];
  const auto top = top_of(token, output);
  beam.next.clear();
  for (const auto& [id, logprob] : top) {
    beam.next.push_back({.token = id, .logprob = logprob, .rank = static_cast<int32_t>(beam.next.size()) + 1});
  }
  if (const int asked = request_.params.logprobs.value_or(0); asked > 0) {
    const auto shown = top.first(static_cast<size_t>(std::min(asked, top_)));
    for (TokenLogprob& next : beam.next) next.top.assign(shown.begin(), shown.end());
  }
}

int BeamTask::advance(scheduler::Scheduler& scheduler) {
  for (const auto& beam : beams_) {
    if (beam->next.empty()) return 0;  // some of the beams are still being computed
  }
  const SamplingParams& params = request_.params;
  const auto length = static_cast<double>(++generated_);
  const double penalty = std::pow(length, *params.length_penalty);
  const bool last = generated_ >= *params.max_tokens;
  const bool full_before = finished_.size() >= width_;

  std::vector<Candidate> running;
  const std::vector<Candidate> best = best_candidates();
  for (size_t i = 0; i < best.size(); ++i) {
    const bool stops = request_.ends_generation(best[i].token->token) || request_.stops(best[i].token->token);
    if (!stops && !last) {
      if (running.size() < width_) running.push_back(best[i]);
    } else if (i < width_ && !(full_before && params.early_stopping)) {
      add_finished(best[i], stops, best[i].score / penalty);
    }
  }
  const int generated = static_cast<int>(beams_.size());
  const bool full = finished_.size() >= width_;
  const bool can_improve = !running.empty() && (!full || running.front().score / penalty > finished_.back().score);
  if (can_improve && !(full && params.early_stopping)) {
    go_on(scheduler, running);
  } else {
    scheduler.cancel(*group());
  }
  return generated;
}

std::vector<BeamTask::Candidate> BeamTask::best_candidates() const {
  const bool may_end = generated_ > *request_.params.min_tokens;
  std::vector<Candidate> all;
  for (size_t i = 0; i < beams_.size(); ++i) {
    for (const TokenLogprob& next : beams_[i]->next) {
      const bool ends = request_.ends_generation(next.token) || request_.stops(next.token);
      if (may_end || !ends) all.push_back({beams_[i]->score + next.logprob, i, &next});
    }
  }
  std::ranges::stable_sort(all, std::greater(), &Candidate::score);
  if (all.size() > static_cast<size_t>(top_)) all.resize(static_cast<size_t>(top_));
  return all;
}

void BeamTask::add_finished(const Candidate& candidate, bool stopped, double score) {
  const Beam& beam = *beams_[candidate.beam];
  Completion completion{.finish_reason = stopped ? FinishReason::kStop : FinishReason::kLength,
                        .cumulative_logprob = static_cast<float>(candidate.score)};
  const std::vector<int32_t>& tokens = beam.sequence->tokens;
  completion.token_ids.assign(tokens.begin() + beam.sequence->prompt_len, tokens.end());
  completion.token_ids.push_back(candidate.token->token);
  if (request_.params.logprobs.has_value()) {
    completion.logprobs = beam.logprobs;
    completion.logprobs.push_back(*candidate.token);
  }
  if (stopped && !request_.ends_generation(candidate.token->token)) {
    completion.stop_reason = std::to_string(candidate.token->token);
  }
  const auto worse = [&](const Finished& other) { return other.score < score; };
  finished_.insert(std::ranges::find_if(finished_, worse), {score, std::move(completion)});
  if (finished_.size() > width_) finished_.pop_back();
}

void BeamTask::go_on(scheduler::Scheduler& scheduler, const std::vector<Candidate>& chosen) {
  std::vector<size_t> uses(beams_.size(), 0);
  for (const Candidate& candidate : chosen) ++uses[candidate.beam];
  for (size_t i = 0; i < beams_.size(); ++i) {
    if (uses[i] == 0) scheduler.finish(*beams_[i]->sequence);
  }
  std::vector<std::unique_ptr<Beam>> next;
  for (const Candidate& candidate : chosen) {
    const Beam& parent = *beams_[candidate.beam];
    auto& beam = next.emplace_back(std::make_unique<Beam>());
    beam->score = candidate.score;
    if (request_.params.logprobs.has_value()) {
      beam->logprobs = parent.logprobs;
      beam->logprobs.push_back(*candidate.token);
    }
    // The parent's sequence goes to the last that goes on from it, the others fork.
    if (--uses[candidate.beam] > 0) {
      beam->sequence = &scheduler.fork(*parent.sequence);
    } else {
      beam->sequence = parent.sequence;
    }
  }
  for (size_t i = 0; i < chosen.size(); ++i) scheduler.append(*next[i]->sequence, chosen[i].token->token);
  beams_ = std::move(next);
}

void BeamTask::close(FinishReason reason, const std::string& error) {
  if (reason != FinishReason::kNone) finished_.clear();  // not the best ones yet
  Usage usage{.prompt_tokens = group()->prompt_len(), .cached_tokens = group()->cached_tokens()};
  const auto answers = std::min(finished_.size(), static_cast<size_t>(*request_.params.n));
  for (size_t i = 0; i < answers; ++i) {
    Completion& completion = finished_[i].completion;
    completion.index = static_cast<int>(i);
    usage.completion_tokens += static_cast<int>(completion.token_ids.size());
    std::span<const int32_t> shown = completion.token_ids;
    if (completion.finish_reason == FinishReason::kStop) shown = shown.first(shown.size() - 1);
    completion.text = request_.tokenizer->decode(shown, request_.text.skip_special);
    request_.channel->complete(std::move(completion));
  }
  if (request_.prompt_logprobs) request_.channel->set_prompt_logprobs(request_.prompt_logprobs->take());
  request_.channel->close(reason, error, usage);
}

}  // namespace caravel::engine
