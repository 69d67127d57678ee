#pragma once

#include <cstddef>

#include "device/device.h"
#include "device/tensor.h"

namespace caravel::comm {

/// A group of ranks that exchange what lies in their devices' memory. What it does is enqueued on a stream, in its
/// order with the kernels there; every rank of the group enqueues the same collectives in the same order, on one thread
/// at a time. Where a rank is alone there is no communicator: who computes with others takes a pointer, and nullptr
/// then. Throws what a device throws.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;  // of this one, from 0 on
  virtual int size() const = 0;

  /// In place, [rows, width] of f32 or product_dtype (kernels/gemm.h), without gaps: every rank's become the sum of
  /// all, with the same bits on each.
  virtual void all_reduce(Stream& stream, const Tensor& rows) = 0;
  /// In place, [rows, width] without gaps: each rank has written the columns share_of(width, rank, size)
  /// (base/thread_pool.h), and has those of all afterwards.
  virtual void all_gather(Stream& stream, const Tensor& rows) = 0;
  /// From one rank to another, which enqueues the receipt of as much; what one sends another arrives in order.
  virtual void send(Stream& stream, const void* data, size_t bytes, int to) = 0;
  virtual void recv(Stream& stream, void* data, size_t bytes, int from) = 0;
};

}  // namespace caravel::comm
