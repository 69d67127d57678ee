#pragma once

#include <string>

#include "text/jinja/ast.h"
#include "text/jinja/token_stream.h"

namespace caravel::text::jinja {

/// Parses expressions by Jinja's precedence, lowest first: inline if, or, and, not, comparisons, + -, ~, * / // %, **,
/// unary - +, then postfix, filters and tests. Unary minus binds tighter than a filter, as in Jinja.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  ExpressionPtr parse_expression(bool with_conditional = true);
  /// An expression, or a tuple of them without parentheses.
  ExpressionPtr parse_tuple(bool with_conditional = true);
  /// One or more filters, the first without a pipe, on an absent operand: of a filter block or block set.
  ExpressionPtr parse_filter_chain();
  /// A name, a tuple of targets, or (where a namespace is allowed) ns.attribute.
  Target parse_target(bool allow_namespace);
  /// (a, b=1) of a macro or call block.
  void parse_signature(MacroDefinition& macro);

  /// Counts a level of nesting while it lives; throws FormatError beyond kMaxParseDepth.
  class Level {
   public:
    explicit Level(ExpressionParser& parser);
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    ExpressionParser& parser_;
  };

  /// A filter or test that is not known is an error only when it is reached where it stands under an `if`, and at once
  /// elsewhere. This counts the ifs around.
  int conditional_depth = 0;
  /// Throws Unsupported where one was parsed outside of any `if`. Called after a statement: an inline `if` stands
  /// behind what it excuses.
  void refuse_unknown() const;

  // Which of the names that change what a macro accepts were read since these were last cleared.
  bool saw_caller = false;
  bool saw_varargs = false;
  bool saw_kwargs = false;

 private:
  template <typename Node>
  ExpressionPtr make(int line, int height, Node node);

  ExpressionPtr parse_conditional();
  ExpressionPtr parse_or();
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparison();
  ExpressionPtr parse_sum();
  ExpressionPtr parse_concatenation();
  ExpressionPtr parse_product();
  ExpressionPtr parse_power();
  ExpressionPtr parse_unary(bool with_filter = true);
  ExpressionPtr parse_primary();
  ExpressionPtr parse_name();
  ExpressionPtr parse_number_literal();
  ExpressionPtr parse_parenthesis();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_postfix(ExpressionPtr operand);
  ExpressionPtr parse_subscript(ExpressionPtr object);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr operand);
  ExpressionPtr parse_filter(ExpressionPtr operand);
  ExpressionPtr parse_test(ExpressionPtr operand);
  ExpressionPtr parse_call(ExpressionPtr callee);
  CallArguments parse_arguments();
  std::string parse_dotted_name();

  void note_unknown(int line, const char* kind, const std::string& name);

  TokenStream& tokens_;
  int depth_ = 0;
  std::string unknown_;  // the message; empty where all are known
};

}  // namespace caravel::text::jinja
