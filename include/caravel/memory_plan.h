#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace caravel {

/// Where an engine's memory goes: made once, when it is opened, before any weight is read. Bytes. What is set aside for
/// requests is a bound and is taken as they come; one that would go beyond it is refused (Busy, or CapacityError where
/// it never fits) or cut. Where the model does not fit, nothing is set aside.
struct MemoryPlan {
  int64_t available = 0;       // before the weights were read; of a GPU: its own memory
  std::string bound_by;        // what sets that, for people: the system, a control group, ulimit
  int64_t host_available = 0;  // of a GPU: the host's memory, where program, budgets and swapped blocks lie
  std::string host_bound_by;   // empty: the device's memory is the host's
  int64_t weights = 0;         // packed; where layers are streamed: those that are not, and room for two that are
  int64_t streamed = 0;        // weights of layers that lie in the host's memory, and come to a GPU in every step
  int streamed_layers = 0;     // how many, spread evenly
  int64_t cpu_layers = 0;      // of layers that the CPU has beside a GPU: weights, a step, keys and values
  int64_t activations = 0;     // what a step computes in
  int64_t program = 0;         // threads, connections, what the allocator keeps
  int64_t bodies = 0;          // bodies of requests, and what is made of them before the engine has them
  int64_t grammars = 0;        // states of constrained answers, and their masks
  int64_t logprobs = 0;        // rows of log-probabilities, in the engine and as they are written
  int64_t swap = 0;            // blocks of preempted requests
  int64_t kv_cache = 0;        // the pool, and what lies beside its blocks
  int64_t kv_least = 0;        // the smallest pool that an engine runs with
  int64_t kv_full = 0;         // what one sequence of full length would take of it
  int full_model_len = 0;      // the context that was wished for: the configuration's, else the model's, at most 8,192
  int max_model_len = 0;       // the context that there is: less where the pool does not hold full_model_len

  /// The device has memory of its own.
  bool apart() const { return !host_bound_by.empty(); }
  /// What lies in the host's memory.
  int64_t of_host() const { return program + streamed + cpu_layers + bodies + grammars + logprobs + swap; }
  /// The least that an engine of this model takes of what is available.
  int64_t needed() const { return weights + activations + (apart() ? 0 : program) + kv_least; }
  /// The host has room for layers that are streamed, and for the CPU's.
  bool host_fits() const { return streamed + cpu_layers == 0 || program + streamed + cpu_layers <= host_available; }
  /// The model can be loaded.
  bool fits() const { return needed() <= available && host_fits(); }
  /// What nobody has been given; less than nothing where the model does not fit.
  int64_t left() const { return available - weights - activations - kv_cache - (apart() ? 0 : of_host()); }
  /// The same of the host's, where the device has memory of its own.
  int64_t host_left() const { return host_available - of_host(); }
  bool lowers_context() const { return max_model_len < full_model_len; }

  /// Its parts with what they are called, in order.
  std::vector<std::pair<const char*, int64_t>> parts() const {
    return {{"weights", weights},       {"activations", activations}, {"program", program}, {"bodies", bodies},
            {"grammars", grammars},     {"logprobs", logprobs},       {"swap", swap},       {"streamed", streamed},
            {"cpu_layers", cpu_layers}, {"kv_cache", kv_cache},       {"left", left()}};
  }
};

}  // namespace caravel
