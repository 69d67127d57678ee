#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/schema_shape.h"

namespace caravel::grammar {

/// A schema and where it stands: a JSON pointer, for messages.
struct PlacedSchema {
  const Json* schema;
  std::string place;
};

struct AnnotationName {
  const std::string& operator()(const Grammar::Annotation& annotation) const { return annotation.name; }
};

/// A JSON schema as a whole: follows its references and takes its combinations apart. One thread at a time.
class SchemaDocument {
 public:
  /// closes_objects: objects that declare properties and say nothing of others are written without others. Throws
  /// InvalidArgument (no JSON, a key twice in one object, or nested more than 100 deep).
  SchemaDocument(std::string_view text, bool closes_objects);

  const Json& root() const { return root_; }
  /// The annotations met so far, each name once.
  std::vector<Grammar::Annotation> ignored() const { return {ignored_.begin(), ignored_.end()}; }

  /// A value fits `schema` if, and only if, it fits one of these. Throws InvalidArgument (a reference that leads
  /// nowhere, or to itself), Unsupported (a reference out of the document; a oneOf whose alternatives may hold at once;
  /// what shapes cannot say).
  std::vector<Shape> shapes(const Json& schema, const std::string& place) const;

  /// `value` fits. Throws what shapes() throws.
  bool admits(const Json& schema, const Json& value, const std::string& place) const;
  bool admits(const Shape& shape, const Json& value, const std::string& place) const;
  /// The same for one of shape.values, or where there are none.
  bool admits_own(const Shape& shape, const Json& value, const std::string& place) const;

 private:
  std::vector<Shape> shapes(const Json& schema, const std::string& place, int depth) const;
  PlacedSchema resolve(const std::string& reference, const std::string& place) const;
  using Members = std::map<std::string_view, const Json*, std::less<>>;  // keys stand in root_
  /// Of an object in root_; nullptr: it has none of that name. Searched in a table: definitions may be many.
  const Json* member(const Json& object, std::string_view name) const;
  static void read_anchors(const Json& schema, Members& anchors);
  Shape read(const Json& schema, const std::string& place) const;
  /// Those of `all` that do not fit `schema` either, or what `schema` is the condition of: one step of shapes().
  std::vector<Shape> without(const std::vector<Shape>& all, const std::vector<Shape>& denied, const char* by,
                             const std::string& place) const;
  std::vector<Shape> with_condition(const std::vector<Shape>& all, const Json& schema, const std::string& place,
                                    int depth) const;
  std::vector<Shape> with_dependencies(std::vector<Shape> all, const Json& schema, const std::string& place,
                                       int depth) const;
  bool exclude_each_other(const Shape& a, const Shape& b, const std::string& place) const;
  bool admits_string(const Shape& shape, const std::string& text, const std::string& place) const;
  bool admits_object(const Shape& shape, const Json& value, const std::string& place) const;
  bool admits_array(const Shape& shape, const Json& value, const std::string& place) const;

  const bool closes_objects_;
  const Json root_;
  mutable std::map<const Json*, Members> members_;  // of objects that references went through
  mutable std::optional<Members> anchors_;
  mutable UniqueList<Grammar::Annotation, AnnotationName> ignored_;
  /// What strings may hold by the last shape that one was held to: the values of an enum have it in common.
  mutable Shape rules_;
  mutable std::shared_ptr<const Fsm> content_;
};

/// The texts that `shape` allows strings to be, decoded; nullptr: any. Throws Unsupported.
std::shared_ptr<const Fsm> string_content(const Shape& shape, const std::string& place);

/// The texts in which `pattern` occurs, as a machine. Throws Unsupported and InvalidArgument with `place`.
Fsm pattern_machine(const std::string& pattern, const std::string& place);

}  // namespace caravel::grammar
