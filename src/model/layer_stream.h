#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "device/device.h"
#include "model/load_weights.h"
#include "model/weight_layout.h"

namespace caravel::model {

/// A layer's matrices, in the order in which it takes them: of what lies in the host's memory these alone do.
template <typename Layer>
auto matrices_of(Layer& layer) {
  return std::array{&layer.qkv,     &layer.attn_out,  &layer.gate_up, &layer.down,           &layer.query_up,
                    &layer.keys_up, &layer.values_up, &layer.router,  &layer.expert_gate_up, &layer.expert_down};
}

template <typename Layer>
auto vectors_of(Layer& layer) {
  return std::array{&layer.attn_norm,        &layer.ffn_norm,       &layer.attn_norm_bias,
                    &layer.ffn_norm_bias,    &layer.post_attn_norm, &layer.post_ffn_norm,
                    &layer.q_norm,           &layer.k_norm,         &layer.qkv_bias,
                    &layer.attn_out_bias,    &layer.gate_up_bias,   &layer.down_bias,
                    &layer.router_bias,      &layer.choice_bias,    &layer.expert_gate_up_bias,
                    &layer.expert_down_bias, &layer.sinks,          &layer.query_latent_norm,
                    &layer.latent_norm};
}

/// Where the next of a layer's matrices begins, which lie one after the other.
constexpr size_t aligned_matrix(size_t bytes) { return (bytes + 255) / 256 * 256; }

/// That the matrices of a layer take together, packed or as they will be.
template <typename Matrix, typename Vector>
size_t matrix_bytes(const LayerOf<Matrix, Vector>& layer) {
  size_t bytes = 0;
  for (const Matrix* matrix : matrices_of(layer)) bytes += aligned_matrix(matrix->bytes());
  return bytes;
}

/// Brings layers that lie in the host's memory to the device, over and over in the order of a pass, each while those
/// before it are computed: as ZeRO-Inference streams weights (Aminabadi et al. 2022, SC'22, section VI). Two slots of
/// the device's memory take them in turn, on a stream of their own, so that the link to the host never waits for more
/// than a layer. One thread at a time, and one stream.
class LayerStream {
 public:
  static constexpr size_t kSlots = 2;

  /// weights: some of its layers lie in the host's memory; it must outlive this. Throws CapacityError.
  LayerStream(Device& device, const ModelWeights& weights);
  /// Bytes of the slots, for the sizes of those layers.
  static size_t slot_bytes(size_t layers, size_t largest) { return std::min(layers, kSlots) * largest; }

  /// A layer's weights, for what is enqueued on `stream` until the next is acquired or released.
  const LayerWeights& acquire(Stream& stream, size_t layer);
  /// What was acquired last is no longer needed by what is enqueued from here on.
  void release(Stream& stream);

 private:
  static constexpr size_t kNone = ~size_t{0};
  struct Slot {
    Buffer memory;
    size_t place = kNone;          // of the layer in it, or on its way
    std::unique_ptr<Event> there;  // it has come
    std::unique_ptr<Event> free;   // the one before was read
  };

  Slot& slot_of(size_t place) { return slots_[place % slots_.size()]; }
  void bring(size_t place);

  const ModelWeights& weights_;
  std::vector<size_t> layers_;         // those that lie in the host's memory, by place
  std::vector<size_t> places_;         // by layer; kNone: it stays on the device
  std::vector<LayerWeights> brought_;  // as they lie in their slots, by place
  std::vector<Slot> slots_;
  size_t held_ = kNone;             // place of what was acquired
  std::unique_ptr<Stream> stream_;  // last: it goes before what its commands write
};

}  // namespace caravel::model
