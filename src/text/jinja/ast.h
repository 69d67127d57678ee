#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/value.h"

namespace caravel::text::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;
struct Statement;
using Body = std::vector<Statement>;

/// Names are shared, so that an undefined value can say its name without a copy.
using NamePtr = std::shared_ptr<const std::string>;

// Expressions

struct Literal {
  Value value;
};

struct Name {
  NamePtr name;
};

struct GetAttribute {
  ExpressionPtr object;
  NamePtr name;
};

struct GetItem {
  ExpressionPtr object;
  ExpressionPtr index;
};

struct GetSlice {
  ExpressionPtr object;
  ExpressionPtr start;  // the three may be absent
  ExpressionPtr stop;
  ExpressionPtr step;
};

struct SequenceDisplay {
  Sequence::Kind kind;
  std::vector<ExpressionPtr> items;
};

struct DictDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};

struct Unary {
  enum class Operator : uint8_t { kNegate, kPlus, kNot };
  Operator op;
  ExpressionPtr operand;
};

enum class BinaryOperator : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kFloorDivide, kModulo, kPower };

struct Binary {
  BinaryOperator op;
  ExpressionPtr left;
  ExpressionPtr right;
};

struct Logical {
  bool is_and;
  ExpressionPtr left;
  ExpressionPtr right;
};

/// a ~ b ~ c
struct Concatenation {
  std::vector<ExpressionPtr> parts;
};

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

/// a < b < c is a < b and b < c.
struct Compare {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};

struct Conditional {
  ExpressionPtr condition;
  ExpressionPtr then;
  ExpressionPtr otherwise;  // may be absent
};

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> keyword;
  ExpressionPtr star;         // *args, may be absent
  ExpressionPtr double_star;  // **kwargs, may be absent
};

struct Call {
  ExpressionPtr callee;
  CallArguments arguments;
};

struct ApplyFilter {
  ExpressionPtr operand;  // absent in a filter block: the block's text
  NamePtr name;
  CallArguments arguments;
};

struct ApplyTest {
  ExpressionPtr operand;
  NamePtr name;
  bool negated;
  CallArguments arguments;
};

struct Expression {
  int line;
  int height;  // levels of expressions below this one, bounded by the parser
  std::variant<Literal, Name, GetAttribute, GetItem, GetSlice, SequenceDisplay, DictDisplay, Unary, Binary, Logical,
               Concatenation, Compare, Conditional, Call, ApplyFilter, ApplyTest>
      node;
};

// Statements

/// What `set` and `for` assign to: a name, ns.attribute, or a tuple of targets.
struct Target {
  NamePtr name;
  NamePtr attribute;          // assigned in the namespace `name`
  std::vector<Target> tuple;  // not empty: the others are absent
};

struct Text {
  std::string text;
};

struct Output {
  ExpressionPtr expression;
};

struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};

struct For {
  Target target;
  ExpressionPtr iterable;
  ExpressionPtr condition;  // may be absent
  Body body;
  Body otherwise;
};

struct LoopControl {
  bool is_break;
};

struct Set {
  Target target;
  ExpressionPtr value;
};

struct SetBlock {
  Target target;
  ExpressionPtr filter;  // may be absent
  Body body;
};

/// What a macro and the body of a call block have in common.
struct MacroDefinition {
  std::string name;
  std::vector<std::pair<NamePtr, ExpressionPtr>> parameters;  // a default may be absent
  Body body;
  bool uses_caller = false;
  bool uses_varargs = false;
  bool uses_kwargs = false;
};

struct DefineMacro {
  NamePtr name;
  MacroDefinition macro;
};

struct CallBlock {
  ExpressionPtr call;
  MacroDefinition caller;
};

struct FilterBlock {
  ExpressionPtr filter;
  Body body;
};

struct With {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Body body;
};

/// {% generation %}: marks what the model said; prints its body.
struct Generation {
  Body body;
};

struct Statement {
  int line;
  std::variant<Text, Output, If, For, LoopControl, Set, SetBlock, DefineMacro, CallBlock, FilterBlock, With, Generation>
      node;
};

}  // namespace caravel::text::jinja
