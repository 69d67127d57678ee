#!/usr/bin/env bash
# What `cmake --install` leaves is enough for somebody else's project: install_test.sh BUILD SOURCE installs BUILD into an
# empty folder, builds the programs of examples/ against the package file there, and runs them.
set -euo pipefail
build=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/installed" >/dev/null
mkdir "$folder/project"
cp "$source"/examples/*.cc "$folder/project"
cat >"$folder/project/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.24)
project(somebody_elses CXX)
find_package(caravel REQUIRED)
foreach(example hello score chat_with_tool)
  add_executable(${example} ${example}.cc)
  target_link_libraries(${example} PRIVATE caravel::engine)
endforeach()
PROJECT
cmake -S "$folder/project" -B "$folder/project/build" -DCMAKE_PREFIX_PATH="$folder/installed" >/dev/null
cmake --build "$folder/project/build" >/dev/null
cd "$folder/project/build"
./hello | tee "$folder/answer"
grep -q 'France is.*Paris' "$folder/answer"
./score | tee "$folder/scores"
# Each beginning finds its own ending likelier.
awk '/France/ { f[++i] = $NF } /Italy/ { t[++j] = $NF } END { exit !(i == 2 && j == 2 && f[1] > f[2] && t[2] > t[1]) }' \
  "$folder/scores"
./chat_with_tool | tee "$folder/chat"
grep -q '^\[weather({"city": "Paris"})\]$' "$folder/chat"
