#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// What `loop` is inside a for. Items that the loop's `if` refuses are found out as late as Jinja does: the condition
/// may read a namespace that the body changes.
class Loop : public Object {
 public:
  /// `accepts` is empty where the loop has no `if`.
  Loop(std::vector<Value> items, std::function<bool(const Value&)> accepts);

  /// To the next item; false at the end.
  bool advance();
  const Value& current() const { return accepted_[static_cast<size_t>(index_)]; }
  /// The loop is over: the condition is not called again.
  void finish() { accepts_ = nullptr; }

  const char* type_name() const override { return "LoopContext"; }
  Value attribute(std::string_view name) override;
  Value call(Interpreter& interpreter, const Arguments& arguments) override;

 private:
  // Looks for one more item; false where there is none.
  bool fetch();
  bool is_last() { return static_cast<size_t>(index_) + 1 == accepted_.size() && !fetch(); }
  int64_t length();

  std::vector<Value> items_;
  std::function<bool(const Value&)> accepts_;
  size_t examined_ = 0;
  std::vector<Value> accepted_;
  int64_t index_ = -1;
};

}  // namespace caravel::text::jinja
