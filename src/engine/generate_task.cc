#include "engine/generate_task.h"

#include <utility>

#include "base/error.h"

namespace caravel::engine {
namespace {

constexpr int kPrompt = -1;  // part of what is about the prompt

constexpr size_t kBytesPerToken = 8;

}  // namespace

GenerateTask::GenerateTask(CheckedRequest request) : Task(std::move(request.group)), request_(std::move(request)) {
  const SamplingParams& params = request_.params;
  branches_.reserve(static_cast<size_t>(*params.n));
  for (int i = 0; i < *params.n; ++i) {
    branches_.push_back(
        {.index = i,
         .sampler = {request_.rules, static_cast<uint32_t>(i)},
         .text = {*request_.tokenizer, request_.text, static_cast<size_t>(*params.max_tokens) * kBytesPerToken},
         .repetition = RepetitionWatch(*params.repetition_window)});
    if (request_.grammar == nullptr) continue;
    branches_.back().constraint =
        std::make_shared<grammar::Constraint>(request_.grammar, request_.vocab_size, request_.rules->end_ids);
    request_.mask_threads->post(branches_.back().constraint, grammar::MaskThreads::kBegin);
  }
}

void GenerateTask::want(const scheduler::Row& row, int32_t place, StepWants& wants) {
  if (request_.prompt_logprobs) request_.prompt_logprobs->want(row, place, {this, {.part = kPrompt}}, wants);
  if (!row.draws) return;
  if (*request_.params.max_tokens == 0) return;
  const auto draw = [&](Branch& branch) {
    wants.draw({this, {.part = branch.index}}, place + row.count - 1, branch.sampler, group()->params().prompt,
               branch.constraint ? &branch.constraint->mask() : nullptr, request_.top);
    row.sequence->sampler = branch.sampler.slot();
  };
  if (forked_) {
    draw(branches_[static_cast<size_t>(row.sequence->part)]);
  } else {
    for (Branch& branch : branches_) draw(branch);
  }
}

void GenerateTask::apply(const About& about, const TokenOutput& token, const StepOutput& output) {
  if (about.part == kPrompt) {
    request_.prompt_logprobs->apply(about, token, output);
    return;
  }
  Branch& branch = branches_[static_cast<size_t>(about.part)];
  if (branch.finish_reason != FinishReason::kNone) return;  // it ended while the step was in flight
  branch.drew = true;
  branch.dead_end = token.dead_end;
  branch.drawn = token_logprob(token, output);
}

int GenerateTask::advance(scheduler::Scheduler& scheduler) {
  int generated = 0;
  for (Branch& branch : branches_) {
    if (!branch.drew) continue;
    if (branch.dead_end) {
      end_constrained(branch);
      continue;
    }
    accept(branch);
    ++generated;
  }
  if (!forked_ && group()->first().num_drawn > 0) {
    fork(scheduler);
  } else {
    for (Branch& branch : branches_) {
      if (branch.sequence == nullptr || branch.finish_reason == FinishReason::kNone) continue;
      scheduler.finish(*std::exchange(branch.sequence, nullptr));
    }
  }
  for (Branch& branch : branches_) {
    if (!std::exchange(branch.drew, false) || branch.sequence == nullptr) continue;
    scheduler.append(*branch.sequence, branch.drawn.token);
    // While the next step is planned and its forward pass runs.
    if (branch.constraint) request_.mask_threads->post(branch.constraint, branch.drawn.token);
  }
  return generated;
}

void GenerateTask::fork(scheduler::Scheduler& scheduler) {
  forked_ = true;
  scheduler::Sequence& prompt = group()->first();
  bool taken = false;
  for (Branch& branch : branches_) {
    if (*request_.params.max_tokens == 0) finish(branch, FinishReason::kLength, "");
    if (branch.finish_reason != FinishReason::kNone) continue;
    if (!taken) {
      // The first that goes on does so on the prompt's own sequence.
      taken = true;
      prompt.part = branch.index;
      branch.sequence = &prompt;
    } else {
      branch.sequence = &scheduler.fork(prompt, branch.index);
    }
  }
  if (!taken) scheduler.finish(prompt);
}

void GenerateTask::end_constrained(Branch& branch) {
  const grammar::Constraint& constraint = *branch.constraint;
  if (!constraint.error().empty()) {
    request_.channel->set_own_error();
    throw fail<Error>("{}", constraint.error());
  }
  if (!constraint.complete()) {
    request_.channel->set_own_error();
    throw fail<InvalidArgument>(
        "no token can follow: those that the grammar allows are ruled out by the vocabulary, allowed_token_ids, "
        "bad_words, logit_bias or stop_token_ids");
  }
  branch.text.finish();
  finish(branch, FinishReason::kStop, "");
}

void GenerateTask::accept(Branch& branch) {
  const SamplingParams& params = request_.params;
  const int32_t token = branch.drawn.token;
  const bool may_stop = branch.tokens >= *params.min_tokens;
  ++branch.tokens;
  const bool ends = may_stop && request_.ends_generation(token);
  const bool stops = may_stop && !ends && request_.stops(token);
  const std::string* stop = nullptr;
  if (!ends && (!stops || params.include_stop_str_in_output)) stop = branch.text.push(token, may_stop);
  TokenLogprob* const detail = request_.top >= 0 ? &branch.drawn : nullptr;
  request_.channel->append(branch.index, token, branch.text.take(), branch.drawn.logprob, detail);
  if (stop != nullptr) {
    finish(branch, FinishReason::kStop, *stop);
  } else if (ends || stops) {
    branch.text.finish();
    finish(branch, FinishReason::kStop, stops ? std::to_string(token) : "");
  } else if (const bool goes_round = branch.repetition.add(token); goes_round || branch.tokens >= *params.max_tokens) {
    branch.text.finish();
    finish(branch, FinishReason::kLength, goes_round ? kRepetitionDetected : "");
  }
}

void GenerateTask::finish(Branch& branch, FinishReason reason, std::string_view stop_reason) {
  branch.finish_reason = reason;
  request_.channel->finish(branch.index, branch.text.take(), reason, stop_reason);
}

void GenerateTask::close(FinishReason reason, const std::string& error) {
  for (Branch& branch : branches_) {
    if (branch.finish_reason != FinishReason::kNone) continue;
    branch.text.finish();
    finish(branch, reason, "");
  }
  Usage usage{.prompt_tokens = group()->prompt_len(), .cached_tokens = group()->cached_tokens()};
  for (const Branch& branch : branches_) usage.completion_tokens += branch.tokens;
  if (request_.prompt_logprobs) request_.channel->set_prompt_logprobs(request_.prompt_logprobs->take());
  request_.channel->close(reason, error, usage);
}

}  // namespace caravel::engine
