#include "text/jinja/tests.h"

#include <algorithm>
#include <utility>

#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

const Value& other_of(const char* name, const Arguments& arguments) {
  const auto [other] = arguments.bind(name, {"other"});
  if (other == nullptr) throw fail<InvalidArgument>("the test '{}' needs an operand", name);
  return *other;
}

template <Comparison kComparison>
bool compare(Interpreter& interpreter, const Value& operand, const Arguments& arguments) {
  return apply_comparison(kComparison, operand, other_of("comparison", arguments), interpreter.budget());
}

template <Value::Type kType>
bool has_type(Interpreter&, const Value& operand, const Arguments&) {
  return operand.is(kType);
}

int64_t integer_operand(const Value& operand) {
  if (operand.is_undefined()) throw_undefined(operand);
  return integer_or(&operand, 0);
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

bool has_case(const Value& operand, bool (*wanted)(int32_t)) {
  bool cased = false;
  if (!operand.is_string()) return false;
  const std::string& text = operand.string();
  for (size_t offset = 0; offset < text.size();) {
    const CodePoint c = utf8_decode(text, offset);
    if (is_cased(c.value) && !wanted(c.value)) return false;
    cased |= is_cased(c.value);
    offset += c.bytes;
  }
  return cased;
}

constexpr std::pair<std::string_view, TestFunction> kTests[] = {
    {"!=", compare<Comparison::kNotEqual>},
    {"<", compare<Comparison::kLess>},
    {"<=", compare<Comparison::kLessEqual>},
    {"==", compare<Comparison::kEqual>},
    {">", compare<Comparison::kGreater>},
    {">=", compare<Comparison::kGreaterEqual>},
    {"boolean", has_type<Value::Type::kBool>},
    {"callable",
     [](Interpreter&, const Value& v, const Arguments&) {
       return v.is(Value::Type::kMacro) || v.is(Value::Type::kBuiltin) || v.is(Value::Type::kObject) ||
              v.is_undefined();
     }},
    {"defined", [](Interpreter&, const Value& v, const Arguments&) { return !v.is_undefined(); }},
    {"divisibleby",
     [](Interpreter& interpreter, const Value& v, const Arguments& arguments) {
       const Value rest =
           apply_binary(BinaryOperator::kModulo, v, other_of("divisibleby", arguments), interpreter.budget());
       return rest.is_number() && rest.number() == 0;
     }},
    {"eq", compare<Comparison::kEqual>},
    {"equalto", compare<Comparison::kEqual>},
    {"escaped", [](Interpreter&, const Value& v, const Arguments&) { return v.is_markup(); }},
    {"even", [](Interpreter&, const Value& v, const Arguments&) { return integer_operand(v) % 2 == 0; }},
    {"false", [](Interpreter&, const Value& v, const Arguments&) { return v.is(Value::Type::kBool) && !v.boolean(); }},
    {"filter", [](Interpreter&, const Value& v,
                  const Arguments&) { return v.is_string() && find_filter(v.string()) != nullptr; }},
    {"float", has_type<Value::Type::kFloat>},
    {"ge", compare<Comparison::kGreaterEqual>},
    {"greaterthan", compare<Comparison::kGreater>},
    {"gt", compare<Comparison::kGreater>},
    {"in", compare<Comparison::kIn>},
    {"integer", has_type<Value::Type::kInt>},
    {"iterable", is_iterable},
    {"le", compare<Comparison::kLessEqual>},
    {"lessthan", compare<Comparison::kLess>},
    {"lower", [](Interpreter&, const Value& v, const Arguments&) { return has_case(v, is_lower); }},
    {"lt", compare<Comparison::kLess>},
    {"mapping", has_type<Value::Type::kDict>},
    {"ne", compare<Comparison::kNotEqual>},
    {"none", has_type<Value::Type::kNone>},
    {"number", [](Interpreter&, const Value& v, const Arguments&) { return v.is_number(); }},
    {"odd", [](Interpreter&, const Value& v, const Arguments&) { return integer_operand(v) % 2 != 0; }},
    {"sameas", [](Interpreter&, const Value& v,
                  const Arguments& arguments) { return v.same_object(other_of("sameas", arguments)); }},
    {"sequence", is_sequence},
    {"string", has_type<Value::Type::kString>},
    {"test",
     [](Interpreter&, const Value& v, const Arguments&) { return v.is_string() && find_test(v.string()) != nullptr; }},
    {"true", [](Interpreter&, const Value& v, const Arguments&) { return v.is(Value::Type::kBool) && v.boolean(); }},
    {"undefined", has_type<Value::Type::kUndefined>},
    {"upper", [](Interpreter&, const Value& v, const Arguments&) { return has_case(v, is_upper); }},
};

}  // namespace

TestFunction find_test(std::string_view name) {
  const auto* place =
      std::find_if(std::begin(kTests), std::end(kTests), [&](const auto& test) { return test.first == name; });
  return place == std::end(kTests) ? nullptr : place->second;
}

}  // namespace caravel::text::jinja
