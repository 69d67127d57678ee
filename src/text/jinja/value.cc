#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "text/jinja/python_text.h"

namespace caravel::text::jinja {
namespace {

int checked_height(int height) {
  if (height > kMaxValueHeight) throw fail<CapacityError>("values nest deeper than {} levels", kMaxValueHeight);
  return height;
}

// Python's keys are equal across number types: 1, 1.0 and True are one key.
std::string key_text(const Value& key) {
  switch (key.type()) {
    case Value::Type::kString:
      return "s" + key.string();
    case Value::Type::kNone:
      return "n";
    case Value::Type::kBool:
    case Value::Type::kInt:
      return fmt::format("i{}", key.integer());
    case Value::Type::kWideInt:
      return "i" + key.digits();
    case Value::Type::kFloat: {
      const double number = key.number();
      if (std::abs(number) < 9e15 && number == std::floor(number))
        return fmt::format("i{}", static_cast<int64_t>(number));
      return fmt::format("f{}", number);
    }
    default:
      throw fail<InvalidArgument>("a {} cannot be the key of a dict: use a string, a number or none", key.type_name());
  }
}

}  // namespace

std::string Undefined::message() const {
  std::string text = name ? *name : "value";
  switch (kind) {
    case Kind::kVariable:
      return fmt::format("'{}' is undefined", text);
    case Kind::kAttribute:
      return fmt::format("there is no attribute '{}'", text);
    case Kind::kItem:
      return fmt::format("there is no item {}", text);
    case Kind::kUnsafe:
      return fmt::format("templates may not change what they are given: '{}' is not available", text);
    case Kind::kEmptySequence:
      return "the sequence is empty";
    case Kind::kNoElse:
      return "the inline if was false and has no else";
  }
  return text;
}

Sequence::Sequence(Kind k, std::vector<Value> values) : kind(k), items(std::move(values)) {
  for (const Value& item : items) height = std::max(height, item.height() + 1);
  checked_height(height);
}

Value* Namespace::find(std::string_view name) {
  for (auto& [key, value] : attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Object::hold(const Value& value) { height_ = checked_height(std::max(height_, value.height() + 1)); }

Value Value::sequence(std::vector<Value> items, Sequence::Kind kind) {
  return Value(std::make_shared<const Sequence>(kind, std::move(items)));
}

Value Value::undefined(Undefined::Kind kind, std::string_view name) {
  return Undefined{kind, std::make_shared<const std::string>(name)};
}

bool Value::truthy() const {
  switch (type()) {
    case Type::kUndefined:
    case Type::kNone:
      return false;
    case Type::kBool:
      return boolean();
    case Type::kInt:
      return integer() != 0;
    case Type::kFloat:
      return number() != 0;
    case Type::kString:
      return !string().empty();
    case Type::kSequence:
      return sequence().kind == Sequence::Kind::kGenerator || !sequence().items.empty();
    case Type::kDict:
      return dict().size() != 0;
    default:
      return true;
  }
}

int Value::height() const {
  if (is_sequence()) return sequence().height;
  if (is_dict()) return dict().height();
  if (is(Type::kBuiltin)) return builtin().self ? builtin().self->height() + 1 : 0;
  if (is(Type::kObject)) return object().height();
  return 0;
}

const char* Value::type_name() const {
  switch (type()) {
    case Type::kUndefined:
      return "Undefined";
    case Type::kNone:
      return "NoneType";
    case Type::kBool:
      return "bool";
    case Type::kInt:
    case Type::kWideInt:
      return "int";
    case Type::kFloat:
      return "float";
    case Type::kString:
      return "str";
    case Type::kSequence:
      switch (sequence().kind) {
        case Sequence::Kind::kList:
          return "list";
        case Sequence::Kind::kTuple:
          return "tuple";
        case Sequence::Kind::kRange:
          return "range";
        case Sequence::Kind::kGenerator:
          return "generator";
        case Sequence::Kind::kKeys:
          return "dict_keys";
        case Sequence::Kind::kValues:
          return "dict_values";
        case Sequence::Kind::kItems:
          return "dict_items";
      }
      return "list";
    case Type::kDict:
      return "dict";
    case Type::kNamespace:
      return "Namespace";
    case Type::kMacro:
      return "Macro";
    case Type::kBuiltin:
      return "function";
    case Type::kObject:
      return object().type_name();
  }
  return "object";
}

bool Value::same_object(const Value& other) const {
  if (type() != other.type()) return false;
  switch (type()) {
    case Type::kNone:
      return true;
    case Type::kBool:
      return boolean() == other.boolean();
    case Type::kInt:
      return integer() == other.integer();
    case Type::kSequence:
      return &sequence() == &other.sequence();
    case Type::kDict:
      return &dict() == &other.dict();
    case Type::kString:
      return &string() == &other.string();
    case Type::kNamespace:
      return name_space() == other.name_space();
    case Type::kMacro:
      return macro() == other.macro();
    case Type::kObject:
      return &object() == &other.object();
    default:
      return false;
  }
}

void Dict::set(Value key, Value value) {
  std::string text = key_text(key);
  height_ = checked_height(std::max(height_, value.height() + 1));
  const auto [place, inserted] = index_.try_emplace(text, entries_.size());
  if (inserted) {
    entries_.emplace_back(std::move(key), std::move(value));
  } else {
    entries_[place->second].second = std::move(value);
  }
}

const Value* Dict::find(const Value& key) const {
  const auto place = index_.find(key_text(key));
  return place == index_.end() ? nullptr : &entries_[place->second].second;
}

const Value* Dict::find_name(std::string_view key) const {
  std::string text = "s";
  const auto place = index_.find(text.append(key));
  return place == index_.end() ? nullptr : &entries_[place->second].second;
}

std::vector<Value> iterate(const Value& value, Budget& budget) {
  std::vector<Value> items;
  switch (value.type()) {
    case Value::Type::kUndefined:
      break;
    case Value::Type::kString: {
      budget.items(value.string().size());
      for (const std::string_view character : utf8_characters(value.string()))
        items.emplace_back(std::string(character));
      break;
    }
    case Value::Type::kSequence: {
      const Sequence& sequence = value.sequence();
      budget.items(sequence.items.size());
      items.assign(sequence.items.begin() + static_cast<std::ptrdiff_t>(sequence.consumed), sequence.items.end());
      if (sequence.kind == Sequence::Kind::kGenerator) sequence.consumed = sequence.items.size();
      break;
    }
    case Value::Type::kDict:
      budget.items(value.dict().size());
      for (const auto& [key, item] : value.dict().entries()) items.push_back(key);
      break;
    default:
      throw fail<InvalidArgument>("cannot iterate over a {}", value.type_name());
  }
  return items;
}

int64_t length_of(const Value& value) {
  switch (value.type()) {
    case Value::Type::kUndefined:
      return 0;
    case Value::Type::kString:
      return utf8_length(value.string());
    case Value::Type::kSequence:
      if (value.sequence().kind != Sequence::Kind::kGenerator) {
        return static_cast<int64_t>(value.sequence().items.size());
      }
      break;
    case Value::Type::kDict:
      return static_cast<int64_t>(value.dict().size());
    default:
      break;
  }
  throw fail<InvalidArgument>("a {} has no length", value.type_name());
}

void throw_undefined(const Value& value) { throw InvalidArgument(value.missing().message()); }

}  // namespace caravel::text::jinja
