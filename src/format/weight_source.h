#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "caravel/request.h"
#include "device/dtype.h"
#include "text/tokenizer_data.h"

namespace caravel::format {

/// One weight, as its file's header has it. Rows are contiguous; `shape` is outermost first, so a linear layer's weight
/// is [out, in] (GGUF's ne reversed). `in` is a multiple of the dtype's block (checked when the file is opened).
struct WeightInfo {
  std::string name;  // by the source's convention
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string file;                   // for messages
  const File* origin = nullptr;       // the same, kept open by the source
  uint64_t offset = 0;                // where the data begin in it
  uint64_t bytes = 0;                 // what they take: by shape and dtype, all within the file
  std::optional<uint64_t> dummy_key;  // of a weight that no file has: kernels/dummy_rows.h makes its data
  // Of MXFP4 whose codes and scales lie apart (hf/mxfp4_blocks.h): its scales, a byte for each block; the data are the
  // codes alone. Of 8-bit floats: the scales beside it; one for all rows, one for each, or of B128 one for each 128
  // rows and 128 elements of a row, [(out + 127) / 128, (in + 127) / 128].
  std::shared_ptr<const WeightInfo> scale;
};

/// Whose names and conventions the weights follow.
enum class Convention : uint8_t {
  kGguf,         // blk.0.attn_q.weight; Llama's Q and K rows permuted for interleaved rotary; Gemma's norms hold 1 + w
  kHuggingFace,  // model.layers.0.self_attn.q_proj.weight; rotary by halves; Gemma's norms hold w
};

/// What sentence-transformers' files beside a model say of how a text's states become its vector. Modes and modules are
/// named as they have them.
struct SentenceModules {
  bool given = false;       // there is a modules.json
  std::string pooling;      // "mean", "cls", "max", ...; several: "mean+cls"
  bool normalizes = false;  // the vector is scaled to length 1
  std::string other;        // a module that is neither the model, nor one of the above: the first
  int max_length = 0;       // tokens of a text that are read, special ones included; 0: as many as the model takes
};

/// Where a model comes from: its configuration, its weights, its text side. Opened once, from the files' headers alone,
/// whatever their size; immutable: any thread may read.
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
  virtual const SentenceModules& sentence_modules() const = 0;

  /// `bytes` of a weight's data from `offset` on, which must lie in it, and leave memory with the object; not of one
  /// with a dummy_key. Throws IoError.
  virtual MappedBytes map(const WeightInfo& weight, uint64_t offset, uint64_t bytes) const = 0;
  /// All of them.
  MappedBytes map(const WeightInfo& weight) const { return map(weight, 0, weight.bytes); }
};

/// Opens a .gguf file (or the first of a split one), or a Hugging Face folder. Throws NotFound, FormatError,
/// Unsupported (names the tensor and its type), IoError.
std::unique_ptr<WeightSource> open_weights(const std::string& path);

/// A Hugging Face folder whose weights are not looked for. Throws Unsupported for a file, and as open_model() does.
std::unique_ptr<WeightSource> open_without_weights(const std::string& path);

/// As open_weights(), for who needs its text side too: throws NotFound also where there is no tokenizer, naming the
/// file that is wanted and those that are there.
std::unique_ptr<WeightSource> open_model(const std::string& path);

}  // namespace caravel::format
