#include "model/layer_stream.h"

#include <algorithm>

#include "base/check.h"

namespace caravel::model {
namespace {

Buffer view_of(const Buffer& buffer) { return Buffer::view(buffer.address(), buffer.size()); }

/// The layer with its matrices one after the other from `memory` on; the rest is where it is.
LayerWeights layer_at(const LayerWeights& layer, std::byte* memory) {
  LayerWeights at;
  const auto from_vectors = vectors_of(layer);
  const auto to_vectors = vectors_of(at);
  for (size_t i = 0; i < to_vectors.size(); ++i) *to_vectors[i] = view_of(*from_vectors[i]);
  const auto from = matrices_of(layer);
  const auto to = matrices_of(at);
  for (size_t i = 0; i < to.size(); ++i) {
    *to[i] = from[i]->at(memory);
    memory += aligned_matrix(from[i]->bytes());
  }
  return at;
}

}  // namespace

LayerStream::LayerStream(Device& device, const ModelWeights& weights)
    : weights_(weights), places_(weights.layers.size(), kNone), stream_(device.make_stream()) {
  size_t largest = 0;
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    if (!weights.in_host[i]) continue;
    places_[i] = layers_.size();
    layers_.push_back(i);
    largest = std::max(largest, weights.in_host[i].size());
  }
  CARAVEL_CHECK(!layers_.empty());
  for (size_t i = 0; i < std::min(layers_.size(), kSlots); ++i) {
    slots_.push_back({.memory = device.allocate(largest), .there = device.make_event(), .free = device.make_event()});
  }
  for (size_t place = 0; place < layers_.size(); ++place) {
    brought_.push_back(layer_at(weights.layers[layers_[place]], slot_of(place).memory.address()));
  }
  for (size_t place = 0; place < slots_.size(); ++place) bring(place);
}

/// Behind what is enqueued on stream_.
void LayerStream::bring(size_t place) {
  Slot& slot = slot_of(place);
  const HostBuffer& from = weights_.in_host[layers_[place]];
  stream_->copy(slot.memory.address(), from.as(), from.size());
  stream_->record(*slot.there);
  slot.place = place;
}

const LayerWeights& LayerStream::acquire(Stream& stream, size_t layer) {
  release(stream);
  const size_t place = places_[layer];
  if (place == kNone) return weights_.layers[layer];
  // Another one is there where the last pass ended early.
  if (slot_of(place).place != place) {
    stream.record(*slot_of(place).free);
    stream_->wait(*slot_of(place).free);
    bring(place);
  }
  stream.region("streamed layers", static_cast<double>(weights_.in_host[layer].size()));
  stream.wait(*slot_of(place).there);
  held_ = place;
  return brought_[place];
}

/// The next in the same slot may come: of this pass, or the first of the next.
void LayerStream::release(Stream& stream) {
  if (held_ == kNone) return;
  const size_t after = held_ + slots_.size();
  const size_t next = after < layers_.size() ? after : held_ % slots_.size();
  if (next != held_) {
    Slot& slot = slot_of(held_);
    stream.record(*slot.free);
    stream_->wait(*slot.free);
    bring(next);
  }
  held_ = kNone;
}

}  // namespace caravel::model
