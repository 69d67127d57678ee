#include "model_harness.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "base/check.h"
#include "base/error.h"
#include "device/deferred_device.h"
#include "device/device_array.h"
#include "model/check_device.h"
#include "model/weight_layout.h"

namespace caravel::model {
namespace {

constexpr int kPoolSequences = 8;  // the pool holds so many of max_context

ModelConfig config_of(const format::WeightSource& source, const ModelHarness::Options& options) {
  ModelConfig config = read_config(source);
  config.placement = options.placement;
  config.quantization = options.quantization;
  return config;
}

std::shared_ptr<const ModelWeights> weights_of(Device& device, const format::WeightSource& source,
                                               const ModelConfig& config, std::span<const size_t> in_host) {
  DeviceSink sink(device);
  return std::make_shared<const ModelWeights>(load_weights(sink, source, config, in_host));
}

}  // namespace

std::string refusal(const format::WeightSource& source) {
  try {
    const auto device = open_test_device(1, available_isas().back());
    const ModelConfig config = read_config(source);
    check_device(*device, config);
    weight_layout(*device, source, config);  // which refuses types
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

ModelHarness::ModelHarness(const format::WeightSource& source, const Options& options)
    : ModelHarness(open_test_device(options.threads, options.isa), nullptr, &source, config_of(source, options),
                   options) {}

ModelHarness::ModelHarness(const ModelHarness& other)
    : ModelHarness(other.device_, other.weights_, nullptr, other.decoder_.config(), other.options_) {}

/// weights: nullptr to read them from `source`.
ModelHarness::ModelHarness(std::shared_ptr<Device> device, std::shared_ptr<const ModelWeights> weights,
                           const format::WeightSource* source, const ModelConfig& config, const Options& options)
    : options_(options),
      device_(std::move(device)),
      weights_(weights != nullptr ? std::move(weights) : weights_of(*device_, *source, config, options.in_host)),
      stream_(device_->make_stream()),
      decoder_(*device_, config, weights_, kv_layout(*device_, config, options.block_size, options.kv_dtype),
               options.max_tokens, options.max_context, options.peers) {
  const KvLayout& layout = decoder_.kv_layout();
  const size_t blocks =
      static_cast<size_t>(options.max_context / options.block_size * kPoolSequences) * layout.groups.size();
  free_blocks_.resize(blocks);
  std::iota(free_blocks_.begin(), free_blocks_.end(), 0);
  std::shuffle(free_blocks_.begin(), free_blocks_.end(), std::mt19937(5));
  const std::vector<std::byte> nan(blocks * static_cast<size_t>(layout.block_bytes()), std::byte{0xff});
  pool_ = upload<std::byte>(*stream_, nan);
}

int32_t ModelHarness::take_block() {
  CARAVEL_CHECK(!free_blocks_.empty());
  const int32_t block = free_blocks_.back();
  free_blocks_.pop_back();
  return block;
}

std::vector<std::vector<float>> ModelHarness::step(std::span<const Chunk> chunks, std::vector<float>* layer_inputs) {
  const KvLayout& layout = decoder_.kv_layout();
  const auto block_size = static_cast<size_t>(options_.block_size);
  const size_t stride = static_cast<size_t>(options_.max_context) / block_size;
  std::vector<int32_t> ids, positions, query_start{0}, context_len;
  std::vector<std::vector<int64_t>> slots(layout.groups.size());
  std::vector<std::vector<int32_t>> tables(layout.groups.size(), std::vector<int32_t>(chunks.size() * stride, -1));

  for (size_t s = 0; s < chunks.size(); ++s) {
    Sequence& sequence = sequences_[chunks[s].sequence];
    sequence.blocks.resize(layout.groups.size());
    const int32_t first = sequence.length;
    for (const int32_t id : chunks[s].tokens) {
      ids.push_back(id);
      positions.push_back(sequence.length++);
    }
    query_start.push_back(static_cast<int32_t>(ids.size()));
    context_len.push_back(sequence.length);
    for (size_t g = 0; g < layout.groups.size(); ++g) {
      std::vector<int32_t>& blocks = sequence.blocks[g];
      while (blocks.size() * block_size < static_cast<size_t>(sequence.length)) blocks.push_back(take_block());
      for (int32_t p = first; p < sequence.length; ++p) {
        const size_t position = static_cast<size_t>(p);
        slots[g].push_back(int64_t{blocks[position / block_size]} * options_.block_size +
                           static_cast<int64_t>(position % block_size));
      }
      const int window = layout.groups[g].window;
      const int seen = window == 0 ? 0 : std::max(0, first - window + 1);  // the oldest that the chunk's first sees
      for (size_t b = static_cast<size_t>(seen) / block_size; b < blocks.size(); ++b)
        tables[g][s * stride + b] = blocks[b];
    }
  }

  const DeviceArray<int32_t> ids_there(*stream_, ids);
  const DeviceArray<int32_t> positions_there(*stream_, positions);
  const DeviceArray<int32_t> query_start_there(*stream_, query_start);
  const DeviceArray<int32_t> context_len_there(*stream_, context_len);
  std::vector<DeviceArray<int64_t>> slots_there;
  std::vector<DeviceArray<int32_t>> tables_there;
  ForwardBatch batch = {.tokens = static_cast<int64_t>(ids.size()),
                        .num_seqs = static_cast<int>(chunks.size()),
                        .token_ids = ids_there.data(),
                        .positions = positions_there.data(),
                        .query_start = query_start_there.data(),
                        .context_len = context_len_there.data(),
                        .max_context = *std::max_element(context_len.begin(), context_len.end()),
                        .block_table_stride = static_cast<int64_t>(stride)};
  for (size_t g = 0; g < layout.groups.size(); ++g) {
    batch.groups[g] = {slots_there.emplace_back(*stream_, slots[g]).data(),
                       tables_there.emplace_back(*stream_, tables[g]).data()};
  }
  const auto layers = static_cast<int64_t>(decoder_.weights().layers.size());
  const DeviceArray<float> inputs(*stream_, layers * batch.tokens * decoder_.config().hidden_size, 0.0F);
  decoder_.forward(*stream_, batch,
                   {.base = pool_.address(), .block_size = options_.block_size, .dtype = options_.kv_dtype},
                   layer_inputs == nullptr ? nullptr : inputs.data());
  stream_->synchronize();
  if (layer_inputs != nullptr) *layer_inputs = inputs.values();
  if (!decoder_.has_lm_head()) return {};

  const auto vocabulary = static_cast<size_t>(decoder_.config().vocab_size);
  std::vector<std::vector<float>> logits;
  const int64_t most = Decoder::max_logit_rows(stream_->device());
  const DeviceArray<float> out(*stream_, most * decoder_.config().vocab_size, 0.0F);
  for (int64_t begin = 0; begin < batch.tokens; begin += most) {
    std::vector<int32_t> rows(static_cast<size_t>(std::min(most, batch.tokens - begin)));
    std::iota(rows.begin(), rows.end(), static_cast<int32_t>(begin));
    const DeviceArray<int32_t> rows_there(*stream_, rows);
    decoder_.logits(*stream_, rows_there.data(), static_cast<int64_t>(rows.size()), out.data());
    const std::vector<float> all = download<float>(*stream_, out.data(), rows.size() * vocabulary);
    for (size_t r = 0; r < rows.size(); ++r) {
      logits.emplace_back(all.begin() + static_cast<ptrdiff_t>(r * vocabulary),
                          all.begin() + static_cast<ptrdiff_t>((r + 1) * vocabulary));
    }
  }
  return logits;
}

std::vector<std::vector<float>> ModelHarness::run(int sequence, std::span<const int32_t> tokens,
                                                  std::span<const int> chunk_sizes) {
  std::vector<std::vector<float>> logits;
  for (const int size : chunk_sizes) {
    const auto count = static_cast<size_t>(size);
    const Chunk chunk = {sequence, {tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(count)}};
    tokens = tokens.subspan(count);
    for (std::vector<float>& row : step({&chunk, 1})) logits.push_back(std::move(row));
  }
  CARAVEL_CHECK(tokens.empty());
  return logits;
}

std::vector<float> ModelHarness::final_hidden(std::span<const int32_t> rows) {
  const DeviceArray<int32_t> rows_there(*stream_, std::vector<int32_t>(rows.begin(), rows.end()));
  const auto count = static_cast<int64_t>(rows.size());
  const DeviceArray<float> out(*stream_, count * decoder_.config().hidden_size, 0.0F);
  decoder_.final_hidden(*stream_, rows_there.data(), count, out.data());
  return out.values();
}

}  // namespace caravel::model
