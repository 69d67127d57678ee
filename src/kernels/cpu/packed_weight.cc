#include "kernels/packed_weight.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "device/cpu/cpu_device.h"
#include "kernels/cpu/packed_layout.h"

namespace caravel::kernels::cpu {
namespace {

/// Matrices, and the part of each.
struct PackArgs {
  std::span<const WeightRows> stacked;
  std::span<const PackedWeight::Part> parts;
  int64_t in;
  uint8_t* out;
};

void put_u16(uint8_t* to, uint16_t value) { std::memcpy(to, &value, sizeof(value)); }
void put_u32(uint8_t* to, uint32_t value) { std::memcpy(to, &value, sizeof(value)); }

/// Row r of a block that begins at `levels` (its scales lie behind the high bits, or in `head`).
template <DType kType>
void put_quant_block(const QuantBlock& block, int r, int sub, uint8_t* head, uint8_t* levels) {
  using Layout = PackedLayout<kType>;
  constexpr int kBits = Layout::kFormat.bits;
  const int h = r / 16;
  const int at = 64 * h + 4 * (r % 16);  // where the row's word lies in a pair of vectors
  if constexpr (kBits == 8) {
    for (int g = 0; g < 8; ++g) put_u32(levels + 128 * g + at, block.levels[g]);
  } else {
    for (int g = 0; g < 4; ++g) {
      put_u32(levels + 128 * g + at, (block.levels[g] & 0x0f0f0f0fU) | (block.levels[g + 4] & 0x0f0f0f0fU) << 4);
    }
  }
  uint8_t* high = levels + Layout::kLevelBytes;
  if constexpr (kBits == 5) {
    uint32_t plane = 0;
    for (int g = 0; g < 8; ++g) plane |= (block.levels[g] >> 4 & 0x01010101U) << g;
    put_u32(high + at, plane);
  } else if constexpr (kBits == 6) {
    for (int q = 0; q < 2; ++q) {
      uint32_t plane = 0;
      for (int f = 0; f < 4; ++f) plane |= (block.levels[4 * q + f] >> 4 & 0x03030303U) << (2 * f);
      put_u32(high + 128 * q + at, plane);
    }
  }
  if constexpr (!Layout::kFormat.super) {
    uint8_t* scales = high + Layout::kHighBytes;
    if constexpr (Layout::kFormat.codes) {
      scales[r] = static_cast<uint8_t>(block.d);
    } else {
      put_u16(scales + 2 * r, block.d);
    }
    if constexpr (Layout::kFormat.minima) put_u16(scales + 64 + 2 * r, block.m);
  } else {
    uint8_t* scales = head + Layout::kHeadScales + Layout::kHeadScaleBytes * sub;
    put_u16(head + 2 * r, block.d);
    if constexpr (Layout::kFormat.minima) {
      const unsigned scale = static_cast<uint8_t>(block.scale[0]);
      const unsigned minimum = block.minimum;
      put_u16(head + 64 + 2 * r, block.m);
      scales[r] = static_cast<uint8_t>((scale & 15U) | (minimum & 15U) << 4);
      uint8_t& high_bits = scales[32 + r % 16];  // of rows r and r + 16, which come in this order
      high_bits = static_cast<uint8_t>((h == 0 ? 0 : high_bits) | (scale >> 4 | minimum >> 4 << 2) << (4 * h));
    } else {
      scales[r] = static_cast<uint8_t>(block.scale[0]);
      scales[32 + r] = static_cast<uint8_t>(block.scale[1]);
    }
  }
}

template <DType kType>
void pack_quantized_panel(const std::byte* rows, int64_t stride, int count, int64_t in, uint8_t* out) {
  using Layout = PackedLayout<kType>;
  for (int64_t b = 0; b < in / 32; ++b) {
    uint8_t* group = out + b / Layout::kGroupBlocks * Layout::kGroupBytes;
    const int sub = static_cast<int>(b % Layout::kGroupBlocks);
    uint8_t* levels = group + Layout::kHeadBytes + sub * Layout::kBlockBytes;
    for (int r = 0; r < count; ++r) {
      put_quant_block<kType>(read_quant_block<kType>(rows + r * stride, b), r, sub, group, levels);
    }
  }
}

template <typename Element>
void pack_plain_panel(const std::byte* rows, int64_t stride, int count, int64_t in, uint8_t* out) {
  constexpr int64_t kSize = sizeof(Element);
  constexpr int64_t kStep = 64 / kSize;  // a cache line of each row at a time
  for (int64_t begin = 0; begin < in; begin += kStep) {
    const int64_t end = std::min(begin + kStep, in);
    for (int r = 0; r < count; ++r) {
      for (int64_t i = begin; i < end; ++i) {
        std::memcpy(out + (i * kPanelRows + r) * kSize, rows + r * stride + i * kSize, kSize);
      }
    }
  }
}

/// scales: [count, row_scales()].
void pack_f8_panel(const std::byte* rows, int64_t stride, int count, int64_t in, const float* scales,
                   int64_t scale_count, uint8_t* out) {
  for (int64_t s = 0; s < scale_count; ++s) {
    for (int r = 0; r < count; ++r) {
      put_u32(out + (s * kPanelRows + r) * 4, std::bit_cast<uint32_t>(scales[r * scale_count + s] * kF8ScaleFactor));
    }
  }
  pack_plain_panel<uint8_t>(rows, stride, count, in, out + scale_count * kPanelRows * 4);
}

int64_t panel_count(const WeightRows& matrix) { return (matrix.rows + kPanelRows - 1) / kPanelRows; }

/// Some panels of a matrix, whose first is at `to`. Rows that the last one lacks are left as they are.
void pack_panels(const WeightRows& from, const Range& panels, int64_t in, uint8_t* to) {
  const auto& [data, dtype, all_rows, given_stride, scales, dummy, heads] = from;
  const int64_t scale_count = row_scales(dtype, in);
  const int64_t bytes = row_bytes(dtype, in);
  const int64_t given = given_stride != 0 ? given_stride : bytes;
  const int64_t stride = dummy ? bytes : given;
  std::vector<std::byte> made(dummy ? static_cast<size_t>(kPanelRows * bytes) : 0);
  const std::vector<float> made_scales(dummy ? static_cast<size_t>(kPanelRows * scale_count) : 0,
                                       dummy_format(dtype).scale);
  for (int64_t p = panels.begin; p < panels.end; ++p) {
    const int64_t first = p * kPanelRows;
    const int count = static_cast<int>(std::min<int64_t>(kPanelRows, all_rows - first));
    if (dummy) make_dummy_rows({dummy->key, dummy->begin + first * given}, dtype, count, in, given, made.data());
    const std::byte* rows = dummy ? made.data() : data + first * stride;
    uint8_t* out = to + p * panel_bytes(dtype, in);
    if (dtype == DType::kF32) {
      pack_plain_panel<uint32_t>(rows, stride, count, in, out);
    } else if (is_float8(dtype)) {
      pack_f8_panel(rows, stride, count, in, dummy ? made_scales.data() : scales + first * scale_count, scale_count,
                    out);
    } else if (!is_quantized(dtype)) {
      pack_plain_panel<uint16_t>(rows, stride, count, in, out);
    } else {
      with_quant_type(dtype, [&]<DType kType>() { pack_quantized_panel<kType>(rows, stride, count, in, out); });
    }
  }
}

/// A rank's share is a run of panels of all matrices taken together.
void pack_matrices(const PackArgs& args, int rank, int size) {
  int64_t panels = 0;
  for (const WeightRows& matrix : args.stacked) panels += panel_count(matrix);
  const Range share = share_of(panels, rank, size);
  int64_t first = 0;  // where the matrix's panels begin
  for (size_t i = 0; i < args.stacked.size() && first < share.end; ++i) {
    const int64_t count = panel_count(args.stacked[i]);
    const Range range{std::max<int64_t>(share.begin - first, 0), std::min(share.end - first, count)};
    if (range.begin < range.end) pack_panels(args.stacked[i], range, args.in, args.out + args.parts[i].offset);
    first += count;
  }
}

}  // namespace

size_t packed_bytes(DType dtype, int64_t rows, int64_t in) {
  return static_cast<size_t>((rows + kPanelRows - 1) / kPanelRows * panel_bytes(dtype, in));
}

InputForm input_form(DType dtype, bool rotated) {
  CARAVEL_CHECK(!rotated || is_quantized(dtype));
  return rotated ? InputForm::kQ8Rotated : is_quantized(dtype) ? InputForm::kQ8 : InputForm::kF32;
}

namespace {

class Packer final : public WeightPacker {
 public:
  explicit Packer(Device& device) : WeightPacker(device), stream_(device.make_stream()) {}

 private:
  void pack_parts(std::byte* to, std::span<const WeightRows> stacked, std::span<const PackedWeight::Part> parts,
                  int64_t in) override {
    as_cpu(*stream_).enqueue(pack_matrices, PackArgs{stacked, parts, in, reinterpret_cast<uint8_t*>(to)});
    stream_->synchronize();
  }

  std::unique_ptr<Stream> stream_;
};

}  // namespace

std::unique_ptr<WeightPacker> make_weight_packer(Device& device) { return std::make_unique<Packer>(device); }

}  // namespace caravel::kernels::cpu
