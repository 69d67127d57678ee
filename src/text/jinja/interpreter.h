#pragma once

#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/jinja/arguments.h"
#include "text/jinja/ast.h"
#include "text/jinja/scope.h"

namespace caravel::text::jinja {

/// How deep a rendering may nest: expressions, blocks and macro calls together. Bounds the stack (about 1 KiB a level).
inline constexpr int kMaxRenderDepth = 1200;

/// Runs a parsed template once. One thread; what it throws has no line: `line()` says where it stood.
class Interpreter {
 public:
  /// `now` is the local time for strftime_now; the clock's where absent.
  Interpreter(Budget budget, std::optional<std::tm> now);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  void set(const std::string& name, Value value) { scope_->set(name, std::move(value)); }
  std::string render(const Body& body);
  int line() const { return line_; }

  // For filters, tests and methods.
  Budget& budget() { return budget_; }
  std::tm local_time() const;
  Namespace* make_namespace();
  Value call(const Value& callee, const Arguments& arguments);
  Value call_filter(const std::string& name, const Value& operand, const Arguments& arguments);
  bool call_test(const std::string& name, const Value& operand, const Arguments& arguments);
  /// object.name: what the object can do first, then its items.
  Value attribute(const Value& object, const std::string& name);
  /// object[index]: its items first, then what it can do.
  Value item(const Value& object, const Value& index);

 private:
  enum class Flow : uint8_t { kNormal, kBreak, kContinue };
  class Level;
  class ScopeGuard;

  Value evaluate(const Expression& expression);
  Value evaluate(const ExpressionPtr& expression) { return evaluate(*expression); }
  Value evaluate_node(const Expression& expression);
  Value visit(const Name& node);
  Value visit(const GetSlice& node);
  Value visit(const SequenceDisplay& node);
  Value visit(const DictDisplay& node);
  Value visit(const Unary& node);
  Value visit(const Concatenation& node);
  Value visit(const Compare& node);
  Value visit(const Conditional& node);
  Value visit(const Call& node);
  Value visit(const ApplyFilter& node);
  Value visit(const ApplyTest& node);
  Arguments evaluate_arguments(const CallArguments& arguments);

  Flow execute(const Body& body);
  Flow execute(const Statement& statement);
  Flow execute(const If& node);
  Flow execute(const For& node);
  void execute(const Output& node);
  void execute(const SetBlock& node);
  void execute(const CallBlock& node);
  void execute(const FilterBlock& node);
  Flow execute(const With& node);
  Flow execute_scoped(const Body& body);

  Value call_macro(const Macro& macro, const Arguments& arguments);
  void assign(const Target& target, Value value);
  void write(std::string_view text);
  /// What the body prints, in a scope of its own.
  Value capture(const Body& body);
  Value make_macro(const MacroDefinition& definition);

  Budget budget_;
  std::optional<std::tm> now_;
  int line_ = 0;
  int depth_ = 0;
  std::string* out_ = nullptr;
  const Value* block_text_ = nullptr;  // the operand of a filter block's first filter
  std::shared_ptr<Scope> scope_;
  std::deque<Namespace> namespaces_;
  std::vector<std::shared_ptr<Scope>> captured_;  // what macros hold: cleared at the end, for they hold each other
};

}  // namespace caravel::text::jinja
