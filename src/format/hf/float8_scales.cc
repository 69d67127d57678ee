#include "format/hf/float8_scales.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "format/weight_table.h"

namespace caravel::format {
namespace {

constexpr int64_t kScaledBlock = 128;  // rows and elements of a row that a scale is for

/// Of inputs and of keys and values, which stay wider here; by whoever wrote them (activation_scale: transformers'
/// fp8).
bool is_unread_scale(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kNames = {".input_scale", ".input_scale_ub", ".output_scale",
                                                             ".act_scale",   ".q_scale",        ".activation_scale",
                                                             ".k_scale",     ".v_scale"};
  return std::ranges::any_of(kNames, [&](std::string_view end) { return name.ends_with(end); });
}

const char* words_of(ScaledPart part) {
  switch (part) {
    case ScaledPart::kWhole:
      return "a whole weight";
    case ScaledPart::kRow:
      return "a row";
    case ScaledPart::kBlock:
      return "a block of 128 x 128";
  }
  return "";
}

/// The type of a weight with scales of that shape.
DType scaled_type(const WeightInfo& weight, const WeightInfo& scale, const ScaledParts& said) {
  const int64_t rows = weight.shape[0];
  const int64_t row_blocks = (rows + kScaledBlock - 1) / kScaledBlock;
  const int64_t blocks = (weight.shape[1] + kScaledBlock - 1) / kScaledBlock;
  std::vector<int64_t> shape = scale.shape;
  if (shape.size() <= 1) shape.resize(2, 1);
  if (scale.shape.empty()) shape[0] = 1;
  using Shape = std::vector<int64_t>;
  const std::map<ScaledPart, Shape> shapes = {
      {ScaledPart::kWhole, {1, 1}}, {ScaledPart::kRow, {rows, 1}}, {ScaledPart::kBlock, {row_blocks, blocks}}};
  std::vector<std::string> wanted;
  for (const ScaledPart part : said) {
    wanted.push_back(fmt::format("{}: [{}]", words_of(part), fmt::join(shapes.at(part), ", ")));
  }
  if (!said.empty() && std::ranges::none_of(said, [&](ScaledPart part) { return shape == shapes.at(part); })) {
    throw fail<FormatError>("{}: weight {} is [{}] and its scales are [{}]; by quantization_config each is for {}",
                            weight.file, printable(weight.name), fmt::join(weight.shape, ", "),
                            fmt::join(scale.shape, ", "), fmt::join(wanted, ", or "));
  }
  if (shape == Shape{1, 1} || shape == Shape{rows, 1} || (blocks == 1 && shape == Shape{row_blocks, 1})) {
    return DType::kF8E4M3;
  }
  if (shape == Shape{row_blocks, blocks}) return DType::kF8E4M3B128;
  throw fail<Unsupported>(
      "{}: weight {} is [{}] and its scales are [{}]; read are one scale, one for each row, and one for each block of "
      "128 x 128",
      weight.file, printable(weight.name), fmt::join(weight.shape, ", "), fmt::join(scale.shape, ", "));
}

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw fail<Unsupported>(
      "{}: its weights are quantised by {}, which Caravel does not read; of such folders it reads 8-bit floats (E4M3) "
      "of compressed-tensors, fp8, fbgemm_fp8 and modelopt, and mxfp4; others are run as GGUF files",
      path, printable(what));
}

/// A value as a message has it; empty: there is none.
std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>()
                            : found->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

void check_blocks(const nlohmann::json& object, const char* key, const std::string& path) {
  const std::string blocks = text_of(object, key);
  if (blocks.empty() || blocks == "[128,128]" || blocks == "128x128") return;
  throw fail<Unsupported>("{}: {} is {}; scales are read of blocks of 128 x 128", path, key, printable(blocks));
}

/// What compressed-tensors does to the weights of a group of layers.
std::optional<ScaledPart> check_weights_of_group(const nlohmann::json& weights, const std::string& path) {
  const std::string type = text_of(weights, "type");
  const std::string bits = text_of(weights, "num_bits");
  const std::string strategy = text_of(weights, "strategy");
  const bool understood = strategy.empty() || strategy == "tensor" || strategy == "channel" || strategy == "block";
  if (type != "float" || bits != "8" || !understood) {
    refuse(path, fmt::format("compressed-tensors to {} bits of type {}, a scale by {}", bits, type, strategy));
  }
  check_blocks(weights, "block_structure", path);
  if (strategy.empty()) return std::nullopt;
  return strategy == "tensor" ? ScaledPart::kWhole : strategy == "channel" ? ScaledPart::kRow : ScaledPart::kBlock;
}

/// Of all groups; nothing where one of them says nothing.
ScaledParts check_groups(const nlohmann::json& how, const std::string& path) {
  const auto groups = how.find("config_groups");
  if (groups == how.end() || groups->is_null()) return {};
  if (!groups->is_object()) throw fail<FormatError>("{}: quantization_config.config_groups is not an object", path);
  ScaledParts parts;
  bool all_say = true;
  for (const auto& [name, group] : groups->items()) {
    const auto weights = group.is_object() ? group.find("weights") : group.end();
    if (weights == group.end() || !weights->is_object()) continue;
    const std::optional<ScaledPart> part = check_weights_of_group(*weights, path);
    if (part) parts.insert(*part);
    all_say &= part.has_value();
  }
  return all_say ? parts : ScaledParts{};
}

}  // namespace

void join_float8_scales(std::vector<WeightInfo>& weights, const ScaledParts& said) {
  const auto is_f8 = [](const WeightInfo& weight) { return is_float8(weight.dtype); };
  if (std::ranges::none_of(weights, is_f8)) return;
  std::map<std::string, std::shared_ptr<const WeightInfo>, std::less<>> scales;
  std::erase_if(weights, [&](WeightInfo& weight) {
    if (weight.name.ends_with(".weight_scale") || weight.name.ends_with(".weight_scale_inv")) {
      std::string of = weight.name.substr(0, weight.name.rfind("_scale"));
      scales[std::move(of)] = std::make_shared<const WeightInfo>(std::move(weight));
      return true;
    }
    return is_unread_scale(weight.name);
  });
  for (WeightInfo& weight : weights) {
    if (!is_f8(weight)) continue;
    const auto found = scales.find(weight.name);
    if (found == scales.end()) {
      throw fail<FormatError>("{}: weight {} is of 8-bit floats, and there is neither a {}_scale nor a {}_scale_inv",
                              weight.file, printable(weight.name), printable(weight.name), printable(weight.name));
    }
    if (weight.shape.size() != 2) {
      throw fail<Unsupported>("{}: weight {} is [{}]; 8-bit floats are read of matrices alone", weight.file,
                              printable(weight.name), fmt::join(weight.shape, ", "));
    }
    weight.dtype = scaled_type(weight, *found->second, said);
    weight.bytes = checked_weight_bytes(weight);
    weight.scale = std::move(found->second);
    scales.erase(found);
  }
  // Scales of weights that are no 8-bit floats: somebody who knows no such weight refuses them.
  for (const auto& [name, scale] : scales) weights.push_back(*scale);
}

ScaledParts check_quantization(const nlohmann::json& config, const std::string& path) {
  auto found = config.find("quantization_config");
  if (found == config.end()) found = config.find("compression_config");  // compressed-tensors' first name
  if (found == config.end() || found->is_null()) return {};
  if (!found->is_object()) throw fail<FormatError>("{}: quantization_config is not an object", path);
  const nlohmann::json& how = *found;
  const std::string method = text_of(how, "quant_method");
  if (method == "fp8") {
    const std::string format = text_of(how, "fmt");
    if (!format.empty() && format != "e4m3") refuse(path, "fp8 of format " + format);
    check_blocks(how, "weight_block_size", path);
    return text_of(how, "weight_block_size").empty() ? ScaledParts{} : ScaledParts{ScaledPart::kBlock};
  }
  if (method == "modelopt") {
    const std::string algorithm = text_of(how, "quant_algo");
    if (algorithm != "FP8") refuse(path, "modelopt's " + algorithm);
    return {};
  }
  if (method == "compressed-tensors") return check_groups(how, path);
  if (method != "fbgemm_fp8" && method != "mxfp4") refuse(path, method.empty() ? "an unnamed method" : method);
  return {};
}

}  // namespace caravel::format
