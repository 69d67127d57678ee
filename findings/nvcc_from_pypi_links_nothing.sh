#!/usr/bin/env bash
# PyPI's CUDA compiler (nvidia-cuda-nvcc 13.0.88, with -crt, -nvvm, -runtime and -cccl of 13.0), seen 2026-11-30.
#
# It compiles, but links no program: its nvcc.profile has ld look in lib64 of its folder, and the packages put
# libcudart_static.a and libcudadevrt.a into lib. So `nvcc program.cu` ends with ld's "cannot find -lcudart_static", and
# what tries a compiler by linking, as CMake does when it enables the language CUDA, finds none that works. With -L of
# that lib the same command gives a program.
#
# Prints how both end. Exits with 1 where that changes. Takes 270 MB and no GPU.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target packages \
  nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96 \
  nvidia-cuda-cccl==13.0.85
cuda=$PWD/packages/nvidia/cu13
cat > program.cu <<'CUDA'
__global__ void nothing() {}
int main() { nothing<<<1, 1>>>(); }
CUDA
status=0
"$cuda/bin/nvcc" -c program.cu -o program.o && echo "compiling: rc 0"
if "$cuda/bin/nvcc" program.cu -o program > plain.log 2>&1; then
  echo "linking as it is: rc 0"
  status=1
else
  echo "linking as it is: $(grep -m1 'cannot find' plain.log)"
  grep -q 'cannot find -lcudart_static' plain.log || status=1
fi
if "$cuda/bin/nvcc" -L"$cuda/lib" program.cu -o program; then
  echo "with -L of its lib: rc 0"
else
  status=1
fi
exit $status
