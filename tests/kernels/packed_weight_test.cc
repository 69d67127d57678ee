#include "kernels/packed_weight.h"

#include "base/error.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

class PackedWeightTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, PackedWeightTest, every_isa_and_type(), weight_test_name);

TEST_P(PackedWeightTest, TakesTheRoomOfTheFile) {
  const int64_t in = 3 * std::max<int64_t>(block(), 32);
  const Matrix matrix = make_matrix(*stream_, {{dtype(), 64}}, in);
  EXPECT_EQ(matrix.packed.bytes(), static_cast<size_t>(64 * row_bytes(dtype(), in)));
}

TEST(PackWeight, RefusesWhatItCannotStack) {
  CpuDevice device(1);
  const std::unique_ptr<Stream> stream = device.make_stream();
  const std::vector<std::byte> bytes(4096);
  const WeightRows mixed[] = {{bytes.data(), DType::kQ4_0, 2}, {bytes.data(), DType::kF16, 2}};
  EXPECT_THROW(pack_weight(*stream, mixed, 64), Unsupported);
  const WeightRows ragged[] = {{bytes.data(), DType::kQ4_K, 2}};
  EXPECT_THROW(pack_weight(*stream, ragged, 576), InvalidArgument);
}

}  // namespace
}  // namespace caravel::kernels
