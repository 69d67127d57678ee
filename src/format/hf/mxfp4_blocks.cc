#include "format/hf/mxfp4_blocks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/printable.h"

namespace caravel::format {
namespace {

constexpr std::string_view kBlocks = "_blocks";
constexpr std::string_view kScales = "_scales";
constexpr int64_t kCodeBytes = 16;  // of a block

WeightInfo join(WeightInfo blocks, std::shared_ptr<const WeightInfo> scales, std::string name) {
  const std::vector<int64_t>& shape = blocks.shape;
  const bool agree = shape.size() >= 2 && shape.back() == kCodeBytes && shape.size() == scales->shape.size() + 1 &&
                     std::equal(scales->shape.begin(), scales->shape.end(), shape.begin());
  if (!agree) {
    throw fail<FormatError>(
        "{}: tensor {} is [{}] and {} [{}]; MXFP4 has 16 bytes of codes a block and one scale for each: [..., blocks, "
        "16] and [..., blocks]",
        blocks.file, printable(blocks.name), fmt::join(shape, ", "), printable(scales->name),
        fmt::join(scales->shape, ", "));
  }
  blocks.name = std::move(name);
  blocks.dtype = DType::kMXFP4;
  blocks.shape.pop_back();
  blocks.shape.back() *= dtype_info(DType::kMXFP4).block_elements;
  blocks.scale = std::move(scales);
  return blocks;
}

}  // namespace

void join_mxfp4_blocks(std::vector<WeightInfo> bytes, std::vector<WeightInfo>& weights) {
  std::map<std::string, std::shared_ptr<const WeightInfo>, std::less<>> scales;
  std::erase_if(bytes, [&](WeightInfo& tensor) {
    if (!tensor.name.ends_with(kScales)) return false;
    std::string of = tensor.name.substr(0, tensor.name.size() - kScales.size());
    scales[std::move(of)] = std::make_shared<const WeightInfo>(std::move(tensor));
    return true;
  });
  for (WeightInfo& tensor : bytes) {
    if (!tensor.name.ends_with(kBlocks)) {
      throw fail<Unsupported>("{}: tensor {} has type U8, which Caravel reads of MXFP4's _blocks and _scales alone",
                              tensor.file, printable(tensor.name));
    }
    std::string name = tensor.name.substr(0, tensor.name.size() - kBlocks.size());
    const auto found = scales.find(name);
    if (found == scales.end()) {
      throw fail<FormatError>("{}: tensor {} holds blocks of MXFP4, and there is no {}{}", tensor.file,
                              printable(tensor.name), printable(name), kScales);
    }
    weights.push_back(join(std::move(tensor), found->second, std::move(name)));
    scales.erase(found);
  }
  for (const auto& [name, tensor] : scales) {
    throw fail<FormatError>("{}: tensor {} holds scales of MXFP4, and there is no {}{}", tensor->file,
                            printable(tensor->name), printable(name), kBlocks);
  }
}

}  // namespace caravel::format
