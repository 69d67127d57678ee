#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

/// The variables of a loop's pass, a macro's call or the template itself. Inner scopes read outer ones and write to
/// themselves alone.
class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> parent) : parent_(std::move(parent)) {}

  /// nullptr where no scope around has it.
  const Value* find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
      if (const Value* const found = own(*scope, name)) return found;
    }
    return nullptr;
  }

  void set(const std::string& name, Value value) {
    if (Value* const current = own(*this, name)) {
      *current = std::move(value);
    } else if (few_.size() < kFew) {
      few_.emplace_back(name, std::move(value));
    } else {
      others_.emplace(name, std::move(value));
    }
  }

  void clear() {
    few_.clear();
    others_.clear();
  }

 private:
  static constexpr size_t kFew = 16;  // which are found sooner by looking at each

  template <typename Self>
  static auto own(Self& self, const std::string& name) -> decltype(&self.few_.front().second) {
    for (auto& [key, value] : self.few_) {
      if (key == name) return &value;
    }
    if (self.others_.empty()) return nullptr;
    const auto found = self.others_.find(name);
    return found == self.others_.end() ? nullptr : &found->second;
  }

  std::shared_ptr<Scope> parent_;
  std::vector<std::pair<std::string, Value>> few_;
  std::unordered_map<std::string, Value> others_;  // a client may give a template as many as it likes
};

}  // namespace caravel::text::jinja
