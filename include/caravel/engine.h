#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "caravel/config.h"
#include "caravel/decision.h"
#include "caravel/error.h"
#include "caravel/memory_plan.h"
#include "caravel/request.h"
#include "caravel/result.h"
#include "caravel/stats.h"
#include "caravel/tokenizer.h"

namespace caravel {

class EngineMonitor;

/// What was opened, for people and for /v1/models.
struct ModelInfo {
  std::string path;
  std::string name;
  std::string architecture;
  std::string fingerprint;  // tells its weights from others', also under the same name; empty: they were not read
  std::string device;
  int64_t parameters = 0;         // elements of all weights
  int64_t active_parameters = 0;  // the same without the experts that a token does not go to
  int64_t layer_parameters = 0;   // elements of the layers' matrices, likewise: multiply-adds that a prompt token costs
  int layers = 0, hidden_size = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate_size = 0, vocab_size = 0;
  // Of a model with experts: how many a layer has, how many of them a token goes to, how wide each is, and how wide
  // those are together that every token has. All 0: it has none.
  int experts = 0, experts_per_token = 0, expert_intermediate_size = 0, shared_intermediate_size = 0;
  int model_max_position = 0;  // what the model was made for
  int max_model_len = 0;       // what this engine takes
  std::string pooling;         // of an encoder: how a text's states become its vector, "mean"; empty: it is none
  bool normalizes = false;     // an encoder's vectors are scaled to length 1, as its files have it
  struct TypeTotal {
    std::string dtype;
    int tensors = 0;
    int64_t elements = 0;
    int64_t bytes = 0;
  };
  std::vector<TypeTotal> weights_by_type;
  int64_t weight_bytes = 0;        // in memory, packed
  int64_t token_weight_bytes = 0;  // of these a token's pass reads, where it is alone
  int64_t kv_bytes_per_token = 0;  // all layers, keys and values
  int64_t kv_pool_bytes = 0;
  int64_t activation_bytes = 0;
  int64_t kv_blocks = 0;
  int block_size = 0;
  int max_num_seqs = 0;            // sequences in one step
  int max_num_batched_tokens = 0;  // tokens in one step
  /// Of layers, each of which has blocks of its own: more than one where some have a window, and need none beyond it.
  int kv_groups = 1;
  int64_t kv_tokens = 0;      // how many fit the pool, all groups having blocks for each
  std::string chat_template;  // Jinja, by which messages are rendered: EngineConfig's, else the model's; empty: none
  std::string tool_use_template;     // the model's for conversations with tools; empty: they have none of their own
  std::string chat_template_traits;  // EngineConfig's
  std::string tool_call_parser;      // EngineConfig's
  std::string chat_template_error;   // why the model's template cannot be used; empty: it can, or there is none
  std::vector<Decision> decisions;   // what was made of the model's files, and why
  MemoryPlan memory;
  std::string memory_shortage;  // where the model does not fit: the sum, what there is, and what would fit
};

/// What an engine of this configuration would say of its model, and where its memory would go, from the files' headers
/// alone: takes no more time and memory for a large model than for a small one. Of one that does not fit,
/// ModelInfo::memory_shortage says so. Throws NotFound, FormatError, Unsupported, InvalidArgument, CapacityError (the
/// configuration asks for a KV cache or a context that there is no memory for).
ModelInfo describe_model(const EngineConfig& config);

/// It makes embeddings alone: every token sees the whole text (BERT).
inline bool is_encoder(const ModelInfo& model) { return !model.pooling.empty(); }

/// A request that would fit, and does not now: others hold what it needs. To be sent again when they have ended.
class Busy : public Error {
 public:
  using Error::Error;
};

/// What RequestHandle::next() has to say.
struct Next {
  enum class Kind : uint8_t {
    kDelta,    // `delta` is new
    kPending,  // nothing new by the deadline
    kEnded,    // there will be no more: result() is there
  };
  Kind kind = Kind::kPending;
  Delta delta;

  bool pending() const { return kind == Kind::kPending; }
  bool ended() const { return kind == Kind::kEnded; }
  /// There is a delta.
  explicit operator bool() const { return kind == Kind::kDelta; }
  Delta* operator->() { return &delta; }
  const Delta* operator->() const { return &delta; }
  Delta& operator*() { return delta; }
  const Delta& operator*() const { return delta; }
};

/// A request that runs, whatever it asked for. Deltas come in order; after the last one next() says kEnded, and
/// result() has the whole. Scores and embeddings have no deltas. One consumer at a time; dropping the handle cancels
/// the request.
class RequestHandle {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  virtual ~RequestHandle() = default;
  virtual const std::string& id() const = 0;
  /// Waits until something is new (several tokens if the reader was slow), or until the deadline: kPending. Never
  /// throws for what went wrong in the engine: that is the last delta's kError and result().error. Beams come at the
  /// end, whole.
  virtual Next next(Deadline deadline) = 0;
  Next next() { return next(Deadline::max()); }
  /// What there is now.
  Next poll() { return next(Deadline::min()); }
  /// Waits for the end. Valid while the handle lives.
  virtual const Result& result() = 0;
  /// What the request's JSON schemas say and its answers are not held to, because JSON Schema takes it for annotations:
  /// keywords that are not known, and formats, as "format:NAME". Each once.
  virtual std::vector<std::string> schema_annotations() const { return {}; }
  /// Ends it within one step; what was generated is kept and finish_reason is kCancelled. Idempotent.
  virtual void cancel() = 0;
};

/// Called on the engine's thread whenever a handle has something new, its end included: it must be quick, must not call
/// the engine, and is not called after the handle is gone. It lets one thread wait for many requests.
using OnNews = std::function<void()>;

/// An LLM engine: one model, its paged KV cache, a scheduler that batches whatever runs, one thread that steps.
/// Any thread may call any method. Idle, it uses no processor time.
///
///   auto engine = caravel::Engine::open({.model = "smollm2"});
///   auto request = engine->submit({.prompt = "Once upon a time", .sampling = {.max_tokens = 32}});
///   while (auto next = request->next()) std::cout << next->text << std::flush;
class Engine {
 public:
  /// Throws NotFound, FormatError, Unsupported, CapacityError (what was asked and what there is), InvalidArgument.
  static std::unique_ptr<Engine> open(const EngineConfig& config);
  /// Cancels what runs and waits for the step in flight.
  virtual ~Engine() = default;

  // Each queues a request and returns at once. They throw InvalidArgument (a parameter outside its range, an empty
  // prompt, an unknown token id, a prompt longer than max_model_len, more answers at once than the KV pool holds),
  // CapacityError (more log-probabilities than there is memory for) and Busy (than there is memory for now), each with
  // the numbers. An answer is cut (FinishReason::kLength) where max_tokens is more than the context, the KV pool, or
  // the memory for its log-probabilities holds.

  virtual std::unique_ptr<RequestHandle> submit(Request request, OnNews on_news = {}) = 0;
  /// Renders the messages by the model's chat template; its answers come taken apart: Delta::pieces,
  /// Completion::content, reasoning and tool_calls. Throws InvalidArgument also where the model has no template, and
  /// for what the template raises.
  virtual std::unique_ptr<RequestHandle> chat(ChatRequest request, OnNews on_news = {}) = 0;
  /// Each prefix is computed once, whatever the number of its continuations.
  virtual std::unique_ptr<RequestHandle> score(ScoreRequest request, OnNews on_news = {}) = 0;
  /// The mean over the prompt's tokens of the last hidden state after the final norm, not normalised; of an encoder
  /// what its files say (ModelInfo::pooling and normalizes). An encoder does nothing else: the three above throw
  /// InvalidArgument.
  virtual std::unique_ptr<RequestHandle> embed(EmbedRequest request, OnNews on_news = {}) = 0;

  virtual Stats stats() const = 0;
  virtual const ModelInfo& model() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
  /// For those who watch or debug: caravel/monitor.h.
  virtual EngineMonitor& monitor() = 0;
};

}  // namespace caravel
