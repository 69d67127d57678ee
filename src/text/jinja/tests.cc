#include "text/jinja/tests.h"

#include <algorithm>
#include <utility>

#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"

namespace caravel::text::jinja {
namespace {

bool is_equal_to(Interpreter& interpreter, const Value& operand, const Arguments& arguments) {
  const auto [other] = arguments.bind("equalto", {"other"});
  if (other == nullptr) throw InvalidArgument("the test 'equalto' needs an operand");
  return equals(operand, *other, interpreter.budget());
}

template <Value::Type kType>
bool has_type(Interpreter&, const Value& operand, const Arguments&) {
  return operand.is(kType);
}

bool is_iterable(Interpreter&, const Value& operand, const Arguments&) {
  return operand.is_undefined() || operand.is_string() || operand.is_sequence() || operand.is_dict() ||
         operand.is(Value::Type::kObject);
}

// Has a length and can be indexed, as far as Python can tell: Undefined passes.
bool is_sequence(Interpreter&, const Value& operand, const Arguments&) {
  if (operand.is_sequence()) return operand.sequence().kind < Sequence::Kind::kGenerator;
  return operand.is_undefined() || operand.is_string() || operand.is_dict();
}

constexpr std::pair<std::string_view, TestFunction> kTests[] = {
    {"boolean", has_type<Value::Type::kBool>},
    {"defined", [](Interpreter&, const Value& v, const Arguments&) { return !v.is_undefined(); }},
    {"equalto", is_equal_to},
    {"false", [](Interpreter&, const Value& v, const Arguments&) { return v.is(Value::Type::kBool) && !v.boolean(); }},
    {"iterable", is_iterable},
    {"mapping", has_type<Value::Type::kDict>},
    {"none", has_type<Value::Type::kNone>},
    {"number", [](Interpreter&, const Value& v, const Arguments&) { return v.is_number() || v.is_wide_int(); }},
    {"sequence", is_sequence},
    {"string", has_type<Value::Type::kString>},
    {"true", [](Interpreter&, const Value& v, const Arguments&) { return v.is(Value::Type::kBool) && v.boolean(); }},
    {"undefined", has_type<Value::Type::kUndefined>},
};

}  // namespace

TestFunction find_test(std::string_view name) {
  const auto* place =
      std::find_if(std::begin(kTests), std::end(kTests), [&](const auto& test) { return test.first == name; });
  return place == std::end(kTests) ? nullptr : place->second;
}

}  // namespace caravel::text::jinja
