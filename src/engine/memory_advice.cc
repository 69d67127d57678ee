#include "engine/memory_advice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "base/error.h"
#include "kernels/packed_weight.h"

namespace caravel::engine {
namespace {

constexpr int kUsefulContext = 4096;  // tokens

/// A file's type: most matrices in `usual`, some that matter more in `finer`. `rows_of_32` where a matrix' rows are no
/// multiple of a block.
struct Mix {
  std::string_view name;
  DType usual;
  DType finer;
  DType rows_of_32;
};
constexpr Mix kMixes[] = {{"Q8_0", DType::kQ8_0, DType::kQ8_0, DType::kQ8_0},
                          {"Q6_K", DType::kQ6_K, DType::kQ6_K, DType::kQ8_0},
                          {"Q5_K_M", DType::kQ5_K, DType::kQ6_K, DType::kQ5_1},
                          {"Q4_K_M", DType::kQ4_K, DType::kQ6_K, DType::kQ5_0}};

int64_t bytes_in(Device& device, DType dtype, const Mix& mix, int64_t rows, int64_t in) {
  if (in % dtype_info(dtype).block_elements != 0) dtype = mix.rows_of_32;
  if (in % dtype_info(dtype).block_elements != 0) dtype = DType::kF16;
  return static_cast<int64_t>(kernels::packed_bytes(device, dtype, rows, in));
}

/// The LM head (or the embedding that is also the head), and half of the layers' `v` and `down`, are the finer ones.
int64_t quantized_bytes(Device& device, const model::WeightLayout& weights, const Mix& mix) {
  int64_t bytes = 0;
  const auto add = [&](const model::MatrixLayout& matrix, size_t part, double finer) {
    if (!matrix) return;
    const int64_t rows = matrix.parts()[part].rows.size();
    const auto of_one =
        static_cast<int64_t>(finer * static_cast<double>(bytes_in(device, mix.finer, mix, rows, matrix.in())) +
                             (1 - finer) * static_cast<double>(bytes_in(device, mix.usual, mix, rows, matrix.in())));
    bytes += of_one * matrix.experts();
  };
  add(weights.embedding, 0, weights.lm_head ? 0 : 1);
  add(weights.lm_head, 0, 1);
  for (const model::LayerLayout& layer : weights.layers) {
    add(layer.qkv, 0, 0);
    add(layer.qkv, 1, 0);
    if (!layer.latent_norm) add(layer.qkv, 2, 0.5);
    add(layer.query_up, 0, 0);
    add(layer.keys_up, 0, 0);
    add(layer.values_up, 0, 0);
    add(layer.attn_out, 0, 0);
    for (size_t part = 0; part < layer.gate_up.parts().size(); ++part) add(layer.gate_up, part, 0);
    add(layer.down, 0, 0.5);
    bytes += static_cast<int64_t>(layer.router.bytes());
    add(layer.expert_gate_up, 0, 0);
    add(layer.expert_gate_up, 1, 0);
    add(layer.expert_down, 0, 0.5);
  }
  return bytes;
}

class Adviser {
 public:
  Adviser(const MemoryRoom& room, const EngineConfig& config,
          const std::function<ModelMemory(const EngineConfig&)>& memory)
      : room_(room), config_(config), memory_(memory) {}

  std::string advise(const std::vector<Quantization>& smaller) {
    try_kv_cache();
    try_smaller_step();
    try_quantizations(smaller);
    return fmt::format("{}", fmt::join(ways_, "; or "));
  }

 private:
  /// The plan of a changed configuration, or of other weights, where it can be carried out.
  std::optional<MemoryPlan> plan(const EngineConfig& config, std::optional<int64_t> weights = std::nullopt) const {
    ModelMemory memory = memory_(config);
    if (weights) {
      memory.weights = *weights;
      memory.layers.clear();
    }
    try {
      const MemoryPlan made = plan_memory(room_, memory, config);
      return made.fits() ? std::optional(made) : std::nullopt;
    } catch (const CapacityError&) {
      return std::nullopt;
    }
  }

  void try_kv_cache() {
    EngineConfig changed = config_;
    changed.kv_cache_memory = 0;
    const auto chosen = config_.kv_cache_memory == 0 ? std::nullopt : plan(changed);
    if (chosen) {
      ways_.push_back(fmt::format("no --kv-cache-memory (it is {} then, for a context of {} tokens)",
                                  memory_text(chosen->kv_cache), chosen->max_model_len));
    }
    changed = config_;
    changed.kv_cache_dtype = KvCacheDtype::kInt8;
    const auto packed = config_.kv_cache_dtype == KvCacheDtype::kInt8 ? std::nullopt : plan(changed);
    if (packed) {
      ways_.push_back(fmt::format("--kv-cache-dtype int8 (a sequence of full length takes {} of KV cache then)",
                                  memory_text(packed->kv_full)));
    }
  }

  void try_smaller_step() {
    std::vector<Way> steps;
    for (const int tokens : {1024, 512, 256, 128, 64}) {
      EngineConfig changed = config_;
      changed.max_num_batched_tokens = tokens;
      const auto made = tokens < config_.max_num_batched_tokens ? plan(changed) : std::nullopt;
      if (!made) continue;
      steps.push_back(
          {*made, fmt::format("--max-num-batched-tokens {} (a step takes {} then, the context is {} tokens)", tokens,
                              memory_text(made->activations), made->max_model_len)});
    }
    add_best(steps);
  }

  void try_quantizations(const std::vector<Quantization>& smaller) {
    std::vector<Way> types;
    for (const Quantization& type : smaller) {
      const auto made = plan(config_, type.bytes);
      if (!made) continue;
      types.push_back({*made, fmt::format("the model as {} (its weights take about {} then, the context is {} tokens)",
                                          type.name, memory_text(type.bytes), made->max_model_len)});
    }
    add_best(types);
  }

  struct Way {
    MemoryPlan plan;
    std::string text;
  };
  /// Of changes, the mildest first: the first that leaves a useful context, else the one that leaves the longest.
  void add_best(const std::vector<Way>& ways) {
    if (ways.empty()) return;
    const auto is_useful = [](const Way& way) {
      return way.plan.max_model_len >= std::min(way.plan.full_model_len, kUsefulContext);
    };
    auto best = std::ranges::find_if(ways, is_useful);
    if (best == ways.end()) {
      best = std::ranges::max_element(ways, {}, [](const Way& way) { return way.plan.max_model_len; });
    }
    ways_.push_back(best->text);
  }

  const MemoryRoom& room_;
  const EngineConfig& config_;
  const std::function<ModelMemory(const EngineConfig&)>& memory_;
  std::vector<std::string> ways_;
};

}  // namespace

std::vector<Quantization> smaller_quantizations(Device& device, const model::WeightLayout& weights) {
  std::vector<Quantization> smaller;
  for (const Mix& mix : kMixes) {
    const int64_t bytes = quantized_bytes(device, weights, mix);
    if (bytes < static_cast<int64_t>(weights.bytes) / 100 * 97) smaller.push_back({mix.name, bytes});
  }
  return smaller;
}

std::string memory_advice(const MemoryRoom& room, const EngineConfig& config,
                          const std::function<ModelMemory(const EngineConfig&)>& memory,
                          const std::vector<Quantization>& smaller) {
  return Adviser(room, config, memory).advise(smaller);
}

std::string smaller_model(const MemoryPlan& plan, const std::vector<Quantization>& smaller) {
  const int64_t room = plan.available - (plan.needed() - plan.weights);
  if (room <= 0) return "";
  constexpr double kBits = 4.9;  // of a parameter as Q4_K_M
  const double millions = static_cast<double>(room) * 8 / kBits / 1e6;
  const std::string most =
      millions < 1000 ? fmt::format("{:.0f} million", millions) : fmt::format("{:.1f} billion", millions / 1000);
  std::string text = fmt::format("a model of at most {} parameters as Q4_K_M", most);
  if (!smaller.empty()) {
    text += fmt::format(" (this one's weights take about {} as {})", memory_text(smaller.back().bytes),
                        smaller.back().name);
  }
  return text;
}

}  // namespace caravel::engine
