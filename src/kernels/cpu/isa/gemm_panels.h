#pragma once

// Included by the per-ISA sources alone.

#include "kernels/cpu/gemm_args.h"
#include "kernels/cpu/isa/gemm_tile.h"

namespace caravel::kernels::CARAVEL_ISA {

/// The tokens that panels meet, and what they read of them: `in` elements, which may be some of a row's.
struct PanelInput {
  int64_t in;
  InputPlanes input;
  int64_t begin;
  int64_t tokens;
};

static inline int64_t panel_count(const PackedPart& part) { return (part.rows + kPanelRows - 1) / kPanelRows; }

/// A matrix by some tokens.
struct PlainPanels {
  const PackedPart* parts;
  int part_count;
  PanelInput x;
  const float* bias;  // [out] or nullptr
  bool accumulate;
  float* out;  // of the first of the tokens
  int64_t out_stride;
};
/// Panels `begin` to `end` of all parts taken together.
void run_plain_panels(const PlainPanels& args, int64_t begin, int64_t end);

/// Gate and up by some tokens. Row t of `out` is what row t of the input gives.
struct GatedPanels {
  PackedPart gate;
  PackedPart up;
  PanelInput x;
  const float* bias;  // [2 * out.width] or nullptr
  Activation activation;
  InputPlanes out;
};
/// Pairs of panels. With many tokens they are taken some at a time, so that a pair's sums stay in the L1 cache; with
/// few, many pairs at a time, so that either part's panels are read one after the other.
void run_gated_panels(const GatedPanels& args, int64_t begin, int64_t end);

}  // namespace caravel::kernels::CARAVEL_ISA
