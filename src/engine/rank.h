#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "device/device.h"
#include "engine/executor.h"
#include "engine/kv_storage.h"
#include "model/decoder.h"
#include "sampler/sampler.h"

namespace caravel::engine {

/// What one device takes part in a model with: weights, keys and values, block tables, samplers, and the buffers of the
/// largest step, all made once.
class Rank final : public Executor {
 public:
  struct Sizes {
    int max_tokens = 0;     // in a step
    int max_rows = 0;       // sequences in a step
    int slots = 0;          // of block tables
    int max_model_len = 0;  // tokens in a sequence
    int max_top = 0;        // how many of the most likely tokens a want may ask for
    bool profile = false;   // time every region of the steps
  };
  /// Of the keys and values.
  struct Blocks {
    int size = 0;  // tokens
    kernels::KvDtype dtype = kernels::KvDtype::kF16;
    int device = 0;
    int host = 0;
  };
  /// `device` must outlive it. Throws CapacityError.
  Rank(Device& device, std::unique_ptr<model::Decoder> decoder, const Blocks& blocks, const Sizes& sizes);

  void launch(const StepInput& input) override;
  void wait_for_rows() override { stream_->synchronize(); }
  void launch(const DrawInput& input) override;
  const StepOutput& collect() override;
  void adopt_thread() override { device_.adopt_thread(); }
  std::span<const RegionTime> profile() const override { return stream_->profile(); }

  const model::Decoder& decoder() const { return *decoder_; }
  /// Of activations and steps.
  size_t buffer_bytes() const;
  /// What the latter will be.
  static size_t bytes_for(const model::ModelConfig& config, const model::KvLayout& layout, int block_size,
                          const Sizes& sizes);

 private:
  void move_blocks(const StepInput& input);
  void take_entries(const StepInput& input);
  void fill_rows(const StepInput& input);
  void run_wants(const StepInput& input);
  void run_states(const StepInput& input);
  void begin_samplers(const DrawInput& input);
  void keep_logits(const DrawInput& input);
  void run_draws(const DrawInput& input);
  /// What `samples_` ask of the logits in output_, row by row, into `results`.
  void sample(std::vector<TokenOutput>& results);
  template <typename Work>
  void guarded(const Work& work);

  Device& device_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<model::Decoder> decoder_;
  KvStorage storage_;
  sampler::Sampler sampler_;
  const int block_size_;
  const int64_t table_stride_;  // blocks of the longest sequence

  std::vector<std::optional<sampler::SamplingState>> samplers_;  // by slot
  std::vector<std::vector<float>> kept_;                         // by place: [vocab_size]

  // The ForwardBatch's arrays.
  Buffer token_ids_;                  // i32 [max_tokens]
  Buffer positions_;                  // i32 [max_tokens]
  Buffer query_start_;                // i32 [max_rows + 1]
  Buffer context_len_;                // i32 [max_rows]
  Buffer table_rows_;                 // i32 [max_rows]
  std::vector<Buffer> slots_;         // by KV group: i64 [max_tokens]
  std::vector<Buffer> block_tables_;  // by KV group: i32 [slots, table_stride]
  std::vector<Buffer> shared_;        // by KV group: i32 [max_rows]
  model::ForwardBatch batch_;

  Buffer wanted_rows_;                       // i32 [Decoder::max_logit_rows()]
  Buffer output_;                            // f32 [max_logit_rows, vocab] of logits, or [.., hidden_size] of states
  std::vector<sampler::SampleRow> samples_;  // what is asked of them
  StepOutput result_;
};

}  // namespace caravel::engine
