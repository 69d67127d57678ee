#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/budget.h"

namespace caravel::text::jinja {

class Value;
class Dict;
class Interpreter;
struct Arguments;
struct Macro;

/// How deep lists and dicts may nest. Values cannot change once made, so a value's height is known when it is made and
/// everything that recurses over values is bounded.
inline constexpr int kMaxValueHeight = 200;

/// Jinja's default Undefined: prints as nothing, is false and empty, and any other use of it is an error that says
/// what was missing.
struct Undefined {
  enum class Kind : uint8_t { kVariable, kAttribute, kItem, kUnsafe, kEmptySequence, kNoElse };
  Kind kind = Kind::kVariable;
  std::shared_ptr<const std::string> name = nullptr;

  std::string message() const;
};

struct None {};

/// An int that passes 63 bits, as its decimal digits: it is passed on, printed and compared, never computed with.
struct WideInteger {
  std::string digits;
};

/// UTF-8 text. `markup` is MarkupSafe's: what it is added to gets HTML-escaped.
struct String {
  std::string text;
  bool markup = false;
};

/// Python's sequences that a template can meet. Generators give their items once.
struct Sequence {
  enum class Kind : uint8_t { kList, kTuple, kRange, kGenerator, kKeys, kValues, kItems };
  Kind kind = Kind::kList;
  std::vector<Value> items;
  int height = 1;
  mutable size_t consumed = 0;  // items that a generator gave already

  Sequence(Kind k, std::vector<Value> values);
};

/// The one value that templates may change. Owned by the interpreter, so that namespaces may refer to each other.
struct Namespace {
  std::vector<std::pair<std::string, Value>> attributes;

  Value* find(std::string_view name);
};

/// A callable of the language: a global, or a method together with the value it belongs to.
struct Builtin {
  using Function = Value (*)(Interpreter&, const Value& self, const Arguments&);
  const char* name;
  Function function;
  std::shared_ptr<const Value> self;
};

/// A value with state and attributes of its own, as `loop` is.
class Object {
 public:
  virtual ~Object() = default;
  virtual const char* type_name() const = 0;
  virtual Value attribute(std::string_view name) = 0;
  virtual Value call(Interpreter& interpreter, const Arguments& arguments) = 0;

  int height() const { return height_; }

 protected:
  /// Throws CapacityError where the nesting passes kMaxValueHeight.
  void hold(const Value& value);

 private:
  int height_ = 1;  // as of sequences
};

class Value {
 public:
  enum class Type : uint8_t {
    kUndefined,
    kNone,
    kBool,
    kInt,
    kFloat,
    kString,
    kSequence,
    kDict,
    kNamespace,
    kMacro,
    kBuiltin,
    kObject,
    kWideInt
  };

  Value() : data_(Undefined{}) {}
  Value(Undefined value) : data_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Value(None value) : data_(value) {}                  // NOLINT(google-explicit-constructor)
  Value(bool value) : data_(value) {}                  // NOLINT(google-explicit-constructor)
  Value(int64_t value) : data_(value) {}               // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                // NOLINT(google-explicit-constructor)
  Value(std::string text, bool markup = false)         // NOLINT(google-explicit-constructor)
      : data_(std::make_shared<const String>(String{std::move(text), markup})) {}
  Value(const char*) = delete;
  Value(std::shared_ptr<const Dict> value) : data_(std::move(value)) {}   // NOLINT(google-explicit-constructor)
  Value(Namespace* value) : data_(value) {}                               // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<const Macro> value) : data_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Value(Builtin value) : data_(std::move(value)) {}                       // NOLINT(google-explicit-constructor)
  Value(std::shared_ptr<Object> value) : data_(std::move(value)) {}       // NOLINT(google-explicit-constructor)
  Value(WideInteger value)                                                // NOLINT(google-explicit-constructor)
      : data_(std::make_shared<const WideInteger>(std::move(value))) {}

  /// Throws CapacityError where the nesting passes kMaxValueHeight.
  static Value sequence(std::vector<Value> items, Sequence::Kind kind = Sequence::Kind::kList);
  static Value undefined(Undefined::Kind kind, std::string_view name);

  Type type() const { return static_cast<Type>(data_.index()); }
  bool is(Type type) const { return this->type() == type; }
  bool is_undefined() const { return is(Type::kUndefined); }
  bool is_none() const { return is(Type::kNone); }
  bool is_string() const { return is(Type::kString); }
  bool is_dict() const { return is(Type::kDict); }
  bool is_sequence() const { return is(Type::kSequence); }
  bool is_sequence(Sequence::Kind kind) const { return is_sequence() && sequence().kind == kind; }
  bool is_wide_int() const { return is(Type::kWideInt); }
  /// Python's bool is an int. Only what can be computed with: no wide int.
  bool is_integral() const { return is(Type::kBool) || is(Type::kInt); }
  bool is_number() const { return is_integral() || is(Type::kFloat); }

  // The caller has checked the type.
  bool boolean() const { return std::get<bool>(data_); }
  int64_t integer() const { return is(Type::kBool) ? int64_t{boolean()} : std::get<int64_t>(data_); }
  double number() const { return is(Type::kFloat) ? std::get<double>(data_) : static_cast<double>(integer()); }
  const std::string& string() const { return std::get<std::shared_ptr<const String>>(data_)->text; }
  bool is_markup() const { return is_string() && std::get<std::shared_ptr<const String>>(data_)->markup; }
  const Sequence& sequence() const { return *std::get<std::shared_ptr<const Sequence>>(data_); }
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  Namespace* name_space() const { return std::get<Namespace*>(data_); }
  const std::shared_ptr<const Macro>& macro() const { return std::get<std::shared_ptr<const Macro>>(data_); }
  const Builtin& builtin() const { return std::get<Builtin>(data_); }
  const std::string& digits() const { return std::get<std::shared_ptr<const WideInteger>>(data_)->digits; }
  Object& object() const { return *std::get<std::shared_ptr<Object>>(data_); }
  const Undefined& missing() const { return std::get<Undefined>(data_); }

  /// Python's truth.
  bool truthy() const;
  int height() const;
  /// Python's name of the type, for messages.
  const char* type_name() const;
  /// The same object, not an equal one.
  bool same_object(const Value& other) const;

 private:
  explicit Value(std::shared_ptr<const Sequence> value) : data_(std::move(value)) {}

  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const String>, std::shared_ptr<const Sequence>,
               std::shared_ptr<const Dict>, Namespace*, std::shared_ptr<const Macro>, Builtin, std::shared_ptr<Object>,
               std::shared_ptr<const WideInteger>>
      data_;
};

/// A dict that keeps its order. Keys are strings, numbers, booleans and None; complete before a Value holds it.
class Dict {
 public:
  /// Replaces the value where the key is there. Throws InvalidArgument for a key that cannot be hashed, CapacityError
  /// where the nesting passes kMaxValueHeight.
  void set(Value key, Value value);
  void set_name(std::string_view key, Value value) { set(Value(std::string(key)), std::move(value)); }

  /// nullptr where it is not there. Throws InvalidArgument for a key that cannot be hashed.
  const Value* find(const Value& key) const;
  const Value* find_name(std::string_view key) const;

  const std::vector<std::pair<Value, Value>>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  int height() const { return height_; }

 private:
  std::vector<std::pair<Value, Value>> entries_;
  std::unordered_map<std::string, size_t> index_;  // entries by their keys' type and text
  int height_ = 1;
};

/// The items that iterating over a value gives. Consumes generators. Throws InvalidArgument where Python cannot.
std::vector<Value> iterate(const Value& value, Budget& budget);

/// len(value). Throws InvalidArgument where Python cannot.
int64_t length_of(const Value& value);

/// What dict.items() has of one entry.
inline Value key_and_value(const Value& key, const Value& value) {
  return Value::sequence({key, value}, Sequence::Kind::kTuple);
}

/// Throws InvalidArgument: what is missing.
[[noreturn]] void throw_undefined(const Value& value);

}  // namespace caravel::text::jinja
