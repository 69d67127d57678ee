#include <cudaTypedefs.h>

#include <algorithm>
#include <initializer_list>

#include "base/check.h"
#include "device/cuda/cuda_device.h"
#include "device/cuda/launch.cuh"
#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/cuda/tile_plan.h"

// Weights are the 64 rows of wgmma and tokens its columns, so that a step of one token wastes no product that memory
// would wait for. A block of threads per SM walks over tiles. Its warps have roles, which meet at the slots of rings in
// shared memory:
//   weights    one warp asks for weights, ahead of everything: they never change, so it waits for no kernel before;
//   converters where weights are not BF16: warps that make bf16 images of them;
//   tokens     one warp asks for the inputs, once the kernel before is done;
//   consumers  one or two warpgroups multiply, each rows of its own, and store.
// A sum is made by one accumulator, over the inputs in order: the same bits in every tile and beside every other token.

namespace caravel::kernels::cuda {
namespace {

struct TilePart {
  const uint8_t* data;
  int64_t group_bytes;
  int groups;
  int rows;
  int first_row;  // of the stack
  DType dtype;
  TileFormat format;
};

struct TileArgs {
  TilePlan plan;
  TilePart parts[PackedWeight::kMaxParts];
  bool paired;
  int blocks;  // of 64 inputs
  int tokens;
  GemmOutput output;
};

/// What boxes are copied from.
struct TileMaps {
  CUtensorMap input;
  CUtensorMap weights[PackedWeight::kMaxParts];  // of BF16: [group, block of 64 inputs, its image]
};

/// A warpgroup's part of a tile.
struct Rows {
  const TilePart* part;
  int first_group;
  int groups;  // that there are, from there on

  __device__ const uint8_t* group(int i, int block) const {
    return part->data + (first_group + i) * part->group_bytes +
           static_cast<int64_t>(block / part->format.unit_blocks) * part->format.unit_bytes;
  }
};

__device__ Rows rows_of_tile(const TileArgs& args, int row_tile, int warpgroup) {
  const TilePlan& plan = args.plan;
  int part = warpgroup;
  int first = row_tile * plan.groups;
  if (!args.paired) {
    part = 0;
    while (row_tile >= plan.part_tiles[part]) row_tile -= plan.part_tiles[part++];
    first = (row_tile * plan.warpgroups + warpgroup) * plan.groups;
  }
  return {&args.parts[part], first, max(0, min(plan.groups, args.parts[part].groups - first))};
}

/// A place in a ring, and how often it has gone round.
struct RingPlace {
  int slot = 0;
  uint32_t round = 0;

  __device__ void advance(int slots) {
    if (++slot < slots) return;
    slot = 0;
    round ^= 1;
  }
};

struct Ring {
  uint32_t slots;     // addresses in shared memory
  uint32_t barriers;  // of each slot: filled, and then for all of them emptied
  int slot_bytes;
  int count;

  __device__ uint32_t slot(const RingPlace& place) const { return slots + place.slot * slot_bytes; }
  __device__ uint32_t filled(const RingPlace& place) const { return barriers + 8 * place.slot; }
  __device__ uint32_t emptied(const RingPlace& place) const { return barriers + 8 * (count + place.slot); }
  __device__ void wait_filled(const RingPlace& place) const { wait_barrier(filled(place), place.round); }
  __device__ void wait_emptied(const RingPlace& place) const { wait_barrier(emptied(place), place.round ^ 1U); }
  __device__ void init(uint32_t filling, uint32_t emptying) const {
    for (int i = 0; i < count; ++i) {
      init_barrier(barriers + 8 * i, filling);
      init_barrier(barriers + 8 * (count + i), emptying);
    }
  }
};

/// function(row tile, token tile) for each tile of the block. Tiles of the same rows are neighbours in time.
template <typename Function>
__device__ void for_each_tile(const TilePlan& plan, Function&& function) {
  const int tiles = plan.row_tiles * plan.token_tiles;
  for (int tile = static_cast<int>(blockIdx.x); tile < tiles; tile += static_cast<int>(gridDim.x)) {
    function(tile / plan.token_tiles, tile % plan.token_tiles);
  }
}

__device__ uint64_t weights_policy(const TilePlan& plan) {
  return plan.token_tiles == 1 ? read_once_policy() : read_again_policy();
}

/// The warp that asks for weights of BF16, by a box for a slot: a copy for each group, of 1 KB, would take the copy
/// engine longer than memory.
__device__ void ask_for_images(const TileArgs& args, const TileMaps& maps, const Ring& ring) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int boxes = args.paired ? 2 : 1;  // a lane each
  const int box_bytes = plan.weight_bytes / boxes;
  const uint64_t policy = weights_policy(plan);
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const Rows rows = rows_of_tile(args, row_tile, lane < boxes ? lane : 0);
    const CUtensorMap& map = maps.weights[rows.part - args.parts];
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      ring.wait_emptied(place);
      // What a box has of places outside its matrix comes as zeros.
      if (lane == 0) arrive_expecting(ring.filled(place), plan.weight_bytes);
      __syncwarp();
      if (lane < boxes) {
        copy_box(ring.slot(place) + lane * box_bytes, map, 0, begin, rows.first_group, ring.filled(place), policy);
      }
      place.advance(ring.count);
    }
  });
}

/// The warp that asks for weights to convert: into `ring` slots of `blocks` blocks of 64 inputs, where a group takes
/// `stride` bytes.
__device__ void ask_for_weights(const TileArgs& args, const Ring& ring, int blocks, int stride) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const uint64_t policy = weights_policy(plan);
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const int warpgroup = lane / plan.groups;  // a lane asks for one group
    const Rows rows = rows_of_tile(args, row_tile, min(warpgroup, plan.warpgroups - 1));
    const bool asks = warpgroup < plan.warpgroups && lane % plan.groups < rows.groups;
    for (int begin = 0; begin < args.blocks; begin += blocks) {
      const int count = min(blocks, args.blocks - begin);
      const uint32_t bytes = asks ? count / rows.part->format.unit_blocks * rows.part->format.unit_bytes : 0;
      const uint32_t all_bytes = __reduce_add_sync(~0U, bytes);
      ring.wait_emptied(place);
      if (lane == 0) arrive_expecting(ring.filled(place), all_bytes);
      __syncwarp();
      if (asks) {
        copy_bulk(ring.slot(place) + lane * stride, rows.group(lane % plan.groups, begin), bytes, ring.filled(place),
                  policy);
      }
      place.advance(ring.count);
    }
  });
}

/// The warp that asks for tokens: [64 inputs of a token] rows behind a slot's weights, in the same swizzle.
template <int kTokens>
__device__ void ask_for_tokens(const TileArgs& args, const CUtensorMap& input, const Ring& ring) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  if (lane == 0) prefetch_map(input);
  wait_for_kernel_before();
  fence_for_async();
  RingPlace place;
  for_each_tile(plan, [&](int, int token_tile) {
    for (int begin = 0; begin < args.blocks; begin += plan.step_blocks) {
      const int count = min(plan.step_blocks, args.blocks - begin);
      ring.wait_emptied(place);
      if (lane == 0) arrive_expecting(ring.filled(place), count * kTokens * 128);
      __syncwarp();
      if (lane < count) {
        copy_box(ring.slot(place) + plan.weight_bytes + lane * kTokens * 128, input, (begin + lane) * kBlockInputs,
                 token_tile * kTokens, ring.filled(place));
      }
      place.advance(ring.count);
    }
  });
}

__device__ uint32_t bf16_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

/// A lane's sixteen inputs of an image; `source`: of the unit that has block `block`.
template <DType kType>
__device__ void convert_sixteen(const uint8_t* source, int block, int lane, uint8_t* image) {
  uint32_t pairs[8];
  if constexpr (kType == DType::kF16) {
#pragma unroll
    for (int c = 0; c < 2; ++c) {
      const uint4 chunk = *reinterpret_cast<const uint4*>(source + image_offset(lane / 4, 2 * (lane % 4) + c));
      const uint32_t words[4] = {chunk.x, chunk.y, chunk.z, chunk.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        pairs[4 * c + i] = bf16_pair(__half2float(__ushort_as_half(static_cast<uint16_t>(words[i]))),
                                     __half2float(__ushort_as_half(static_cast<uint16_t>(words[i] >> 16))));
      }
    }
  } else {
    const SixteenInputs inputs = sixteen_inputs<kType>(source, block, lane);
    const float minimum = __fmaf_rn(-QuantTile<kType>::kBias, inputs.scale, inputs.minimum);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      pairs[i] = bf16_pair(__fmaf_rn(inputs.scale, inputs.biased[2 * i], minimum),
                           __fmaf_rn(inputs.scale, inputs.biased[2 * i + 1], minimum));
    }
  }
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    *reinterpret_cast<uint4*>(image + image_offset(lane / 4, 2 * (lane % 4) + c)) =
        make_uint4(pairs[4 * c], pairs[4 * c + 1], pairs[4 * c + 2], pairs[4 * c + 3]);
  }
}

__device__ void copy_sixteen(const uint8_t* source, int lane, uint8_t* image) {
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const int at = image_offset(lane / 4, 2 * (lane % 4) + c);
    *reinterpret_cast<uint4*>(image + at) = *reinterpret_cast<const uint4*>(source + at);
  }
}

template <DType kType>
constexpr TileFormat kFormatOf = tile_format(kType);

/// A step's images of one type, of whole groups.
struct Images {
  const uint8_t* source;
  int source_stride;  // of a group
  int begin;          // the first block in the source slot
  int blocks;
  int log_blocks;  // of the step's slot, which may have more
  int groups;
  uint8_t* image;

  /// convert(unit, block in the unit, image) for every kWarps-th image, beginning with `next`; leaves in `next` how far
  /// behind the last one the next lies.
  template <int kWarps, DType kType, typename Convert>
  __device__ void each(int& next, Convert&& convert) const {
    const int count = groups << log_blocks;
    for (; next < count; next += kWarps) {
      const int offset = next & ((1 << log_blocks) - 1);
      if (offset >= blocks) continue;
      const int block = begin + offset;
      convert(source + (next >> log_blocks) * source_stride + block / kFormatOf<kType>.unit_blocks * kFormatOf<kType>.unit_bytes,
              block % kFormatOf<kType>.unit_blocks, image + next * kImageBytes);
    }
    next -= count;
  }
};

template <int kWarps>
__device__ void convert_images(const Images& images, DType dtype, int& next) {
  const int lane = threadIdx.x % 32;
  if (dtype == DType::kBF16) {
    images.each<kWarps, DType::kBF16>(
        next, [&](const uint8_t* unit, int, uint8_t* image) { copy_sixteen(unit, lane, image); });
  } else if (dtype == DType::kF16) {
    images.each<kWarps, DType::kF16>(next, [&](const uint8_t* unit, int block, uint8_t* image) {
      convert_sixteen<DType::kF16>(unit, block, lane, image);
    });
  } else {
    with_quant_tile(dtype, [&]<DType kType>() {
      images.each<kWarps, kType>(next, [&](const uint8_t* unit, int block, uint8_t* image) {
        convert_sixteen<kType>(unit, block, lane, image);
      });
    });
  }
}

/// The warps that make bf16 of weights, from slots of `sources` into slots of `ring`: teams of kWarps, which take turns
/// at the latter. A warp begins a step where the team's last left off, so that all have as much to do. Consumers empty
/// slots in order, so a team that waits for one of its own knows that of any other the round before the last is over.
template <int kWarps>
__device__ void convert_weights(const TileArgs& args, uint8_t* shared, const Ring& sources, const Ring& ring,
                                int warp) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const int log_blocks = 31 - __clz(plan.step_blocks);
  int turns = warp / kWarps;  // until the team's
  int next = warp % kWarps;
  RingPlace source;
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int) {
    const DType dtype = rows_of_tile(args, row_tile, 0).part->dtype;
    const DType last_dtype = rows_of_tile(args, row_tile, plan.warpgroups - 1).part->dtype;
    const int all_groups = plan.warpgroups * plan.groups;
    const int groups = dtype == last_dtype ? all_groups : plan.groups;  // of `dtype`
    for (int begin = 0; begin < args.blocks; begin += plan.source_blocks) {
      const int blocks = min(plan.source_blocks, args.blocks - begin);
      sources.wait_filled(source);
      for (int step = 0; step < blocks; step += plan.step_blocks) {
        if (turns-- == 0) {
          turns = kConverterTeams - 1;
          ring.wait_emptied(place);
          Images images{.source = shared + plan.source_begin + source.slot * plan.source_bytes,
                        .source_stride = plan.source_stride,
                        .begin = step,
                        .blocks = min(plan.step_blocks, blocks - step),
                        .log_blocks = log_blocks,
                        .groups = groups,
                        .image = shared + place.slot * plan.slot_bytes};
          convert_images<kWarps>(images, dtype, next);
          if (groups < all_groups) {
            images.source += groups * plan.source_stride;
            images.image += groups * plan.step_blocks * kImageBytes;
            convert_images<kWarps>(images, last_dtype, next);
          }
          fence_shared_for_async();
          __syncwarp();
          if (lane == 0) arrive(ring.filled(place));
        }
        place.advance(ring.count);
      }
      // The fence above has ordered this warp's reads of the source, too.
      if (lane == 0) arrive(sources.emptied(source));
      source.advance(sources.count);
    }
  });
}

/// Stores staged sums of `tokens` tokens and of `rows` rows, up to 64, both by fours of rows; a thread asks for what
/// kAtOnce of them are added to before it awaits one.
template <int kAtOnce>
__device__ void store_fours(const GemmOutput& output, int first_token, int tokens, int first_row, int rows,
                            int threads, const float* staged) {
  constexpr int kFours = 16;  // of a token
  const int row = static_cast<int>(threadIdx.x) % kFours * 4;
  if (row >= rows) return;
  const int step = threads / kFours;
  const auto staged_four = [&](int t, int r) {
    return *reinterpret_cast<const float4*>(staged + t * kStagedStride + r);
  };
  if (!output.accumulate || output.use != GemmUse::kPlain) {
    for (int t = static_cast<int>(threadIdx.x) / kFours; t < tokens; t += step) {
      output.store_four(first_token + t, first_row + row, staged + t * kStagedStride + row,
                        staged + t * kStagedStride + 64 + row);
    }
    return;
  }
  for (int first = static_cast<int>(threadIdx.x) / kFours; first < tokens; first += kAtOnce * step) {
    float4 before[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int t = first + i * step;
      if (t < tokens) before[i] = output.four(first_token + t, first_row + row);
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const int t = first + i * step;
      if (t < tokens) output.add_four(first_token + t, first_row + row, staged_four(t, row), before[i]);
    }
  }
}

/// Sums of a tile: through shared memory, so that neighbouring lanes store neighbouring outputs.
template <int kTokens>
__device__ void store_sums(const TileArgs& args, int row_tile, int token_tile, const float (&sum)[kTokens / 2],
                           float* staging) {
  constexpr int kPassTokens = kTokens < kStagedTokens ? kTokens : kStagedTokens;
  constexpr int kFoursAtOnce = kTokens < 256 ? 2 : 1;  // as registers allow
  const TilePlan& plan = args.plan;
  const int consumers = 128 * plan.warpgroups;
  const int lane = threadIdx.x % 32;
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int first_token = token_tile * kTokens;
  // In a warpgroup's 64 rows, warp w has 16w to 16w + 15.
  float* const mine = staging + warp / 4 * 64 + warp % 4 * 16 + lane / 4 + lane % 4 * 2 * kStagedStride;
  for (int pass = 0; pass < kTokens / kPassTokens; ++pass) {
#pragma unroll
    for (int p = 0; p < kTokens / kPassTokens; ++p) {
      if (p != pass) continue;
#pragma unroll
      for (int j = 0; j < kPassTokens / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          mine[(8 * j + e % 2) * kStagedStride + e / 2 * 8] = sum[(p * kPassTokens / 8 + j) * 4 + e];
        }
      }
    }
    sync_threads(1, consumers);
    const int pass_token = first_token + pass * kPassTokens;
    const int count = min(kPassTokens, args.tokens - pass_token);
    for (int w = 0; w < (args.paired ? 1 : plan.warpgroups); ++w) {
      const Rows rows = rows_of_tile(args, row_tile, w);
      const int first_row = rows.first_group * kGroupRows;
      const int row_count = min(rows.groups * kGroupRows, rows.part->rows - first_row);
      const int out_row = rows.part->first_row + first_row;
      if (row_count % 4 == 0 && args.output.takes_fours(out_row)) {
        store_fours<kFoursAtOnce>(args.output, pass_token, count, out_row, row_count, consumers, staging + 64 * w);
        continue;
      }
      for (int t = warp; t < count; t += consumers / 32) {
        const float* const sums = staging + t * kStagedStride + 64 * w;
        for (int r = lane; r < row_count; r += 32) {
          args.output.store(pass_token + t, out_row + r, sums[r], args.paired ? sums[64 + r] : 0.0F);
        }
      }
    }
    sync_threads(1, consumers);
  }
}

/// The warpgroups that multiply, each by its number.
template <int kTokens>
__device__ void multiply(const TileArgs& args, const Ring& ring, int warpgroup, float* staging) {
  const TilePlan& plan = args.plan;
  const int lane = threadIdx.x % 32;
  const uint32_t group_stride = plan.step_blocks * kImageBytes;
  wait_for_kernel_before();
  const auto release = [&](const RingPlace& place) {
    __syncwarp();
    if (lane == 0) arrive(ring.emptied(place));
  };
  RingPlace place;
  for_each_tile(plan, [&](int row_tile, int token_tile) {
    float sum[kTokens / 2];
#pragma unroll
    for (float& value : sum) value = 0.0F;
    RingPlace before;
    int left = 0;  // blocks of the slot that are to come
    uint64_t weights = 0;
    uint64_t tokens = 0;
    int block = 0;
    do {
      const bool enters = left == 0;
      if (enters) {
        left = plan.step_blocks;
        ring.wait_filled(place);
        const uint32_t slot = ring.slot(place);
        weights = matrix_descriptor(slot + warpgroup * plan.groups * group_stride, group_stride);
        tokens = matrix_descriptor(slot + plan.weight_bytes, kImageBytes);
      }
      --left;
      fence_products();
#pragma unroll
      for (int k = 0; k < 4; ++k) {  // 16 inputs are 32 bytes; a descriptor counts in 16
        add_product<kTokens>(sum, weights + 2 * k, tokens + 2 * k);
      }
      commit_products();
      weights += kImageBytes / 16;
      tokens += kTokens * 128 / 16;
      wait_products<1>();
      if (enters) {
        // Only now is all done that read the slot before.
        if (block > 0) release(before);
        before = place;
        place.advance(ring.count);
      }
    } while (++block < args.blocks);
    wait_products<0>();
    release(before);
#pragma unroll
    for (float& value : sum) asm volatile("" : "+f"(value)::"memory");
    store_sums<kTokens>(args, row_tile, token_tile, sum, staging);
  });
}

template <int kTokens>
constexpr int kConverterWarps = converter_warps(kTokens);

template <int kTokens, bool kConverts>
__global__ void __launch_bounds__(256 + (kConverts ? 32 * kConverterWarps<kTokens> : 0) + 64, 1)
    tile_gemm_kernel(const __grid_constant__ TileArgs args, const __grid_constant__ TileMaps maps) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const TilePlan& plan = args.plan;
  const uint32_t base = shared_address(shared);
  const Ring ring{base, base + plan.barriers_begin, plan.slot_bytes, plan.steps_ahead};
  const Ring sources{base + plan.source_begin, ring.barriers + 16 * plan.steps_ahead, plan.source_bytes,
                     plan.sources_ahead};
  // The same in all lanes, which the compiler must know to let products overlap.
  const int warp = __shfl_sync(~0U, static_cast<int>(threadIdx.x / 32), 0);
  const int consumer_warps = 4 * plan.warpgroups;
  constexpr int kConverters = kConverts ? kConverterWarps<kTokens> : 0;
  if (threadIdx.x == 0) {
    if (base % 1024 != 0) __trap();
    // Filled by the warp for tokens, and by that for weights or a team of converters.
    ring.init(1 + (kConverts ? kConverters / kConverterTeams : 1), consumer_warps);
    if constexpr (kConverts) sources.init(1, kConverters);
    fence_barrier_init();
  }
  __syncthreads();
  let_next_kernel_in();
  if (warp < consumer_warps) {
    multiply<kTokens>(args, ring, warp / 4, reinterpret_cast<float*>(shared + plan.staging_begin));
  } else if (warp < consumer_warps + kConverters) {
    if constexpr (kConverts) {
      convert_weights<kConverters / kConverterTeams>(args, shared, sources, ring, warp - consumer_warps);
    }
  } else if (warp == consumer_warps + kConverters) {
    if constexpr (kConverts) {
      ask_for_weights(args, sources, plan.source_blocks, plan.source_stride);
    } else {
      ask_for_images(args, maps, ring);
    }
  } else {
    ask_for_tokens<kTokens>(args, maps.input, ring);
  }
}

/// Of the driver, found at run time: there is none to link with where there is no GPU.
PFN_cuTensorMapEncodeTiled_v12000 encode_function() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &result),
             "looking for cuTensorMapEncodeTiled");
  CARAVEL_CHECK(result == cudaDriverEntryPointSuccess);
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

constexpr size_t kMostDimensions = 3;

/// A matrix or a stack of them, from the innermost dimension out; `strides` of all but that one, in bytes.
CUtensorMap tensor_map(CUtensorMapDataType type, CUtensorMapSwizzle swizzle, const void* data,
                       std::initializer_list<int64_t> sizes, std::initializer_list<int64_t> strides,
                       std::initializer_list<int> box) {
  static const PFN_cuTensorMapEncodeTiled_v12000 encode = encode_function();
  cuuint64_t size[kMostDimensions];
  cuuint64_t stride[kMostDimensions];
  cuuint32_t edge[kMostDimensions];
  const cuuint32_t steps[kMostDimensions] = {1, 1, 1};
  CARAVEL_CHECK(sizes.size() <= kMostDimensions && box.size() == sizes.size() && strides.size() + 1 == sizes.size());
  std::copy(sizes.begin(), sizes.end(), size);
  std::copy(strides.begin(), strides.end(), stride);
  std::copy(box.begin(), box.end(), edge);
  CUtensorMap map;
  const CUresult status = encode(&map, type, static_cast<cuuint32_t>(sizes.size()), const_cast<void*>(data), size,
                                 stride, edge, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                 CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  CARAVEL_CHECK_EQ(static_cast<int>(status), static_cast<int>(CUDA_SUCCESS));
  return map;
}

/// Rows of BF16 inputs, by boxes of 64 inputs of `box_tokens` rows.
CUtensorMap input_map(const GemmInput& input, int box_tokens) {
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, CU_TENSOR_MAP_SWIZZLE_128B, input.data,
                    {input.width, input.tokens}, {2 * input.width}, {kBlockInputs, box_tokens});
}

/// A part of BF16, by boxes of `box_blocks` images of `box_groups` groups: as they lie in memory, so elements may be of
/// any type, and the largest takes the fewest.
CUtensorMap images_map(const TilePart& part, int64_t blocks, int box_blocks, int box_groups) {
  constexpr int kWords = kImageBytes / 8;
  return tensor_map(CU_TENSOR_MAP_DATA_TYPE_INT64, CU_TENSOR_MAP_SWIZZLE_NONE, part.data,
                    {kWords, blocks, part.groups}, {kImageBytes, part.group_bytes}, {kWords, box_blocks, box_groups});
}

template <bool kConverts>
void launch_tiles(Stream& stream, const LaunchShape& shape, const TileArgs& args, const TileMaps& maps) {
  switch (args.plan.tokens) {
    case 8:
      return launch(stream, shape, tile_gemm_kernel<8, kConverts>, args, maps);
    case 16:
      return launch(stream, shape, tile_gemm_kernel<16, kConverts>, args, maps);
    case 32:
      return launch(stream, shape, tile_gemm_kernel<32, kConverts>, args, maps);
    case 64:
      return launch(stream, shape, tile_gemm_kernel<64, kConverts>, args, maps);
    case 128:
      return launch(stream, shape, tile_gemm_kernel<128, kConverts>, args, maps);
    default:
      // Converters leave no registers for so many sums.
      if constexpr (!kConverts) return launch(stream, shape, tile_gemm_kernel<256, false>, args, maps);
      CARAVEL_CHECK(false);
  }
}

}  // namespace

void tile_gemm(Stream& stream, const GemmTask& task) {
  const PackedWeight& weight = *task.weight;
  const CudaDevice& device = as_cuda(stream).device();
  CARAVEL_CHECK(task.input.form == InputForm::kBf16);
  CARAVEL_CHECK_EQ(reinterpret_cast<uintptr_t>(task.input.data) % 64, uintptr_t{0});
  TileArgs args{.paired = task.use == GemmUse::kGated,
                .blocks = static_cast<int>(input_blocks(weight.in())),
                .tokens = static_cast<int>(task.input.tokens),
                .output = gemm_output(task)};
  args.plan = plan_tiles(weight.parts(), weight.in(), task.input.tokens, args.paired, device.num_sms(),
                         static_cast<int>(device.max_shared_bytes()));
  for (size_t i = 0; i < weight.parts().size(); ++i) {
    const PackedWeight::Part& part = weight.parts()[i];
    args.parts[i] = {.data = reinterpret_cast<const uint8_t*>(weight.data()) + part.offset,
                     .group_bytes = group_bytes(part.dtype, weight.in()),
                     .groups = static_cast<int>(row_groups(part.rows)),
                     .rows = static_cast<int>(part.rows),
                     .first_row = static_cast<int>(part.out_begin),
                     .dtype = part.dtype,
                     .format = tile_format(part.dtype)};
  }
  LaunchShape shape;
  shape.grid = dim3(static_cast<unsigned>(std::min(args.plan.tiles(), device.num_sms())));
  shape.block = dim3(static_cast<unsigned>(args.plan.threads()));
  shape.shared_bytes = static_cast<size_t>(args.plan.shared_bytes);
  shape.early = true;
  TileMaps maps = {.input = input_map(task.input, args.plan.tokens)};
  if (args.plan.converts) {
    launch_tiles<true>(stream, shape, args, maps);
    return;
  }
  const int box_groups = args.plan.groups * (args.paired ? 1 : args.plan.warpgroups);
  for (size_t i = 0; i < weight.parts().size(); ++i) {
    maps.weights[i] = images_map(args.parts[i], args.blocks, args.plan.step_blocks, box_groups);
  }
  launch_tiles<false>(stream, shape, args, maps);
}

}  // namespace caravel::kernels::cuda
