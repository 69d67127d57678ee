#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "format/weight_source.h"
#include "gguf_builder.h"
#include "temp_folder.h"

namespace caravel::format {
namespace {

class Gguf : public testing::Test {
 protected:
  std::unique_ptr<WeightSource> open(const std::string& bytes) {
    return open_weights(folder_.write("model.gguf", bytes));
  }

  template <typename E>
  void expect_refused(const std::string& bytes, const std::string& message) {
    expect_error<E>(message, [&] { open(bytes); });
  }

  TempFolder folder_;
};

TEST_F(Gguf, ReadsEveryTypeThatTheEngineComputesWith) {
  const std::pair<uint32_t, DType> types[] = {{0, DType::kF32},   {1, DType::kF16},   {30, DType::kBF16},
                                              {2, DType::kQ4_0},  {3, DType::kQ4_1},  {6, DType::kQ5_0},
                                              {7, DType::kQ5_1},  {8, DType::kQ8_0},  {12, DType::kQ4_K},
                                              {13, DType::kQ5_K}, {14, DType::kQ6_K}, {39, DType::kMXFP4}};
  GgufBuilder builder;
  uint64_t offset = 0;
  for (const auto& [number, dtype] : types) {
    builder.tensor(std::string(dtype_info(dtype).name), {256, 3}, number, offset);
    offset += static_cast<uint64_t>(row_bytes(dtype, 256) * 3 + 31) / 32 * 32;
  }
  const auto source = open(builder.bytes(offset));
  ASSERT_EQ(source->weights().size(), std::size(types));
  for (const auto& [number, dtype] : types) {
    const WeightInfo* weight = source->find(dtype_info(dtype).name);
    ASSERT_NE(weight, nullptr);
    EXPECT_EQ(weight->dtype, dtype);
    EXPECT_EQ(weight->shape, (std::vector<int64_t>{3, 256}));
    EXPECT_EQ(static_cast<int64_t>(source->map(*weight).bytes().size()), row_bytes(dtype, 256) * 3)
        << dtype_info(dtype).name;
  }
}

TEST_F(Gguf, TensorDataLieWhereTheFileSays) {
  GgufBuilder builder;
  builder.alignment = 64;
  builder.u32("general.alignment", 64).tensor("a", {2}, 0, 0).tensor("b", {3, 1}, 0, 64);
  const auto source = open(builder.bytes(128));
  EXPECT_EQ(source->map(*source->find("a")).bytes()[0], std::byte{0});
  const MappedBytes b = source->map(*source->find("b"));
  ASSERT_EQ(b.bytes().size(), 12U);
  EXPECT_EQ(b.bytes()[0], std::byte{64});
  EXPECT_EQ(b.bytes()[11], std::byte{75});
}

TEST_F(Gguf, AHeaderMayBeLongerThanWhatIsReadAtFirst) {
  GgufBuilder builder;
  builder.text("x.long", std::string(65 << 20, 'x')).tensor("a", {2}, 0, 0);
  const std::string bytes = builder.bytes(32);
  const auto source = open(bytes);
  EXPECT_EQ(source->map(*source->find("a")).bytes()[1], std::byte{1});
  expect_refused<FormatError>(bytes.substr(0, bytes.size() - 31), "the file is truncated or corrupt");
}

TEST_F(Gguf, Version2ReadsLikeVersion3) {
  GgufBuilder builder;
  builder.version = 2;
  EXPECT_EQ(open(builder.u32("llama.block_count", 7).bytes())->config()["llama.block_count"], 7);
}

TEST_F(Gguf, MetadataBecomeAFlatObjectWithoutLongArrays) {
  const std::string big_u64(8, '\xFF');
  const std::string minus_two = "\xFE";
  GgufBuilder builder;
  builder.text("general.name", "caravel").f32("x.eps", 0.5F).boolean("x.flag", true).raw("x.big", 10, big_u64);
  builder.raw("x.negative", 1, minus_two).i32s("x.short", {1, -2}).i32s("x.long", std::vector<int32_t>(1025, 1));
  builder.texts("x.texts", {"a", "\xC3\xA9"});
  const auto source = open(builder.bytes());
  const nlohmann::json& config = source->config();
  EXPECT_EQ(config["general.name"], "caravel");
  EXPECT_EQ(config["x.eps"], 0.5);
  EXPECT_EQ(config["x.flag"], true);
  EXPECT_EQ(config["x.big"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(config["x.negative"], -2);
  EXPECT_EQ(config["x.short"], (nlohmann::json{1, -2}));
  EXPECT_EQ(config["x.texts"], (nlohmann::json{"a", "\xC3\xA9"}));
  EXPECT_FALSE(config.contains("x.long"));
}

TEST_F(Gguf, RefusesATypeByNameWithTheTensor) {
  expect_refused<Unsupported>(
      GgufBuilder().tensor("blk.0.attn_q.weight", {256, 1}, 23, 0).bytes(4096),
      "tensor blk.0.attn_q.weight has type IQ4_XS, which Caravel does not read; it reads F32, F16");
  expect_refused<Unsupported>(GgufBuilder().tensor("w", {256}, 4242, 0).bytes(4096), "type number 4242");
}

TEST_F(Gguf, RefusesOtherFilesAndVersions) {
  expect_refused<FormatError>("PK\x03\x04 and so on", "not a GGUF file");
  GgufBuilder first;
  first.version = 1;
  expect_refused<Unsupported>(first.bytes(), "version 1; Caravel reads versions 2 and 3");
  GgufBuilder swapped;
  swapped.version = 0x03000000;
  expect_refused<Unsupported>(swapped.bytes(), "big-endian");
  expect_error<NotFound>("no such file", [&] { open_weights((folder_.path() / "absent.gguf").string()); });
  expect_refused<IoError>("", "empty");
}

TEST_F(Gguf, RefusesTensorsThatAreNotInTheFile) {
  expect_refused<FormatError>(GgufBuilder().tensor("w", {8}, 0, 0).bytes(31), "tensor w takes 32 bytes at offset 0");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {8}, 0, 64).bytes(64), "truncated or corrupt");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {8}, 0, uint64_t{0} - 32).bytes(64), "truncated or corrupt");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {8}, 0, 16).bytes(64),
                              "no multiple of the file's alignment 32");
}

TEST_F(Gguf, RefusesTensorsThatOverlap) {
  const auto two = [](uint64_t first, uint64_t second) {
    return GgufBuilder().tensor("w", {16}, 0, first).tensor("v", {8}, 0, second).bytes(96);
  };
  EXPECT_NO_THROW(open(two(32, 0)));
  expect_refused<FormatError>(two(0, 32), "the bytes of tensors w and v overlap");
  expect_refused<FormatError>(two(0, 0), "overlap");
}

TEST_F(Gguf, RefusesShapesThatMakeNoSense) {
  const uint64_t huge = uint64_t{1} << 62;
  expect_refused<FormatError>(GgufBuilder().tensor("w", {4, huge, 4}, 0, 0).bytes(64), "impossible shape [4, ");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {0, 4}, 0, 0).bytes(64), "impossible shape [4, 0]");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {4, uint64_t{0} - 4}, 0, 0).bytes(64),
                              "impossible shape [-4, 4]");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {48}, 8, 0).bytes(64),
                              "rows of 48 elements, no multiple of the 32 that a block of Q8_0 holds");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {1, 1, 1, 1, 1}, 0, 0).bytes(64), "has 5 dimensions");
  expect_refused<FormatError>(GgufBuilder().tensor("w", {}, 0, 0).tensor("v", {}, 0, 0).bytes(64), "has 0 dimensions");
}

TEST_F(Gguf, RefusesNamesThatAreThereTwiceOrNone) {
  expect_refused<FormatError>(GgufBuilder().tensor("w", {8}, 0, 0).tensor("w", {8}, 0, 32).bytes(64),
                              "tensor w is there twice");
  expect_refused<FormatError>(GgufBuilder().tensor("", {8}, 0, 0).bytes(64), "a tensor has no name");
  expect_refused<FormatError>(GgufBuilder().u32("a.b", 1).u32("a.b", 1).bytes(), "metadata a.b is there twice");
}

TEST_F(Gguf, RefusesHostileMetadata) {
  const std::string longest(8, '\xFF');
  const std::string u8_array("\x00\x00\x00\x00", 4);
  const std::string array_array("\x09\x00\x00\x00", 4);
  expect_refused<FormatError>(GgufBuilder().raw("k", 8, longest).bytes(), "the file is truncated or corrupt");
  expect_refused<FormatError>(GgufBuilder().raw("k", 9, u8_array + longest).bytes(),
                              "metadata k claims 18446744073709551615");
  expect_refused<Unsupported>(GgufBuilder().raw("k", 9, array_array + longest).bytes(), "array of arrays");
  expect_refused<FormatError>(GgufBuilder().raw("k", 13, "").bytes(), "unknown type 13");
  expect_refused<FormatError>(GgufBuilder().text("k", "\xFF").bytes(), "metadata k is not UTF-8");
  expect_refused<FormatError>(GgufBuilder().u32("general.alignment", 48).bytes(), "general.alignment is 48");
  expect_refused<FormatError>(GgufBuilder().u32("general.alignment", 0).bytes(), "general.alignment is 0");
  expect_refused<FormatError>(GgufBuilder().u32("tokenizer.ggml.model", 3).bytes(), "should be a text");

  std::string counts = GgufBuilder().bytes();
  counts.replace(8, 8, longest);  // tensors
  expect_refused<FormatError>(counts, "claims 18446744073709551615 tensors");
  counts = GgufBuilder().bytes();
  counts.replace(16, 8, longest);  // pairs
  expect_refused<FormatError>(counts, "claims 18446744073709551615 metadata pairs");
}

TEST_F(Gguf, MessagesStayOnOneLineWhateverTheNames) {
  expect_refused<FormatError>(GgufBuilder().tensor("a\nb\x1B[31m\xFE", {8}, 0, 0).bytes(32), "tensor a?b?[31m?");
}

class SplitGguf : public Gguf {
 protected:
  static GgufBuilder part(uint32_t number, uint32_t count, uint32_t tensors) {
    GgufBuilder builder;
    builder.u32("split.no", number).u32("split.count", count).u32("split.tensors.count", tensors);
    return builder;
  }
  std::string write(const char* name, const GgufBuilder& builder) { return folder_.write(name, builder.bytes(32)); }
};

TEST_F(SplitGguf, OpensAllPartsByTheFirst) {
  const std::string first = write("m-00001-of-00002.gguf", part(0, 2, 2).u32("x.y", 5).tensor("a", {8}, 0, 0));
  const std::string second = write("m-00002-of-00002.gguf", part(1, 2, 2).tensor("b", {4}, 0, 0));
  const auto source = open_weights(first);
  ASSERT_EQ(source->weights().size(), 2U);
  EXPECT_EQ(source->find("b")->file, second);
  EXPECT_EQ(source->config()["x.y"], 5);
  expect_error<InvalidArgument>("part 2 of 2; give " + first, [&] { open_weights(second); });
}

TEST_F(SplitGguf, RefusesPartsThatAreMissingOrWrong) {
  const std::string first = write("m-00001-of-00002.gguf", part(0, 2, 2).tensor("a", {8}, 0, 0));
  expect_error<NotFound>("m-00002-of-00002.gguf: no such file", [&] { open_weights(first); });
  write("m-00002-of-00002.gguf", part(0, 2, 2).tensor("b", {8}, 0, 0));
  expect_error<FormatError>("should be part 2 of 2", [&] { open_weights(first); });
  write("m-00002-of-00002.gguf", part(1, 2, 2).tensor("a", {8}, 0, 0));
  expect_error<FormatError>("tensor a is there twice", [&] { open_weights(first); });
  write("m-00002-of-00002.gguf", part(1, 2, 2));
  expect_error<FormatError>("should hold 2 tensors together, they hold 1", [&] { open_weights(first); });
  expect_error<FormatError>("its name does not end with -00001-of-00002.gguf",
                            [&] { open_weights(write("renamed.gguf", part(0, 2, 1).tensor("a", {8}, 0, 0))); });
  expect_error<FormatError>("make no sense", [&] { open_weights(write("m.gguf", part(7, 2, 1))); });
}

}  // namespace
}  // namespace caravel::format
