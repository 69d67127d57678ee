#include "text/jinja/interpreter.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/jinja/filters.h"
#include "text/jinja/globals.h"
#include "text/jinja/loop.h"
#include "text/jinja/macro.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/python_text.h"
#include "text/jinja/tests.h"

namespace caravel::text::jinja {

class Interpreter::Level {
 public:
  explicit Level(Interpreter& interpreter) : depth_(interpreter.depth_) {
    interpreter.budget_.step();
    if (depth_ >= kMaxRenderDepth) {
      throw fail<CapacityError>("the template nests deeper than {} levels: a macro that calls itself without end?",
                                kMaxRenderDepth);
    }
    ++depth_;
  }
  ~Level() { --depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
};

// Variables live in `scope` until the guard goes.
class Interpreter::ScopeGuard {
 public:
  ScopeGuard(Interpreter& interpreter, std::shared_ptr<Scope> scope)
      : interpreter_(interpreter), outer_(std::exchange(interpreter.scope_, std::move(scope))) {}
  ~ScopeGuard() { interpreter_.scope_ = std::move(outer_); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  Interpreter& interpreter_;
  std::shared_ptr<Scope> outer_;
};

Interpreter::Interpreter(Budget budget, std::optional<std::tm> now)
    : budget_(budget), now_(now), scope_(std::make_shared<Scope>(nullptr)) {
  set_globals(*this);
}

Interpreter::~Interpreter() {
  for (const std::shared_ptr<Scope>& scope : captured_) scope->clear();
}

std::string Interpreter::render(const Body& body) {
  std::string out;
  out_ = &out;
  execute(body);
  return out;
}

std::tm Interpreter::local_time() const {
  if (now_) return *now_;
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  localtime_r(&seconds, &local);
  return local;
}

Namespace* Interpreter::make_namespace() {
  budget_.step();
  return &namespaces_.emplace_back();
}

void Interpreter::write(std::string_view text) {
  budget_.text(out_->size() + text.size() > budget_.max_text() ? budget_.max_text() + 1 : text.size());
  out_->append(text);
}

// Expressions

Value Interpreter::evaluate(const Expression& expression) {
  const Level level(*this);
  line_ = expression.line;
  return evaluate_node(expression);
}

Value Interpreter::evaluate_node(const Expression& expression) {
  // What was evaluated below may have moved line_.
  const auto here = [&] { line_ = expression.line; };
  if (const auto* literal = std::get_if<Literal>(&expression.node)) return literal->value;
  if (const auto* name = std::get_if<Name>(&expression.node)) return visit(*name);
  if (const auto* node = std::get_if<GetAttribute>(&expression.node)) {
    const Value object = evaluate(node->object);
    here();
    return attribute(object, *node->name);
  }
  if (const auto* node = std::get_if<GetItem>(&expression.node)) {
    const Value object = evaluate(node->object);
    const Value index = evaluate(node->index);
    here();
    return item(object, index);
  }
  if (const auto* node = std::get_if<Binary>(&expression.node)) {
    const Value left = evaluate(node->left);
    const Value right = evaluate(node->right);
    here();
    return apply_binary(node->op, left, right, budget_);
  }
  if (const auto* node = std::get_if<Logical>(&expression.node)) {
    Value left = evaluate(node->left);
    return left.truthy() == node->is_and ? evaluate(node->right) : left;
  }
  if (const auto* node = std::get_if<Call>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<ApplyFilter>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<ApplyTest>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<Compare>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<Unary>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<Concatenation>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<Conditional>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<GetSlice>(&expression.node)) return visit(*node);
  if (const auto* node = std::get_if<SequenceDisplay>(&expression.node)) return visit(*node);
  return visit(std::get<DictDisplay>(expression.node));
}

Value Interpreter::visit(const Name& node) {
  const Value* value = scope_->find(*node.name);
  return value != nullptr ? *value : Value(Undefined{Undefined::Kind::kVariable, node.name});
}

Value Interpreter::visit(const GetSlice& node) {
  const auto bound = [&](const ExpressionPtr& expression) { return expression ? evaluate(expression) : Value(None{}); };
  const Value object = evaluate(node.object);
  const Value start = bound(node.start);
  const Value stop = bound(node.stop);
  const Value step = bound(node.step);
  return apply_slice(object, start, stop, step, budget_);
}

Value Interpreter::visit(const SequenceDisplay& node) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const ExpressionPtr& item : node.items) items.push_back(evaluate(item));
  return Value::sequence(std::move(items), node.kind);
}

Value Interpreter::visit(const DictDisplay& node) {
  auto dict = std::make_shared<Dict>();
  for (const auto& [key_node, value_node] : node.entries) {
    Value key = evaluate(key_node);
    dict->set(std::move(key), evaluate(value_node));
  }
  return Value(std::shared_ptr<const Dict>(std::move(dict)));
}

Value Interpreter::visit(const Unary& node) {
  Value operand = evaluate(node.operand);
  if (node.op == Unary::Operator::kNot) return !operand.truthy();
  if (node.op == Unary::Operator::kNegate) return apply_negate(operand);
  if (operand.is_undefined()) throw_undefined(operand);
  if (!operand.is_number()) throw fail<InvalidArgument>("a {} has no sign", operand.type_name());
  return operand;
}

Value Interpreter::visit(const Concatenation& node) {
  std::string text;
  for (const ExpressionPtr& part : node.parts) append_str(text, evaluate(part), budget_);
  return Value(std::move(text));
}

Value Interpreter::visit(const Compare& node) {
  Value left = evaluate(node.first);
  for (const auto& [comparison, expression] : node.rest) {
    Value right = evaluate(expression);
    if (!apply_comparison(comparison, left, right, budget_)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::visit(const Conditional& node) {
  if (evaluate(node.condition).truthy()) return evaluate(node.then);
  return node.otherwise ? evaluate(node.otherwise) : Value(Undefined{Undefined::Kind::kNoElse});
}

Value Interpreter::visit(const Call& node) {
  const int line = line_;
  const Value callee = evaluate(node.callee);
  const Arguments arguments = evaluate_arguments(node.arguments);
  line_ = line;
  return call(callee, arguments);
}

Value Interpreter::visit(const ApplyFilter& node) {
  const int line = line_;
  const Value operand = node.operand ? evaluate(node.operand) : *block_text_;
  const Arguments arguments = evaluate_arguments(node.arguments);
  line_ = line;
  return call_filter(*node.name, operand, arguments);
}

Value Interpreter::visit(const ApplyTest& node) {
  const int line = line_;
  const Value operand = evaluate(node.operand);
  const Arguments arguments = evaluate_arguments(node.arguments);
  line_ = line;
  return call_test(*node.name, operand, arguments) != node.negated;
}

Arguments Interpreter::evaluate_arguments(const CallArguments& nodes) {
  Arguments arguments;
  for (const ExpressionPtr& node : nodes.positional) arguments.positional.push_back(evaluate(node));
  for (const auto& [name, node] : nodes.keyword) arguments.keyword.emplace_back(name, evaluate(node));
  if (nodes.star) {
    for (Value& value : iterate(evaluate(nodes.star), budget_)) arguments.positional.push_back(std::move(value));
  }
  if (nodes.double_star) {
    const Value dict = evaluate(nodes.double_star);
    if (!dict.is_dict()) throw fail<InvalidArgument>("** needs a dict, not a {}", dict.type_name());
    for (const auto& [key, value] : dict.dict().entries()) {
      if (!key.is_string()) throw fail<InvalidArgument>("** needs names as keys, not a {}", key.type_name());
      arguments.keyword.emplace_back(key.string(), value);
    }
  }
  return arguments;
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  switch (callee.type()) {
    case Value::Type::kUndefined:
      throw_undefined(callee);
    case Value::Type::kBuiltin: {
      static const Value kNoSelf;
      const Builtin& builtin = callee.builtin();
      return builtin.function(*this, builtin.self ? *builtin.self : kNoSelf, arguments);
    }
    case Value::Type::kMacro:
      return call_macro(*callee.macro(), arguments);
    case Value::Type::kObject:
      return callee.object().call(*this, arguments);
    default:
      throw fail<InvalidArgument>("a {} cannot be called", callee.type_name());
  }
}

Value Interpreter::call_filter(const std::string& name, const Value& operand, const Arguments& arguments) {
  budget_.step();
  const Builtin::Function filter = find_filter(name);
  if (filter == nullptr) throw fail<InvalidArgument>("the filter '{}' is not supported", name);
  return filter(*this, operand, arguments);
}

bool Interpreter::call_test(const std::string& name, const Value& operand, const Arguments& arguments) {
  budget_.step();
  const TestFunction test = find_test(name);
  if (test == nullptr) throw fail<InvalidArgument>("the test '{}' is not supported", name);
  return test(*this, operand, arguments);
}

Value Interpreter::attribute(const Value& object, const std::string& name) {
  switch (object.type()) {
    case Value::Type::kUndefined:
      throw_undefined(object);
    case Value::Type::kNamespace:
      if (const Value* value = object.name_space()->find(name)) return *value;
      break;
    case Value::Type::kObject:
      return object.object().attribute(name);
    case Value::Type::kString:
    case Value::Type::kSequence:
    case Value::Type::kDict: {
      Value method = find_method(object, name);
      if (!method.is_undefined() || method.missing().kind == Undefined::Kind::kUnsafe) return method;
      if (!object.is_dict()) break;
      if (const Value* value = object.dict().find_name(name)) return *value;
      break;
    }
    default:
      break;
  }
  return Value::undefined(Undefined::Kind::kAttribute, name);
}

Value Interpreter::item(const Value& object, const Value& index) {
  const auto at = [&](int64_t length) { return index.integer() < 0 ? index.integer() + length : index.integer(); };
  if (object.is_undefined()) throw_undefined(object);
  const bool hashable = index.is_string() || index.is_number() || index.is_none();
  if (object.is_dict() && hashable) {
    if (const Value* value = object.dict().find(index)) return *value;
  } else if (object.is_sequence() && index.is_integral() && object.sequence().kind < Sequence::Kind::kGenerator) {
    const auto& items = object.sequence().items;
    const int64_t place = at(static_cast<int64_t>(items.size()));
    if (place >= 0 && place < static_cast<int64_t>(items.size())) return items[static_cast<size_t>(place)];
  } else if (object.is_string() && index.is_integral()) {
    budget_.text(object.string().size());
    const auto characters = utf8_characters(object.string());
    const int64_t place = at(static_cast<int64_t>(characters.size()));
    if (place >= 0 && place < static_cast<int64_t>(characters.size())) {
      return Value(std::string(characters[static_cast<size_t>(place)]), object.is_markup());
    }
  }
  // The same lookup by name, where it is one and no item has it.
  if (index.is_string()) return attribute(object, index.string());
  std::string name;
  append_repr(name, index, budget_);
  return Value::undefined(Undefined::Kind::kItem, name);
}

// Statements

Interpreter::Flow Interpreter::execute(const Body& body) {
  const Level level(*this);
  for (const Statement& statement : body) {
    const Flow flow = execute(statement);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  budget_.step();
  line_ = statement.line;
  if (const auto* text = std::get_if<Text>(&statement.node)) {
    write(text->text);
  } else if (const auto* output = std::get_if<Output>(&statement.node)) {
    execute(*output);
  } else if (const auto* branches = std::get_if<If>(&statement.node)) {
    return execute(*branches);
  } else if (const auto* loop = std::get_if<For>(&statement.node)) {
    return execute(*loop);
  } else if (const auto* set = std::get_if<Set>(&statement.node)) {
    assign(set->target, evaluate(set->value));
  } else if (const auto* block = std::get_if<SetBlock>(&statement.node)) {
    execute(*block);
  } else if (const auto* control = std::get_if<LoopControl>(&statement.node)) {
    return control->is_break ? Flow::kBreak : Flow::kContinue;
  } else if (const auto* macro = std::get_if<DefineMacro>(&statement.node)) {
    scope_->set(*macro->name, make_macro(macro->macro));
  } else if (const auto* call_block = std::get_if<CallBlock>(&statement.node)) {
    execute(*call_block);
  } else if (const auto* filter = std::get_if<FilterBlock>(&statement.node)) {
    execute(*filter);
  } else if (const auto* with = std::get_if<With>(&statement.node)) {
    return execute(*with);
  } else {
    return execute_scoped(std::get<Generation>(statement.node).body);
  }
  return Flow::kNormal;
}

void Interpreter::execute(const Output& node) {
  const Value value = evaluate(node.expression);
  if (value.is_string()) {
    write(value.string());
  } else {
    write(to_str(value, budget_));
  }
}

Interpreter::Flow Interpreter::execute(const If& node) {
  for (const auto& [condition, body] : node.branches) {
    if (evaluate(condition).truthy()) return execute(body);
  }
  return execute(node.otherwise);
}

Interpreter::Flow Interpreter::execute(const For& node) {
  std::function<bool(const Value&)> accepts;
  if (node.condition) {
    accepts = [this, &node, outer = scope_](const Value& item) {
      const ScopeGuard guard(*this, std::make_shared<Scope>(outer));
      assign(node.target, item);
      return evaluate(node.condition).truthy();
    };
  }
  const auto loop = std::make_shared<Loop>(iterate(evaluate(node.iterable), budget_), std::move(accepts));
  // The condition holds the scope, which may hold the loop.
  struct Finish {
    Loop& loop;
    ~Finish() { loop.finish(); }
  } finish{*loop};
  bool empty = true;
  while (loop->advance()) {
    empty = false;
    const ScopeGuard guard(*this, std::make_shared<Scope>(scope_));
    assign(node.target, loop->current());
    scope_->set("loop", Value(std::shared_ptr<Object>(loop)));
    if (execute(node.body) == Flow::kBreak) break;
  }
  return empty ? execute_scoped(node.otherwise) : Flow::kNormal;
}

Interpreter::Flow Interpreter::execute_scoped(const Body& body) {
  const ScopeGuard guard(*this, std::make_shared<Scope>(scope_));
  return execute(body);
}

Interpreter::Flow Interpreter::execute(const With& node) {
  // All values are of the outer scope.
  std::vector<Value> values;
  for (const auto& [target, expression] : node.assignments) values.push_back(evaluate(expression));
  const ScopeGuard guard(*this, std::make_shared<Scope>(scope_));
  for (size_t i = 0; i < values.size(); ++i) assign(node.assignments[i].first, std::move(values[i]));
  return execute(node.body);
}

Value Interpreter::capture(const Body& body) {
  std::string text;
  std::string* outer = std::exchange(out_, &text);
  execute_scoped(body);
  out_ = outer;
  return Value(std::move(text));
}

void Interpreter::execute(const SetBlock& node) {
  Value text = capture(node.body);
  if (node.filter) {
    const Value* outer = std::exchange(block_text_, &text);
    Value filtered = evaluate(node.filter);
    block_text_ = outer;
    text = std::move(filtered);
  }
  assign(node.target, std::move(text));
}

void Interpreter::execute(const FilterBlock& node) {
  const Value text = capture(node.body);
  const Value* outer = std::exchange(block_text_, &text);
  const Value filtered = evaluate(node.filter);
  block_text_ = outer;
  write(to_str(filtered, budget_));
}

void Interpreter::execute(const CallBlock& node) {
  const auto& call_node = std::get<Call>(node.call->node);
  const Value callee = evaluate(call_node.callee);
  Arguments arguments = evaluate_arguments(call_node.arguments);
  arguments.keyword.emplace_back("caller", make_macro(node.caller));
  write(to_str(call(callee, arguments), budget_));
}

Value Interpreter::make_macro(const MacroDefinition& definition) {
  captured_.push_back(scope_);
  return Value(std::make_shared<const Macro>(Macro{&definition, scope_}));
}

Value Interpreter::call_macro(const Macro& macro, const Arguments& arguments) {
  const MacroDefinition& definition = *macro.definition;
  const auto scope = std::make_shared<Scope>(macro.scope);
  auto keyword = arguments.keyword;
  const auto take = [&](const std::string& name) -> std::optional<Value> {
    const auto place =
        std::find_if(keyword.begin(), keyword.end(), [&](const auto& entry) { return entry.first == name; });
    if (place == keyword.end()) return std::nullopt;
    Value value = std::move(place->second);
    keyword.erase(place);
    return value;
  };

  const ScopeGuard guard(*this, scope);
  for (size_t i = 0; i < definition.parameters.size(); ++i) {
    const auto& [name, otherwise] = definition.parameters[i];
    if (i < arguments.positional.size()) {
      scope->set(*name, arguments.positional[i]);
    } else if (std::optional<Value> value = take(*name)) {
      scope->set(*name, std::move(*value));
    } else {
      scope->set(*name, otherwise ? evaluate(otherwise) : Value(Undefined{Undefined::Kind::kVariable, name}));
    }
  }
  if (definition.uses_caller) {
    scope->set("caller", take("caller").value_or(Value::undefined(Undefined::Kind::kVariable, "caller")));
  }
  if (definition.uses_kwargs) {
    auto rest = std::make_shared<Dict>();
    for (auto& [name, value] : keyword) rest->set_name(name, std::move(value));
    scope->set("kwargs", Value(std::shared_ptr<const Dict>(std::move(rest))));
  } else if (!keyword.empty()) {
    throw fail<InvalidArgument>("macro '{}' takes no argument named '{}'", definition.name, keyword.front().first);
  }
  const size_t count = definition.parameters.size();
  if (definition.uses_varargs) {
    std::vector<Value> rest;
    for (size_t i = count; i < arguments.positional.size(); ++i) rest.push_back(arguments.positional[i]);
    scope->set("varargs", Value::sequence(std::move(rest), Sequence::Kind::kTuple));
  } else if (arguments.positional.size() > count) {
    throw fail<InvalidArgument>("macro '{}' takes at most {} arguments, {} are given", definition.name, count,
                                arguments.positional.size());
  }

  std::string text;
  std::string* outer = std::exchange(out_, &text);
  execute(definition.body);
  out_ = outer;
  return Value(std::move(text));
}

void Interpreter::assign(const Target& target, Value value) {
  if (!target.tuple.empty()) {
    std::vector<Value> items = iterate(value, budget_);
    if (value.is_undefined()) throw_undefined(value);
    if (items.size() != target.tuple.size()) {
      throw fail<InvalidArgument>("{} values cannot be unpacked into {} names", items.size(), target.tuple.size());
    }
    for (size_t i = 0; i < items.size(); ++i) assign(target.tuple[i], std::move(items[i]));
  } else if (target.attribute) {
    const Value* object = scope_->find(*target.name);
    if (object == nullptr || !object->is(Value::Type::kNamespace)) {
      throw fail<InvalidArgument>("'{}' is no namespace: its attributes cannot be set", *target.name);
    }
    Namespace* name_space = object->name_space();
    if (Value* current = name_space->find(*target.attribute)) {
      *current = std::move(value);
    } else {
      name_space->attributes.emplace_back(*target.attribute, std::move(value));
    }
  } else {
    scope_->set(*target.name, std::move(value));
  }
}

}  // namespace caravel::text::jinja
