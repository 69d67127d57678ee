#include "engine/generate_task.h"

#include <utility>

#include "base/error.h"

namespace caravel::engine {
namespace {

/// Tags of draws, beyond those of prompt positions.
constexpr int64_t kDraw = int64_t{1} << 32;

constexpr size_t kBytesPerToken = 8;

}  // namespace

GenerateTask::GenerateTask(Generation generation)
    : Task(std::move(generation.group)), generation_(std::move(generation)) {
  const SamplingParams& params = generation_.params();
  answers_.reserve(static_cast<size_t>(params.n));
  for (int i = 0; i < params.n; ++i) {
    answers_.push_back(
        {.member = {this, i},
         .state = {generation_.rules, static_cast<uint32_t>(i), group()->params().prompt},
         .text = {*generation_.tokenizer, generation_.text, static_cast<size_t>(params.max_tokens) * kBytesPerToken}});
    if (generation_.grammar == nullptr) continue;
    answers_.back().constraint = std::make_shared<grammar::Constraint>(
        generation_.grammar, generation_.vocab_size, generation_.rules->end_ids);
    generation_.mask_thread->post(answers_.back().constraint, grammar::MaskThread::kBegin);
  }
}

void GenerateTask::want(const scheduler::Row& row, int32_t first, StepWants& wants) {
  if (generation_.prompt_logprobs) generation_.prompt_logprobs->want(row, first, this, wants);
  if (!row.draws) return;
  prompt_done_ = true;
  if (generation_.params().max_tokens == 0) return;
  const auto draw = [&](const Answer& answer) {
    wants.logits.push_back({.row = first + row.count - 1,
                            .sample = {.state = &answer.state,
                                       .tokens = row.sequence->tokens,
                                       .mask = answer.constraint ? &answer.constraint->mask() : nullptr,
                                       .top = generation_.top},
                            .task = this,
                            .tag = kDraw + answer.member.index});
  };
  if (forked_) {
    draw(answers_[static_cast<size_t>(static_cast<const Member*>(row.sequence->payload)->index)]);
  } else {
    for (const Answer& answer : answers_) draw(answer);
  }
}

void GenerateTask::receive(const LogitsWant& want, const sampler::Sampler& sampler, size_t row) {
  if (want.tag < kDraw) {
    generation_.prompt_logprobs->receive(want, sampler, row);
    return;
  }
  Answer& answer = answers_[static_cast<size_t>(want.tag - kDraw)];
  answer.drew = true;
  answer.dead_end = sampler.dead_end(row);
  if (generation_.top >= 0) {
    answer.drawn = sampler.token_logprob(row, generation_.top);
  } else {
    answer.drawn.token = sampler.token(row);
    answer.drawn.logprob = sampler.logprob(row);
  }
}

int GenerateTask::advance(scheduler::Scheduler& scheduler) {
  int generated = 0;
  for (Answer& answer : answers_) {
    if (!answer.drew) continue;
    if (answer.dead_end) {
      end_constrained(answer);
      continue;
    }
    accept(answer);
    ++generated;
  }
  if (prompt_done_ && !forked_) {
    fork(scheduler);
  } else {
    for (Answer& answer : answers_) {
      if (answer.sequence == nullptr || answer.finish_reason == FinishReason::kNone) continue;
      scheduler.finish(*std::exchange(answer.sequence, nullptr));
    }
  }
  for (Answer& answer : answers_) {
    if (!std::exchange(answer.drew, false) || answer.sequence == nullptr) continue;
    scheduler.append(*answer.sequence, answer.drawn.token);
    answer.state.append(answer.drawn.token);
    // While the next step is planned and its forward pass runs.
    if (answer.constraint) generation_.mask_thread->post(answer.constraint, answer.drawn.token);
  }
  return generated;
}

void GenerateTask::fork(scheduler::Scheduler& scheduler) {
  forked_ = true;
  scheduler::Sequence& prompt = group()->first();
  bool taken = false;
  for (Answer& answer : answers_) {
    if (generation_.params().max_tokens == 0) finish(answer, FinishReason::kLength, "");
    if (answer.finish_reason != FinishReason::kNone) continue;
    if (!taken) {
      // The first that goes on does so on the prompt's own sequence.
      taken = true;
      prompt.payload = &answer.member;
      answer.sequence = &prompt;
    } else {
      answer.sequence = &scheduler.fork(prompt, &answer.member);
    }
  }
  if (!taken) scheduler.finish(prompt);
}

void GenerateTask::end_constrained(Answer& answer) {
  const grammar::Constraint& constraint = *answer.constraint;
  if (!constraint.error().empty()) throw fail<Error>("{}", constraint.error());
  if (!constraint.complete()) {
    throw fail<Error>(
        "no token can follow: those that the grammar allows are ruled out by the vocabulary, allowed_token_ids, "
        "bad_words, logit_bias or stop_token_ids");
  }
  answer.text.finish();
  finish(answer, FinishReason::kStop, "");
}

void GenerateTask::accept(Answer& answer) {
  const SamplingParams& params = generation_.params();
  const int32_t token = answer.drawn.token;
  const bool may_stop = answer.tokens >= params.min_tokens;
  ++answer.tokens;
  const bool ends = may_stop && generation_.ends_generation(token);
  const bool stops = may_stop && !ends && generation_.stops(token);
  const std::string* stop = nullptr;
  if (!ends && (!stops || params.include_stop_str_in_output)) stop = answer.text.push(token, may_stop);
  TokenLogprob* const detail = generation_.top >= 0 ? &answer.drawn : nullptr;
  generation_.channel->append(answer.member.index, token, answer.text.take(), answer.drawn.logprob, detail);
  if (stop != nullptr) {
    finish(answer, FinishReason::kStop, *stop);
  } else if (ends || stops) {
    answer.text.finish();
    finish(answer, FinishReason::kStop, stops ? std::to_string(token) : "");
  } else if (answer.tokens >= params.max_tokens) {
    answer.text.finish();
    finish(answer, FinishReason::kLength, "");
  }
}

void GenerateTask::finish(Answer& answer, FinishReason reason, std::string_view stop_reason) {
  answer.finish_reason = reason;
  generation_.channel->finish(answer.member.index, answer.text.take(), reason, stop_reason);
}

void GenerateTask::close(FinishReason reason, const std::string& error) {
  for (Answer& answer : answers_) {
    if (answer.finish_reason != FinishReason::kNone) continue;
    answer.text.finish();
    finish(answer, reason, "");
  }
  Usage usage{.prompt_tokens = group()->prompt_len(), .cached_tokens = group()->cached_tokens()};
  for (const Answer& answer : answers_) usage.completion_tokens += answer.tokens;
  std::vector<TokenLogprob> prompt_logprobs;
  if (generation_.prompt_logprobs) prompt_logprobs = generation_.prompt_logprobs->take();
  generation_.channel->close(reason, error, usage, std::move(prompt_logprobs));
}

}  // namespace caravel::engine
