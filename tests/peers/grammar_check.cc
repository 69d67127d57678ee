// Which texts a grammar accepts: reads lines {"schema" (with "exact"), "regex" or "gbnf", "texts": [...]}, writes for
// each {"accepts": [...], "ignored": [names of annotations]}, or {"refused": "why"} with {"malformed": true} where it
// is the caller's mistake.
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "grammar/compiler.h"
#include "grammar/json_schema.h"

namespace {

using caravel::GrammarSpec;
namespace grammar = caravel::grammar;

grammar::Grammar parse(const nlohmann::ordered_json& line) {
  if (line.contains("schema")) {
    const bool exact = line.value("exact", false);
    return grammar::parse_json_schema(line["schema"].dump(),
                                      exact ? grammar::SchemaReading::kExact : grammar::SchemaReading::kStrict);
  }
  const bool is_regex = line.contains("regex");
  return grammar::parse_spec({.kind = is_regex ? GrammarSpec::Kind::kRegex : GrammarSpec::Kind::kGbnf,
                              .text = line[is_regex ? "regex" : "gbnf"]});
}

nlohmann::ordered_json check(const nlohmann::ordered_json& line) {
  const auto refused = [](const std::exception& error, bool malformed) {
    return nlohmann::ordered_json{{"refused", error.what()}, {"malformed", malformed}};
  };
  try {
    const auto vocabulary = std::make_shared<grammar::TokenTrie>(std::span<const std::string_view>());
    const auto automaton = std::make_shared<grammar::Automaton>(parse(line));
    grammar::StateSpace space(automaton, vocabulary);
    nlohmann::ordered_json accepts = nlohmann::ordered_json::array();
    for (const std::string text : line["texts"]) {
      accepts.push_back(space.complete(space.advance(space.start(), std::string_view(text))));
    }
    nlohmann::ordered_json ignored = nlohmann::ordered_json::array();
    for (const grammar::Grammar::Annotation& annotation : automaton->ignored()) ignored.push_back(annotation.name);
    return {{"accepts", accepts}, {"ignored", ignored}};
  } catch (const caravel::InvalidArgument& error) {
    return refused(error, true);
  } catch (const caravel::Error& error) {
    return refused(error, false);
  }
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << check(nlohmann::ordered_json::parse(line)).dump() << std::endl;
  }
}
