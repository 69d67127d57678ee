#!/usr/bin/env bash
# What `cmake --install` leaves is enough for somebody else's project: install_test.sh BUILD SOURCE installs BUILD into an
# empty folder, builds examples/hello.cc against the package file there, and runs it.
set -euo pipefail
build=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/installed" >/dev/null
mkdir "$folder/project"
cp "$source/examples/hello.cc" "$folder/project"
cat >"$folder/project/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.24)
project(somebody_elses CXX)
find_package(caravel REQUIRED)
add_executable(hello hello.cc)
target_link_libraries(hello PRIVATE caravel::engine)
PROJECT
cmake -S "$folder/project" -B "$folder/project/build" -DCMAKE_PREFIX_PATH="$folder/installed" >/dev/null
cmake --build "$folder/project/build" >/dev/null
"$folder/project/build/hello" | tee "$folder/answer"
grep -q 'France is.*Paris' "$folder/answer"
