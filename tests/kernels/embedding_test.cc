#include "kernels/embedding.h"

#include <cmath>
#include <numeric>

#include "kernels/weight_matrix.h"

namespace caravel::kernels {
namespace {

class EmbeddingTest : public WeightTest {};
INSTANTIATE_TEST_SUITE_P(All, EmbeddingTest, every_isa_and_type(), weight_test_name);

TEST_P(EmbeddingTest, ReadsTheRowsThatTheFileHolds) {
  const int64_t rows = 45;
  const int64_t width = block() == 1 ? 50 : 3 * block();
  const Matrix matrix = make_matrix(stream_, {{dtype(), rows}}, width);
  const std::vector<int32_t> ids = {44, 0, 16, 15, 31, 32, 44};
  for (const float scale : {1.0F, 25.25F}) {
    const DeviceArray ids_there(stream_, ids);
    const DeviceArray there(stream_, static_cast<int64_t>(ids.size()) * width, NAN);
    embedding(stream_, {.table = &matrix.packed,
                        .ids = ids_there.data(),
                        .scale = scale,
                        .out = f32_tensor(there.data(), static_cast<int64_t>(ids.size()), width)});
    const std::vector<float> got = there.values();
    for (size_t i = 0; i < got.size(); ++i) {
      const size_t row = i / static_cast<size_t>(width);
      const float value = matrix.values[static_cast<size_t>(ids[row] * width) + i % static_cast<size_t>(width)];
      ASSERT_EQ(got[i], scale * value) << "row " << ids[row] << ", element " << i % static_cast<size_t>(width);
    }
  }
}

// E8M0 reaches from less than an f32's normals to more than it has: what is too large, and its last code, are infinite.
TEST(Embedding, Mxfp4HasScalesOfEverySize) {
  const int64_t width = 64;
  const std::vector<std::byte> bytes = rows_of_every_e8m0();
  const std::vector<float> expected = dequantized(DType::kMXFP4, bytes, width);
  std::vector<int32_t> ids(256);
  std::iota(ids.begin(), ids.end(), 0);
  for (const Isa isa : tested_isas()) {
    SCOPED_TRACE(isa_name(isa));
    const Machine machine(isa);
    Stream& stream = *machine.stream;
    const WeightRows rows = {bytes.data(), DType::kMXFP4, 256};
    const PackedWeight table = pack_weight(stream, {&rows, 1}, width);
    const DeviceArray ids_there(stream, ids);
    const DeviceArray there(stream, 256 * width, 0.0F);
    embedding(stream, {.table = &table, .ids = ids_there.data(), .out = f32_tensor(there.data(), 256, width)});
    const std::vector<float> got = there.values();
    for (size_t i = 0; i < got.size(); ++i) {
      const bool both_nan = std::isnan(got[i]) && std::isnan(expected[i]);
      ASSERT_TRUE(both_nan || got[i] == expected[i]) << "scale " << i / 64 << ": " << got[i] << ", not " << expected[i];
    }
  }
}

// Ranks that have a part of the vocabulary each add up what they give.
TEST_P(EmbeddingTest, IdsOfOtherPartsAreZero) {
  const int64_t width = block() == 1 ? 50 : 3 * block();
  const Matrix matrix = make_matrix(stream_, {{dtype(), 40}}, width);
  const std::vector<int32_t> ids = {0, 99, 100, 139, 140, 200};
  const DeviceArray ids_there(stream_, ids);
  const DeviceArray there(stream_, static_cast<int64_t>(ids.size()) * width, NAN);
  embedding(stream_, {.table = &matrix.packed,
                      .ids = ids_there.data(),
                      .first_id = 100,
                      .out = f32_tensor(there.data(), static_cast<int64_t>(ids.size()), width)});
  const std::vector<float> got = there.values();
  for (size_t i = 0; i < got.size(); ++i) {
    const int64_t row = ids[i / static_cast<size_t>(width)] - 100;
    const size_t column = i % static_cast<size_t>(width);
    const bool held = row >= 0 && row < 40;
    ASSERT_EQ(got[i], held ? matrix.values[static_cast<size_t>(row * width) + column] : 0.0F) << i;
  }
}

// Learned positions, of tokens that another part of the vocabulary holds as well: one rank adds them for all.
TEST_P(EmbeddingTest, AddsRowsOfAnotherTable) {
  const int64_t width = block() == 1 ? 50 : 3 * block();
  const Matrix matrix = make_matrix(stream_, {{dtype(), 40}}, width);
  const std::vector<int32_t> ids = {39, 2, 70};
  const std::vector<int32_t> positions = {4, 0, 3};
  const std::vector<float> added = random_normal(5 * width, 61);
  const DeviceArray ids_there(stream_, ids);
  const DeviceArray positions_there(stream_, positions);
  const DeviceArray added_there(stream_, added);
  const DeviceArray there(stream_, 3 * width, NAN);
  embedding(stream_, {.table = &matrix.packed,
                      .ids = ids_there.data(),
                      .scale = 3.5F,
                      .added = added_there.data(),
                      .added_rows = positions_there.data(),
                      .out = f32_tensor(there.data(), 3, width)});
  const std::vector<float> got = there.values();
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t token = i / static_cast<size_t>(width);
    const size_t column = i % static_cast<size_t>(width);
    const float value = ids[token] < 40 ? 3.5F * matrix.values[static_cast<size_t>(ids[token] * width) + column] : 0.0F;
    ASSERT_EQ(got[i], value + added[static_cast<size_t>(positions[token] * width) + column]) << i;
  }
}

}  // namespace
}  // namespace caravel::kernels
