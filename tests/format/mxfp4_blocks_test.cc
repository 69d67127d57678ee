#include "format/hf/mxfp4_blocks.h"

#include <gtest/gtest.h>

#include <utility>

#include "expect_error.h"

namespace caravel::format {
namespace {

using Shape = std::vector<int64_t>;

WeightInfo tensor(const std::string& name, const Shape& shape) {
  WeightInfo made = {.name = name, .shape = shape, .file = "file", .bytes = 1};
  for (const int64_t extent : shape) made.bytes *= static_cast<uint64_t>(extent);
  return made;
}

std::vector<WeightInfo> joined(std::vector<WeightInfo> bytes) {
  std::vector<WeightInfo> weights;
  join_mxfp4_blocks(std::move(bytes), weights);
  return weights;
}

TEST(Mxfp4Blocks, AreOneWeightWithTheirScales) {
  // Scales may lie in a file before the one of the blocks.
  const std::vector<WeightInfo> weights = joined({tensor("b_scales", {4, 8, 3}), tensor("a_blocks", {8, 2, 16}),
                                                  tensor("b_blocks", {4, 8, 3, 16}), tensor("a_scales", {8, 2})});
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_EQ(weights[0].name, "a");
  EXPECT_EQ(weights[0].shape, (Shape{8, 64}));
  EXPECT_EQ(weights[1].name, "b");
  EXPECT_EQ(weights[1].dtype, DType::kMXFP4);
  EXPECT_EQ(weights[1].shape, (Shape{4, 8, 96}));
  EXPECT_EQ(weights[1].bytes, 4U * 8 * 3 * 16) << "of the codes alone";
  ASSERT_NE(weights[1].scale, nullptr);
  EXPECT_EQ(weights[1].scale->name, "b_scales");
  EXPECT_EQ(weights[1].scale->bytes, 4U * 8 * 3);
}

TEST(Mxfp4Blocks, WhoseShapesDoNotAgreeAreRefusedWithBoth) {
  for (const auto& [blocks, scales] :
       {std::pair(Shape{4, 8, 3, 16}, Shape{4, 8, 2}), std::pair(Shape{4, 8, 3, 16}, Shape{4, 3, 8}),
        std::pair(Shape{4, 8, 3, 16}, Shape{4, 24}), std::pair(Shape{4, 8, 3, 32}, Shape{4, 8, 3}),
        std::pair(Shape{16}, Shape{})}) {
    const WeightInfo first = tensor("a_blocks", blocks);
    const WeightInfo second = tensor("a_scales", scales);
    expect_error<FormatError>("16 bytes of codes a block and one scale for each", [&] { joined({first, second}); });
  }
  expect_error<FormatError>("tensor a_blocks is [4, 3, 16] and a_scales [4, 2]",
                            [] { joined({tensor("a_blocks", {4, 3, 16}), tensor("a_scales", {4, 2})}); });
}

TEST(Mxfp4Blocks, AreMissedByName) {
  expect_error<FormatError>("tensor a_blocks holds blocks of MXFP4, and there is no a_scales",
                            [] { joined({tensor("a_blocks", {8, 2, 16})}); });
  expect_error<FormatError>("tensor a_scales holds scales of MXFP4, and there is no a_blocks",
                            [] { joined({tensor("a_scales", {8, 2})}); });
  expect_error<Unsupported>("tensor a.qweight has type U8", [] { joined({tensor("a.qweight", {8, 2})}); });
}

}  // namespace
}  // namespace caravel::format
