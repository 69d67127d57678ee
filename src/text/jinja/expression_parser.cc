#include "text/jinja/expression_parser.h"

#include <algorithm>

#include "base/numbers.h"
#include "text/jinja/filters.h"
#include "text/jinja/parser.h"
#include "text/jinja/tests.h"

namespace caravel::text::jinja {
namespace {

int height_of(const ExpressionPtr& expression) { return expression ? expression->height : 0; }

int height_of(const std::vector<ExpressionPtr>& expressions) {
  int height = 0;
  for (const ExpressionPtr& expression : expressions) height = std::max(height, height_of(expression));
  return height;
}

int height_of(const CallArguments& arguments) {
  int height = std::max({height_of(arguments.positional), height_of(arguments.star), height_of(arguments.double_star)});
  for (const auto& [name, value] : arguments.keyword) height = std::max(height, height_of(value));
  return height;
}

NamePtr shared_name(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

[[noreturn]] void throw_too_deep(int line) {
  throw fail<FormatError>("chat template, line {}: expressions or blocks nest deeper than {} levels", line,
                          kMaxParseDepth);
}

}  // namespace

ExpressionParser::Level::Level(ExpressionParser& parser) : parser_(parser) {
  // A constructor that throws has no destructor run, so the count is not touched before the check.
  if (parser_.depth_ >= kMaxParseDepth) throw_too_deep(parser_.tokens_.line());
  ++parser_.depth_;
}

// `height` is that of the highest child: chains such as a + b + c + ... nest without the parser recursing.
template <typename Node>
ExpressionPtr ExpressionParser::make(int line, int height, Node node) {
  if (height + 1 > kMaxParseDepth) throw_too_deep(line);
  return std::make_unique<Expression>(Expression{line, height + 1, std::move(node)});
}

ExpressionPtr ExpressionParser::parse_expression(bool with_conditional) {
  const Level level(*this);
  return with_conditional ? parse_conditional() : parse_or();
}

ExpressionPtr ExpressionParser::parse_tuple(bool with_conditional) {
  const int line = tokens_.line();
  std::vector<ExpressionPtr> items;
  items.push_back(parse_expression(with_conditional));
  bool is_tuple = false;
  while (tokens_.skip_operator(",")) {
    is_tuple = true;
    const Token& token = tokens_.current();
    if (token.is(Token::Type::kVariableEnd) || token.is(Token::Type::kBlockEnd) || token.is_operator(")")) break;
    items.push_back(parse_expression(with_conditional));
  }
  if (!is_tuple) return std::move(items.front());
  const int height = height_of(items);
  return make(line, height, SequenceDisplay{Sequence::Kind::kTuple, std::move(items)});
}

ExpressionPtr ExpressionParser::parse_conditional() {
  const int line = tokens_.line();
  const std::string unknown_before = unknown_;
  ExpressionPtr expression = parse_or();
  if (!tokens_.current().is_name("if")) return expression;
  unknown_ = unknown_before;
  ++conditional_depth;
  while (tokens_.skip_name("if")) {
    ExpressionPtr condition = parse_or();
    ExpressionPtr otherwise;
    if (tokens_.skip_name("else")) otherwise = parse_expression();
    const int height = std::max({expression->height, condition->height, height_of(otherwise)});
    expression = make(line, height, Conditional{std::move(condition), std::move(expression), std::move(otherwise)});
  }
  --conditional_depth;
  return expression;
}

ExpressionPtr ExpressionParser::parse_or() {
  ExpressionPtr left = parse_and();
  while (tokens_.current().is_name("or")) {
    const int line = tokens_.next().line;
    ExpressionPtr right = parse_and();
    const int height = std::max(left->height, right->height);
    left = make(line, height, Logical{false, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_and() {
  ExpressionPtr left = parse_not();
  while (tokens_.current().is_name("and")) {
    const int line = tokens_.next().line;
    ExpressionPtr right = parse_not();
    const int height = std::max(left->height, right->height);
    left = make(line, height, Logical{true, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_not() {
  if (!tokens_.current().is_name("not")) return parse_comparison();
  const Level level(*this);
  const int line = tokens_.next().line;
  ExpressionPtr operand = parse_not();
  const int height = operand->height;
  return make(line, height, Unary{Unary::Operator::kNot, std::move(operand)});
}

ExpressionPtr ExpressionParser::parse_comparison() {
  static constexpr std::pair<const char*, Comparison> kOperators[] = {
      {"==", Comparison::kEqual},        {"!=", Comparison::kNotEqual}, {"<=", Comparison::kLessEqual},
      {">=", Comparison::kGreaterEqual}, {"<", Comparison::kLess},      {">", Comparison::kGreater}};
  const int line = tokens_.line();
  ExpressionPtr first = parse_sum();
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
  int height = first->height;
  while (true) {
    std::optional<Comparison> comparison;
    for (const auto& [text, value] : kOperators) {
      if (tokens_.skip_operator(text)) {
        comparison = value;
        break;
      }
    }
    if (!comparison && tokens_.skip_name("in")) comparison = Comparison::kIn;
    if (!comparison && tokens_.current().is_name("not") && tokens_.ahead().is_name("in")) {
      tokens_.next();
      tokens_.next();
      comparison = Comparison::kNotIn;
    }
    if (!comparison) break;
    rest.emplace_back(*comparison, parse_sum());
    height = std::max(height, rest.back().second->height);
  }
  if (rest.empty()) return first;
  return make(line, height, Compare{std::move(first), std::move(rest)});
}

ExpressionPtr ExpressionParser::parse_sum() {
  ExpressionPtr left = parse_concatenation();
  while (tokens_.current().is_operator("+") || tokens_.current().is_operator("-")) {
    const Token& token = tokens_.next();
    const BinaryOperator op = token.text == "+" ? BinaryOperator::kAdd : BinaryOperator::kSubtract;
    ExpressionPtr right = parse_concatenation();
    const int height = std::max(left->height, right->height);
    left = make(token.line, height, Binary{op, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_concatenation() {
  const int line = tokens_.line();
  std::vector<ExpressionPtr> parts;
  parts.push_back(parse_product());
  while (tokens_.skip_operator("~")) parts.push_back(parse_product());
  if (parts.size() == 1) return std::move(parts.front());
  const int height = height_of(parts);
  return make(line, height, Concatenation{std::move(parts)});
}

ExpressionPtr ExpressionParser::parse_product() {
  static constexpr std::pair<const char*, BinaryOperator> kOperators[] = {{"*", BinaryOperator::kMultiply},
                                                                          {"/", BinaryOperator::kDivide},
                                                                          {"//", BinaryOperator::kFloorDivide},
                                                                          {"%", BinaryOperator::kModulo}};
  ExpressionPtr left = parse_power();
  while (true) {
    const auto* op = std::find_if(std::begin(kOperators), std::end(kOperators),
                                  [&](const auto& entry) { return tokens_.current().is_operator(entry.first); });
    if (op == std::end(kOperators)) return left;
    const int line = tokens_.next().line;
    ExpressionPtr right = parse_power();
    const int height = std::max(left->height, right->height);
    left = make(line, height, Binary{op->second, std::move(left), std::move(right)});
  }
}

ExpressionPtr ExpressionParser::parse_power() {
  ExpressionPtr left = parse_unary();
  while (tokens_.current().is_operator("**")) {
    const int line = tokens_.next().line;
    ExpressionPtr right = parse_unary();
    const int height = std::max(left->height, right->height);
    left = make(line, height, Binary{BinaryOperator::kPower, std::move(left), std::move(right)});
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_unary(bool with_filter) {
  const Level level(*this);
  ExpressionPtr expression;
  const int line = tokens_.line();
  if (tokens_.current().is_operator("-") || tokens_.current().is_operator("+")) {
    const auto op = tokens_.next().text == "-" ? Unary::Operator::kNegate : Unary::Operator::kPlus;
    ExpressionPtr operand = parse_unary(false);
    const int height = operand->height;
    expression = make(line, height, Unary{op, std::move(operand)});
  } else {
    expression = parse_primary();
  }
  expression = parse_postfix(std::move(expression));
  return with_filter ? parse_filters_and_tests(std::move(expression)) : std::move(expression);
}

ExpressionPtr ExpressionParser::parse_primary() {
  const Token& token = tokens_.current();
  switch (token.type) {
    case Token::Type::kName:
      return parse_name();
    case Token::Type::kString: {
      const int line = token.line;
      std::string text;
      while (tokens_.current().is(Token::Type::kString)) text += tokens_.next().text;
      return make(line, 0, Literal{Value(std::move(text))});
    }
    case Token::Type::kInteger:
    case Token::Type::kFloat:
      return parse_number_literal();
    case Token::Type::kOperator:
      if (token.text == "(") return parse_parenthesis();
      if (token.text == "[") return parse_list();
      if (token.text == "{") return parse_dict();
      break;
    default:
      break;
  }
  tokens_.unexpected("an expression");
}

ExpressionPtr ExpressionParser::parse_name() {
  const Token& token = tokens_.next();
  const std::string& text = token.text;
  if (text == "true" || text == "True") return make(token.line, 0, Literal{Value(true)});
  if (text == "false" || text == "False") return make(token.line, 0, Literal{Value(false)});
  if (text == "none" || text == "None") return make(token.line, 0, Literal{Value(None{})});
  saw_caller |= text == "caller";
  saw_varargs |= text == "varargs";
  saw_kwargs |= text == "kwargs";
  return make(token.line, 0, Name{shared_name(text)});
}

ExpressionPtr ExpressionParser::parse_number_literal() {
  const Token& token = tokens_.next();
  if (token.is(Token::Type::kInteger)) {
    const auto number = parse_number<int64_t>(token.text);
    if (!number) {
      throw fail<Unsupported>("chat template, line {}: the integer {} has more than 63 bits", token.line, token.text);
    }
    return make(token.line, 0, Literal{Value(*number)});
  }
  const auto number = parse_number<double>(token.text);
  if (!number) {
    throw fail<Unsupported>("chat template, line {}: the number {} does not fit in a double", token.line, token.text);
  }
  return make(token.line, 0, Literal{Value(*number)});
}

ExpressionPtr ExpressionParser::parse_parenthesis() {
  const int line = tokens_.next().line;
  if (tokens_.skip_operator(")")) return make(line, 0, SequenceDisplay{Sequence::Kind::kTuple, {}});
  ExpressionPtr expression = parse_tuple();
  tokens_.expect_operator(")");
  return expression;
}

ExpressionPtr ExpressionParser::parse_list() {
  const int line = tokens_.next().line;
  std::vector<ExpressionPtr> items;
  while (!tokens_.current().is_operator("]")) {
    if (!items.empty()) tokens_.expect_operator(",");
    if (tokens_.current().is_operator("]")) break;
    items.push_back(parse_expression());
  }
  tokens_.expect_operator("]");
  const int height = height_of(items);
  return make(line, height, SequenceDisplay{Sequence::Kind::kList, std::move(items)});
}

ExpressionPtr ExpressionParser::parse_dict() {
  const int line = tokens_.next().line;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
  int height = 0;
  while (!tokens_.current().is_operator("}")) {
    if (!entries.empty()) tokens_.expect_operator(",");
    if (tokens_.current().is_operator("}")) break;
    ExpressionPtr key = parse_expression();
    tokens_.expect_operator(":");
    ExpressionPtr value = parse_expression();
    height = std::max({height, key->height, value->height});
    entries.emplace_back(std::move(key), std::move(value));
  }
  tokens_.expect_operator("}");
  return make(line, height, DictDisplay{std::move(entries)});
}

ExpressionPtr ExpressionParser::parse_postfix(ExpressionPtr operand) {
  while (true) {
    if (tokens_.current().is_operator(".") || tokens_.current().is_operator("[")) {
      operand = parse_subscript(std::move(operand));
    } else if (tokens_.current().is_operator("(")) {
      operand = parse_call(std::move(operand));
    } else {
      return operand;
    }
  }
}

ExpressionPtr ExpressionParser::parse_subscript(ExpressionPtr object) {
  const int line = tokens_.line();
  int height = object->height;
  if (tokens_.skip_operator(".")) {
    if (tokens_.current().is(Token::Type::kInteger)) {
      return make(line, height, GetItem{std::move(object), parse_number_literal()});
    }
    const Token& name = tokens_.expect(Token::Type::kName, "a name after '.'");
    return make(line, height, GetAttribute{std::move(object), shared_name(name.text)});
  }
  tokens_.expect_operator("[");
  const auto part = [&]() -> ExpressionPtr {
    const Token& token = tokens_.current();
    if (token.is_operator(":") || token.is_operator("]")) return nullptr;
    ExpressionPtr expression = parse_expression();
    height = std::max(height, expression->height);
    return expression;
  };
  ExpressionPtr start = part();
  if (tokens_.skip_operator(":")) {
    ExpressionPtr stop = part();
    ExpressionPtr step;
    if (tokens_.skip_operator(":")) step = part();
    tokens_.expect_operator("]");
    return make(line, height, GetSlice{std::move(object), std::move(start), std::move(stop), std::move(step)});
  }
  if (!start) tokens_.unexpected("an index");
  tokens_.expect_operator("]");
  return make(line, height, GetItem{std::move(object), std::move(start)});
}

ExpressionPtr ExpressionParser::parse_filters_and_tests(ExpressionPtr operand) {
  while (true) {
    if (tokens_.skip_operator("|")) {
      operand = parse_filter(std::move(operand));
    } else if (tokens_.current().is_name("is")) {
      operand = parse_test(std::move(operand));
    } else if (tokens_.current().is_operator("(")) {
      operand = parse_call(std::move(operand));  // calls are valid both after postfix expressions and after filters
    } else {
      return operand;
    }
  }
}

std::string ExpressionParser::parse_dotted_name() {
  std::string name = tokens_.expect(Token::Type::kName, "a name").text;
  while (tokens_.skip_operator(".")) name += "." + tokens_.expect(Token::Type::kName, "a name after '.'").text;
  return name;
}

ExpressionPtr ExpressionParser::parse_filter(ExpressionPtr operand) {
  const int line = tokens_.line();
  std::string name = parse_dotted_name();
  if (conditional_depth == 0 && find_filter(name) == nullptr) {
    note_unknown(line, "filter", name);
  }
  CallArguments arguments;
  if (tokens_.current().is_operator("(")) arguments = parse_arguments();
  const int height = std::max(height_of(operand), height_of(arguments));
  return make(line, height, ApplyFilter{std::move(operand), shared_name(std::move(name)), std::move(arguments)});
}

ExpressionPtr ExpressionParser::parse_filter_chain() {
  ExpressionPtr filter = parse_filter(nullptr);
  while (tokens_.skip_operator("|")) filter = parse_filter(std::move(filter));
  return filter;
}

ExpressionPtr ExpressionParser::parse_test(ExpressionPtr operand) {
  const int line = tokens_.next().line;
  const bool negated = tokens_.skip_name("not");
  std::string name = parse_dotted_name();
  if (conditional_depth == 0 && find_test(name) == nullptr) {
    note_unknown(line, "test", name);
  }
  CallArguments arguments;
  const Token& token = tokens_.current();
  const bool starts_operand = token.is(Token::Type::kName) || token.is(Token::Type::kString) ||
                              token.is(Token::Type::kInteger) || token.is(Token::Type::kFloat) ||
                              token.is_operator("[") || token.is_operator("{");
  if (token.is_operator("(")) {
    arguments = parse_arguments();
  } else if (starts_operand && !token.is_name("else") && !token.is_name("or") && !token.is_name("and")) {
    if (token.is_name("is")) {
      throw fail<FormatError>("chat template, line {}: tests cannot be chained with 'is'", line);
    }
    arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  const int height = std::max(operand->height, height_of(arguments));
  return make(line, height, ApplyTest{std::move(operand), shared_name(std::move(name)), negated, std::move(arguments)});
}

ExpressionPtr ExpressionParser::parse_call(ExpressionPtr callee) {
  const int line = tokens_.line();
  CallArguments arguments = parse_arguments();
  const int height = std::max(callee->height, height_of(arguments));
  return make(line, height, Call{std::move(callee), std::move(arguments)});
}

CallArguments ExpressionParser::parse_arguments() {
  CallArguments arguments;
  tokens_.expect_operator("(");
  bool first = true;
  while (!tokens_.current().is_operator(")")) {
    if (!first) {
      tokens_.expect_operator(",");
      if (tokens_.current().is_operator(")")) break;
    }
    first = false;
    if (tokens_.current().is_operator("*") && !arguments.star && !arguments.double_star) {
      tokens_.next();
      arguments.star = parse_expression();
    } else if (tokens_.current().is_operator("**") && !arguments.double_star) {
      tokens_.next();
      arguments.double_star = parse_expression();
    } else if (tokens_.current().is(Token::Type::kName) && tokens_.ahead().is_operator("=") && !arguments.double_star) {
      std::string name = tokens_.next().text;
      tokens_.next();
      arguments.keyword.emplace_back(std::move(name), parse_expression());
    } else {
      if (!arguments.keyword.empty() || arguments.star || arguments.double_star) {
        throw fail<FormatError>("chat template, line {}: a positional argument follows a named one", tokens_.line());
      }
      arguments.positional.push_back(parse_expression());
    }
  }
  tokens_.expect_operator(")");
  return arguments;
}

void ExpressionParser::note_unknown(int line, const char* kind, const std::string& name) {
  if (unknown_.empty())
    unknown_ = fmt::format("chat template, line {}: the {} '{}' is not supported", line, kind, name);
}

void ExpressionParser::refuse_unknown() const {
  if (!unknown_.empty()) throw Unsupported(unknown_);
}

Target ExpressionParser::parse_target(bool allow_namespace) {
  const Level level(*this);
  const auto single = [&]() -> Target {
    if (tokens_.skip_operator("(")) {
      Target target = parse_target(allow_namespace);
      tokens_.expect_operator(")");
      return target;
    }
    const Token& token = tokens_.expect(Token::Type::kName, "a name to assign to");
    static constexpr std::string_view kReserved[] = {"true", "false", "none", "True", "False", "None", "loop"};
    if (std::find(std::begin(kReserved), std::end(kReserved), token.text) != std::end(kReserved)) {
      throw fail<FormatError>("chat template, line {}: cannot assign to '{}'", token.line, token.text);
    }
    Target target;
    target.name = shared_name(token.text);
    if (allow_namespace && tokens_.skip_operator(".")) {
      target.attribute = shared_name(tokens_.expect(Token::Type::kName, "a name after '.'").text);
    }
    return target;
  };
  Target first = single();
  if (!tokens_.current().is_operator(",")) return first;
  Target tuple;
  tuple.tuple.push_back(std::move(first));
  while (tokens_.skip_operator(",")) {
    if (!tokens_.current().is(Token::Type::kName) && !tokens_.current().is_operator("(")) break;
    if (tokens_.current().is_name("in")) break;
    tuple.tuple.push_back(single());
  }
  return tuple;
}

void ExpressionParser::parse_signature(MacroDefinition& macro) {
  tokens_.expect_operator("(");
  while (!tokens_.current().is_operator(")")) {
    if (!macro.parameters.empty()) tokens_.expect_operator(",");
    const Token& name = tokens_.expect(Token::Type::kName, "the name of a parameter");
    ExpressionPtr value;
    if (tokens_.skip_operator("=")) {
      value = parse_expression();
    } else if (!macro.parameters.empty() && macro.parameters.back().second) {
      throw fail<FormatError>("chat template, line {}: parameter '{}' needs a default, as those before it have one",
                              name.line, name.text);
    }
    macro.parameters.emplace_back(shared_name(name.text), std::move(value));
  }
  tokens_.expect_operator(")");
}

}  // namespace caravel::text::jinja
