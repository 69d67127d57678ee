#include "kernels/dummy_rows.h"

#include "kernels/half.h"

namespace caravel::kernels {

DummyFormat dummy_format(DType dtype) {
  const auto [name, elements, bytes] = dtype_info(dtype);
  const auto block = [bytes = bytes](int d_at, float d, int m_at = -1, float m = 0) {
    return DummyFormat{.item_bytes = 1,
                       .block_bytes = bytes,
                       .d_at = d_at,
                       .m_at = m_at,
                       .d = float_to_half(d),
                       .m = float_to_half(m)};
  };
  switch (dtype) {
    case DType::kQ4_0:
      return block(0, 0x1p-8F);
    case DType::kQ4_1:
      return block(0, 0x1p-8F, 2, -7.5F * 0x1p-8F);
    case DType::kQ5_0:
      return block(0, 0x1p-9F);
    case DType::kQ5_1:
      return block(0, 0x1p-9F, 2, -15.5F * 0x1p-9F);
    case DType::kQ8_0:
      return block(0, 0x1p-12F);
    // Sub-scales and sub-minima of six bits have the same mean.
    case DType::kQ4_K:
      return block(0, 0x1p-14F, 2, 7.5F * 0x1p-14F);
    case DType::kQ5_K:
      return block(0, 0x1p-15F, 2, 15.5F * 0x1p-15F);
    case DType::kQ6_K:
      return block(208, 0x1p-16F);
    case DType::kMXFP4:
      return {.item_bytes = 1, .block_bytes = bytes, .d_at = 0, .d_bytes = 1, .d = 127 - 7};
    case DType::kF8E4M3:
    case DType::kF8E4M3B128:
      return {.scale = 0x1.4p-13F};
    default:
      return {.item_bytes = bytes};
  }
}

void make_dummy_rows(const DummyRows& dummy, DType dtype, int64_t count, int64_t in, int64_t stride, std::byte* to) {
  const DummyFormat format = dummy_format(dtype);
  const int64_t bytes = row_bytes(dtype, in);
  auto* out = reinterpret_cast<uint8_t*>(to);
  for (int64_t row = 0; row < count; ++row) {
    const int64_t first = (dummy.begin + row * (stride != 0 ? stride : bytes)) / format.item_bytes;
    internal::DummyGroup group = {};
    for (int64_t i = 0; i < bytes / format.item_bytes; ++i, out += format.item_bytes) {
      const int64_t item = first + i;
      if (i == 0 || item % 16 == 0) group = internal::dummy_group(dummy.key, item / 16);
      internal::write_dummy_item(dtype, format, item, group.byte(static_cast<int>(item % 16)), out);
    }
  }
}

}  // namespace caravel::kernels
