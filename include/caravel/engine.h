#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "caravel/monitor.h"
#include "caravel/request.h"
#include "caravel/result.h"
#include "caravel/stats.h"
#include "caravel/tokenizer.h"
#include "text/chat_template.h"

namespace caravel {

/// What was opened, for people and for /v1/models.
struct ModelInfo {
  std::string path;
  std::string name;
  std::string architecture;
  std::string device;
  int64_t parameters = 0;        // elements of all weights
  int64_t layer_parameters = 0;  // of the layers' matrices alone: multiply-adds that a prompt token costs
  int layers = 0, hidden_size = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate_size = 0, vocab_size = 0;
  int model_max_position = 0;  // what the model was made for
  int max_model_len = 0;       // what this engine takes
  struct TypeTotal {
    std::string dtype;
    int tensors = 0;
    int64_t elements = 0;
    int64_t bytes = 0;
  };
  std::vector<TypeTotal> weights_by_type;
  int64_t weight_bytes = 0;        // in memory, packed
  int64_t kv_bytes_per_token = 0;  // all layers, keys and values
  int64_t kv_pool_bytes = 0;
  int64_t activation_bytes = 0;
  int64_t kv_blocks = 0;
  int block_size = 0;
  int64_t kv_tokens = 0;  // how many fit the pool
};

/// A request that runs. Deltas come in order; after the last one next() returns nothing and result() has the whole.
/// One consumer at a time; dropping the handle cancels the request.
class RequestHandle {
 public:
  virtual ~RequestHandle() = default;
  virtual const std::string& id() const = 0;
  /// Waits for what comes next (several tokens if the reader was slow); nothing at the end. Never throws for what went
  /// wrong in the engine: that is the last delta's kError and result().error. Beams come at the end, whole.
  virtual std::optional<Delta> next() = 0;
  /// The same, but gives up at the deadline (`timed_out` tells it from the end).
  virtual std::optional<Delta> next_until(std::chrono::steady_clock::time_point deadline, bool* timed_out) = 0;
  /// Waits for the end. Completions of n are by index, beams best first. Valid while the handle lives.
  virtual const Result& result() = 0;
  /// Ends it within one step; what was generated is kept and finish_reason is kCancelled. Idempotent.
  virtual void cancel() = 0;
};

/// An LLM engine: one model, its paged KV cache, a scheduler that batches whatever runs, one thread that steps.
/// Any thread may call any method. Idle, it uses no processor time.
///
///   auto engine = caravel::Engine::open({.model = "smollm2"});
///   auto request = engine->submit({.prompt = "Once upon a time", .sampling = {.max_tokens = 32}});
///   while (auto delta = request->next()) std::cout << delta->text << std::flush;
class Engine {
 public:
  /// Throws NotFound, FormatError, Unsupported, CapacityError (what was asked and what there is), InvalidArgument.
  static std::unique_ptr<Engine> open(const EngineConfig& config);
  /// Cancels what runs and waits for the step in flight.
  virtual ~Engine() = default;

  /// Queues a request and returns at once. Throws InvalidArgument (a parameter outside its range, an empty prompt, an
  /// unknown token id, a prompt longer than max_model_len) and CapacityError (one that could never fit the KV pool),
  /// each with the numbers. `on_news`, where given, is called on the engine's thread whenever the handle has something
  /// new, its end included: it must be quick, must not call the engine, and is not called after the handle is gone. It
  /// lets one thread wait for many requests (next_until() with a deadline that has passed takes what is there).
  virtual std::unique_ptr<RequestHandle> submit(Request request, std::function<void()> on_news = {}) = 0;

  /// Log-probabilities of many continuations of one prefix, which is computed once: its blocks are shared. Blocks until
  /// done; batches with whatever else runs.
  virtual std::vector<Score> score(const ScoreRequest& request) = 0;

  /// Mean over the prompt's tokens of the last hidden state after the final norm: [hidden_size], not normalised.
  virtual std::vector<float> embed(std::span<const int32_t> tokens) = 0;

  virtual Stats stats() const = 0;
  /// For those who watch: the steps after number `since_step` (0: all that are kept) and the block map. Returns at
  /// once: while the engine steps, the map is of the last step boundary after the call before, so ask every fraction of
  /// a second; who asks only once may get none, or an old one. Costs the engine nothing while nobody asks.
  virtual Monitor monitor(uint64_t since_step) const = 0;
  virtual const ModelInfo& model() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  /// nullptr when the model has none.
  virtual const text::ChatTemplate* chat_template() const = 0;

  /// Waits until nothing runs, then checks every invariant of the block pool (refcounts, free list, prefix index);
  /// aborts with what does not add up. For tests; debug builds do it whenever the engine falls idle.
  virtual void check_integrity() = 0;
};

}  // namespace caravel
