#pragma once

#include <string_view>

#include "voyager/run_rows.h"

namespace caravel::voyager {

/// Who looks on while a voyage runs: a terminal, a log. On the agent's thread; quick.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_iteration(const IterationRow& /*begun*/) {}
  virtual void on_call(Role /*role*/, std::string_view /*model*/) {}
  virtual void on_piece(std::string_view /*of the answer*/) {}
  virtual void on_answer(const CallRow& /*call*/) {}
  virtual void on_code(const StepRow& /*code, main, skills; nothing else yet*/) {}
  /// Now and then while code runs.
  virtual void on_world(Environment& /*world: observe() and map()*/) {}
  virtual void on_step(const StepRow& /*ended, not judged yet*/, Environment& /*world*/) {}
  virtual void on_verdict(const StepRow& /*judged*/) {}
  virtual void on_end(const IterationRow& /*ended*/) {}
};

}  // namespace caravel::voyager
