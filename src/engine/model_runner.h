#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "engine/kv_storage.h"
#include "engine/task.h"
#include "model/decoder.h"
#include "sampler/sampler.h"
#include "scheduler/plan.h"

namespace caravel::engine {

/// Carries out plans: block copies, the forward pass over the plan's rows, and the LM head and the sampler for those
/// rows alone that somebody wants. Its buffers are made once, for the largest step. One thread at a time.
class ModelRunner {
 public:
  struct Sizes {
    int max_tokens = 0;     // in a step
    int max_rows = 0;       // sequences in a step
    int max_model_len = 0;  // tokens in a sequence
    int max_top = 0;        // how many of the most likely tokens a want may ask for
    bool profile = false;   // time every region of the steps
  };
  /// `decoder` and `storage` must outlive it. Throws CapacityError.
  ModelRunner(Device& device, model::Decoder& decoder, KvStorage& storage, const Sizes& sizes);

  /// Runs the step and hands every want what it asked for, but for those whose masks are not ready: these are returned.
  /// When it throws, the blocks have been copied as planned, but the rows are not computed.
  /// `before`, where there is one, is called once the blocks are copied.
  std::vector<LateDraw> run(const scheduler::Plan& plan, const StepWants& wants,
                            const std::function<void(const scheduler::Plan&)>& before);

  /// By the thread that will call run().
  void adopt_thread() { device_.adopt_thread(); }

  size_t buffer_bytes() const;
  /// What it will be.
  static size_t bytes_for(const model::ModelConfig& config, const model::KvLayout& layout, int block_size,
                          const Sizes& sizes);
  /// The time of all steps, by region; empty without Sizes::profile.
  std::span<const RegionTime> profile() const { return stream_->profile(); }

 private:
  void move_blocks(const scheduler::Plan& plan);
  void forward(const scheduler::Plan& plan);
  void fill_rows(const scheduler::Plan& plan);
  void run_logits(const std::vector<LogitsWant>& wants, std::vector<LateDraw>& late);
  void run_late(const std::vector<LateDraw>& draws);
  /// Of the logits in output_, by row.
  void sample(const std::vector<const LogitsWant*>& wants);
  void run_hidden(const std::vector<HiddenWant>& wants);

  Device& device_;
  std::unique_ptr<Stream> stream_;
  model::Decoder& decoder_;
  KvStorage& storage_;
  sampler::Sampler sampler_;
  const int block_size_;
  const int64_t table_stride_;  // blocks of the longest sequence

  // The ForwardBatch's arrays.
  Buffer token_ids_;                  // i32 [max_tokens]
  Buffer positions_;                  // i32 [max_tokens]
  Buffer query_start_;                // i32 [max_rows + 1]
  Buffer context_len_;                // i32 [max_rows]
  std::vector<Buffer> slots_;         // by KV group: i64 [max_tokens]
  std::vector<Buffer> block_tables_;  // by KV group: i32 [max_rows, table_stride]
  std::vector<Buffer> shared_;        // by KV group: i32 [max_rows]
  model::ForwardBatch batch_;

  Buffer wanted_rows_;                       // i32 [Decoder::max_logit_rows()]
  Buffer output_;                            // f32 [max_logit_rows, vocab] of logits, or [.., hidden_size] of states
  std::vector<const LogitsWant*> slice_;     // of wants
  std::vector<sampler::SampleRow> samples_;  // what they ask for
};

}  // namespace caravel::engine
