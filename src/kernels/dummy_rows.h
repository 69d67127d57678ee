#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/host_device.h"
#include "base/philox.h"
#include "device/dtype.h"

namespace caravel::kernels {

/// Rows that no file has. Of a weight whose key that is, every part and every device makes the same bytes, as they
/// would lie in a file.
struct DummyRows {
  uint64_t key = 0;
  int64_t begin = 0;  // byte of the whole weight at which the first row begins
};

/// What is random of a type: items of a weight are counted from its first, elements of F32, F16 and BF16 and bytes of
/// others. Elements are -128 to 127 times 2^-12, so that these three have the same values. Of a block all bytes are
/// random but d and m, whose values centre the block's at 0 with a deviation of about 2^-6, as those elements have;
/// scales that lie apart do the same.
struct DummyFormat {
  int item_bytes = 1;
  int block_bytes = 1;
  int d_at = -1;  // bytes from the block's beginning; -1: there is none
  int d_bytes = 2;
  int m_at = -1;
  uint16_t d = 0;  // f16 bits; of MXFP4 E8M0's
  uint16_t m = 0;
  float scale = 0;  // of 8-bit floats: every scale apart from them
};
DummyFormat dummy_format(DType dtype);

/// Writes `count` rows of `in` elements, `stride` bytes apart in the whole weight (0: without gaps), one after the
/// other to memory of the host.
void make_dummy_rows(const DummyRows& dummy, DType dtype, int64_t count, int64_t in, int64_t stride, std::byte* to);

namespace internal {

/// Sixteen of a weight's items, one to a byte: those from 16 * group on.
struct DummyGroup {
  uint32_t words[4];
  CARAVEL_HOST_DEVICE uint8_t byte(int i) const { return static_cast<uint8_t>(words[i / 4] >> (i % 4 * 8)); }
};
CARAVEL_HOST_DEVICE inline DummyGroup dummy_group(uint64_t key, int64_t group) {
  DummyGroup made = {{static_cast<uint32_t>(group), static_cast<uint32_t>(group >> 32), 0, 0}};
  caravel::internal::philox_rounds(made.words, static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32));
  return made;
}

/// byte * 2^-12 as f32 bits.
CARAVEL_HOST_DEVICE inline uint32_t dummy_element(uint8_t byte) {
  const float value = static_cast<float>(static_cast<int8_t>(byte)) * 0x1p-12F;
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// The same as f16 bits: all of its values are exact there, and none but 0 is subnormal.
CARAVEL_HOST_DEVICE inline uint16_t dummy_half(uint8_t byte) {
  const uint32_t bits = dummy_element(byte);
  const uint32_t magnitude = bits & 0x7fffffffU;
  return static_cast<uint16_t>(bits >> 16 & 0x8000U) |
         static_cast<uint16_t>(magnitude == 0 ? 0 : (magnitude >> 13) - (112U << 10));
}

/// Byte `at` of a block, of which `byte` is the random one.
CARAVEL_HOST_DEVICE inline uint8_t dummy_block_byte(const DummyFormat& format, int at, uint8_t byte) {
  if (format.d_at >= 0 && at >= format.d_at && at < format.d_at + format.d_bytes) {
    return static_cast<uint8_t>(format.d >> (8 * (at - format.d_at)));
  }
  if (format.m_at >= 0 && (at == format.m_at || at == format.m_at + 1)) {
    return static_cast<uint8_t>(format.m >> (8 * (at - format.m_at)));
  }
  return byte;
}

/// Item `item` of a weight, which is `byte` of a DummyGroup, to `to`.
CARAVEL_HOST_DEVICE inline void write_dummy_item(DType dtype, const DummyFormat& format, int64_t item, uint8_t byte,
                                                 uint8_t* to) {
  switch (dtype) {
    case DType::kF32:
      *reinterpret_cast<uint32_t*>(to) = dummy_element(byte);
      break;
    case DType::kF16:
      *reinterpret_cast<uint16_t*>(to) = dummy_half(byte);
      break;
    case DType::kBF16:
      *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(dummy_element(byte) >> 16);
      break;
    default:
      *to = dummy_block_byte(format, static_cast<int>(item % format.block_bytes), byte);
  }
}

}  // namespace internal
}  // namespace caravel::kernels
