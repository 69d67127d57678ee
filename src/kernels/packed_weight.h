#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "device/device.h"
#include "device/dtype.h"
#include "kernels/dummy_rows.h"
#include "kernels/gemm_input.h"

namespace caravel::kernels {

/// What rows are that are the heads of queries or keys: of each, rows i and i + rotary_dim / 2 are rotated together
/// (RotaryStyle::kHalves, kv_cache.h). A device may lay them side by side in memory, for an epilogue that has both.
struct HeadRows {
  int head_dim = 0;    // 0: rows are no such heads
  int rotary_dim = 0;  // the first rows of a head; the others are not rotated
};

/// Rows of a weight as they lie in a file: [rows, in] of `dtype`, where a row may be a part of the file's, from a
/// block's beginning on. A part that is one of many experts' is a WeightRows of its own.
struct WeightRows {
  const std::byte* data = nullptr;
  DType dtype = DType::kF32;
  int64_t rows = 0;
  int64_t stride = 0;              // bytes from one row to the next; 0: they lie without gaps
  const float* scales = nullptr;   // of 8-bit floats: [rows, row_scales(dtype, in)]
  std::optional<DummyRows> dummy;  // in place of `data` and `scales`: the device makes them
  HeadRows heads;
};

/// A weight matrix W [out, in], re-laid for how this device's kernels read it; no larger than the file's but for
/// padding of `out` and, to 64, of `in`, and for a scale of each row where the file has one for many. The form is
/// opaque. Several matrices of the same `in` may be stacked along `out` and may differ in dtype (Q and K in Q4_K, V in
/// Q6_K): they are packed as parts, one after the other.
///
/// Many experts' matrices of one shape and the same types are one weight, too: parts() and out() are one expert's, and
/// those of expert e lie e * expert_bytes() further on. The GEMMs of expert_gemm.h read them, gemm() reads at_expert().
class PackedWeight {
 public:
  struct Part {
    DType dtype = DType::kF32;
    int64_t out_begin = 0;  // first row of the stacked matrix
    int64_t rows = 0;
    size_t offset = 0;  // where the part's packed bytes begin in data()
    HeadRows heads;
  };
  static constexpr size_t kMaxParts = 3;

  PackedWeight() = default;
  /// What a device's WeightPacker has made: parts one after the other.
  PackedWeight(std::vector<Part> parts, int64_t in, InputForm form, Buffer packed, int experts = 1)
      : parts_(std::move(parts)), in_(in), experts_(experts), form_(form), packed_(std::move(packed)) {}

  /// The same where its packed bytes lie at `data`, which somebody else keeps.
  PackedWeight at(std::byte* data) const { return {parts_, in_, form_, Buffer::view(data, bytes()), experts_}; }
  /// As many experts like it, whose packed bytes `packed` holds.
  PackedWeight each_of(int experts, Buffer packed) const { return {parts_, in_, form_, std::move(packed), experts}; }
  /// One of its experts', as a weight of its own; a view.
  PackedWeight at_expert(int expert) const {
    std::byte* const own = packed_.address() + static_cast<size_t>(expert) * expert_bytes();
    return {parts_, in_, form_, Buffer::view(own, expert_bytes())};
  }

  int64_t out() const { return parts_.empty() ? 0 : parts_.back().out_begin + parts_.back().rows; }
  int64_t in() const { return in_; }
  int experts() const { return experts_; }
  size_t expert_bytes() const { return bytes() / static_cast<size_t>(experts_); }
  InputForm input_form() const { return form_; }
  std::span<const Part> parts() const { return parts_; }
  const std::byte* data() const { return packed_.address(); }
  size_t bytes() const { return packed_.size(); }
  explicit operator bool() const { return !parts_.empty(); }

  /// Its GEMM's input, in `memory` of gemm_input_bytes().
  GemmInput input(int64_t tokens, std::byte* memory) const {
    return {.form = form_, .tokens = tokens, .width = in_, .data = memory};
  }

 private:
  std::vector<Part> parts_;
  int64_t in_ = 0;
  int experts_ = 1;
  InputForm form_ = InputForm::kF32;
  Buffer packed_;
};

/// What a weight that begins with `dtype` reads; rotated: as of WeightPacker. Throws Unsupported where no kernel of
/// the device reads the type, or the 8-bit inputs that rotated weights are for.
InputForm input_form(Device& device, DType dtype, bool rotated);

/// Bytes that `rows` rows of `in` elements of `dtype` take in a PackedWeight. `in` is a multiple of the dtype's block.
size_t packed_bytes(Device& device, DType dtype, int64_t rows, int64_t in);

/// The matrices of each of many experts, all of the same shapes and types: those of the e-th, which may go when the
/// next ones are asked for.
using StackOf = std::function<std::span<const WeightRows>(int expert)>;

/// Packs many matrices, one after the other, with all of the device's processors; where they go to a device through
/// pinned memory by several threads, of which each keeps its part of it. Synchronous. One thread at a time may call it.
class WeightPacker {
 public:
  virtual ~WeightPacker() = default;
  /// Re-lays up to PackedWeight::kMaxParts matrices to `to`, in the device's memory, which is zero or holds others of
  /// the same shapes and types; the weight is a view of it. rotated: their rows are (rotate_rows()), and they read
  /// kQ8Rotated. Throws Unsupported when quantised and unquantised parts are mixed and as input_form() does,
  /// InvalidArgument when `in` is not a multiple of the dtype's block (or of 32 for kQ8).
  PackedWeight pack_to(std::byte* to, std::span<const WeightRows> stacked, int64_t in, bool rotated);
  /// Those of each expert straight to its place in new memory of the device. Throws CapacityError too.
  PackedWeight pack(int experts, const StackOf& stack_of, int64_t in, bool rotated);

 protected:
  explicit WeightPacker(Device& device) : device_(device) {}

  Device& device_;

 private:
  virtual void pack_parts(std::byte* to, std::span<const WeightRows> stacked, std::span<const PackedWeight::Part> parts,
                          int64_t in) = 0;
};
std::unique_ptr<WeightPacker> make_weight_packer(Device& device);

/// One matrix, or stacked ones, by a packer of its own.
PackedWeight pack_weight(Stream& stream, std::span<const WeightRows> stacked, int64_t in, bool rotated = false);

}  // namespace caravel::kernels
