#include "format/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "format/gguf/gguf_dtype.h"
#include "format/lfs_pointer.h"
#include "format/weight_table.h"

namespace caravel::format {
namespace {

constexpr char kMagic[] = {'G', 'G', 'U', 'F'};
constexpr uint32_t kMostGgufDimensions = 4;
constexpr int64_t kDefaultAlignment = 32;
constexpr uint64_t kHeaderWindow = 64 << 20;  // vocabularies of 260,000 tokens with their merges take a quarter of it
constexpr size_t kSmallestTensorEntry = 8 + 4 + 8 + 4 + 8;  // name's length, rank, one extent, type, offset

void check_magic_and_version(ByteReader& reader) {
  const auto magic = reader.take(sizeof kMagic, "GGUF's first four bytes");
  if (std::memcmp(magic.data(), kMagic, sizeof kMagic) != 0) {
    throw fail<FormatError>("{}: not a GGUF file (it does not begin with GGUF)", reader.path());
  }
  const auto version = reader.read<uint32_t>("the version");
  if (version == 2 || version == 3) return;
  if ((version & 0xFFFF) == 0 && version != 0) {
    throw fail<Unsupported>("{}: a big-endian GGUF file; Caravel reads little-endian ones", reader.path());
  }
  throw fail<Unsupported>("{}: GGUF version {}; Caravel reads versions 2 and 3", reader.path(), version);
}

// Name, shape and type of one tensor; `offset` from the start of the data.
WeightInfo read_tensor_entry(ByteReader& reader, uint64_t& offset) {
  WeightInfo weight;
  weight.file = reader.path();
  const auto name = reader.take(reader.read<uint64_t>("a tensor's name"), "a tensor's name");
  weight.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  if (!is_valid_utf8(weight.name)) {
    throw fail<FormatError>("{}: the name of tensor {} is not UTF-8", reader.path(), printable(weight.name));
  }
  const auto rank = reader.read<uint32_t>("a tensor's rank");
  if (rank < 1 || rank > kMostGgufDimensions) {
    throw fail<FormatError>("{}: tensor {} has {} dimensions; GGUF allows 1 to {}", reader.path(),
                            printable(weight.name), rank, kMostGgufDimensions);
  }
  weight.shape.resize(rank);
  for (uint32_t i = 0; i < rank; ++i) {
    weight.shape[rank - 1 - i] = reader.read<int64_t>("a tensor's shape");  // the file has the innermost first
  }
  const auto type = reader.read<uint32_t>("a tensor's type");
  const auto dtype = dtype_of_ggml(type);
  if (!dtype) {
    throw fail<Unsupported>("{}: tensor {} has type {}, which Caravel does not read; it reads {}", reader.path(),
                            printable(weight.name), ggml_type_name(type), readable_dtypes());
  }
  weight.dtype = *dtype;
  offset = reader.read<uint64_t>("a tensor's offset");
  return weight;
}

uint64_t read_alignment(const GgufMetadata& metadata, const std::string& path) {
  const int64_t alignment = metadata.integer("general.alignment").value_or(kDefaultAlignment);
  if (alignment < 8 || !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    throw fail<FormatError>("{}: general.alignment is {}, not a power of two from 8 on", path, alignment);
  }
  return static_cast<uint64_t>(alignment);
}

/// The header, which must end within the first `window` bytes.
GgufFile read_header(std::shared_ptr<const File> file, uint64_t window) {
  const std::string& path = file->path();
  GgufFile result{.file = file, .header = file->map(0, window)};
  const std::span<const std::byte> begin = result.header.bytes();
  refuse_lfs_pointer({reinterpret_cast<const char*>(begin.data()), begin.size()}, path);
  ByteReader reader(begin, path);
  check_magic_and_version(reader);
  const auto tensor_count = reader.read<uint64_t>("the number of tensors");
  const auto pair_count = reader.read<uint64_t>("the number of metadata pairs");
  result.metadata = GgufMetadata::read(reader, pair_count);

  if (tensor_count > reader.remaining() / kSmallestTensorEntry) {
    throw fail<FormatError>(
        "{}: the header claims {} tensors, more than {} bytes can hold: the file is truncated or "
        "corrupt",
        path, tensor_count, reader.remaining());
  }
  std::vector<uint64_t> offsets(tensor_count);
  result.weights.reserve(tensor_count);
  for (uint64_t& offset : offsets) result.weights.push_back(read_tensor_entry(reader, offset));

  const uint64_t alignment = read_alignment(result.metadata, path);
  const uint64_t padding = (alignment - reader.position() % alignment) % alignment;
  // A vocabulary alone ends with its metadata, unpadded.
  const uint64_t data_begin = reader.position() + std::min(padding, file->size() - reader.position());
  const uint64_t room = file->size() - data_begin;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    WeightInfo& weight = result.weights[i];
    weight.bytes = checked_weight_bytes(weight);
    if (offsets[i] % alignment != 0) {
      throw fail<FormatError>("{}: tensor {} lies at offset {}, no multiple of the file's alignment {}", path,
                              printable(weight.name), offsets[i], alignment);
    }
    if (offsets[i] > room || weight.bytes > room - offsets[i]) {
      throw fail<FormatError>(
          "{}: tensor {} takes {} bytes at offset {}, but the file's data are {} bytes: the file is "
          "truncated or corrupt",
          path, printable(weight.name), weight.bytes, offsets[i], room);
    }
    weight.offset = data_begin + offsets[i];
  }
  refuse_overlaps(result.weights);
  return result;
}

}  // namespace

GgufFile GgufFile::open(const std::string& path) {
  const std::shared_ptr<const File> file = File::open(path);
  if (file->size() > kHeaderWindow) {
    try {
      return read_header(file, kHeaderWindow);
    } catch (const FormatError&) {
      // Either it is broken, or it goes on behind the window: the whole file tells.
    }
  }
  return read_header(file, file->size());
}

}  // namespace caravel::format
