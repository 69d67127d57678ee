#pragma once

#include <memory>

#include "voyager/environment.h"

namespace caravel::mini {

/// The bounds of one run of code. Those of instructions and ticks end it at the same place every time; the wall clock
/// is for what these do not see.
struct CodeLimits {
  int64_t instructions = 50'000'000;
  int64_t memory_bytes = 64 << 20;
  int64_t ticks = 12'000;  // of the world: half a day
  int64_t calls = 100'000;
  int64_t chat_lines = 200;
  double seconds = 30;  // between two calls; of the processor, in all, a second more
};

/// The embedded world, `--world mini`: a World in this process, whose code (Lua 5.4) runs in a child (sandbox/child.h).
/// Throws IoError where no child can be made.
std::unique_ptr<voyager::Environment> make_environment(const CodeLimits& limits = {});

}  // namespace caravel::mini
