#include "grammar/json_schema.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "base/error.h"
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
constexpr double kMaxSets = 2000;  // of values that an array without equal items may have had so far

ExprPtr nothing() { return choice({}); }

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
    found->second = rule;
    std::vector<ExprPtr> parts;
    for (const Shape& shape : document_.shapes(schema, place)) parts.push_back(shape_expr(shape, place));
    grammar_.rules[static_cast<size_t>(rule)].expr = choice(std::move(parts));
    --depth_;
    return rule_ref(rule);
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
        if (document_.admits(shape, value, place)) parts.push_back(json_constant(value));
      }
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
    if ((shape.types & kNumber) != 0) parts.push_back(number_expr(shape));
    if ((shape.types & kBoolean) != 0) parts.insert(parts.end(), {bytes("true"), bytes("false")});
    if ((shape.types & kNull) != 0) parts.push_back(bytes("null"));
    return choice(std::move(parts));
  }

  ExprPtr number_expr(const Shape& shape) {
    const bool integer = (shape.types & kFraction) == 0;
    const bool fraction = (shape.types & kInteger) == 0;
    if (!integer && !fraction && !shape.minimum && !shape.maximum && shape.multiple_of.empty()) return any_number();
    return json_number({integer, fraction, shape.minimum, shape.maximum, shape.multiple_of});
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
      if (shape.max_length && *shape.max_length < shape.min_length) return nothing();
      check_count("minLength", shape.min_length, place);
      // No answer is longer: as good as no limit.
      const bool limited = shape.max_length && *shape.max_length <= kMaxCount;
      return json_string(static_cast<int>(shape.min_length),
                         limited ? static_cast<int>(*shape.max_length) : kUnbounded);
    }
    return json_string(*string_content(shape, place));
  }

  ExprPtr array_expr(const Shape& shape, const std::string& place) {
    if (shape.max_items && *shape.max_items < shape.min_items) return nothing();
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
  std::optional<std::vector<Json>> few_values(const Json& schema, const std::string& place) const {
    std::vector<Json> all;
    const auto add = [&](Json value) {
      const bool known = std::ranges::any_of(all, [&](const Json& other) { return same_value(other, value); });
      if (!known) all.push_back(std::move(value));
    };
    for (const Shape& shape : document_.shapes(schema, place)) {
      std::vector<Json> own = shape.values.value_or(std::vector<Json>());
      if (!shape.values) {
        if ((shape.types & (kObject | kArray | kString | kFraction)) != 0) return std::nullopt;
        if ((shape.types & kNull) != 0) own.emplace_back(nullptr);
        if ((shape.types & kBoolean) != 0) own.insert(own.end(), {false, true});
        if ((shape.types & kInteger) != 0) {
          const auto bound = [](const std::optional<Bound>& b) {
            return b && b->value.fraction.empty() ? parse_number<int32_t>(b->value.text()) : std::nullopt;
          };
          const std::optional<int32_t> low = bound(shape.minimum);
          const std::optional<int32_t> high = bound(shape.maximum);
          if (!low || !high || int64_t{*high} - *low > kMaxFewValues) return std::nullopt;
          for (int64_t value = *low; value <= *high; ++value) own.emplace_back(value);
        }
      }
      for (Json& value : own) {
        if (document_.admits(shape, value, place)) add(std::move(value));
      }
    }
    return all;
  }

  /// An array without equal items: a rule for each set of values that were written already.
  ExprPtr unique_array_expr(const Shape& shape, const std::string& place) {
    const auto values = shape.prefix.empty() ? few_values(shape.items.value_or(Json(true)), place + "/items")
                                             : std::optional<std::vector<Json>>();
    const auto cannot = [&](const char* why) {
      return fail<Unsupported>(
          "'uniqueItems' at {} cannot be enforced: {}; leave it out, or give the items an enum and a maxItems", place,
          why);
    };
    if (!values) throw cannot("the items may have any number of values");
    const auto most = static_cast<size_t>(
        std::min<int64_t>(shape.max_items.value_or(kMaxCount), static_cast<int64_t>(values->size())));
    if (shape.min_items > static_cast<int64_t>(most)) return nothing();
    double sets = 1;  // n over k, summed
    double sum = 1;
    for (size_t k = 0; k < most; ++k) {
      sets *= static_cast<double>(values->size() - k) / static_cast<double>(k + 1);
      sum += sets;
    }
    if (sum > kMaxSets) throw cannot("the items have too many values");
    std::vector<ExprPtr> constants;
    for (const Json& value : *values) constants.push_back(json_constant(value));
    std::map<std::vector<bool>, int> rules;
    const auto rest = [&](auto& self, std::vector<bool>& used, size_t count) -> ExprPtr {
      if (count == most) return bytes("");
      const auto [found, is_new] = rules.try_emplace(used, 0);
      if (!is_new) return rule_ref(found->second);
      const int rule = add_rule(place);
      found->second = rule;
      std::vector<ExprPtr> parts;
      for (size_t i = 0; i < constants.size(); ++i) {
        if (used[i]) continue;
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

  /// A property's schema, with those of the patterns that its name has.
  Json property_schema(const Shape& shape, const std::string& name, Json schema, const std::string& place) const {
    for (const auto& [pattern, more] : shape.pattern_properties) {
      if (pattern_machine(pattern, place).accepts(name)) schema = both_schemas(schema, more);
    }
    for (const Json& names : shape.property_names) {
      if (!document_.admits(names, Json(name), place)) return false;
    }
    if (std::ranges::find(shape.absent, name) != shape.absent.end()) return false;
    return schema;
  }

  ExprPtr object_expr(Shape shape, const std::string& place) {
    const bool free = shape.properties.empty() && shape.required.empty() && shape.absent.empty() &&
                      shape.pattern_properties.empty() && shape.property_names.empty() &&
                      (!shape.additional || *shape.additional == Json(true)) && shape.min_properties == 0 &&
                      !shape.max_properties;
    if (free) return any_object();
    declare_required(shape, place);
    std::vector<Expr::Member> members;
    int64_t needed = 0;
    for (const auto& [name, own] : shape.properties) {
      const Json schema = property_schema(shape, name, own, place);
      const bool is_required = shape.requires_property(name);
      if (is_required) ++needed;
      if (schema == Json(false)) {
        if (is_required) return nothing();
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
    for (const std::string& name : shape.required) {
      if (shape.property(name) != nullptr) continue;
      const bool matched = std::ranges::any_of(shape.pattern_properties, [&](const auto& pattern) {
        return pattern_machine(pattern.first, place).accepts(name);
      });
      shape.properties.emplace_back(name, matched ? Json(true) : shape.additional.value_or(Json(true)));
    }
  }

  /// Adds the members that are not declared, as many as minProperties and maxProperties allow.
  void limit_count(const Shape& shape, std::vector<Expr::Member>& members, int64_t needed, const ExprPtr& others,
                   const std::string& place) const {
    const auto declared = static_cast<int64_t>(members.size());
    int64_t least = shape.min_properties;
    if (shape.max_properties && (*shape.max_properties < needed || *shape.max_properties < least)) {
      members = {{nothing(), 1, 1}};
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
        members = {{nothing(), 1, 1}};
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
    if (shape.pattern_properties.size() > kMaxPatterns) {
      throw fail<Unsupported>("'patternProperties' at {} has {} patterns; at most {} can be enforced", place,
                              shape.pattern_properties.size(), kMaxPatterns);
    }
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
        if (has) schema = both_schemas(schema, shape.pattern_properties[i].second);
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
          if (value.is_string() && document_.admits(shape, value, place)) parts.push_back(bytes(value));
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
    narrow(make_dfa(*nothing(), place));
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
