#include "kernels/packed_weight.h"

#include <numeric>

#include "base/error.h"
#include "device/device_array.h"
#include "kernels/embedding.h"
#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

std::vector<std::byte> packed_bytes_of(Stream& stream, const PackedWeight& weight) {
  return download(stream, weight.data(), weight.bytes());
}

class PackedWeightTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, PackedWeightTest, every_isa_and_type(), weight_test_name);

TEST_P(PackedWeightTest, TakesTheRoomOfTheFile) {
  const int64_t in = 3 * std::max<int64_t>(block(), 64);
  const Matrix matrix = make_matrix(stream_, {{dtype(), 64}}, in);
  EXPECT_EQ(matrix.packed.bytes(), static_cast<size_t>(64 * (row_bytes(dtype(), in) + 4 * row_scales(dtype(), in))));
}

// A part of a larger matrix, from a block of each row to another: as if it were a matrix of its own.
TEST_P(PackedWeightTest, RowsMayLieApart) {
  const int64_t unit = std::max<int64_t>(block(), 32);
  const int64_t rows = 45;
  const std::vector<std::byte> whole = random_rows(dtype(), rows + 2, 3 * unit, 5);
  const auto stride = row_bytes(dtype(), 3 * unit);
  const auto begin = stride + row_bytes(dtype(), unit);
  const auto size = row_bytes(dtype(), unit);
  std::vector<std::byte> part;
  for (int64_t r = 0; r < rows; ++r) {
    const auto from = whole.begin() + begin + r * stride;
    part.insert(part.end(), from, from + size);
  }
  const std::vector<float> scales = random_scales(dtype(), rows, unit, 6);
  const WeightRows apart[] = {{whole.data() + begin, dtype(), rows, stride, scales.data()}};
  const WeightRows together[] = {{part.data(), dtype(), rows, 0, scales.data()}};
  EXPECT_EQ(packed_bytes_of(stream_, pack_weight(stream_, apart, unit)),
            packed_bytes_of(stream_, pack_weight(stream_, together, unit)));
}

TEST(PackWeight, RefusesWhatItCannotStack) {
  Machine machine(Isa::kPortable, 1);
  Stream& stream = *machine.stream;
  const std::vector<std::byte> bytes(4096);
  const WeightRows mixed[] = {{bytes.data(), DType::kQ4_0, 2}, {bytes.data(), DType::kF16, 2}};
  EXPECT_THROW(pack_weight(stream, mixed, 64), Unsupported);
  const WeightRows ragged[] = {{bytes.data(), DType::kQ4_K, 2}};
  EXPECT_THROW(pack_weight(stream, ragged, 576), InvalidArgument);
}

TEST_P(PackedWeightTest, ExpertsLieOneAfterTheOther) {
  const int64_t in = 2 * std::max<int64_t>(block(), 32);
  const int64_t rows = 45;
  std::vector<std::vector<std::byte>> files;
  std::vector<std::vector<float>> scales;
  std::vector<WeightRows> stacked;
  for (unsigned i = 0; i < 6; ++i) {
    files.push_back(random_rows(dtype(), rows, in, i));
    scales.push_back(random_scales(dtype(), rows, in, i));
    stacked.push_back({files.back().data(), dtype(), rows, 0, scales.back().data()});
  }
  const auto of_expert = [&](int e) {
    return std::span(std::as_const(stacked)).subspan(static_cast<size_t>(e) * 2, 2);
  };
  const PackedWeight weight = make_weight_packer(machine_.device)->pack(3, of_expert, in, false);
  EXPECT_EQ(weight.experts(), 3);
  EXPECT_EQ(weight.out(), 2 * rows);
  for (int e = 0; e < 3; ++e) {
    EXPECT_EQ(packed_bytes_of(stream_, weight.at_expert(e)),
              packed_bytes_of(stream_, pack_weight(stream_, of_expert(e), in)));
  }
}

// One after the other through the same memory, as experts' on their way to the host.
TEST_P(PackedWeightTest, MayBePackedOverOthersOfItsShape) {
  const int64_t in = 2 * std::max<int64_t>(block(), 32);
  const int64_t rows = 45;
  const std::unique_ptr<WeightPacker> packer = make_weight_packer(machine_.device);
  const Buffer memory = machine_.device.allocate(packed_bytes(machine_.device, dtype(), rows, in));
  for (unsigned i = 0; i < 3; ++i) {
    const std::vector<std::byte> file = random_rows(dtype(), rows, in, i);
    const std::vector<float> scales = random_scales(dtype(), rows, in, i);
    const WeightRows stacked[] = {{file.data(), dtype(), rows, 0, scales.data()}};
    EXPECT_EQ(packed_bytes_of(stream_, packer->pack_to(memory.address(), stacked, in, false)),
              packed_bytes_of(stream_, pack_weight(stream_, stacked, in)));
  }
}

TEST(PackWeight, RotatedRowsAreForInputsOfEightBits) {
  Machine machine(Isa::kPortable, 1);
  if (input_form(machine.device, DType::kQ8_0, false) == InputForm::kQ8) GTEST_SKIP() << "which this device reads";
  const std::vector<std::byte> bytes(4096);
  const WeightRows rows[] = {{bytes.data(), DType::kQ8_0, 2}};
  EXPECT_THROW(pack_weight(*machine.stream, rows, 64, true), Unsupported);
}

// Many pieces on their way at once, the last one not full, and parts of different types.
TEST(PackWeight, BringsLargeMatricesWhole) {
  Machine machine(Isa::kPortable, 2);
  Stream& stream = *machine.stream;
  const int64_t in = 4096;
  const std::pair<DType, int64_t> parts[] = {
      {DType::kBF16, 3003}, {DType::kF16, 1021}, {DType::kF8E4M3, 3003}, {DType::kF8E4M3B128, 1021}};
  for (const auto& [dtype, rows] : parts) {
    const std::vector<std::byte> bytes = random_rows(dtype, rows, in, 3);
    const std::vector<float> scales = random_scales(dtype, rows, in, 4);
    const WeightRows stacked[] = {{bytes.data(), dtype, rows, 0, scales.data()}};
    const PackedWeight packed = pack_weight(stream, stacked, in);
    std::vector<int32_t> ids(static_cast<size_t>(rows));
    std::iota(ids.begin(), ids.end(), 0);
    const DeviceArray ids_there(stream, ids);
    const DeviceArray out(stream, rows * in, NAN);
    embedding(stream, {.table = &packed, .ids = ids_there.data(), .out = f32_tensor(out.data(), rows, in)});
    expect_same_bits(out.values(), dequantized(stacked[0], in));
  }
}

// Through the same pinned memory, where a device takes them so.
TEST(PackWeight, APackerMakesOneMatrixAfterTheOther) {
  Machine machine(Isa::kPortable, 2);
  Stream& stream = *machine.stream;
  const std::unique_ptr<WeightPacker> packer = make_weight_packer(machine.device);
  const int64_t in = 4096;
  for (const int64_t rows : {3003, 5, 2050}) {
    const std::vector<std::byte> values = random_rows(DType::kBF16, rows, in, 11);
    const std::vector<std::byte> exact = random_rows(DType::kF32, 1021, in, 12);
    const WeightRows one[] = {{values.data(), DType::kBF16, rows}, {values.data(), DType::kBF16, 3}};
    const WeightRows other[] = {{exact.data(), DType::kF32, 1021}};
    for (const std::span<const WeightRows> stacked : {std::span<const WeightRows>(one), {other}}) {
      EXPECT_EQ(packed_bytes_of(stream, packer->pack(
                                            1, [&](int) { return stacked; }, in, false)),
                packed_bytes_of(stream, pack_weight(stream, stacked, in)));
    }
  }
}

}  // namespace
}  // namespace caravel::kernels
