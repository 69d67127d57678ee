#include "model/layer_stream.h"

#include <gtest/gtest.h>

#include <numeric>

#include "device/deferred_device.h"
#include "device/device_array.h"
#include "fixtures.h"
#include "memory_source.h"
#include "model_harness.h"

namespace caravel::model {
namespace {

const std::vector<int32_t> kPrompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};

/// A prompt in chunks, then tokens one by one, of one sequence and of two.
std::vector<std::vector<float>> logits_of(ModelHarness& model) {
  const int chunks[] = {7, 5};
  std::vector<std::vector<float>> logits = model.run(0, kPrompt, chunks);
  for (const int32_t token : {7, 9, 3}) {
    const ModelHarness::Chunk both[] = {{0, {token}}, {1, {token, 2}}};
    for (std::vector<float>& row : model.step(both)) logits.push_back(std::move(row));
  }
  return logits;
}

class LayerStreamTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const std::string why = refusal(*source_); !why.empty()) GTEST_SKIP() << why;
  }

  std::unique_ptr<format::WeightSource> source_ = format::open_weights(tests::model_fixture(GetParam()));
};
INSTANTIATE_TEST_SUITE_P(All, LayerStreamTest,
                         testing::Values("llama", "llama.gguf", "qwen2", "gemma3", "olmo2", "gpt2", "glm4_moe"),
                         [](const auto& param) {
                           const std::string name = param.param;
                           return name.ends_with(".gguf") ? "gguf" : name;
                         });

// One, two and more than the slots hold, an odd number of them, all; what lies on the device comes in between.
TEST_P(LayerStreamTest, StreamedLayersChangeNoBit) {
  ModelHarness whole(*source_, {});
  const auto expected = logits_of(whole);
  const size_t layers = whole.decoder().weights().layers.size();
  std::vector<std::vector<size_t>> choices = {{0}, {layers - 1}, {0, layers - 1}};
  if (layers > 4) choices.insert(choices.end(), {{0, 2, 3}, {1, 2, 4, 5}});
  choices.emplace_back(layers);
  std::iota(choices.back().begin(), choices.back().end(), 0);
  for (const std::vector<size_t>& in_host : choices) {
    ModelHarness streamed(*source_, {.in_host = in_host});
    EXPECT_TRUE(streamed.decoder().streams_layers());
    EXPECT_EQ(logits_of(streamed), expected) << in_host.size() << " from " << in_host.front();
    EXPECT_EQ(streamed.decoder().weights().bytes, whole.decoder().weights().bytes);
  }
}

TEST_P(LayerStreamTest, DecodersStreamTheSameWeightsApart) {
  ModelHarness first(*source_, {.in_host = {0, 1}});
  ModelHarness second(first);
  const auto expected = logits_of(first);
  EXPECT_EQ(logits_of(second), expected);
}

// Also one that went back, or passed layers over.
TEST(LayerStream, APassThatEndedEarlyLeavesTheNextOneRight) {
  const auto source = format::open_weights(tests::model_fixture("gemma3"));
  const ModelConfig config = read_config(*source);
  const std::unique_ptr<Device> device = open_test_device(1, available_isas().back());
  DeviceSink sink(*device);
  const size_t in_host[] = {0, 1, 3, 4, 5};
  const ModelWeights whole = load_weights(sink, *source, config);
  const ModelWeights weights = load_weights(sink, *source, config, in_host);
  const std::unique_ptr<Stream> stream = device->make_stream();
  LayerStream layers(*device, weights);
  const auto bytes_of = [&](const LayerWeights& layer) {
    std::vector<std::vector<std::byte>> bytes;
    for (const kernels::PackedWeight* matrix : matrices_of(layer)) {
      bytes.push_back(download(*stream, matrix->data(), matrix->bytes()));
    }
    return bytes;
  };
  for (const size_t layer : {0, 1, 2, 0, 1, 2, 3, 4, 5, 6, 0, 5, 4, 3, 3, 0}) {
    EXPECT_EQ(bytes_of(layers.acquire(*stream, layer)), bytes_of(whole.layers[layer])) << layer;
  }
}

TEST(LayerStream, BytesAreThoseOfTheLayout) {
  const MemorySource source = make_tiny_llama();
  const std::unique_ptr<Device> device = open_test_device(1, available_isas().back());
  const WeightLayout layout = weight_layout(*device, source, read_config(source));
  DeviceSink sink(*device);
  const size_t in_host[] = {1};
  const ModelWeights weights = load_weights(sink, source, read_config(source), in_host);
  EXPECT_FALSE(weights.in_host[0]);
  EXPECT_EQ(weights.in_host[1].size(), matrix_bytes(layout.layers[1]));
  EXPECT_EQ(matrix_bytes(weights.layers[1]), matrix_bytes(layout.layers[1]));
}

}  // namespace
}  // namespace caravel::model
