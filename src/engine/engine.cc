#include "caravel/engine.h"

#include <random>
#include <utility>

#include "base/available_memory.h"
#include "base/check.h"
#include "base/error.h"
#include "base/hash.h"
#include "chat/answers.h"
#include "engine/beam_task.h"
#include "engine/chat_conversation.h"
#include "engine/choose_sizes.h"
#include "engine/embed_task.h"
#include "engine/encoder_engine.h"
#include "engine/engine_impl.h"
#include "engine/generate_task.h"
#include "engine/handle.h"
#include "engine/memory_plan.h"
#include "engine/score_task.h"
#include "model/arch/architecture.h"
#include "scheduler/scheduler.h"

namespace caravel {

std::unique_ptr<Engine> Engine::open(const EngineConfig& config) {
  engine::check_config(config);
  std::unique_ptr<format::WeightSource> source = engine::open_source(config);
  if (model::names_encoder(*source)) return std::make_unique<engine::EncoderEngine>(config, std::move(source));
  return std::make_unique<engine::EngineImpl>(config, engine::EngineHooks{}, std::move(source));
}

namespace engine {
namespace {

uint64_t entropy() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

/// Rough costs, in seconds, of an ordinary processor: only their proportions matter.
scheduler::PreemptionCost preemption_cost(const LoadedModel& model) {
  constexpr double kMultiplyAdds = 1e11;  // a second, of GEMMs
  constexpr double kAttention = 2e10;     // a second, of attention
  constexpr double kCopy = 5e9;           // bytes a second
  const model::ModelConfig& config = model.rank->decoder().config();
  const auto layers = static_cast<double>(config.layers.size());
  return {.token = static_cast<double>(model.info.layer_parameters) / kMultiplyAdds,
          .pair = 2 * layers * config.num_heads * config.head_dim / kAttention,
          .block = static_cast<double>(model.rank->decoder().kv_layout().block_bytes()) / kCopy};
}

std::vector<int> windows_of(const model::KvLayout& layout) {
  std::vector<int> windows;
  for (const model::KvGroup& group : layout.groups) windows.push_back(group.window);
  return windows;
}

scheduler::SchedulerConfig scheduler_config(const LoadedModel& model, const EngineHooks& hooks) {
  const EngineConfig& config = model.config;
  return {.max_num_seqs = config.max_num_seqs,
          .max_num_batched_tokens = config.max_num_batched_tokens,
          .max_steps = model.sizes.steps_in_flight,
          .policy = config.policy,
          .priority_ageing = config.priority_ageing,
          .preemption = config.preemption,
          .cost = preemption_cost(model),
          .kv = {.block_size = config.block_size,
                 .num_blocks = model.sizes.blocks,
                 .num_host_blocks = model.sizes.host_blocks,
                 .windows = windows_of(model.rank->decoder().kv_layout()),
                 .prefix_caching = config.enable_prefix_caching,
                 .hash_seed = entropy()},
          .preempt_every_draw = hooks.preempt_every_draw};
}

/// A quarter of the memory for log-probabilities keeps those of cached prompts, the rest is the requests'.
int64_t kept_logprobs(const LoadedModel& model) {
  return model.info.memory.logprobs / 4 / static_cast<int64_t>(sizeof(std::pair<int32_t, float>));
}

RequestLimits request_limits(const LoadedModel& model) {
  const EngineConfig& config = model.config;
  return {.max_model_len = model.sizes.max_model_len,
          .max_num_seqs = config.max_num_seqs,
          .pool = {.block_size = config.block_size,
                   .blocks = model.sizes.blocks,
                   .windows = windows_of(model.rank->decoder().kv_layout())},
          .logprob_memory = model.info.memory.logprobs / 4 * 3};
}

}  // namespace

EngineImpl::EngineImpl(const EngineConfig& config, const EngineHooks& hooks,
                       std::unique_ptr<format::WeightSource> source)
    : EngineImpl(hooks, load_model(config, std::move(source), hooks.load)) {}

EngineImpl::EngineImpl(const EngineHooks& hooks, LoadedModel model)
    : model_(std::move(model)),
      executor_(hooks.executor ? hooks.executor(model_.executor()) : nullptr),
      store_(model_.sizes.blocks, model_.sizes.host_blocks, model_.config.block_size, kept_logprobs(model_)),
      limits_(request_limits(model_)),
      logprobs_(limits_.logprob_memory),
      grammars_(
          model_, [mailbox = mailbox_] { mailbox->mask_ready(); }, hooks.before_mask),
      seed_(model_.config.seed != 0 ? model_.config.seed : entropy()),
      loop_({.scheduler = scheduler_config(model_, hooks),
             .max_step_seconds = model_.config.max_time_between_tokens,
             .vocab_size = model_.info.vocab_size},
            executor_ ? *executor_ : model_.executor(), store_, grammars_.memory, mailbox_) {
  // Less for a lowered context.
  CARAVEL_CHECK_LE(model_.rank->buffer_bytes(), static_cast<size_t>(model_.info.memory.activations));
}

std::unique_ptr<RequestHandle> EngineImpl::run(std::vector<std::shared_ptr<Task>> tasks,
                                               std::shared_ptr<RequestChannel> channel, Budget::Part logprobs) {
  loop_.submit(std::move(tasks));
  return std::make_unique<Handle>(std::move(channel), [mailbox = mailbox_] { mailbox->poke(); }, std::move(logprobs));
}

Budget::Part EngineImpl::hold_logprobs(int64_t bytes) const {
  Budget::Part part = logprobs_.part();
  if (!part.resize(bytes)) {
    throw fail<Busy>(
        "its log-probabilities may take {}, and of the {} that there is for them others hold {}: send it again when "
        "they have ended, or ask for fewer",
        memory_text(bytes), memory_text(logprobs_.total()), memory_text(logprobs_.used()));
  }
  return part;
}

std::unique_ptr<RequestHandle> EngineImpl::submit(Request request, OnNews on_news) {
  const uint64_t number = numbers_.number(request.id);
  const uint64_t seed = hash128(&number, sizeof(number), {seed_, 0}).low;
  CheckedRequest checked =
      check_request(std::move(request), model_, limits_, store_, grammars_, seed, std::move(on_news));
  std::shared_ptr<RequestChannel> channel = checked.channel;
  Budget::Part logprobs = hold_logprobs(checked.logprob_bytes);
  std::shared_ptr<Task> task;
  if (checked.params.use_beam_search && checked.params.max_tokens > 0) {
    task = std::make_shared<BeamTask>(std::move(checked));
  } else {
    task = std::make_shared<GenerateTask>(std::move(checked));
  }
  return run({std::move(task)}, std::move(channel), std::move(logprobs));
}

std::unique_ptr<RequestHandle> EngineImpl::chat(ChatRequest request, OnNews on_news) {
  SamplingParams& sampling = request.sampling;
  auto [prompt, layout] = model_.renderer->prepare(conversation_of(request), sampling);
  Request generation{.id = std::move(request.id),
                     .prompt = std::move(prompt.tokens),
                     .sampling = std::move(sampling),
                     .priority = request.priority,
                     .background = request.background,
                     .cache_salt = std::move(request.cache_salt)};
  std::unique_ptr<RequestHandle> handle;
  try {
    handle = submit(std::move(generation), std::move(on_news));
  } catch (const Error& error) {
    if (const auto field = chat::about_tool(error, layout.forced)) throw *field;
    throw;
  }
  return chat::read_answers(std::move(handle), std::move(layout));
}

void EngineImpl::check_score(const ScoreRequest& request) const {
  const int vocab_size = model_.info.vocab_size;
  if (request.items.empty()) throw fail<InvalidArgument>("items is empty: give at least one prefix to score after");
  for (const auto& [prefix, continuations, given] : request.items) {
    check_tokens(prefix, vocab_size, "the prefix");
    if (continuations.empty()) throw fail<InvalidArgument>("continuations is empty: give at least one");
    for (const auto& continuation : continuations) {
      check_tokens(continuation, vocab_size, "a continuation");
      if (prefix.size() + continuation.size() > static_cast<size_t>(limits_.max_model_len)) {
        throw fail<InvalidArgument>(
            "a prefix of {} tokens with a continuation of {} is longer than max_model_len, which is {}", prefix.size(),
            continuation.size(), limits_.max_model_len);
      }
    }
    if (given.empty()) continue;
    if (given.size() != continuations.size()) {
      throw fail<InvalidArgument>("given has {} numbers, and there are {} continuations: one for each", given.size(),
                                  continuations.size());
    }
    for (size_t i = 0; i < given.size(); ++i) {
      if (given[i] < 0 || static_cast<size_t>(given[i]) >= continuations[i].size()) {
        throw fail<InvalidArgument>("of a continuation of {} tokens {} are given: some must be left to be scored",
                                    continuations[i].size(), given[i]);
      }
    }
  }
}

std::vector<ScoreTask::Part> EngineImpl::score_parts(const ScoreRequest& request) const {
  std::vector<ScoreTask::Part> parts;
  for (size_t i = 0; i < request.items.size(); ++i) {
    const std::span continuations = request.items[i].continuations;
    const std::span given = request.items[i].given;
    // Where one sequence runs at a time, or the pool holds no more, a prefix cannot stay beside a continuation: they go
    // one after the other, and each finds the prefix cached.
    const ScoreTask::Part whole{.prefix = i, .first = 0, .continuations = continuations, .given = given};
    const bool beside = limits_.max_num_seqs > 1 && loop_.fits(ScoreTask::group_params(request, whole, 2));
    const size_t at_once = beside ? continuations.size() : 1;
    for (size_t first = 0; first < continuations.size(); first += at_once) {
      parts.push_back({.prefix = i,
                       .first = first,
                       .continuations = continuations.subspan(first, at_once),
                       .given = given.empty() ? given : given.subspan(first, at_once)});
    }
  }
  return parts;
}

std::unique_ptr<RequestHandle> EngineImpl::score(ScoreRequest request, OnNews on_news) {
  check_score(request);
  numbers_.number(request.id);
  const std::vector<ScoreTask::Part> parts = score_parts(request);
  auto channel = std::make_shared<RequestChannel>(
      request.id, RequestChannel::Shape{.prefixes = request.items.size(), .tasks = parts.size()}, std::move(on_news));
  std::vector<std::shared_ptr<Task>> tasks;
  tasks.reserve(parts.size());
  for (const ScoreTask::Part& part : parts) {
    // As many at once as the pool is sure to hold.
    int sequences = limits_.max_num_seqs;
    scheduler::GroupParams group = ScoreTask::group_params(request, part, sequences);
    while (sequences > 2 && !loop_.fits(group)) group = ScoreTask::group_params(request, part, sequences /= 2);
    tasks.push_back(std::make_shared<ScoreTask>(std::move(group), part, channel));
  }
  return run(std::move(tasks), std::move(channel));
}

std::unique_ptr<RequestHandle> EngineImpl::embed(EmbedRequest request, OnNews on_news) {
  check_text(request, model_.info);
  numbers_.number(request.id);
  auto channel = std::make_shared<RequestChannel>(request.id, RequestChannel::Shape{}, std::move(on_news));
  return run({std::make_shared<EmbedTask>(EmbedTask::group_params(request), channel)}, channel);
}

}  // namespace engine
}  // namespace caravel
