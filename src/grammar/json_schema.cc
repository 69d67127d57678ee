#include "grammar/json_schema.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/numbers.h"
#include "grammar/code_points.h"
#include "grammar/regex_parser.h"
#include "grammar/schema_document.h"
#include "grammar/string_format.h"

namespace caravel::grammar {
namespace {

constexpr size_t kMaxRules = 20'000;
constexpr int64_t kMaxCount = 100'000;  // characters, items or properties
constexpr size_t kMaxPrefix = 200;
constexpr size_t kMaxPatterns = 5;
constexpr int kMaxFewValues = 200;
constexpr size_t kMaxSets = 2000;  // of values that an array without equal items may have had so far
constexpr size_t kMaxItemsOfSets = 100'000;

std::string shortened(std::string text) {
  constexpr size_t kMost = 60;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

/// "'minimum' is 5" of a lower bound.
std::string bound_text(const Bound& bound, bool lower) {
  const char* const open = bound.exclusive ? "exclusiveMinimum" : "minimum";
  const char* const close = bound.exclusive ? "exclusiveMaximum" : "maximum";
  return fmt::format("'{}' is {}", lower ? open : close, shortened(bound.value.text()));
}

/// The bound as far as numbers that are written can tell: none where they all keep it. Throws Unsupported where it has
/// too many digits.
std::optional<Bound> near_bound(const std::optional<Bound>& bound, bool lower, const std::string& place) {
  constexpr size_t kLargest = 120;  // digits of a number that is written without bounds, at most
  if (!bound) return bound;
  const Decimal& value = bound->value;
  if (value.integer.size() <= kMaxBoundDigits && value.fraction.size() <= kMaxBoundDigits) return bound;
  const bool is_far = value.negative == lower && value.integer.size() > kMaxBoundDigits;
  if (is_far && value.integer.size() > kLargest) return std::nullopt;
  if (is_far) return Bound{.value = {.negative = lower, .integer = std::string(kMaxBoundDigits, '9')}};
  const char* const name =
      lower ? (bound->exclusive ? "exclusiveMinimum" : "minimum") : (bound->exclusive ? "exclusiveMaximum" : "maximum");
  throw fail<Unsupported>("'{}' at {}: numbers of more than {} digits before or behind the point cannot be enforced",
                          name, place, kMaxBoundDigits);
}

class SchemaCompiler {
 public:
  SchemaCompiler(std::string_view text, SchemaReading reading)
      : document_(text, reading == SchemaReading::kStrict), reading_(reading) {}

  Grammar compile() {
    grammar_.rules.push_back({"root", nullptr});
    grammar_.rules[0].expr = schema_expr(document_.root(), "#");
    grammar_.ignored = document_.ignored();
    return std::move(grammar_);
  }

 private:
  int add_rule(std::string name) {
    if (grammar_.rules.size() >= kMaxRules) throw fail<Unsupported>("it takes more than {} rules", kMaxRules);
    grammar_.rules.push_back({std::move(name), nullptr});
    return static_cast<int>(grammar_.rules.size() - 1);
  }

  /// A rule that many places share.
  template <typename Make>
  ExprPtr shared(const char* name, Make make) {
    const auto [found, is_new] = shared_.try_emplace(name, 0);
    if (is_new) {
      const int rule = add_rule(name);
      found->second = rule;
      ExprPtr expr = make();
      grammar_.rules[static_cast<size_t>(rule)].expr = std::move(expr);
    }
    return rule_ref(shared_.at(name));
  }

  /// The values of `schema`: a rule of its own, which the same schema elsewhere, or inside of it, shares.
  ExprPtr schema_expr(const Json& schema, const std::string& place) {
    if (schema == Json(true) || schema == Json::object()) return any_value();
    const auto [found, is_new] = schemas_.try_emplace(schema.dump(), 0);
    if (!is_new) return rule_ref(found->second);
    if (++depth_ > kMaxDepth) throw fail<Unsupported>("the schema at {} unfolds more than {} deep", place, kMaxDepth);
    const int rule = add_rule(place);
    grammar_.rules[static_cast<size_t>(rule)].place = place;
    found->second = rule;
    const int outer = std::exchange(rule_, rule);
    std::vector<ExprPtr> parts;
    for (const Shape& shape : document_.shapes(schema, place)) parts.push_back(shape_expr(shape, place));
    if (parts.empty()) nothing(why_no_shape(schema));
    rule_ = outer;
    grammar_.rules[static_cast<size_t>(rule)].expr = choice(std::move(parts));
    --depth_;
    return rule_ref(rule);
  }

  /// No value of the schema whose rule is being made, or none of one of its types or alternatives; why is told where
  /// there is no other either.
  ExprPtr nothing(const std::string& why) {
    constexpr size_t kMost = 200;
    std::string& conflict = grammar_.rules[static_cast<size_t>(rule_)].conflict;
    if (conflict.find(why) == std::string::npos && conflict.size() < kMost) {
      conflict += (conflict.empty() ? "" : "; ") + why;
    }
    return choice({});
  }

  static std::string why_no_shape(const Json& schema) {
    if (schema == Json(false)) return "it is false";
    const auto values = schema.is_object() ? schema.find("enum") : schema.end();
    if (values != schema.end() && values->empty()) return "'enum' is empty";
    return "what it combines leaves no type or value";
  }

  ExprPtr any_value() {
    return shared("a value", [&] {
      return choice(
          {any_object(), any_array(), any_string(), any_number(), bytes("true"), bytes("false"), bytes("null")});
    });
  }
  ExprPtr any_string() {
    return shared("a string", [] { return json_string(0, kUnbounded); });
  }
  ExprPtr any_number() {
    return shared("a number", [] { return json_number({}); });
  }
  ExprPtr any_object() {
    return shared("an object", [&] {
      const ExprPtr member = sequence({any_string(), bytes(":"), json_space(), any_value()});
      return json_enclosed("{", joined({{member, 0, kUnbounded}}, json_comma()), "}");
    });
  }
  ExprPtr any_array() {
    return shared("an array",
                  [&] { return json_enclosed("[", joined({{any_value(), 0, kUnbounded}}, json_comma()), "]"); });
  }

  ExprPtr shape_expr(Shape shape, const std::string& place) {
    if (shape.values) {
      std::vector<ExprPtr> parts;
      for (const Json& value : *shape.values) {
        if (document_.admits_own(shape, value, place)) parts.push_back(json_constant(value));
      }
      if (parts.empty()) return nothing("no value of 'enum' or 'const' fits the keywords beside it");
      return choice(std::move(parts));
    }
    if (reading_ == SchemaReading::kStrict) {
      const Types mentioned = shape.mentions & shape.types;
      if (!shape.says_type && (mentioned == kNumber || std::popcount(mentioned) == 1)) shape.types = mentioned;
      if (shape.declares && !shape.additional) {
        declare_required(shape, place);
        shape.additional = Json(false);
      }
    }
    std::vector<ExprPtr> parts;
    if ((shape.types & kObject) != 0) parts.push_back(object_expr(shape, place));
    if ((shape.types & kArray) != 0) parts.push_back(array_expr(shape, place));
    if ((shape.types & kString) != 0) parts.push_back(string_expr(shape, place));
    if ((shape.types & kNumber) != 0) parts.push_back(number_expr(shape, place));
    if ((shape.types & kBoolean) != 0) parts.insert(parts.end(), {bytes("true"), bytes("false")});
    if ((shape.types & kNull) != 0) parts.push_back(bytes("null"));
    return choice(std::move(parts));
  }

  ExprPtr number_expr(const Shape& shape, const std::string& place) {
    const bool integer = (shape.types & kFraction) == 0;
    const bool fraction = (shape.types & kInteger) == 0;
    if (shape.minimum && shape.maximum) {
      const int order = compare(shape.minimum->value, shape.maximum->value);
      if (order > 0 || (order == 0 && (shape.minimum->exclusive || shape.maximum->exclusive))) {
        return nothing(bound_text(*shape.minimum, true) + " and " + bound_text(*shape.maximum, false));
      }
    }
    const std::optional<Bound> minimum = near_bound(shape.minimum, true, place);
    const std::optional<Bound> maximum = near_bound(shape.maximum, false, place);
    if (!integer && !fraction && !minimum && !maximum && shape.multiple_of.empty()) return any_number();
    ExprPtr numbers = json_number({integer, fraction, minimum, maximum, shape.multiple_of});
    if (numbers->kind != Expr::Kind::kRegular || !is_empty(*numbers->regular)) return numbers;
    std::string limits;
    const auto add = [&](const std::string& limit) { limits += (limits.empty() ? "" : " and ") + limit; };
    if (shape.minimum) add(bound_text(*shape.minimum, true));
    if (shape.maximum) add(bound_text(*shape.maximum, false));
    for (const Decimal& divisor : shape.multiple_of) add("'multipleOf' is " + divisor.text());
    return nothing(fmt::format("there is no such {}: {}", integer ? "integer" : "number", limits));
  }

  static void check_count(const char* key, int64_t count, const std::string& place) {
    if (count > kMaxCount) {
      throw fail<Unsupported>("'{}' at {} is {}; at most {} can be enforced", key, place, count, kMaxCount);
    }
  }

  ExprPtr string_expr(const Shape& shape, const std::string& place) {
    const bool lengths_alone =
        shape.patterns.empty() && shape.not_patterns.empty() && shape.formats.empty() && shape.excluded.empty();
    if (lengths_alone) {
      if (shape.min_length == 0 && !shape.max_length) return any_string();
      if (shape.max_length && *shape.max_length < shape.min_length) return no_length(shape);
      check_count("minLength", shape.min_length, place);
      // No answer is longer: as good as no limit.
      const bool limited = shape.max_length && *shape.max_length <= kMaxCount;
      return json_string(static_cast<int>(shape.min_length),
                         limited ? static_cast<int>(*shape.max_length) : kUnbounded);
    }
    const std::shared_ptr<const Fsm> content = string_content(shape, place);
    if (!is_empty(*content)) return json_string(*content);
    if (shape.max_length && *shape.max_length < shape.min_length) return no_length(shape);
    return nothing("no string fits its pattern, format and length");
  }

  ExprPtr no_length(const Shape& shape) {
    return nothing(fmt::format("'minLength' is {} and 'maxLength' is {}", shape.min_length, *shape.max_length));
  }

  ExprPtr array_expr(const Shape& shape, const std::string& place) {
    if (shape.max_items && *shape.max_items < shape.min_items) {
      return nothing(fmt::format("'minItems' is {} and 'maxItems' is {}", shape.min_items, *shape.max_items));
    }
    if (shape.unique && !(shape.max_items && *shape.max_items <= 1)) return unique_array_expr(shape, place);
    if (shape.prefix.empty() && !shape.items && shape.min_items == 0 && !shape.max_items) return any_array();
    check_count("minItems", shape.min_items, place);
    if (shape.max_items) check_count("maxItems", *shape.max_items, place);
    if (shape.prefix.size() > kMaxPrefix) {
      throw fail<Unsupported>("'prefixItems' at {} has {} schemas; at most {} can be enforced", place,
                              shape.prefix.size(), kMaxPrefix);
    }
    const auto min = static_cast<int>(shape.min_items);
    const int max = shape.max_items ? static_cast<int>(*shape.max_items) : kUnbounded;
    const auto prefix = static_cast<int>(
        shape.max_items ? std::min<int64_t>(*shape.max_items, static_cast<int64_t>(shape.prefix.size()))
                        : static_cast<int64_t>(shape.prefix.size()));
    const ExprPtr item = schema_expr(shape.items.value_or(Json(true)), place + "/items");
    if (prefix == 0) {
      if (max == 0) return json_enclosed("[", bytes(""), "]");
      const ExprPtr more =
          repeat_countable(sequence({json_comma(), item}), std::max(min - 1, 0), max == kUnbounded ? max : max - 1);
      const ExprPtr items = sequence({item, more});
      return json_enclosed("[", min == 0 ? optional(items) : items, "]");
    }
    // From the back: an item may only be there if all before it are.
    ExprPtr rest = repeat_countable(sequence({json_comma(), item}), std::max(min - prefix, 0),
                                    max == kUnbounded ? max : max - prefix);
    for (int i = prefix - 1; i >= 0; --i) {
      const ExprPtr own = schema_expr(shape.prefix[static_cast<size_t>(i)], fmt::format("{}/prefixItems/{}", place, i));
      rest = i > 0 ? sequence({json_comma(), own, rest}) : sequence({own, rest});
      if (i >= min) rest = optional(rest);
    }
    return json_enclosed("[", rest, "]");
  }

  /// Every value of `schema`, where they are few; nothing where they are not.
  std::optional<Values> few_values(const Json& schema, const std::string& place) const {
    Values all;
    for (const Shape& shape : document_.shapes(schema, place)) {
      Values own = shape.values.value_or(Values());
      if (!shape.values) {
        if ((shape.types & (kObject | kArray | kString | kFraction)) != 0) return std::nullopt;
        if ((shape.types & kNull) != 0) own.add(nullptr);
        if ((shape.types & kBoolean) != 0) own.add_all({false, true});
        if ((shape.types & kInteger) != 0) {
          const auto bound = [](const std::optional<Bound>& b) {
            return b && b->value.fraction.empty() ? parse_number<int32_t>(b->value.text()) : std::nullopt;
          };
          const std::optional<int32_t> low = bound(shape.minimum);
          const std::optional<int32_t> high = bound(shape.maximum);
          if (!low || !high || int64_t{*high} - *low > kMaxFewValues) return std::nullopt;
          for (int64_t value = *low; value <= *high; ++value) own.add(value);
        }
      }
      for (const Json& value : own) {
        if (document_.admits_own(shape, value, place)) all.add(value);
      }
    }
    return all;
  }

  /// An array without equal items: a rule for each place and set of values that were written before it.
  ExprPtr unique_array_expr(const Shape& shape, const std::string& place) {
    const auto cannot = [&](const std::string& why) {
      return fail<Unsupported>(
          "'uniqueItems' at {} cannot be enforced: {}; leave it out, or give the items an enum and a maxItems", place,
          why);
    };
    Values all;
    std::vector<std::vector<size_t>> choices;  // of `all`, by the item's place; the last is that of all items behind
    const auto read = [&](const Json& schema, const std::string& own) {
      const auto values = few_values(schema, own);
      if (!values) throw cannot(fmt::format("the items at {} may have any number of values", own));
      std::vector<size_t>& indices = choices.emplace_back();
      for (const Json& value : *values) indices.push_back(all.add(value));
    };
    auto limit = static_cast<size_t>(std::min(shape.max_items.value_or(kMaxCount), kMaxCount));
    // Where nothing is said of those behind the first ones, there are none: any value would have to be told from all.
    const bool may_end =
        !shape.items && !shape.prefix.empty() && std::cmp_less_equal(shape.min_items, shape.prefix.size());
    if (reading_ == SchemaReading::kStrict && may_end) limit = std::min(limit, shape.prefix.size());
    for (size_t i = 0; i < std::min(shape.prefix.size(), limit); ++i) {
      read(shape.prefix[i], fmt::format("{}/prefixItems/{}", place, i));
    }
    if (choices.size() < limit) read(shape.items.value_or(Json(true)), place + "/items");
    const size_t most = std::min(limit, all.size());
    if (shape.min_items > static_cast<int64_t>(most)) {
      return nothing(fmt::format("'minItems' is {} and 'uniqueItems' leaves {}", shape.min_items, most));
    }
    std::vector<ExprPtr> constants;
    for (const Json& value : all) constants.push_back(json_constant(value));
    std::map<std::vector<bool>, int> rules;
    size_t items_written = 0;
    const auto rest = [&](auto& self, std::vector<bool>& used, size_t count) -> ExprPtr {
      if (count == most) return bytes("");
      const auto [found, is_new] = rules.try_emplace(used, 0);
      if (!is_new) return rule_ref(found->second);
      check_interrupt();
      if (rules.size() > kMaxSets) {
        throw cannot(fmt::format("its items may have {} values, which are more than {} sets to tell apart", all.size(),
                                 kMaxSets));
      }
      const int rule = add_rule(place);
      found->second = rule;
      std::vector<ExprPtr> parts;
      for (const size_t i : choices[std::min(count, choices.size() - 1)]) {
        if (used[i]) continue;
        if (++items_written > kMaxItemsOfSets) {
          throw cannot(fmt::format("its items may have {} values, which takes more than {} items to write", all.size(),
                                   kMaxItemsOfSets));
        }
        used[i] = true;
        std::vector<ExprPtr> item = {constants[i], self(self, used, count + 1)};
        used[i] = false;
        if (count > 0) item.insert(item.begin(), json_comma());
        parts.push_back(sequence(std::move(item)));
      }
      ExprPtr expr = choice(std::move(parts));
      if (static_cast<int64_t>(count) >= shape.min_items) expr = optional(std::move(expr));
      grammar_.rules[static_cast<size_t>(rule)].expr = std::move(expr);
      return rule_ref(rule);
    };
    std::vector<bool> used(constants.size());
    return json_enclosed("[", rest(rest, used, 0), "]");
  }

  /// A property's schema, with those of the patterns that its name has. `names`: the shapes of each of propertyNames.
  Json property_schema(const Shape& shape, const std::string& name, Json schema,
                       const std::vector<std::vector<Shape>>& names, const std::string& place) const {
    for (const auto& [pattern, more] : shape.pattern_properties) {
      if (pattern_machine(pattern, place).accepts(name)) schema = both_schemas(schema, more);
    }
    for (const std::vector<Shape>& shapes : names) {
      const auto admits = [&](const Shape& own) { return document_.admits(own, Json(name), place); };
      if (std::ranges::none_of(shapes, admits)) return false;
    }
    if (shape.absent.has(name)) return false;
    return schema;
  }

  ExprPtr object_expr(Shape shape, const std::string& place) {
    const bool free = shape.properties.empty() && shape.required.empty() && shape.absent.empty() &&
                      shape.pattern_properties.empty() && shape.property_names.empty() &&
                      (!shape.additional || *shape.additional == Json(true)) && shape.min_properties == 0 &&
                      !shape.max_properties;
    if (free) return any_object();
    declare_required(shape, place);
    std::vector<std::vector<Shape>> names;
    for (const Json& schema : shape.property_names) names.push_back(document_.shapes(schema, place));
    std::vector<Expr::Member> members;
    int64_t needed = 0;
    for (const auto& [name, own] : shape.properties) {
      const Json schema = property_schema(shape, name, own, names, place);
      const bool is_required = shape.required.has(name);
      if (is_required) ++needed;
      if (schema == Json(false)) {
        if (is_required) return nothing(fmt::format("'{}' is required, and no value is allowed", shortened(name)));
        continue;
      }
      const ExprPtr value = schema_expr(schema, fmt::format("{}/properties/{}", place, name));
      members.push_back({sequence({bytes(json_quoted(name) + ":"), json_space(), value}), is_required ? 1 : 0, 1});
    }
    const ExprPtr others = other_members(shape, place);
    limit_count(shape, members, needed, others, place);
    return json_enclosed("{", joined(std::move(members), json_comma()), "}");
  }

  /// Names that are required and not declared become declared ones.
  void declare_required(Shape& shape, const std::string& place) const {
    if (shape.pattern_properties.size() > kMaxPatterns) {
      throw fail<Unsupported>("'patternProperties' at {} has {} patterns; at most {} can be enforced", place,
                              shape.pattern_properties.size(), kMaxPatterns);
    }
    for (const std::string& name : shape.required) {
      if (shape.property(name) != nullptr) continue;
      const bool matched = std::ranges::any_of(shape.pattern_properties, [&](const auto& pattern) {
        return pattern_machine(pattern.name, place).accepts(name);
      });
      shape.properties.add({name, matched ? Json(true) : shape.additional.value_or(Json(true))});
    }
  }

  /// Adds the members that are not declared, as many as minProperties and maxProperties allow.
  void limit_count(const Shape& shape, std::vector<Expr::Member>& members, int64_t needed, const ExprPtr& others,
                   const std::string& place) {
    const auto declared = static_cast<int64_t>(members.size());
    int64_t least = shape.min_properties;
    if (shape.max_properties && (*shape.max_properties < needed || *shape.max_properties < least)) {
      const std::string least_text = *shape.max_properties < needed ? fmt::format("{} properties are required", needed)
                                                                    : fmt::format("'minProperties' is {}", least);
      members = {{nothing(fmt::format("{} and 'maxProperties' is {}", least_text, *shape.max_properties)), 1, 1}};
      return;
    }
    if (least > needed && least == declared && others == nullptr) {
      for (Expr::Member& member : members) member.min = 1;
      return;
    }
    // Two members of one name count once: a second one that must be there cannot be told from the first.
    const bool one_other = least == 1 && declared == 0 && others != nullptr;
    if (least > needed && !one_other) {
      if (others == nullptr && least > declared) {
        members = {{nothing(fmt::format("'minProperties' is {} and {} may be there", least, declared)), 1, 1}};
        return;
      }
      throw fail<Unsupported>("'minProperties' of {} at {} cannot be enforced: name the properties in 'required'",
                              least, place);
    }
    if (!shape.max_properties) {
      if (others != nullptr) members.push_back({others, one_other ? 1 : 0, kUnbounded});
      return;
    }
    const int64_t most = *shape.max_properties;
    check_count("maxProperties", most, place);
    if (most == needed) {
      // Those that must be there are all that may be.
      std::erase_if(members, [](const Expr::Member& member) { return member.min == 0; });
    } else if (others != nullptr && declared == needed) {
      const ExprPtr more = repeat_countable(sequence({json_comma(), others}), 0, static_cast<int>(most - declared) - 1);
      members.push_back({sequence({others, more}), one_other ? 1 : 0, 1});
    } else if (most < declared || others != nullptr) {
      throw fail<Unsupported>("'maxProperties' of {} at {} cannot be enforced beside properties that are not required",
                              most, place);
    }
  }

  /// A member of any other name; nullptr: there is none.
  ExprPtr other_members(const Shape& shape, const std::string& place) {
    const Json additional = shape.additional.value_or(Json(true));
    const auto member = [&](ExprPtr key, const Json& schema) {
      return sequence({std::move(key), bytes(":"), json_space(), schema_expr(schema, place + "/additionalProperties")});
    };
    if (shape.pattern_properties.empty() && additional == Json(false)) return nullptr;
    const bool any_name = shape.properties.empty() && shape.pattern_properties.empty() &&
                          shape.property_names.empty() && shape.absent.empty();
    if (any_name) {
      return member(any_string(), additional);
    }
    Fsm names = make_dfa(*repeat(chars({{0, kLastChar}}), 0, kUnbounded), "a name");
    if (!shape.properties.empty() || !shape.absent.empty()) {
      std::vector<ExprPtr> declared;
      for (const auto& [name, schema] : shape.properties) declared.push_back(bytes(name));
      for (const std::string& name : shape.absent) declared.push_back(bytes(name));
      names = complement(make_dfa(*choice(std::move(declared)), "the properties"), "the properties");
    }
    for (const Json& schema : shape.property_names) {
      names = intersect(names, names_machine(schema, place), "'propertyNames'");
    }
    // One case for each set of patterns that a name can have.
    std::vector<Fsm> machines;
    for (const auto& [pattern, schema] : shape.pattern_properties) machines.push_back(pattern_machine(pattern, place));
    std::vector<ExprPtr> cases;
    for (uint32_t set = 0; set < 1U << machines.size(); ++set) {
      Json schema = set == 0 ? additional : Json(true);
      Fsm own = names;
      for (size_t i = 0; i < machines.size(); ++i) {
        const bool has = (set >> i & 1U) != 0;
        own = intersect(own, has ? machines[i] : complement(machines[i], place), place);
        if (has) schema = both_schemas(schema, shape.pattern_properties.begin()[i].schema);
      }
      if (schema == Json(false) || is_empty(own)) continue;
      cases.push_back(member(json_string(own), schema));
    }
    return cases.empty() ? nullptr : choice(std::move(cases));
  }

  /// The names that propertyNames' `schema` allows.
  Fsm names_machine(const Json& schema, const std::string& place) const {
    std::vector<ExprPtr> parts;
    for (const Shape& shape : document_.shapes(schema, place + "/propertyNames")) {
      if ((shape.types & kString) == 0) continue;
      if (shape.values) {
        for (const Json& value : *shape.values) {
          if (value.is_string() && document_.admits_own(shape, value, place)) parts.push_back(bytes(value));
        }
      } else if (const auto content = string_content(shape, place)) {
        parts.push_back(regular(content));
      } else {
        parts.push_back(repeat(chars({{0, kLastChar}}), 0, kUnbounded));
      }
    }
    return make_dfa(*choice(std::move(parts)), "'propertyNames'");
  }

  static constexpr int kMaxDepth = 300;

  const SchemaDocument document_;
  const SchemaReading reading_;
  Grammar grammar_;
  std::map<std::string, int, std::less<>> schemas_;  // rules, by the schema's text
  std::map<std::string, int, std::less<>> shared_;
  int rule_ = 0;  // of the schema that is read
  int depth_ = 0;
};

}  // namespace

Fsm pattern_machine(const std::string& pattern, const std::string& place) {
  try {
    return make_dfa(*parse_regex_search(pattern), "the pattern");
  } catch (const Unsupported& error) {
    throw fail<Unsupported>("pattern '{}' at {}: {}", pattern, place, error.what());
  } catch (const InvalidArgument& error) {
    throw fail<InvalidArgument>("pattern '{}' at {}: {}", pattern, place, error.what());
  }
}

std::shared_ptr<const Fsm> string_content(const Shape& shape, const std::string& place) {
  std::shared_ptr<const Fsm> content;
  const auto narrow = [&](const Fsm& machine) {
    content = std::make_shared<Fsm>(content == nullptr ? machine : intersect(*content, machine, "the set of strings"));
  };
  for (const std::string& name : shape.formats) {
    const std::shared_ptr<const Fsm> format = string_format(name);
    if (format == nullptr) throw fail<Unsupported>("'format' \"{}\" at {} cannot be enforced", name, place);
    narrow(*format);
  }
  for (const std::string& pattern : shape.patterns) narrow(pattern_machine(pattern, place));
  for (const std::string& pattern : shape.not_patterns) {
    narrow(complement(pattern_machine(pattern, place), "the opposite of a pattern"));
  }
  if (!shape.excluded.empty()) {
    std::vector<ExprPtr> texts;
    for (const std::string& text : shape.excluded) texts.push_back(bytes(text));
    narrow(complement(make_dfa(*choice(std::move(texts)), "the excluded texts"), "the excluded texts"));
  }
  if (content != nullptr && is_empty(*content)) return content;
  // Lengths that all texts have anyway need no counting.
  const TextLengths has = content == nullptr ? TextLengths{0, kUnbounded} : text_lengths(*content);
  const bool short_enough = !shape.max_length || (has.longest != kUnbounded && has.longest <= *shape.max_length);
  if (shape.min_length <= has.shortest && short_enough) return content;
  if (shape.max_length && *shape.max_length < shape.min_length) {
    narrow(make_dfa(*choice({}), place));
    return content;
  }
  const bool limited = shape.max_length && *shape.max_length <= kMaxCount;
  const int64_t least = std::min(shape.min_length, kMaxCount);
  try {
    narrow(make_dfa(*repeat(chars({{0, kLastChar}}), static_cast<int>(least),
                            limited ? static_cast<int>(*shape.max_length) : kUnbounded),
                    "a length"));
  } catch (const Unsupported&) {
    throw fail<Unsupported>(
        "'{}' of {} at {} cannot be enforced beside a pattern, format or other alternative: it takes too many states; "
        "lower it, or say it in the pattern",
        limited ? "maxLength" : "minLength", limited ? *shape.max_length : least, place);
  }
  return content;
}

Grammar parse_json_schema(std::string_view text, SchemaReading reading) {
  try {
    return SchemaCompiler(text, reading).compile();
  } catch (const Unsupported& error) {
    if (std::string_view(error.what()).starts_with("JSON schema")) throw;
    throw fail<Unsupported>("JSON schema: {}", error.what());
  } catch (const InvalidArgument& error) {
    if (std::string_view(error.what()).starts_with("JSON schema")) throw;
    throw fail<InvalidArgument>("JSON schema: {}", error.what());
  }
}

}  // namespace caravel::grammar
