#pragma once

#include <memory>
#include <string>
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
      for (const auto& [key, value] : scope->variables_) {
        if (key == name) return &value;
      }
    }
    return nullptr;
  }

  void set(const std::string& name, Value value) {
    for (auto& [key, current] : variables_) {
      if (key == name) {
        current = std::move(value);
        return;
      }
    }
    variables_.emplace_back(name, std::move(value));
  }

  void clear() { variables_.clear(); }

 private:
  std::shared_ptr<Scope> parent_;
  std::vector<std::pair<std::string, Value>> variables_;
};

}  // namespace caravel::text::jinja
