#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "device/mirrored_arrays.h"
#include "engine/executor.h"
#include "engine/kv_storage.h"
#include "kernels/step_rows.h"
#include "model/decoder.h"
#include "sampler/sampler.h"

namespace caravel::engine {

/// What one device takes part in a model with: weights, keys and values, block tables, samplers, and the buffers of the
/// largest step, all made once. Every rank of a model is given the same steps; one without the LM head
/// (model/decoder.h) computes its layers, draws nothing, and has no output. Each step in flight has memory of its own
/// for what goes to the device and comes back, which grows with what steps ask for.
class Rank final : public Executor {
 public:
  struct Sizes {
    int max_tokens = 0;     // in a step
    int max_rows = 0;       // sequences in a step
    int slots = 0;          // of block tables
    int max_model_len = 0;  // tokens in a sequence
    int steps = 1;          // in flight at most
    Profile profile = Profile::kNone;
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
  void wait_for_rows() override { last_step().rows_done->wait(); }
  void launch(const DrawInput& input) override;
  const StepOutput& collect() override;
  void rest() override { stream_->rest(); }
  void adopt_thread() override { device_.adopt_thread(); }
  std::span<const RegionTime> profile() const override { return stream_->profile(); }

  const model::Decoder& decoder() const { return *decoder_; }
  /// Of activations and steps.
  size_t buffer_bytes() const;
  /// What the latter will be.
  static size_t bytes_for(const Device& device, const model::ModelConfig& config, const model::KvLayout& layout,
                          int block_size, const Sizes& sizes);

 private:
  /// A step in flight, or a place for one.
  struct InFlight {
    explicit InFlight(Device& device)
        : moves(device),
          rows(device),
          wanted(device),
          states(device),
          draws(device),
          drawn(device),
          before_swaps(device.make_event()),
          swapped(device.make_event()),
          rows_done(device.make_event()),
          done(device.make_event()) {}

    uint64_t number = 0;
    MirroredArrays moves;  // the list of block copies
    MirroredArrays rows;   // the rest of a StepInput
    sampler::SampleResults wanted;
    MirroredArrays states;
    MirroredArrays draws;  // a DrawInput
    sampler::SampleResults drawn;
    std::span<const float> states_out;  // with the host
    std::vector<Buffer> used;           // logits that were kept until here
    bool swaps = false;                 // which stream_ has not waited for yet
    std::unique_ptr<Event> before_swaps;
    std::unique_ptr<Event> swapped;
    std::unique_ptr<Event> rows_done;
    std::unique_ptr<Event> done;
  };

  /// Tells attention of what rows have in common, or not.
  void tell_shared(const StepInput& input);
  /// The decoder's pass over batch_.
  void forward();
  InFlight& last_step() { return steps_[(launched_ - 1) % steps_.size()]; }
  void move_blocks(const StepInput& input, InFlight& step);
  void swap_blocks(const StepInput& input, InFlight& step);
  /// What is enqueued on stream_ from here on runs after the step's swaps.
  void wait_for_swaps(InFlight& step);
  void run_rows(const StepInput& input, InFlight& step);
  /// Of the rows' places on the device.
  void run_wants(std::span<const sampler::SampleRow> wants, const sampler::SampleRow* staged, const int32_t* places,
                 InFlight& step);
  void run_states(size_t count, const int32_t* places, InFlight& step);
  void begin_samplers(const DrawInput& input);
  void keep_logits(std::span<const KeepLogits> keeps, const int32_t* places, InFlight& step);
  void run_draws(const DrawInput& input, InFlight& step);
  void append_results(const sampler::SampleResults& results, std::vector<TokenOutput>& outputs);
  /// Calls slice(begin, count) for all of `total`, in order, at most logit_rows_ at a time.
  template <typename Slice>
  void in_slices(size_t total, const Slice& slice) const;
  template <typename Work>
  void guarded(const Work& work);

  Device& device_;
  std::unique_ptr<model::Decoder> decoder_;
  KvStorage storage_;
  sampler::Sampler sampler_;
  const Sizes sizes_;
  const int64_t logit_rows_;  // at a time

  // Numbers of steps; the one with number n of those launched stands at n % steps_.size().
  uint64_t launched_ = 0;
  uint64_t collected_ = 0;
  std::vector<InFlight> steps_;
  std::vector<Buffer> kept_;  // logits by place: f32 [vocab_size]
  // Passes over as many tokens, one of each row, which differ in what device memory holds alone. By how many, and by
  // whether attention is told what rows have in common.
  std::vector<std::array<std::unique_ptr<CommandList>, 2>> decodes_;

  // The ForwardBatch's arrays.
  Buffer token_ids_;     // i32 [max_tokens]
  Buffer positions_;     // i32 [max_tokens]
  Buffer query_start_;   // i32 [max_rows + 1]
  Buffer context_len_;   // i32 [max_rows]
  Buffer table_rows_;    // i32 [max_rows]
  Buffer slots_;         // i64 [groups, max_tokens]
  Buffer block_tables_;  // i32 [groups, slots, table_stride]
  Buffer shared_;        // i32 [groups, max_rows]
  kernels::BlockTables tables_;
  model::ForwardBatch batch_;

  Buffer logits_;  // f32 [logit_rows_, vocab_size]
  StepOutput result_;
  // Last: they go before what their commands read.
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Stream> swap_stream_;  // blocks out to the host and in again, while steps run that use others
};

}  // namespace caravel::engine
