#include "format/safetensors/safetensors_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "format/byte_reader.h"
#include "format/hf/json_file.h"
#include "format/lfs_pointer.h"
#include "format/weight_table.h"

namespace caravel::format {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // the format's own limit
constexpr uint64_t kFirstBytes = 1024;            // enough to tell what a file is
constexpr size_t kMostSafetensorsDimensions = 8;

std::optional<DType> dtype_of(std::string_view name) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, DType::kF8E4M3}) {
    if (dtype_info(type).name == name) return type;
  }
  return std::nullopt;
}

// A list of whole numbers that fit 63 bits; none where it is anything else.
std::optional<std::vector<int64_t>> extents(const nlohmann::json& entry, const char* key) {
  const auto list = entry.find(key);
  if (list == entry.end() || !list->is_array() || list->size() > kMostSafetensorsDimensions) return std::nullopt;
  std::vector<int64_t> values;
  for (const nlohmann::json& value : *list) {
    if (!value.is_number_unsigned() || value.get<uint64_t>() > INT64_MAX) return std::nullopt;
    values.push_back(value.get<int64_t>());
  }
  return values;
}

constexpr std::string_view kBytes = "U8";

/// Of a tensor of plain bytes: as many as it has elements, which is what 8-bit floats take.
uint64_t checked_bytes(WeightInfo tensor) {
  tensor.dtype = DType::kF8E4M3;
  return checked_weight_bytes(tensor);
}

/// Where the data of a tensor of any type lie, from where the data begin.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string name;
};

/// As the format has it (safetensors' own library refuses anything else): the tensors' data lie one after the other,
/// from the first byte behind the header to the last of the file.
void check_extents(std::vector<Extent> extents, uint64_t data_size, const std::string& path) {
  std::ranges::sort(extents, {}, [](const Extent& extent) { return std::pair(extent.begin, extent.end); });
  const Extent* before = nullptr;
  uint64_t end = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < end) {
      throw fail<FormatError>("{}: the bytes of tensors {} and {} overlap: the file is corrupt", path,
                              printable(before->name), printable(extent.name));
    }
    if (extent.begin > end) {
      throw fail<FormatError>("{}: {} bytes before tensor {} belong to none: the file is corrupt", path,
                              extent.begin - end, printable(extent.name));
    }
    end = extent.end;
    before = &extent;
  }
  if (end != data_size) {
    throw fail<FormatError>("{}: {} bytes behind the last tensor belong to none: the file is corrupt", path,
                            data_size - end);
  }
}

/// For a parser, which would keep the last of two values in silence: refuses a key that an object has twice.
class RefuseKeysTwice {
 public:
  explicit RefuseKeysTwice(const std::string& path) : path_(path) {}
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    const auto level = static_cast<size_t>(depth);  // of an object itself; its keys are one deeper
    if (event == Event::object_start) {
      keys_.resize(std::max(keys_.size(), level + 2));
      keys_[level + 1].clear();
    } else if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_[level].insert(key).second)
        throw fail<FormatError>("{}: the header has {} twice", path_, printable(key));
    }
    return true;
  }

 private:
  const std::string& path_;
  std::vector<std::set<std::string>> keys_;  // by depth
};

/// The two offsets of an entry, in order and within the data.
Extent read_extent(const std::string& path, const std::string& name, const nlohmann::json& entry, uint64_t data_size) {
  const auto offsets = entry.is_object() ? extents(entry, "data_offsets") : std::nullopt;
  if (!offsets || offsets->size() != 2) {
    throw fail<FormatError>("{}: the header's entry of tensor {} is not a dtype, a shape and two data_offsets", path,
                            printable(name));
  }
  const auto begin = static_cast<uint64_t>((*offsets)[0]);
  const auto end = static_cast<uint64_t>((*offsets)[1]);
  if (begin > end || end > data_size) {
    throw fail<FormatError>(
        "{}: tensor {} lies at {} to {}, but the file's data are {} bytes: the file is truncated or "
        "corrupt",
        path, printable(name), begin, end, data_size);
  }
  return {begin, end, name};
}

WeightInfo read_entry(const std::string& path, const Extent& extent, const nlohmann::json& entry, uint64_t data_begin) {
  const auto& [begin, end, name] = extent;
  WeightInfo weight;
  weight.name = name;
  weight.file = path;
  const auto type = entry.find("dtype");
  const auto shape = extents(entry, "shape");
  if (type == entry.end() || !type->is_string() || !shape) {
    throw fail<FormatError>("{}: the header's entry of tensor {} is not a dtype, a shape and two data_offsets", path,
                            printable(name));
  }
  const bool is_bytes = *type == kBytes;
  const std::optional<DType> dtype = is_bytes ? DType::kF32 : dtype_of(type->get_ref<const std::string&>());
  if (!dtype) {
    throw fail<Unsupported>(
        "{}: tensor {} has type {}, which Caravel does not read here; it reads F32, F16, BF16, F8_E4M3", path,
        printable(name), printable(type->get_ref<const std::string&>()));
  }
  weight.dtype = *dtype;
  weight.shape = *shape;
  weight.bytes = is_bytes ? checked_bytes(weight) : checked_weight_bytes(weight);
  if (end - begin != weight.bytes) {
    throw fail<FormatError>("{}: tensor {} takes {} bytes by its shape and {} by its offsets", path, printable(name),
                            weight.bytes, end - begin);
  }
  weight.offset = data_begin + begin;
  if (!is_bytes && weight.offset % static_cast<uint64_t>(dtype_info(*dtype).block_bytes) != 0) {
    throw fail<FormatError>(
        "{}: tensor {} does not lie at a multiple of its elements' size; save the file again with a "
        "current safetensors",
        path, printable(name));
  }
  return weight;
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  SafetensorsFile result;
  result.file = File::open(path);
  const File& file = *result.file;
  const MappedBytes first = file.map(0, std::min<uint64_t>(file.size(), kFirstBytes));
  refuse_lfs_pointer({reinterpret_cast<const char*>(first.bytes().data()), first.bytes().size()}, path);
  const auto header_length = ByteReader(first.bytes(), path).read<uint64_t>("the header's length");
  if (header_length > kLongestHeader) {
    throw fail<FormatError>("{}: not a safetensors file (a header of {} bytes; {} are allowed)", path, header_length,
                            kLongestHeader);
  }
  const uint64_t data_begin = sizeof header_length + header_length;
  const MappedBytes begin = file.map(0, std::min(file.size(), data_begin));
  ByteReader reader(begin.bytes(), path);
  reader.read<uint64_t>("the header's length");
  const auto header_bytes = reader.take(header_length, "the header");
  const std::string_view header_text(reinterpret_cast<const char*>(header_bytes.data()), header_bytes.size());
  const nlohmann::json header = parse_json(header_text, path, RefuseKeysTwice(path));
  if (!header.is_object()) throw fail<FormatError>("{}: the safetensors header is not a JSON object", path);

  const uint64_t data_size = file.size() - data_begin;
  std::vector<Extent> all;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    all.push_back(read_extent(path, name, entry, data_size));
    // Numbers from 0 up, which files of before 2023 have among BERT's weights.
    if (name.ends_with("embeddings.position_ids")) continue;
    WeightInfo weight = read_entry(path, all.back(), entry, data_begin);
    (entry["dtype"] == kBytes ? result.bytes : result.weights).push_back(std::move(weight));
  }
  check_extents(std::move(all), data_size, path);
  std::ranges::sort(result.weights, {}, &WeightInfo::offset);
  return result;
}

}  // namespace caravel::format
