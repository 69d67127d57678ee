#include "text/jinja/loop.h"

#include "base/error.h"

namespace caravel::text::jinja {

Loop::Loop(std::vector<Value> items, std::function<bool(const Value&)> accepts)
    : items_(std::move(items)), accepts_(std::move(accepts)) {
  for (const Value& item : items_) hold(item);
}

bool Loop::fetch() {
  while (examined_ < items_.size()) {
    const Value& item = items_[examined_++];
    if (accepts_ && !accepts_(item)) continue;
    accepted_.push_back(item);
    return true;
  }
  return false;
}

bool Loop::advance() {
  if (static_cast<size_t>(index_ + 1) == accepted_.size() && !fetch()) return false;
  ++index_;
  return true;
}

int64_t Loop::length() {
  while (fetch()) {
  }
  return static_cast<int64_t>(accepted_.size());
}

Value Loop::attribute(std::string_view name) {
  if (name == "index") return index_ + 1;
  if (name == "index0") return index_;
  if (name == "first") return index_ == 0;
  if (name == "last") return is_last();
  if (name == "length") return length();
  if (name == "revindex") return length() - index_;
  if (name == "revindex0") return length() - index_ - 1;
  if (name == "depth") return int64_t{1};
  if (name == "depth0") return int64_t{0};
  if (name == "previtem") {
    return index_ > 0 ? accepted_[static_cast<size_t>(index_) - 1]
                      : Value::undefined(Undefined::Kind::kAttribute, name);
  }
  if (name == "nextitem") {
    return is_last() ? Value::undefined(Undefined::Kind::kAttribute, name) : accepted_[static_cast<size_t>(index_) + 1];
  }
  return Value::undefined(Undefined::Kind::kAttribute, name);
}

Value Loop::call(Interpreter&, const Arguments&) { throw InvalidArgument("loop() needs a recursive loop"); }

}  // namespace caravel::text::jinja
