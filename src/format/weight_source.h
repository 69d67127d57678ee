#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "caravel/request.h"
#include "device/dtype.h"
#include "text/tokenizer_data.h"

namespace caravel::format {

/// One weight where it lies in a mapped file. Rows are contiguous; `shape` is outermost first, so a linear layer's
/// weight is [out, in] (GGUF's ne reversed). `in` is a multiple of the dtype's block (checked when the file is opened).
struct WeightInfo {
  std::string name;  // by the source's convention
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
  std::string file;  // for messages
};

/// Whose names and conventions the weights follow.
enum class Convention : uint8_t {
  kGguf,         // blk.0.attn_q.weight; Llama's Q and K rows permuted for interleaved rotary; Gemma's norms hold 1 + w
  kHuggingFace,  // model.layers.0.self_attn.q_proj.weight; rotary by halves; Gemma's norms hold w
};

/// Where a model comes from: its configuration, its weights, its text side. Opened once, immutable: any thread may
/// read.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  virtual const std::string& path() const = 0;
  virtual Convention convention() const = 0;

  /// GGUF metadata (arrays of more than 1,024 entries left out) as a flat object "llama.block_count": 30, or a Hugging
  /// Face folder's config.json (of a multimodal model: what it says of the text model).
  virtual const nlohmann::json& config() const = 0;

  /// nullptr when there is none.
  virtual const WeightInfo* find(std::string_view name) const = 0;
  virtual std::span<const WeightInfo> weights() const = 0;

  virtual const TokenizerData& tokenizer() const = 0;
  virtual const GenerationDefaults& generation_defaults() const = 0;

  /// Tells the system that these bytes will not be read again soon (they have been packed).
  virtual void release_pages(const WeightInfo& weight) const = 0;
};

/// Opens a .gguf file (or the first of a split one), or a Hugging Face folder. Throws NotFound, FormatError,
/// Unsupported (names the tensor and its type), IoError.
std::unique_ptr<WeightSource> open_weights(const std::string& path);

/// The same, for who needs its text side too: throws NotFound also where there is no tokenizer, naming the file that is
/// wanted and those that are there.
std::unique_ptr<WeightSource> open_model(const std::string& path);

}  // namespace caravel::format
