#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread_pool.h"
#include "caravel/error.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/packed_weight.h"

namespace caravel::kernels::cuda {
namespace {

/// Rows of one part as they lie in the file, without gaps between them, on their way into whole groups.
struct PackArgs {
  const uint8_t* rows;
  int64_t row_bytes;
  int64_t row_count;
  int64_t in;
  int64_t units;                  // of a group
  const float* scales = nullptr;  // of 8-bit floats: [row_count, row_scales()]; nullptr: all are `scale`
  float scale = 0;
  int64_t first_group = 0;  // of the part
  GroupOrder order;
  uint8_t* out = nullptr;  // the part's

  /// Where the rows of group `group` of these go: a group of the part.
  __device__ int64_t place(int64_t group) const { return order.place_of(static_cast<int>(first_group + group)); }
  /// Where unit `unit` of group `group` of these goes, units of `bytes`.
  __device__ uint8_t* unit(int64_t group, int64_t unit, int bytes) const {
    return out + (place(group) * units + unit) * bytes;
  }
};

__device__ uint32_t bytes_value(const uint8_t* p, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value |= static_cast<uint32_t>(p[i]) << (8 * i);
  return value;
}

/// Level `i` of a block as it lies in a file (kernels/block_format.h), unsigned.
template <DType kType>
__device__ uint32_t file_level(const uint8_t* p, int i) {
  if constexpr (kType == DType::kQ4_0 || kType == DType::kQ4_1) {
    return p[(kType == DType::kQ4_0 ? 2 : 4) + i % 16] >> (i / 16 * 4) & 15U;
  } else if constexpr (kType == DType::kQ5_0 || kType == DType::kQ5_1) {
    const uint8_t* const bits = p + (kType == DType::kQ5_0 ? 2 : 4);
    return (bits[4 + i % 16] >> (i / 16 * 4) & 15U) | (bits[i / 8] >> (i % 8) & 1U) << 4;
  } else if constexpr (kType == DType::kQ8_0) {
    return p[2 + i] ^ 0x80U;
  } else if constexpr (kType == DType::kMXFP4) {
    return p[1 + i % 16] >> (i / 16 * 4) & 15U;
  } else if constexpr (kType == DType::kQ6_K) {
    const int half = i / 128;
    const int quarter = i % 128 / 32;
    const uint32_t low = p[64 * half + 32 * (quarter % 2) + i % 32] >> (quarter / 2 * 4) & 15U;
    return low | (p[128 + 32 * half + i % 32] >> (2 * quarter) & 3U) << 4;
  } else {
    constexpr bool kFive = kType == DType::kQ5_K;
    const int sub = i / 32;
    const uint32_t low = p[(kFive ? 48 : 16) + 32 * (sub / 2) + i % 32] >> (sub % 2 * 4) & 15U;
    return kFive ? low | (p[16 + i % 32] >> sub & 1U) << 4 : low;
  }
}

/// A warp writes a unit of a group.
template <DType kType>
__global__ void pack_quantized(const PackArgs args) {
  using Tile = QuantTile<kType>;
  constexpr int kBlockElements = Tile::kSuper ? 256 : 32;
  constexpr int kFileBytes = Tile::kFormat.unit_bytes / 8 / (Tile::kSuper ? 1 : 2);  // of a file's block
  const int lane = threadIdx.x % 32;
  const int row_in_group = lane / 4;
  const int q = lane % 4;
  const int64_t warp = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  const int64_t group = warp / args.units;
  const int64_t unit = warp % args.units;
  const int64_t row = group * kGroupRows + row_in_group;
  if (group * kGroupRows >= args.row_count) return;
  uint8_t* const out = args.unit(group, unit, Tile::kFormat.unit_bytes);
  for (int block = 0; block < Tile::kFormat.unit_blocks; ++block) {
    const int64_t first = (unit * Tile::kFormat.unit_blocks + block) * kBlockInputs;
    const auto from = [&](int64_t input) {
      return args.rows + row * args.row_bytes + input / kBlockElements * kFileBytes;
    };
    const auto there = [&](int64_t input) { return row < args.row_count && input < args.in; };
    uint32_t level[16];
    for (int i = 0; i < 16; ++i) {
      const int64_t input = first + lane_input(q, i);
      level[i] = there(input) ? file_level<kType>(from(input), static_cast<int>(input % kBlockElements)) : 0;
    }
    uint8_t* const levels = out + Tile::kHeadBytes + block * Tile::kBlockBytes;
    uint8_t* const high = levels + Tile::kLevelBytes;
    if constexpr (Tile::kBits == 8) {
      for (int w = 0; w < 4; ++w) {
        const uint32_t word = level[4 * w] | level[4 * w + 1] << 8 | level[4 * w + 2] << 16 | level[4 * w + 3] << 24;
        reinterpret_cast<uint32_t*>(levels)[4 * lane + w] = word;
      }
    } else {
      uint32_t words[2] = {0, 0};
      uint32_t top = 0;
      for (int p = 0; p < 8; ++p) {
        const uint32_t even = level[2 * p];
        const uint32_t odd = level[2 * p + 1];
        words[p / 4] |= Tile::kCodes ? e2m1_bits(p % 4, even, odd)
                                     : (even & 15U) << (4 * (p % 4)) | (odd & 15U) << (16 + 4 * (p % 4));
        if constexpr (Tile::kBits == 5) top |= even >> 4 << p | odd >> 4 << (8 + p);
        if constexpr (Tile::kBits == 6) top |= even >> 4 << (2 * p) | odd >> 4 << (16 + 2 * p);
      }
      reinterpret_cast<uint32_t*>(levels)[2 * lane] = words[0];
      reinterpret_cast<uint32_t*>(levels)[2 * lane + 1] = words[1];
      if constexpr (Tile::kBits == 5) reinterpret_cast<uint16_t*>(high)[lane] = static_cast<uint16_t>(top);
      if constexpr (Tile::kBits == 6) reinterpret_cast<uint32_t*>(high)[lane] = top;
    }
    if constexpr (Tile::kCodes) {
      const int64_t input = first + 32 * q;
      if (q < 2) high[2 * row_in_group + q] = there(input) ? *from(input) : 0;
    } else if constexpr (!Tile::kSuper) {
      if (q < 2) {
        const int64_t input = first + 32 * q;
        auto* const scales =
            reinterpret_cast<uint16_t*>(high + Tile::kHighBytes) + (2 * row_in_group + q) * (Tile::kMinima ? 2 : 1);
        scales[0] = static_cast<uint16_t>(there(input) ? bytes_value(from(input), 2) : 0);
        if constexpr (Tile::kMinima) {
          scales[1] = static_cast<uint16_t>(there(input) ? bytes_value(from(input) + 2, 2) : 0);
        }
      }
    }
  }
  if constexpr (Tile::kSuper) {
    const bool there = row < args.row_count;
    const uint8_t* const from = args.rows + row * args.row_bytes + unit * kFileBytes;
    auto* const scales = reinterpret_cast<uint32_t*>(out + Tile::kHeadScales);
    if constexpr (Tile::kMinima) {
      const uint32_t word = there ? bytes_value(from + 4 * q, 4) : 0;  // d and m, then the scales
      if (q == 0) {
        reinterpret_cast<uint32_t*>(out)[row_in_group] = word;
      } else {
        scales[3 * row_in_group + q - 1] = word;
      }
    } else {
      scales[4 * row_in_group + q] = there ? bytes_value(from + 192 + 4 * q, 4) : 0;
      if (q == 0) {
        reinterpret_cast<uint16_t*>(out)[row_in_group] = static_cast<uint16_t>(there ? bytes_value(from + 208, 2) : 0);
      }
    }
  }
}

/// A warp writes a unit of a group of 8-bit floats.
template <DType kType>
__global__ void pack_float8(const PackArgs args, float* row_scales) {
  const int lane = threadIdx.x % 32;
  const int q = lane % 4;
  const int64_t warp = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  const int64_t group = warp / args.units;
  const int64_t unit = warp % args.units;
  const int64_t row = group * kGroupRows + lane / 4;
  if (group * kGroupRows >= args.row_count) return;
  const bool there = row < args.row_count;
  const uint8_t* const from = args.rows + row * args.row_bytes;
  uint8_t* const out = args.unit(group, unit, kFormatOf<kType>.unit_bytes);
  for (int block = 0; block < kFormatOf<kType>.unit_blocks; ++block) {
    const int64_t first = (unit * kFormatOf<kType>.unit_blocks + block) * kBlockInputs;
    for (int w = 0; w < 4; ++w) {
      uint32_t code[4];
      for (int i = 0; i < 4; ++i) {
        const int64_t at = first + lane_input(q, 4 * w + i);
        code[i] = there && at < args.in ? from[at] : 0;
      }
      reinterpret_cast<uint32_t*>(out + block * kF8BlockBytes)[4 * lane + w] =
          f8_bits(0, code[0], code[1]) | f8_bits(1, code[2], code[3]);
    }
  }
  if (q != 0) return;
  const auto scale_at = [&](int64_t count, int64_t i) {
    if (!there) return 0.0F;
    return args.scales != nullptr ? args.scales[row * count + i] : args.scale;
  };
  if constexpr (kType == DType::kF8E4M3) {
    if (unit == 0) row_scales[args.place(group) * kGroupRows + lane / 4] = scale_at(1, 0);
  } else {
    reinterpret_cast<float*>(out + kF8ScalesBegin)[lane / 4] = scale_at(args.units, unit);
  }
}

/// A thread writes 16 bytes of an image.
__global__ void pack_sixteen_bits(const PackArgs args) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t image = index / 64;
  const int row_in_group = static_cast<int>(index % 64 / 8);
  const int chunk = static_cast<int>(index % 8);
  const int64_t group = image / args.units;
  const int64_t row = group * kGroupRows + row_in_group;
  if (group * kGroupRows >= args.row_count) return;
  const int64_t first = image % args.units * kBlockInputs + 8 * chunk;
  const auto* const from = reinterpret_cast<const uint16_t*>(args.rows + row * args.row_bytes) + first;
  uint32_t value[8];
  for (int i = 0; i < 8; ++i) value[i] = row < args.row_count && first + i < args.in ? from[i] : 0;
  uint8_t* const out = args.unit(group, image % args.units, kImageBytes) + image_offset(row_in_group, chunk);
  *reinterpret_cast<uint4*>(out) = make_uint4(value[0] | value[1] << 16, value[2] | value[3] << 16,
                                              value[4] | value[5] << 16, value[6] | value[7] << 16);
}

struct DummyArgs {
  DummyRows dummy;
  DummyFormat format;
  DType dtype;
  int64_t stride;     // items from row to row of the whole weight
  int64_t row_items;  // of a row that is made
  int64_t items;
  uint8_t* out;
};

/// A thread makes an item.
__global__ void make_rows(const DummyArgs args) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= args.items) return;
  const int64_t first = args.dummy.begin / args.format.item_bytes;
  const int64_t item = first + index / args.row_items * args.stride + index % args.row_items;
  const uint8_t byte = internal::dummy_group(args.dummy.key, item / 16).byte(static_cast<int>(item % 16));
  internal::write_dummy_item(args.dtype, args.format, item, byte, args.out + index * args.format.item_bytes);
}

/// `count` rows from row `begin` of `from` on to `out`, in the device's memory, as they would lie in a file.
void make_rows_at(Stream& stream, const WeightRows& from, int64_t begin, int64_t count, int64_t in, uint8_t* out) {
  constexpr int kThreads = 256;
  const int64_t bytes = row_bytes(from.dtype, in);
  const int64_t stride = from.stride != 0 ? from.stride : bytes;
  const DummyFormat format = dummy_format(from.dtype);
  const int64_t row_items = bytes / format.item_bytes;
  launch(stream, make_rows, dim3(static_cast<unsigned>((count * row_items + kThreads - 1) / kThreads)), dim3(kThreads),
         0,
         DummyArgs{.dummy = {from.dummy->key, from.dummy->begin + begin * stride},
                   .format = format,
                   .dtype = from.dtype,
                   .stride = stride / format.item_bytes,
                   .row_items = row_items,
                   .items = count * row_items,
                   .out = out});
}

/// Rows that lie at `rows` in the device's memory into their groups, and their scales where the type has them apart.
void pack_rows(Stream& stream, DType dtype, const PackArgs& args, float* row_scales) {
  constexpr int kThreads = 256;
  const int64_t units = row_groups(args.row_count) * args.units;
  const auto blocks = [&](int64_t threads_of_unit) {
    return dim3(static_cast<unsigned>((units * threads_of_unit + kThreads - 1) / kThreads));
  };
  if (dtype == DType::kF8E4M3) {
    launch(stream, pack_float8<DType::kF8E4M3>, blocks(32), dim3(kThreads), 0, args, row_scales);
    return;
  }
  if (dtype == DType::kF8E4M3B128) {
    launch(stream, pack_float8<DType::kF8E4M3B128>, blocks(32), dim3(kThreads), 0, args, nullptr);
    return;
  }
  if (!is_quantized(dtype)) {
    launch(stream, pack_sixteen_bits, blocks(64), dim3(kThreads), 0, args);
    return;
  }
  with_quant_tile(dtype,
                  [&]<DType kType>() { launch(stream, pack_quantized<kType>, blocks(32), dim3(kThreads), 0, args); });
}

/// Pinned memory through which a file's rows reach the device, several pieces at a time: a thread's own, with a stream.
class StagingRing {
 public:
  explicit StagingRing(Device& device) : stream_(device.make_stream()) {
    for (Slot& slot : slots_) slot.free = device.make_event();
  }

  struct Slot {
    HostBuffer host;
    Buffer there;
    std::unique_ptr<Event> free;
  };
  Stream& stream() { return *stream_; }
  /// One whose last piece has been taken, with room for one that takes so much memory of the host and of the device.
  Slot& next(size_t host_bytes, size_t there_bytes) {
    Slot& slot = slots_[next_++ % kSlots];
    slot.free->wait();
    if (slot.host.size() < host_bytes) slot.host = stream_->device().allocate_host(host_bytes);
    if (slot.there.size() < there_bytes) slot.there = stream_->device().allocate(there_bytes);
    return slot;
  }
  void taken(Slot& slot) { stream_->record(*slot.free); }

 private:
  static constexpr size_t kSlots = 2;

  Slot slots_[kSlots];
  size_t next_ = 0;
  std::unique_ptr<Stream> stream_;  // last: it goes before what its commands read
};

constexpr size_t kPieceBytes = size_t{4} << 20;

/// As many whole groups as a piece of kPieceBytes holds, but at least one.
int64_t piece_rows(int64_t row_bytes) {
  return std::max<int64_t>(1, static_cast<int64_t>(kPieceBytes) / (kGroupRows * row_bytes)) * kGroupRows;
}

/// How some rows lie on their way: behind them their scales.
struct Piece {
  Piece(DType dtype, int64_t rows, int64_t in) : row_bytes(caravel::row_bytes(dtype, in)), bytes(rows * row_bytes) {
    const int64_t scales = rows * row_scales(dtype, in);
    if (scales == 0) return;
    scales_begin = (bytes + 15) / 16 * 16;
    bytes = scales_begin + scales * static_cast<int64_t>(sizeof(float));
  }

  int64_t row_bytes;
  int64_t bytes;
  int64_t scales_begin = -1;  // there are none
};

/// Rows of the host's memory to `out`, in the device's, without gaps.
void bring_rows(Stream& stream, const HostBuffer& staged, const WeightRows& from, int64_t begin, int64_t count,
                int64_t in, uint8_t* out) {
  const int64_t bytes = row_bytes(from.dtype, in);
  const int64_t stride = from.stride != 0 ? from.stride : bytes;
  const std::byte* const rows = from.data + begin * stride;
  if (stride == bytes) {
    std::memcpy(staged.as(), rows, static_cast<size_t>(count * bytes));
  } else {
    for (int64_t r = 0; r < count; ++r) {
      std::memcpy(staged.as() + r * bytes, rows + r * stride, static_cast<size_t>(bytes));
    }
  }
  const Piece piece(from.dtype, count, in);
  if (piece.scales_begin >= 0) {
    const int64_t scales = row_scales(from.dtype, in);
    std::memcpy(staged.as() + piece.scales_begin, from.scales + begin * scales,
                static_cast<size_t>(count * scales) * sizeof(float));
  }
  stream.copy(out, staged.as(), static_cast<size_t>(piece.bytes));
}

/// Rows `range` of a part, which are whole groups. to: the part's first group; row_scales: where its scales go, where
/// it has one for each row.
void pack_part(StagingRing& ring, const WeightRows& from, const Range& range, int64_t in, uint8_t* to,
               float* row_scales) {
  Stream& stream = ring.stream();
  const int64_t bytes = row_bytes(from.dtype, in);
  const int64_t step = piece_rows(bytes);
  for (int64_t begin = range.begin; begin < range.end; begin += step) {
    const int64_t count = std::min(step, range.end - begin);
    const Piece piece(from.dtype, count, in);
    const auto size = static_cast<size_t>(piece.bytes);
    StagingRing::Slot& slot = ring.next(from.dummy ? 0 : size, from.dtype == DType::kF32 ? 0 : size);
    const bool stays = from.dtype == DType::kF32;  // as it lies in the file
    uint8_t* const out = stays ? to + begin * bytes : slot.there.address<uint8_t>();
    if (from.dummy) {
      make_rows_at(stream, from, begin, count, in, out);
    } else {
      bring_rows(stream, slot.host, from, begin, count, in, out);
    }
    if (!stays) {
      const int64_t of_group = group_bytes(from.dtype, in);
      const bool scaled = piece.scales_begin >= 0 && !from.dummy;
      pack_rows(stream, from.dtype,
                {.rows = out,
                 .row_bytes = bytes,
                 .row_count = count,
                 .in = in,
                 .units = of_group / tile_format(from.dtype).unit_bytes,
                 .scales = scaled ? reinterpret_cast<const float*>(out + piece.scales_begin) : nullptr,
                 .scale = dummy_format(from.dtype).scale,
                 .first_group = begin / kGroupRows,
                 .order = group_order(from.heads, from.dtype),
                 .out = to},
                row_scales);
    }
    ring.taken(slot);
  }
}

}  // namespace

size_t packed_bytes(DType dtype, int64_t rows, int64_t in) {
  if (dtype == DType::kF32) return static_cast<size_t>((rows * row_bytes(dtype, in) + 15) / 16 * 16);
  const int64_t of_scales = dtype == DType::kF8E4M3 ? kGroupRows * static_cast<int64_t>(sizeof(float)) : 0;
  return static_cast<size_t>(row_groups(rows) * (group_bytes(dtype, in) + of_scales));
}

InputForm input_form(DType dtype, bool rotated) {
  if (rotated) throw Unsupported("rotated weights are for 8-bit inputs, which CUDA's kernels do not read");
  return dtype == DType::kF32 ? InputForm::kF32 : InputForm::kBf16;
}

namespace {

class Packer final : public WeightPacker {
 public:
  explicit Packer(Device& device) : WeightPacker(device) {}

 private:
  void pack_parts(std::byte* to, std::span<const WeightRows> stacked, std::span<const PackedWeight::Part> parts,
                  int64_t in) override {
    const PackedWeight::Part& last = parts.back();
    const size_t bytes = last.offset + cuda::packed_bytes(last.dtype, last.rows, in);
    run(static_cast<int64_t>(bytes), [&](StagingRing& ring, int rank, int size) {
      for (size_t i = 0; i < stacked.size(); ++i) {
        const Range rows = share_of(stacked[i].rows, rank, size, kGroupRows);
        uint8_t* const part = reinterpret_cast<uint8_t*>(to) + parts[i].offset;
        pack_part(ring, stacked[i], rows, in, part, const_cast<float*>(row_scales_of(part, parts[i], in)));
      }
      ring.stream().synchronize();
    });
  }

  /// work(ring, rank, size) on each of as many threads as have pieces to bring.
  template <typename Function>
  void run(int64_t bytes, const Function& work) {
    const bool alone = threads_ == 1 || bytes <= static_cast<int64_t>(kPieceBytes);
    while (rings_.size() < static_cast<size_t>(alone ? 1 : threads_)) {
      rings_.push_back(std::make_unique<StagingRing>(device_));
    }
    if (alone) return work(*rings_[0], 0, 1);
    struct Job {
      Packer& packer;
      const Function& work;
      std::mutex mutex;  // guards what follows
      std::exception_ptr error;
    } job{.packer = *this, .work = work};
    if (pool_ == nullptr) pool_ = std::make_unique<ThreadPool>(threads_);
    const auto of_rank = [](void* context, int rank) {
      Job& given = *static_cast<Job*>(context);
      try {
        given.work(*given.packer.rings_[static_cast<size_t>(rank)], rank, given.packer.threads_);
      } catch (...) {
        const std::lock_guard lock(given.mutex);
        given.error = std::current_exception();
      }
    };
    pool_->run(of_rank, &job);
    if (job.error != nullptr) std::rethrow_exception(job.error);
  }

  const int threads_ = std::min(usable_processors(), 8);  // as many read from the page cache what the link takes
  std::vector<std::unique_ptr<StagingRing>> rings_;       // by rank
  std::unique_ptr<ThreadPool> pool_;
};

}  // namespace

std::unique_ptr<WeightPacker> make_weight_packer(Device& device) { return std::make_unique<Packer>(device); }

}  // namespace caravel::kernels::cuda
