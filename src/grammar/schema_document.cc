#include "grammar/schema_document.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json_reader.h"
#include "base/numbers.h"
#include "grammar/code_points.h"

namespace caravel::grammar {
namespace {

constexpr size_t kMaxNesting = 100;
constexpr int kMaxReferences = 64;
constexpr size_t kMaxShapes = 256;

std::vector<Shape> combine(std::vector<Shape> all, const std::vector<Shape>& more, const std::string& place) {
  if (all.size() * more.size() > kMaxShapes) {
    throw fail<Unsupported>("the combinations at {} have {} cases; at most {}", place, all.size() * more.size(),
                            kMaxShapes);
  }
  std::vector<Shape> result;
  for (Shape& a : all) {
    for (const Shape& b : more) {
      check_interrupt();
      // The last one may have it: a long allOf adds to one shape.
      Shape both = merge(&b == &more.back() ? std::move(a) : Shape(a), b, place);
      if (both.types != 0 && (!both.values || !both.values->empty())) result.push_back(std::move(both));
    }
  }
  return result;
}

/// The keyword that names a schema: draft 4's, or that of all later ones.
const char* id_keyword(const Json& root) {
  if (!root.is_object()) return "$id";
  const auto draft = root.find("$schema");
  const bool old = draft != root.end() && draft->is_string() &&
                   (draft->get_ref<const std::string&>().find("draft-04") != std::string::npos ||
                    draft->get_ref<const std::string&>().find("draft-03") != std::string::npos);
  return old ? "id" : "$id";
}

/// A token of a JSON pointer (RFC 6901) in a URI's fragment.
std::string unescape(std::string_view token) {
  std::string pointer;
  for (size_t i = 0; i < token.size(); ++i) {
    const auto digit = [&](size_t at) { return at < token.size() ? hex_digit(token[at]) : -1; };
    if (token[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      pointer += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      pointer += token[i];
    }
  }
  std::string name;
  for (size_t i = 0; i < pointer.size(); ++i) {
    const bool escaped =
        pointer[i] == '~' && i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
    name += !escaped ? pointer[i] : pointer[++i] == '0' ? '~' : '/';
  }
  return name;
}

Json read_schema(std::string_view text) {
  Json schema;
  try {
    schema = read_json(text, kMaxNesting);
  } catch (const FormatError& error) {
    throw fail<InvalidArgument>("JSON schema: cannot be read: {}", error.what());
  }
  if (!schema.is_object() && !schema.is_boolean()) {
    throw fail<InvalidArgument>("JSON schema: it must be an object, true or false, and is {}", schema.type_name());
  }
  return schema;
}

}  // namespace

SchemaDocument::SchemaDocument(std::string_view text, bool closes_objects)
    : closes_objects_(closes_objects), root_(read_schema(text)) {}

std::vector<Shape> SchemaDocument::shapes(const Json& schema, const std::string& place) const {
  return shapes(schema, place, 0);
}

std::vector<Shape> SchemaDocument::shapes(const Json& schema, const std::string& place, int depth) const {
  if (depth > kMaxReferences) {
    throw fail<InvalidArgument>("the schema at {} refers to itself, or combines more than {} schemas deep", place,
                                kMaxReferences);
  }
  if (schema == Json(false)) return {};
  if (schema == Json(true)) return {Shape()};
  if (!schema.is_object()) throw fail<InvalidArgument>("{} must be a schema: an object, true or false", place);
  const char* const id = id_keyword(root_);
  if (&schema != &root_ && schema.contains(id) && schema[id].is_string()) {
    throw fail<Unsupported>("'{}' at {} cannot be enforced", id, place);
  }
  std::vector<Shape> all = combine({read(schema, place)}, {Shape()}, place);
  const auto list = [&](const char* key) -> const Json& {
    const Json& value = schema[key];
    if (!value.is_array() || value.empty()) {
      throw fail<InvalidArgument>("'{}' at {} must be a list of schemas, not empty", key, place);
    }
    if (value.size() > kMaxParts) {
      throw fail<Unsupported>("'{}' at {} has {} schemas; at most {}", key, place, value.size(), kMaxParts);
    }
    return value;
  };
  // Within one document the dynamic ones lead where $ref does.
  for (const char* const key : {"$ref", "$dynamicRef", "$recursiveRef"}) {
    const auto reference = schema.find(key);
    if (reference == schema.end()) continue;
    if (!reference->is_string()) throw fail<InvalidArgument>("'{}' at {} must be a string", key, place);
    const PlacedSchema target = resolve(*reference, place);
    all = combine(std::move(all), shapes(*target.schema, target.place, depth + 1), place);
  }
  const auto part_place = [&](const char* key, size_t i) { return fmt::format("{}/{}/{}", place, key, i); };
  if (schema.contains("allOf")) {
    const Json& parts = list("allOf");
    for (size_t i = 0; i < parts.size(); ++i) {
      all = combine(std::move(all), shapes(parts[i], part_place("allOf", i), depth + 1), place);
    }
  }
  for (const char* const key : {"anyOf", "oneOf"}) {
    if (!schema.contains(key)) continue;
    const Json& parts = list(key);
    std::vector<Shape> either;
    std::vector<size_t> branch_of;
    for (size_t i = 0; i < parts.size(); ++i) {
      for (Shape& shape : combine(all, shapes(parts[i], part_place(key, i), depth + 1), place)) {
        either.push_back(std::move(shape));
        branch_of.push_back(i);
      }
      if (either.size() > kMaxShapes) {
        throw fail<Unsupported>("'{}' at {} has more than {} cases", key, place, kMaxShapes);
      }
    }
    if (std::string_view(key) == "oneOf") {
      for (size_t i = 0; i < either.size(); ++i) {
        for (size_t j = 0; j < i; ++j) {
          if (branch_of[i] == branch_of[j] || exclude_each_other(either[i], either[j], place)) continue;
          throw fail<Unsupported>(
              "'oneOf' at {} cannot be enforced: its alternatives {} and {} may hold at once; give "
              "them different types or a property with different constants, or write anyOf",
              place, branch_of[j], branch_of[i]);
        }
      }
    }
    all = std::move(either);
  }
  // Draft 3's allOf and not.
  if (schema.contains("extends")) {
    const Json& extended = schema["extends"];
    const Json parts = extended.is_array() ? extended : Json::array({extended});
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].is_object()) all = combine(all, shapes(parts[i], part_place("extends", i), depth + 1), place);
    }
  }
  if (schema.contains("disallow")) {
    const Json& disallowed = schema["disallow"];
    const Json parts = disallowed.is_array() ? disallowed : Json::array({disallowed});
    for (size_t i = 0; i < parts.size(); ++i) {
      const Json part = parts[i].is_object() ? parts[i] : Json{{"type", parts[i]}};
      all = without(all, shapes(part, part_place("disallow", i), depth + 1), "disallow", place);
    }
  }
  if (schema.contains("not")) {
    all = without(all, shapes(schema["not"], place + "/not", depth + 1), "not", place);
  }
  if (schema.contains("if") && (schema.contains("then") || schema.contains("else"))) {
    all = with_condition(all, schema, place, depth);
  }
  return with_dependencies(std::move(all), schema, place, depth);
}

Shape SchemaDocument::read(const Json& schema, const std::string& place) const {
  std::vector<Grammar::Annotation> ignored;
  Shape shape = read_shape(schema, place, ignored);
  for (Grammar::Annotation& annotation : ignored) {
    ignored_.add(std::move(annotation));
  }
  return shape;
}

std::vector<Shape> SchemaDocument::without(const std::vector<Shape>& all, const std::vector<Shape>& denied,
                                           const char* by, const std::string& place) const {
  Types of = 0;
  for (const Shape& shape : all) of |= shape.types;
  std::vector<Shape> rest = all;
  for (Shape shape : denied) {
    if (shape.values) {
      const Shape own = shape;
      shape.values->erase_if([&](const Json& value) { return !admits_own(own, value, place); });
    }
    rest = combine(std::move(rest), negate(shape, of, by, place), place);
  }
  return rest;
}

std::vector<Shape> SchemaDocument::with_condition(const std::vector<Shape>& all, const Json& schema,
                                                  const std::string& place, int depth) const {
  std::vector<Shape> condition = shapes(schema["if"], place + "/if", depth + 1);
  for (Shape& shape : condition) shape.declares = false;
  const auto branch = [&](std::vector<Shape> shapes_so_far, const char* key) {
    if (!schema.contains(key)) return shapes_so_far;
    return combine(shapes_so_far, shapes(schema[key], fmt::format("{}/{}", place, key), depth + 1), place);
  };
  std::vector<Shape> either = branch(combine(all, condition, place), "then");
  for (Shape& shape : branch(without(all, condition, "if", place), "else")) either.push_back(std::move(shape));
  if (either.size() > kMaxShapes) {
    throw fail<Unsupported>("'if' at {} has {} cases; at most {}", place, either.size(), kMaxShapes);
  }
  return either;
}

std::vector<Shape> SchemaDocument::with_dependencies(std::vector<Shape> all, const Json& schema,
                                                     const std::string& place, int depth) const {
  for (const char* const key : {"dependentRequired", "dependentSchemas", "dependencies"}) {
    if (!schema.contains(key)) continue;
    const Json& dependencies = schema[key];
    if (!dependencies.is_object()) throw fail<InvalidArgument>("'{}' at {} must be an object", key, place);
    for (const auto& [name, what] : dependencies.items()) {
      Shape absent;  // or no object
      absent.absent = {name};
      Shape present;
      present.types = kObject;
      present.required = {name};
      std::vector<Shape> either = {std::move(absent)};
      const bool names = std::string_view(key) == "dependentRequired" || what.is_array() || what.is_string();
      if (names) {
        const Json list = what.is_string() ? Json::array({what}) : what;  // one name alone: draft 3
        if (!list.is_array()) throw fail<InvalidArgument>("'{}' at {} must have lists of names", key, place);
        for (const Json& other : list) {
          if (!other.is_string()) throw fail<InvalidArgument>("'{}' at {} must have lists of names", key, place);
          present.required.add(other);
        }
        either.push_back(std::move(present));
      } else {
        const std::string own = fmt::format("{}/{}/{}", place, key, name);
        for (Shape& shape : combine({present}, shapes(what, own, depth + 1), place)) either.push_back(std::move(shape));
      }
      all = combine(std::move(all), either, place);
    }
  }
  return all;
}

PlacedSchema SchemaDocument::resolve(const std::string& reference, const std::string& place) const {
  std::string_view fragment = reference;
  const char* const id_name = id_keyword(root_);
  const auto id = root_.is_object() ? root_.find(id_name) : root_.end();
  if (id != root_.end() && id->is_string()) {
    std::string_view base = id->get_ref<const std::string&>();
    base = base.substr(0, base.find('#'));
    if (fragment.starts_with(base)) fragment.remove_prefix(base.size());
  }
  if (!fragment.empty() && !fragment.starts_with('#')) {
    throw fail<Unsupported>("'$ref' at {} to '{}': only references into the same document are followed", place,
                            reference);
  }
  if (!fragment.empty()) fragment.remove_prefix(1);
  const Json* target = &root_;
  if (!fragment.empty() && fragment[0] != '/') {
    if (!anchors_) read_anchors(root_, anchors_.emplace());
    const auto found = anchors_->find(fragment);
    target = found == anchors_->end() ? nullptr : found->second;
  }
  for (std::string_view rest = fragment; target != nullptr && rest.starts_with('/');) {
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string token = unescape(rest.substr(0, end));
    rest.remove_prefix(end);
    const Json* const own_id = target != &root_ && target->is_object() ? member(*target, id_name) : nullptr;
    if (own_id != nullptr && own_id->is_string()) {
      throw fail<Unsupported>("'$ref' at {} to '{}' goes through a schema with an '{}' of its own", place, reference,
                              id_name);
    }
    if (target->is_object()) {
      target = member(*target, token);
    } else {
      const auto index = target->is_array() ? parse_number<size_t>(token) : std::nullopt;
      target = index && *index < target->size() ? &(*target)[*index] : nullptr;
    }
  }
  if (target == nullptr) throw fail<InvalidArgument>("'$ref' at {}: there is no '{}'", place, reference);
  return {target, "#" + std::string(fragment)};
}

const Json* SchemaDocument::member(const Json& object, std::string_view name) const {
  const auto [found, is_new] = members_.try_emplace(&object);
  if (is_new) {
    for (const auto& [key, value] : object.items()) found->second.emplace(key, &value);
  }
  const auto value = found->second.find(name);
  return value == found->second.end() ? nullptr : value->second;
}

void SchemaDocument::read_anchors(const Json& schema, Members& anchors) {
  if (schema.is_array()) {
    for (const Json& item : schema) read_anchors(item, anchors);
  }
  if (!schema.is_object()) return;
  for (const char* const key : {"$anchor", "$dynamicAnchor"}) {
    const auto anchor = schema.find(key);
    if (anchor != schema.end() && anchor->is_string()) anchors.emplace(anchor->get_ref<const std::string&>(), &schema);
  }
  for (const auto& [key, value] : schema.items()) {
    if (key != "enum" && key != "const") read_anchors(value, anchors);  // there are values, not schemas
  }
}

bool SchemaDocument::exclude_each_other(const Shape& a, const Shape& b, const std::string& place) const {
  Types common = a.types & b.types;
  if (a.values || b.values) {
    // None of the constants of one may fit the other.
    const Shape& constants = a.values ? a : b;
    const Shape& other = a.values ? b : a;
    return std::ranges::none_of(*constants.values, [&](const Json& value) {
      return admits_own(constants, value, place) && admits(other, value, place);
    });
  }
  if ((common & kNumber) != 0) {
    const auto apart = [](const Shape& low, const Shape& high) {
      if (!low.maximum || !high.minimum) return false;
      const int order = compare(low.maximum->value, high.minimum->value);
      return order < 0 || (order == 0 && (low.maximum->exclusive || high.minimum->exclusive));
    };
    if (apart(a, b) || apart(b, a)) common &= static_cast<Types>(~kNumber);
  }
  if ((common & kString) != 0) {
    const auto content_a = string_content(a, place);
    const auto content_b = string_content(b, place);
    // Formats are read narrower than they are: what one leaves out may still belong to it.
    const bool exact = a.formats.empty() && b.formats.empty();
    if (exact && content_a && content_b && is_empty(intersect(*content_a, *content_b, place))) {
      common &= static_cast<Types>(~kString);
    }
  }
  if ((common & kObject) != 0) {
    const auto differ = [&](const std::string& name) {
      const Json* const in_a = a.property(name);
      const Json* const in_b = b.property(name);
      if (in_a == nullptr || in_b == nullptr) return false;
      for (const Shape& x : shapes(*in_a, place)) {
        for (const Shape& y : shapes(*in_b, place)) {
          const bool simple = x.values || y.values || (x.types & y.types & (kObject | kArray)) == 0;
          if (!simple || !exclude_each_other(x, y, place)) return false;
        }
      }
      return true;
    };
    const auto in_both = [&](const std::string& name) { return b.required.has(name) && differ(name); };
    // An object with the property that one demands is refused by the other.
    const auto refuses = [&](const Shape& one, const Shape& other) {
      return std::ranges::any_of(one.required, [&](const std::string& name) {
        if (other.absent.has(name)) return true;
        return other.property(name) == nullptr && other.pattern_properties.empty() && other.additional &&
               *other.additional == Json(false);
      });
    };
    // An object written by one lacks a property that the other demands.
    const auto lacks = [&](const Shape& one, const Shape& other) {
      if (!closes_objects_ || !one.declares || one.additional || !one.pattern_properties.empty()) return false;
      return std::ranges::any_of(other.required, [&](const std::string& name) {
        return one.property(name) == nullptr && !one.required.has(name);
      });
    };
    if (std::ranges::any_of(a.required, in_both) || refuses(a, b) || refuses(b, a) || (lacks(a, b) && lacks(b, a))) {
      common &= static_cast<Types>(~kObject);
    }
  }
  return common == 0;
}

bool SchemaDocument::admits(const Json& schema, const Json& value, const std::string& place) const {
  return std::ranges::any_of(shapes(schema, place), [&](const Shape& s) { return admits(s, value, place); });
}

bool SchemaDocument::admits(const Shape& shape, const Json& value, const std::string& place) const {
  if (shape.values && !shape.values->has(canonical_text(value))) return false;
  return admits_own(shape, value, place);
}

bool SchemaDocument::admits_own(const Shape& shape, const Json& value, const std::string& place) const {
  check_interrupt();
  const Types type = type_of(value);
  if ((shape.types & type) == 0) return false;
  if ((type & kNumber) != 0) {
    const Decimal number = decimal_of(value);
    if (shape.minimum) {
      const int order = compare(number, shape.minimum->value);
      if (order < 0 || (order == 0 && shape.minimum->exclusive)) return false;
    }
    if (shape.maximum) {
      const int order = compare(number, shape.maximum->value);
      if (order > 0 || (order == 0 && shape.maximum->exclusive)) return false;
    }
    return std::ranges::all_of(shape.multiple_of, [&](const Decimal& d) { return is_multiple(number, d); });
  }
  if (type == kString) return admits_string(shape, value.get_ref<const std::string&>(), place);
  if (type == kObject) return admits_object(shape, value, place);
  if (type == kArray) return admits_array(shape, value, place);
  return true;
}

bool SchemaDocument::admits_string(const Shape& shape, const std::string& text, const std::string& place) const {
  // Counted here: a machine would take states for each character.
  const auto length = std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
  if (length < shape.min_length || (shape.max_length && length > *shape.max_length)) return false;
  if (shape.excluded.has(text)) return false;
  if (shape.formats != rules_.formats || shape.patterns != rules_.patterns ||
      shape.not_patterns != rules_.not_patterns) {
    Shape rules;
    rules.formats = shape.formats;
    rules.patterns = shape.patterns;
    rules.not_patterns = shape.not_patterns;
    content_ = string_content(rules, place);
    rules_ = std::move(rules);
  }
  return content_ == nullptr || content_->accepts(text);
}

bool SchemaDocument::admits_object(const Shape& shape, const Json& value, const std::string& place) const {
  const auto count = static_cast<int64_t>(value.size());
  if (count < shape.min_properties || (shape.max_properties && count > *shape.max_properties)) return false;
  std::set<std::string_view> there;
  for (const auto& [name, item] : value.items()) there.insert(name);
  const auto has = [&](const std::string& name) { return there.contains(name); };
  if (!std::ranges::all_of(shape.required, has) || std::ranges::any_of(shape.absent, has)) return false;
  for (const auto& [name, item] : value.items()) {
    for (const Json& names : shape.property_names) {
      if (!admits(names, Json(name), place)) return false;
    }
    const Json* const declared = shape.property(name);
    bool known = declared != nullptr;
    if (known && !admits(*declared, item, place)) return false;
    for (const auto& [pattern, schema] : shape.pattern_properties) {
      if (!pattern_machine(pattern, place).accepts(name)) continue;
      known = true;
      if (!admits(schema, item, place)) return false;
    }
    if (!known && shape.additional && !admits(*shape.additional, item, place)) return false;
  }
  return true;
}

bool SchemaDocument::admits_array(const Shape& shape, const Json& value, const std::string& place) const {
  const auto count = static_cast<int64_t>(value.size());
  if (count < shape.min_items || (shape.max_items && count > *shape.max_items)) return false;
  if (shape.unique && Values(value.begin(), value.end()).size() < value.size()) return false;
  for (size_t i = 0; i < value.size(); ++i) {
    if (i < shape.prefix.size()) {
      if (!admits(shape.prefix[i], value[i], place)) return false;
    } else if (shape.items && !admits(*shape.items, value[i], place)) {
      return false;
    }
  }
  return true;
}

}  // namespace caravel::grammar
