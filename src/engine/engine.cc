#include "caravel/engine.h"

#include <random>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "engine/beam_task.h"
#include "engine/embed_task.h"
#include "engine/engine_impl.h"
#include "engine/generate_task.h"
#include "engine/score_task.h"
#include "scheduler/scheduler.h"

namespace caravel {

std::unique_ptr<Engine> Engine::open(const EngineConfig& config) {
  return std::make_unique<engine::EngineImpl>(config);
}

namespace engine {
namespace {

class Handle final : public RequestHandle {
 public:
  Handle(std::shared_ptr<RequestChannel> channel, std::shared_ptr<Mailbox> mailbox)
      : channel_(std::move(channel)), mailbox_(std::move(mailbox)) {}
  ~Handle() override {
    channel_->detach();
    cancel();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const std::string& id() const override { return channel_->id(); }
  std::optional<Delta> next() override { return channel_->next(nullptr, nullptr); }
  std::optional<Delta> next_until(std::chrono::steady_clock::time_point deadline, bool* timed_out) override {
    return channel_->next(&deadline, timed_out);
  }
  const Result& result() override { return channel_->result(); }
  void cancel() override {
    channel_->cancel();
    mailbox_->poke();
  }

 private:
  std::shared_ptr<RequestChannel> channel_;
  std::shared_ptr<Mailbox> mailbox_;
};

uint64_t entropy() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

/// Rough costs, in seconds, of an ordinary processor: only their proportions matter.
scheduler::PreemptionCost preemption_cost(const LoadedModel& model) {
  constexpr double kMultiplyAdds = 1e11;  // a second, of GEMMs
  constexpr double kAttention = 2e10;     // likewise, of attention
  constexpr double kCopy = 5e9;           // bytes a second
  const model::ModelConfig& config = model.decoder->config();
  const auto layers = static_cast<double>(config.layers.size());
  return {.token = static_cast<double>(model.info.layer_parameters) / kMultiplyAdds,
          .pair = 2 * layers * config.num_heads * config.head_dim / kAttention,
          .block = static_cast<double>(model.decoder->kv_layout().block_bytes()) / kCopy};
}

scheduler::SchedulerConfig scheduler_config(const EngineConfig& config, const LoadedModel& model,
                                            const EngineHooks& hooks) {
  std::vector<int> windows;
  for (const model::KvGroup& group : model.decoder->kv_layout().groups) windows.push_back(group.window);
  return {.max_num_seqs = config.max_num_seqs,
          .max_num_batched_tokens = config.max_num_batched_tokens,
          .policy = config.policy,
          .preemption = config.preemption,
          .cost = preemption_cost(model),
          .kv = {.block_size = config.block_size,
                 .num_blocks = model.sizes.blocks,
                 .num_host_blocks = model.sizes.host_blocks,
                 .windows = std::move(windows),
                 .prefix_caching = config.enable_prefix_caching,
                 .hash_seed = entropy()},
          .preempt_every_draw = hooks.preempt_every_draw};
}

}  // namespace

EngineImpl::EngineImpl(const EngineConfig& config, const EngineHooks& hooks)
    : EngineImpl(config, hooks, load_model(config)) {}

EngineImpl::EngineImpl(const EngineConfig& config, const EngineHooks& hooks, LoadedModel model)
    : config_(config),
      model_(std::move(model)),
      storage_(*model_.device, model_.decoder->kv_layout(), config.block_size, model_.sizes.kv_dtype,
               model_.sizes.blocks, model_.sizes.host_blocks),
      store_(model_.sizes.blocks, model_.sizes.host_blocks, config.block_size),
      runner_(*model_.device, *model_.decoder, storage_,
              {.max_tokens = config.max_num_batched_tokens,
               .max_rows = config.max_num_seqs,
               .max_model_len = model_.sizes.max_model_len,
               .max_top = kMaxTop,
               .profile = config.profile}),
      limits_{.max_model_len = model_.sizes.max_model_len, .max_num_seqs = config.max_num_seqs},
      grammars_(model_),
      seed_(config.seed != 0 ? config.seed : entropy()),
      loop_(scheduler_config(config, model_, hooks), config.max_time_between_tokens, runner_, store_,
            hooks.before_step) {
  model_.info.activation_bytes += static_cast<int64_t>(runner_.buffer_bytes());
}

std::unique_ptr<RequestHandle> EngineImpl::submit(Request request, std::function<void()> on_news) {
  const uint64_t number = requests_.fetch_add(1);
  if (request.id.empty()) request.id = fmt::format("request-{}", number + 1);
  const uint64_t seed = hash128(&number, sizeof(number), {seed_, 0}).low;
  Generation generation =
      make_generation(std::move(request), model_, limits_, store_, grammars_, seed, std::move(on_news));
  const std::shared_ptr<RequestChannel> channel = generation.channel;
  std::shared_ptr<Task> task;
  if (generation.params().use_beam_search && generation.params().max_tokens > 0) {
    task = std::make_shared<BeamTask>(std::move(generation));
  } else {
    task = std::make_shared<GenerateTask>(std::move(generation));
  }
  loop_.submit(std::move(task));
  return std::make_unique<Handle>(channel, loop_.mailbox());
}

std::vector<Score> EngineImpl::score(const ScoreRequest& request) {
  const int vocab_size = model_.info.vocab_size;
  check_tokens(request.prefix, vocab_size, "the prefix");
  if (request.continuations.empty()) throw fail<InvalidArgument>("continuations is empty: give at least one");
  for (const auto& continuation : request.continuations) {
    check_tokens(continuation, vocab_size, "a continuation");
    if (request.prefix.size() + continuation.size() > static_cast<size_t>(limits_.max_model_len)) {
      throw fail<InvalidArgument>(
          "a prefix of {} tokens with a continuation of {} is longer than max_model_len, which is {}",
          request.prefix.size(), continuation.size(), limits_.max_model_len);
    }
  }
  if (limits_.max_num_seqs > 1) return score_at_once(request);
  // A prefix cannot stay beside a continuation: one after the other, each finds the prefix cached.
  std::vector<Score> scores;
  scores.reserve(request.continuations.size());
  for (const auto& continuation : request.continuations) {
    scores.push_back(score_at_once({.prefix = request.prefix, .continuations = {continuation}}).front());
  }
  return scores;
}

std::vector<Score> EngineImpl::score_at_once(ScoreRequest request) {
  // As many at once as the pool is sure to hold.
  int sequences = limits_.max_num_seqs;
  while (sequences > 2 && !loop_.fits(ScoreTask::group_params(request, sequences))) sequences /= 2;
  const auto task = std::make_shared<ScoreTask>(std::move(request), sequences);
  std::future<std::vector<Score>> result = task->result();
  loop_.submit(task);
  return result.get();
}

std::vector<float> EngineImpl::embed(std::span<const int32_t> tokens) {
  check_tokens(tokens, model_.info.vocab_size, "the text");
  if (tokens.size() > static_cast<size_t>(limits_.max_model_len)) {
    throw fail<InvalidArgument>("the text has {} tokens; max_model_len is {}: shorten it", tokens.size(),
                                limits_.max_model_len);
  }
  const auto task = std::make_shared<EmbedTask>(tokens);
  std::future<std::vector<float>> result = task->result();
  loop_.submit(task);
  return result.get();
}

}  // namespace engine
}  // namespace caravel
