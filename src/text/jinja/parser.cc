#include "text/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "text/jinja/expression_parser.h"
#include "text/jinja/lexer.h"

namespace caravel::text::jinja {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokenize(source)), expressions_(tokens_) {}

  Body run() { return parse_body({}, "", 0); }

 private:
  // Statements up to one of the tags in `ends` (left for the caller, its "{%" passed), or the end of the template where
  // `ends` is empty.
  Body parse_body(std::initializer_list<const char*> ends, std::string_view opened, int opened_line) {
    const ExpressionParser::Level level(expressions_);
    Body body;
    while (true) {
      expressions_.refuse_unknown();
      const int line = tokens_.line();
      switch (tokens_.current().type) {
        case Token::Type::kText:
          body.push_back({line, Text{tokens_.next().text}});
          break;
        case Token::Type::kVariableBegin: {
          tokens_.next();
          Output output{expressions_.parse_tuple()};
          tokens_.expect(Token::Type::kVariableEnd, "'}}'");
          body.push_back({line, std::move(output)});
          break;
        }
        case Token::Type::kBlockBegin: {
          tokens_.next();
          const auto is_end = [&](const char* name) { return tokens_.current().is_name(name); };
          if (std::any_of(ends.begin(), ends.end(), is_end)) return body;
          body.push_back(parse_statement());
          break;
        }
        default:
          if (ends.size() == 0) return body;
          throw fail<FormatError>("chat template, line {}: {{% {} %}} has no {{% {} %}}", opened_line, opened,
                                  *(ends.end() - 1));
      }
    }
  }

  Statement parse_statement() {
    const int line = tokens_.line();
    if (!tokens_.current().is(Token::Type::kName)) tokens_.unexpected("the name of a statement");
    const std::string name = tokens_.next().text;
    if (name == "if") return {line, parse_if(line)};
    if (name == "for") return {line, parse_for(line)};
    if (name == "set") return parse_set(line);
    if (name == "macro") return {line, parse_macro(line)};
    if (name == "call") return {line, parse_call_block(line)};
    if (name == "filter") return {line, parse_filter_block(line)};
    if (name == "with") return {line, parse_with(line)};
    if (name == "generation") return {line, Generation{parse_block("generation", "endgeneration", line)}};
    if (name == "break" || name == "continue") {
      if (loops_ == 0) throw fail<FormatError>("chat template, line {}: {{% {} %}} outside of a loop", line, name);
      end_tag();
      return {line, LoopControl{name == "break"}};
    }
    if (name.starts_with("end") || name == "else" || name == "elif") {
      throw fail<FormatError>("chat template, line {}: {{% {} %}} ends nothing", line, name);
    }
    throw fail<Unsupported>("chat template, line {}: the statement {{% {} %}} is not supported", line, name);
  }

  void end_tag() { tokens_.expect(Token::Type::kBlockEnd, "'%}'"); }

  // A body with a scope of its own. An `if` around it no longer excuses filters that are not known.
  Body parse_scoped_body(std::initializer_list<const char*> ends, std::string_view opened, int line) {
    const int conditional_depth = std::exchange(expressions_.conditional_depth, 0);
    Body body = parse_body(ends, opened, line);
    expressions_.conditional_depth = conditional_depth;
    return body;
  }

  // What stands between a tag that was read up to its '%}' and the end tag.
  Body parse_block(std::string_view name, const char* end, int line) {
    end_tag();
    Body body = parse_scoped_body({end}, name, line);
    tokens_.next();
    end_tag();
    return body;
  }

  If parse_if(int line) {
    If statement;
    ++expressions_.conditional_depth;
    while (true) {
      ExpressionPtr condition = expressions_.parse_tuple(false);
      end_tag();
      Body body = parse_body({"elif", "else", "endif"}, "if", line);
      statement.branches.emplace_back(std::move(condition), std::move(body));
      if (!tokens_.skip_name("elif")) break;
    }
    if (tokens_.skip_name("else")) {
      end_tag();
      statement.otherwise = parse_body({"endif"}, "if", line);
    }
    tokens_.next();
    end_tag();
    --expressions_.conditional_depth;
    return statement;
  }

  For parse_for(int line) {
    For statement;
    statement.target = expressions_.parse_target(false);
    if (!tokens_.skip_name("in")) tokens_.unexpected("'in'");
    statement.iterable = expressions_.parse_tuple(false);
    if (tokens_.skip_name("if")) statement.condition = expressions_.parse_expression();
    if (tokens_.current().is_name("recursive")) {
      throw fail<Unsupported>("chat template, line {}: recursive loops are not supported", line);
    }
    end_tag();
    ++loops_;
    statement.body = parse_scoped_body({"else", "endfor"}, "for", line);
    --loops_;
    if (tokens_.skip_name("else")) {
      end_tag();
      statement.otherwise = parse_scoped_body({"endfor"}, "for", line);
    }
    tokens_.next();
    end_tag();
    return statement;
  }

  Statement parse_set(int line) {
    Target target = expressions_.parse_target(true);
    if (tokens_.skip_operator("=")) {
      Set statement{std::move(target), expressions_.parse_tuple()};
      end_tag();
      return {line, std::move(statement)};
    }
    SetBlock statement;
    statement.target = std::move(target);
    if (tokens_.skip_operator("|")) statement.filter = expressions_.parse_filter_chain();
    statement.body = parse_block("set", "endset", line);
    return {line, std::move(statement)};
  }

  // A macro's body: loops do not reach into it, and what it reads says what it accepts.
  void parse_macro_body(MacroDefinition& macro, std::string_view name, const char* end, int line) {
    const int loops = std::exchange(loops_, 0);
    const bool outer[3] = {expressions_.saw_caller, expressions_.saw_varargs, expressions_.saw_kwargs};
    expressions_.saw_caller = expressions_.saw_varargs = expressions_.saw_kwargs = false;
    macro.body = parse_block(name, end, line);
    macro.uses_caller = expressions_.saw_caller;
    macro.uses_varargs = expressions_.saw_varargs;
    macro.uses_kwargs = expressions_.saw_kwargs;
    expressions_.saw_caller |= outer[0];
    expressions_.saw_varargs |= outer[1];
    expressions_.saw_kwargs |= outer[2];
    loops_ = loops;
  }

  DefineMacro parse_macro(int line) {
    DefineMacro statement;
    statement.macro.name = tokens_.expect(Token::Type::kName, "the name of the macro").text;
    statement.name = std::make_shared<const std::string>(statement.macro.name);
    expressions_.parse_signature(statement.macro);
    parse_macro_body(statement.macro, "macro", "endmacro", line);
    return statement;
  }

  CallBlock parse_call_block(int line) {
    CallBlock statement;
    statement.caller.name = "caller";
    if (tokens_.current().is_operator("(")) expressions_.parse_signature(statement.caller);
    statement.call = expressions_.parse_expression();
    if (!std::holds_alternative<Call>(statement.call->node)) {
      throw fail<FormatError>("chat template, line {}: {{% call %}} needs a call", line);
    }
    parse_macro_body(statement.caller, "call", "endcall", line);
    return statement;
  }

  FilterBlock parse_filter_block(int line) {
    FilterBlock statement;
    statement.filter = expressions_.parse_filter_chain();
    statement.body = parse_block("filter", "endfilter", line);
    return statement;
  }

  With parse_with(int line) {
    With statement;
    while (!tokens_.current().is(Token::Type::kBlockEnd)) {
      if (!statement.assignments.empty()) tokens_.expect_operator(",");
      Target target = expressions_.parse_target(false);
      tokens_.expect_operator("=");
      statement.assignments.emplace_back(std::move(target), expressions_.parse_expression());
    }
    statement.body = parse_block("with", "endwith", line);
    return statement;
  }

  TokenStream tokens_;
  ExpressionParser expressions_;
  int loops_ = 0;
};

}  // namespace

Body parse(std::string_view source) { return Parser(source).run(); }

}  // namespace caravel::text::jinja
