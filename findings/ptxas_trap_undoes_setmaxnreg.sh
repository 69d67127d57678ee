#!/usr/bin/env bash
# CUDA's compiler from PyPI (nvidia-cuda-nvcc 13.0.88, sm_90a), seen 2026-11-30.
#
# A warpgroup that calls setmaxnreg.inc has 232 registers from there on, and ptxas gives its code so many, although
# __launch_bounds__(384) leaves 168 for each thread of the kernel: 190 sums in registers spill nothing. Where the loop that
# works on them holds a __trap() (a wait that gives up, as one writes it around an mbarrier), ptxas keeps to the 168 and
# spills, without a word. A store to address 0 in its place, which ends the kernel as well, does not.
#
# Compiles the same kernel both ways and prints what ptxas says. Needs no GPU. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
  nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
nvcc=$(echo venv/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
cat >kernel.cu <<'CUDA'
constexpr int kSums = 190;

__device__ void work(float* sums, const float* factors, int rounds, volatile int* ready) {
  float sum[kSums];
#pragma unroll
  for (int i = 0; i < kSums; ++i) sum[i] = sums[threadIdx.x + 128 * i];
  for (int round = 0; round < rounds; ++round) {
    for (int tries = 0; *ready < round; ++tries) {
      if (tries > 1000000) GIVE_UP;
    }
#pragma unroll
    for (int i = 0; i < kSums; ++i) sum[i] = sum[i] * factors[round] + sum[(i + 1) % kSums];
  }
#pragma unroll
  for (int i = 0; i < kSums; ++i) sums[threadIdx.x + 128 * i] = sum[i];
}

__global__ void __launch_bounds__(384, 1) kernel(float* sums, const float* factors, int rounds, volatile int* ready) {
  if (threadIdx.x < 128) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 0) *ready = rounds;
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    work(sums + threadIdx.x / 128 * 40000, factors, rounds, ready);
  }
}
CUDA
spilled() {
  "$nvcc" "-DGIVE_UP=$1" -O3 -gencode=arch=compute_90a,code=sm_90a -Xptxas -v -c kernel.cu -o kernel.o 2>&1 |
    grep -oE '[0-9]+ bytes spill stores' | cut -d' ' -f1
}
by_trap=$(spilled '__trap()')
by_store=$(spilled '*(volatile int*)nullptr = 0')
echo "with __trap(): $by_trap bytes of spill stores; with a store to address 0: $by_store"
[[ $by_trap -gt 0 && $by_store -eq 0 ]]
