#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/tile_args.cuh"
#include "kernels/cuda/tile_inputs.cuh"
#include "kernels/cuda/tile_ring.cuh"

namespace caravel::kernels::cuda {

__device__ inline uint32_t bf16_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

/// A lane's sixteen inputs of an image; `source`: of the unit that has block `block`. Those of F8_E4M3 are without
/// their rows' scales, which sums get.
template <DType kType>
__device__ inline void convert_sixteen(const uint8_t* source, int block, int lane, uint8_t* image) {
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
  } else if constexpr (kType == DType::kF8E4M3 || kType == DType::kF8E4M3B128) {
    sixteen_f8(source + block * kF8BlockBytes, lane, pairs);
    if constexpr (kType == DType::kF8E4M3B128) {
      const float scale = f8_scale<kType>(source, nullptr, lane / 4);
#pragma unroll
      for (uint32_t& pair : pairs) {
        pair = bf16_pair(__fmul_rn(scale, __uint_as_float(pair << 16)),
                         __fmul_rn(scale, __uint_as_float(pair & 0xffff0000U)));
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

__device__ inline void copy_sixteen(const uint8_t* source, int lane, uint8_t* image) {
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const int at = image_offset(lane / 4, 2 * (lane % 4) + c);
    *reinterpret_cast<uint4*>(image + at) = *reinterpret_cast<const uint4*>(source + at);
  }
}

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
      convert(source + (next >> log_blocks) * source_stride +
                  block / kFormatOf<kType>.unit_blocks * kFormatOf<kType>.unit_bytes,
              block % kFormatOf<kType>.unit_blocks, image + next * kImageBytes);
    }
    next -= count;
  }
};

template <int kWarps>
__device__ inline void convert_images(const Images& images, DType dtype, int& next) {
  const int lane = threadIdx.x % 32;
  if (dtype == DType::kBF16) {
    images.each<kWarps, DType::kBF16>(
        next, [&](const uint8_t* unit, int, uint8_t* image) { copy_sixteen(unit, lane, image); });
    return;
  }
  const auto convert = [&]<DType kType>() {
    images.each<kWarps, kType>(next, [&](const uint8_t* unit, int block, uint8_t* image) {
      convert_sixteen<kType>(unit, block, lane, image);
    });
  };
  if (dtype == DType::kF16) {
    convert.template operator()<DType::kF16>();
  } else if (dtype == DType::kF8E4M3) {
    convert.template operator()<DType::kF8E4M3>();
  } else if (dtype == DType::kF8E4M3B128) {
    convert.template operator()<DType::kF8E4M3B128>();
  } else {
    with_quant_tile(dtype, convert);
  }
}

/// The warps that make bf16 of weights, from slots of `sources` into slots of `ring`: teams of kWarps, which take turns
/// at the latter. A warp begins a step where the team's last left off, so that all have as much to do. Consumers empty
/// slots in order, so a team that waits for one of its own knows that of any other the round before the last is over.
template <int kWarps>
__device__ inline void convert_weights(const TileArgs& args, uint8_t* shared, const Ring& sources, const Ring& ring,
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

}  // namespace caravel::kernels::cuda
