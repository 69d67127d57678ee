#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "device/cpu/isa.h"
#include "device/device.h"
#include "format/weight_source.h"
#include "model/decoder.h"

namespace caravel::model {

/// Why the device that the tests run on does not run the model, as check_device() says it; empty where it does.
std::string refusal(const format::WeightSource& source);

/// A decoder with a pool of its own on the device that the tests run on, driven without an engine: sequences are
/// numbers, blocks are handed out in a scrambled order and kept, blocks outside a group's window are taken out of its
/// table, and memory that nothing has been written to is full of NaN.
class ModelHarness {
 public:
  struct Options {
    kernels::KvDtype kv_dtype = kernels::KvDtype::kF32;
    int block_size = 8;
    int threads = 2;
    int max_tokens = 64;
    int max_context = 256;
    Isa isa = available_isas().back();
    Placement placement;
    Peers peers;
    Quantization quantization = Quantization::kNone;
    std::vector<size_t> in_host;  // layers of which the matrices lie in the host's memory
  };
  ModelHarness(const format::WeightSource& source, const Options& options);
  /// Another decoder of the same weights on the same device, with a pool of its own.
  explicit ModelHarness(const ModelHarness& other);

  struct Chunk {
    int sequence = 0;
    std::vector<int32_t> tokens;  // that follow what the sequence has
  };
  /// One step: logits of every token, [tokens][vocab], in the order of the chunks; none of a stage without the LM head.
  /// layer_inputs: filled with the residual stream before each layer, [layers * tokens * hidden]; or nullptr.
  std::vector<std::vector<float>> step(std::span<const Chunk> chunks, std::vector<float>* layer_inputs = nullptr);
  /// One sequence alone, in one step or in chunks of the given sizes, from its start.
  std::vector<std::vector<float>> run(int sequence, std::span<const int32_t> tokens, std::span<const int> chunk_sizes);

  /// The final norm's output of rows of the last step.
  std::vector<float> final_hidden(std::span<const int32_t> rows);

  const Decoder& decoder() const { return decoder_; }

 private:
  ModelHarness(std::shared_ptr<Device> device, std::shared_ptr<const ModelWeights> weights,
               const format::WeightSource* source, const ModelConfig& config, const Options& options);
  struct Sequence {
    int32_t length = 0;
    std::vector<std::vector<int32_t>> blocks;  // by group
  };
  int32_t take_block();

  Options options_;
  std::shared_ptr<Device> device_;
  std::shared_ptr<const ModelWeights> weights_;
  std::unique_ptr<Stream> stream_;
  Decoder decoder_;
  std::vector<int32_t> free_blocks_;
  Buffer pool_;
  std::map<int, Sequence> sequences_;
};

}  // namespace caravel::model
