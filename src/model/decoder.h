#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "device/device.h"
#include "kernels/packed_weight.h"
#include "model/activations.h"
#include "model/config.h"
#include "model/forward_batch.h"
#include "model/latent/latent_layer.h"
#include "model/layer_stream.h"
#include "model/load_weights.h"
#include "model/moe/expert_layer.h"

namespace caravel::model {

/// The other ranks of a model that a decoder's own computes with. They must outlive it.
struct Peers {
  comm::Communicator* tensor = nullptr;    // those that have other parts of the same layers
  comm::Communicator* pipeline = nullptr;  // those that have the same part of other layers, by stage
};

/// The one forward pass, for every architecture: five regions a layer, read from ModelConfig and from which weights are
/// there. It is one rank's, of the shard that config.placement says; alone, that is the whole model. Ranks of one
/// pipeline stage hold the same residual stream, and add up what each branch gives before it joins; a stage begins with
/// the residual stream of the one before. Owns its activations, for at most max_tokens a step. One thread at a time.
class Decoder {
 public:
  /// weights: of the same configuration; other decoders may run them too. max_context: the longest sequence that a
  /// batch may hold. Throws CapacityError.
  Decoder(Device& device, ModelConfig config, std::shared_ptr<const ModelWeights> weights, KvLayout layout,
          int64_t max_tokens, int64_t max_context, const Peers& peers = {});

  const ModelConfig& config() const { return config_; }
  const ModelWeights& weights() const { return *weights_; }
  const KvLayout& kv_layout() const { return layout_; }
  size_t activation_bytes() const;
  /// The same of weights that are not loaded yet.
  static size_t activation_bytes(Device& device, const ModelConfig& config, const WeightLayout& weights,
                                 int64_t max_tokens, int64_t max_context);
  /// Of the last stage; on others there are neither logits() nor final_hidden().
  bool has_lm_head() const { return config_.placement.is_last_stage(); }
  /// Some layers are brought from the host in each pass, by commands of another stream: a pass cannot be captured.
  bool streams_layers() const { return layer_stream_ != nullptr; }

  /// Enqueues the layers. The residual stream stays for logits() and final_hidden(), or is sent to the next stage.
  /// layer_inputs: device or pinned memory, where the residual stream is kept as it enters each of the stage's layers,
  /// f32 [layers, tokens, hidden_size]; or nullptr. That of a model with a residual multiplier is divided by it.
  void forward(Stream& stream, const ForwardBatch& batch, const KvPool& pool, float* layer_inputs = nullptr);

  /// Enqueues, behind a step's draws, that those of the last stage reach the first, which embeds them next. last_draws:
  /// device memory, on both as long. Nothing on stages between, and where there is one.
  void return_draws(Stream& stream, std::span<int32_t> last_draws);

  /// Enqueues final norm and LM head of chosen tokens of the last forward: logits [count, vocab_size] on every
  /// tensor-parallel rank, scaled and soft-capped where the model says so. rows: device memory, [count]; count <=
  /// max_logit_rows() of its device.
  void logits(Stream& stream, const int32_t* rows, int64_t count, float* out);
  /// Each call reads the LM head's weights whole. A GPU takes little longer for 256 rows than for 64, a CPU four times.
  static int64_t max_logit_rows(const Device& device) { return device.unified() ? 64 : 256; }

  /// Enqueues the final norm of chosen tokens: f32 [count, hidden_size], for embeddings. count: as above.
  void final_hidden(Stream& stream, const int32_t* rows, int64_t count, float* out);

 private:
  /// What lies between regions. A region's output replaces what the region before it needed.
  enum Place : uint8_t {
    kHidden,     // f32 [max_tokens, hidden]: the residual stream
    kWide,       // [tokens, (heads + 2 kv_heads) * head_dim] of product_dtype_, then the input of `down`, in its form
    kBranch,     // [max_tokens, hidden] of product_dtype_: a branch that is summed or normed before it joins
    kNormed,     // what qkv, gate_up and the LM head read in turn, in their forms, normed or as it is
    kInput,      // what attn_out reads, in its form
    kAttention,  // its workspace
    kCount
  };
  /// Of weights that are packed or will be.
  template <typename Matrix, typename Vector>
  static ActivationSizes<Place> sizes(Device& device, const ModelConfig& config,
                                      const WeightsOf<Matrix, Vector>& weights, int64_t max_tokens,
                                      int64_t max_context);

  /// Where a layer's keys and values lie.
  struct KvPlace {
    int group = 0;
    int index = 0;  // within the group
  };
  /// What a layer's regions work with in one step.
  struct LayerStep {
    const LayerWeights& weights;
    const LayerSpec& spec;
    const ForwardBatch& batch;
    const ForwardBatch::Group& group;
    kernels::KvLayer cache;
    const LayerWeights* next;  // the stage's next layer, whose norm the residual stream goes through; or nullptr
  };

  /// The weights of one of the stage's layers, for what is enqueued until the next is acquired. The one place where a
  /// layer's weights are taken: where they do not all lie in the device's memory, they are brought there here.
  const LayerWeights& acquire(Stream& stream, size_t layer);
  LayerStep layer_step(Stream& stream, const ForwardBatch& batch, const KvPool& pool, size_t layer);
  void begin(Stream& stream, const ForwardBatch& batch);

  // The regions (decoder_regions.cc). Each is one call that has all it reads and writes at hand, so that a device may
  // take it as one kernel, or 3 and 5 as one on each side of the collective. What they hand on lies in kNormed, kWide
  // and kInput.
  void project_qkv(Stream& stream, const LayerStep& layer);  // 1: kNormed -> queries in kWide; keys, values in cache
  void attend(Stream& stream, const LayerStep& layer);       // 2: queries in kWide, cache -> kInput
  // 1 and 2 of a layer whose keys and values are compressed: the same, by way of latent_layer_.
  void project_latent(Stream& stream, const LayerStep& layer);
  void project_attention(Stream& stream, const LayerStep& layer);  // 3: kInput -> kHidden, kNormed
  // 4 and 5 of a layer with a router have a form of their own (moe/expert_layer.h), between kHidden and kHidden.
  void gate_and_up(Stream& stream, const LayerStep& layer);  // 4: kNormed -> kWide
  void down(Stream& stream, const LayerStep& layer);         // 5: kWide -> kHidden, kNormed for the next layer

  /// A branch as it begins, or the LM head: what it reads is the residual stream normed by `norm`, or as it is where
  /// that is absent.
  struct Branch {
    const Buffer* norm = nullptr;  // of its weights; nullptr: there is no such branch
    const Buffer* norm_bias = nullptr;
    kernels::GemmInput input;
  };
  /// rows: which of the residual stream's; nullptr: the first. A branch without a norm reads the first.
  void enter(Stream& stream, const Branch& branch, const int32_t* rows = nullptr);
  void join_residual(Stream& stream, const kernels::PackedWeight& weight, const Buffer& input, const Buffer& bias,
                     const Buffer& post_norm, const Branch& next, int64_t tokens);
  void join_experts(Stream& stream, const LayerStep& layer);
  kernels::NextNorm fused_norm(const Branch& next) const;
  void enter_behind(Stream& stream, const Branch& next);
  /// No sum over ranks and no norm stands between a branch and the residual stream.
  bool joins_straight(const Buffer& post_norm) const { return !post_norm && peers_.tensor == nullptr; }
  Tensor branch(int64_t tokens) const;
  /// Over the tensor-parallel ranks.
  void all_reduce(Stream& stream, const Tensor& rows);
  Tensor queries(const LayerStep& layer) const;
  Tensor residual(int64_t tokens) const;
  size_t hidden_bytes(int64_t tokens) const;
  /// Of learned positions the first of a sequence, f32 [positions, hidden]; nullptr where this rank adds none.
  const float* first_position() const;
  // Regions 1 and 4, and the LM head as the first.
  Branch branch_of(const Buffer& norm, const Buffer& norm_bias, const kernels::PackedWeight& weight, int64_t tokens,
                   int turn) const;
  Branch attention_branch(const LayerWeights& weights, int64_t tokens) const {
    return branch_of(weights.attn_norm, weights.attn_norm_bias, weights.qkv, tokens, 0);
  }
  Branch feed_forward_branch(const LayerWeights& weights, int64_t tokens) const {
    return branch_of(weights.ffn_norm, weights.ffn_norm_bias, weights.gate_up, tokens, 1);
  }

  ModelConfig config_;
  Shard shard_;
  std::shared_ptr<const ModelWeights> weights_;
  std::unique_ptr<LayerStream> layer_stream_;  // where some of them lie in the host's memory
  std::unique_ptr<LatentLayer> latent_layer_;  // where keys and values are compressed
  std::unique_ptr<ExpertLayer> expert_layer_;  // where some layers have a router
  KvLayout layout_;
  Peers peers_;
  std::vector<KvPlace> places_;  // by layer of the stage
  DType product_dtype_;
  int64_t max_tokens_;
  int64_t max_context_;

  Activations<Place> memory_;
  std::vector<Buffer> inverse_freq_;  // by ModelConfig::rotary: f32 [dim / 2]
  std::vector<Buffer> angles_;        // f32 [max_tokens, dim / 2, 2]
};

}  // namespace caravel::model
