#include <gtest/gtest.h>

#include "grammar/schema_document.h"
#include "grammar/testing.h"

namespace caravel::grammar {
namespace {

void expect_json(const std::string& schema, const std::vector<std::string>& yes, const std::vector<std::string>& no,
                 SchemaReading reading = SchemaReading::kStrict) {
  SCOPED_TRACE(schema);
  expect_texts(parse_json_schema(schema, reading), yes, no);
}

TEST(Schema, Types) {
  expect_json(R"({"type":"null"})", {"null"}, {"", "nul", "0"});
  expect_json(R"({"type":["boolean","null"]})", {"true", "false", "null"}, {"1"});
  expect_json(R"({"type":"integer"})", {"0", "-7", "1234567890123456789"}, {"01", "1.0", "1e3", "-", "+1", " 1"});
  expect_json(R"({"type":"number"})", {"0", "-7.25", "1e3", "0.5E-12"}, {"01", "1.", ".5", "1e", "1e999", "NaN"});
  expect_json(R"({"type":"string"})", {R"("")", R"("é\n\u00e9\ud83d\ude00\/")", R"("日")"},
              {"a", "\"", "\"\n\"", R"("\q")", R"("\ud83d")", "\"\xFF\"", R"("\u12")"});
  expect_json("true", {"null", "[1, {\"a\":\"b\"}]", "{}"}, {"", "[1,]", "{\"a\"}"});
  expect_refused<InvalidArgument>(schema_spec("false"), "nothing can match");
  expect_json(R"({"type":"object"})", {"{}", R"({"a":1,"b":[{}]})", "{\n  \"a\": 1\n}"}, {"[]", "{,}", R"({"a" :1})"});
}

TEST(Schema, NumbersAreComparedExactly) {
  expect_json(R"({"type":"integer","minimum":-12,"exclusiveMaximum":305})", {"-12", "-1", "0", "99", "304"},
              {"-13", "-120", "305", "1000"});
  expect_json(R"({"type":"integer","minimum":100,"maximum":100})", {"100"}, {"99", "101", "10"});
  expect_json(R"({"type":"number","exclusiveMinimum":0.5,"maximum":1.25})", {"0.51", "0.500001", "1", "1.25", "1.250"},
              {"0.5", "0.50", "0.499", "1.251", "2", "-0.7", "0"});
  expect_json(R"({"type":"number","maximum":-0.05})", {"-0.05", "-0.051", "-3", "-0.1"},
              {"-0.04", "0", "0.05", "-0.049"});
  expect_json(R"({"type":"number","exclusiveMinimum":0})", {"0.001", "5"}, {"0", "0.0", "-1"});
  expect_json(R"({"type":"integer","multipleOf":7})", {"0", "49", "-14", "700"}, {"1", "48", "-13"});
  expect_json(R"({"type":"number","multipleOf":0.25})", {"0.5", "1", "-1.75", "2.250"}, {"0.3", "1.2", "0.125"});
  expect_json(R"({"type":"integer","minimum":1,"multipleOf":5,"maximum":12})", {"5", "10"}, {"0", "15", "7"});
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) {
    const int low = static_cast<int>(random() % 400) - 200;
    const int high = low + static_cast<int>(random() % 150);
    StateSpace space =
        make_space(parse_json_schema(fmt::format(R"({{"type":"integer","minimum":{},"maximum":{}}})", low, high)));
    for (int value = -450; value <= 450; ++value) {
      const int32_t state = space.advance(space.start(), std::string_view(std::to_string(value)));
      ASSERT_EQ(space.complete(state), low <= value && value <= high) << value << " in " << low << ".." << high;
    }
  }
}

TEST(Schema, BoundsOfManyDigits) {
  expect_json(R"({"type":"number","minimum":1e20})", {"100000000000000000000", "123000000000000000000"},
              {"99999999999999999999", "0", "1e21"});
  expect_json(R"({"type":"number","exclusiveMinimum":1e20})", {"100000000000001000000"}, {"100000000000000000000"});
  expect_json(R"({"type":"integer","minimum":10000000000000000000})", {"10000000000000000000", "98765432109876543210"},
              {"9999999999999999999", "-10000000000000000000"});
  expect_json(R"({"type":"integer","minimum":18446744073709551616,"maximum":18446744073709551617})",
              {"18446744073709551616", "18446744073709551617"}, {"18446744073709551615", "18446744073709551618"});
  expect_json(R"({"type":"integer","exclusiveMinimum":9999999999999999999})", {"10000000000000000000"},
              {"9999999999999999999"});
  expect_json(R"({"type":"number","exclusiveMinimum":0,"maximum":1e-30})",
              {"0.000000000000000000000000000001", "0.00000000000000000000000000000075"},
              {"0", "0.0", "0.00000000000000000000000000001", "-1"});
  expect_json(R"({"type":"number","minimum":-1e-20,"exclusiveMaximum":0})", {"-0.00000000000000000001"},
              {"0", "-0.0000000000000000001"});
  expect_json(R"({"type":"number","minimum":1.00000000000000000001,"maximum":1.00000000000000000002})",
              {"1.00000000000000000001", "1.000000000000000000015"}, {"1", "1.00000000000000000003"});
  // No number that is written comes near to these.
  expect_json(R"({"type":"number","minimum":-1.7976931348623157e308,"maximum":1.7976931348623157e308})",
              {"0", "-1.5e99"}, {"x"});
  expect_json(R"({"type":"number","minimum":0,"maximum":1e70})", {"0", "5"}, {"-1"});
  const auto refused = [](const std::string& schema, const std::string& part) {
    expect_refused<Unsupported>(schema_spec(schema), part);
  };
  refused(R"({"properties":{"a":{"type":"number","minimum":1e300}}})",
          "'minimum' at #/properties/a: numbers of more than 60 digits");
  refused(R"({"type":"number","exclusiveMaximum":-1e300})", "'exclusiveMaximum' at #: numbers of more than 60 digits");
  refused(R"({"type":"number","exclusiveMinimum":0,"maximum":1e-100})", "'maximum' at #: numbers of more than 60");
  refused(R"({"properties":{"a":{"multipleOf":0.00000001}}})", "'multipleOf' at #/properties/a is 0.00000001: at most");
}

TEST(Schema, AContradictionNamesTheInnermostPlace) {
  const auto refused = [](const std::string& schema, const std::string& part) {
    expect_refused<InvalidArgument>(schema_spec(schema), part);
  };
  const auto within = [](const std::string& inner) {
    return R"({"type":"object","properties":{"x":{"type":"object","properties":{"y":)" + inner +
           R"(},"required":["y"]}},"required":["x"]})";
  };
  const auto y = [&](const std::string& inner, const std::string& why) {
    refused(within(inner), "JSON schema: nothing can match #/properties/x/properties/y: " + why);
  };
  y(R"({"type":"integer","minimum":5,"maximum":3})", "'minimum' is 5 and 'maximum' is 3");
  y(R"({"type":"number","minimum":5,"exclusiveMaximum":5})", "'minimum' is 5 and 'exclusiveMaximum' is 5");
  y(R"({"type":"number","minimum":1e300,"maximum":3})", "'minimum' is 1000");
  y(R"({"type":"integer","minimum":1.2,"maximum":1.8})",
    "there is no such integer: 'minimum' is 1.2 and 'maximum' is 1.8");
  y(R"({"type":"integer","minimum":1,"maximum":6,"multipleOf":7})",
    "there is no such integer: 'minimum' is 1 and 'maximum' is 6 and 'multipleOf' is 7");
  y(R"({"type":"string","minLength":5,"maxLength":3})", "'minLength' is 5 and 'maxLength' is 3");
  y(R"({"type":"string","minLength":5,"maxLength":3,"pattern":"a"})", "'minLength' is 5 and 'maxLength' is 3");
  y(R"({"type":"string","maxLength":3,"pattern":"^abcd$"})", "no string fits its pattern, format and length");
  y(R"({"type":"array","minItems":5,"maxItems":3})", "'minItems' is 5 and 'maxItems' is 3");
  y(R"({"type":"array","minItems":3,"items":{"type":"boolean"},"uniqueItems":true})",
    "'minItems' is 3 and 'uniqueItems' leaves 2");
  y(R"({"type":"object","minProperties":5,"maxProperties":3})", "'minProperties' is 5 and 'maxProperties' is 3");
  y(R"({"type":"object","required":["a","b"],"maxProperties":1})",
    "2 properties are required and 'maxProperties' is 1");
  y(R"({"type":"string","enum":[1]})", "no value of 'enum' or 'const' fits");
  y(R"({"const":1,"enum":[2]})", "what it combines");
  y(R"({"enum":[]})", "'enum' is empty");
  y(R"({"allOf":[{"type":"string"},{"type":"null"}]})", "what it combines");
  y(R"({"type":"object","required":["z"],"additionalProperties":false})", "'z' is required, and no value is allowed");
  y(R"({"type":"object","properties":{"z":false},"required":["z"]})", "'z' is required");
  y(R"({"type":["string","integer"],"minLength":5,"maxLength":3,"minimum":5,"maximum":3})",
    "'minLength' is 5 and 'maxLength' is 3; 'minimum' is 5 and 'maximum' is 3");
  refused(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
          "nothing can match #/properties/a: it requires itself, without an end");
  refused(R"({"type":"array","minItems":1,"items":{"type":"array","prefixItems":[false],"minItems":1}})",
          "nothing can match #/items/prefixItems/0: it is false");
  refused("false", "nothing can match #: it is false");
  refused(
      R"({"type":"array","uniqueItems":true,"minItems":2,"prefixItems":[{"const":1},{"const":1}],"items":{"const":2}})",
      "nothing can match #: its parts leave no value");
  // What need not be there is left out.
  expect_json(R"({"type":"object","properties":{"a":{"type":"integer","minimum":5,"maximum":3},"b":{"type":"null"}}})",
              {"{}", R"({"b":null})"}, {R"({"a":4})"});
  expect_json(R"({"anyOf":[{"enum":[]},{"type":"string","minLength":2,"maxLength":1},{"type":"null"}]})", {"null"},
              {R"("a")"});
}

TEST(Schema, OneOfSeveralIsNamedByItsNumber) {
  const auto call = [](const std::string& second) {
    return GrammarSpec{.kind = GrammarSpec::Kind::kGbnf,
                       .text = "root ::= schema-0 schema-1",
                       .schemas = {R"({"type":"null"})", second}};
  };
  expect_refused<Unsupported>(call(R"({"contains":true})"), "grammar: schema-1: 'contains' at # cannot");
  expect_refused<InvalidArgument>(call(R"({"type":"text"})"), "grammar: schema-1: 'type' at # must be");
  expect_refused<InvalidArgument>(call("{"), "grammar: schema-1: cannot be read");
  expect_refused<InvalidArgument>(call(R"({"items":{"enum":[]},"minItems":1,"type":"array"})"),
                                  "grammar: schema-1: nothing can match #/items: 'enum' is empty");
}

TEST(Schema, ConstantsKeepTheirDigits) {
  expect_json(R"({"const":123456789012345678901234567890})", {"123456789012345678901234567890"},
              {"1.2345678901234568e+29", "123456789012345677877719597056"});
  expect_json(R"({"enum":[18446744073709551616,18446744073709551617]})",
              {"18446744073709551616", "18446744073709551617"}, {"1.8446744073709552e+19", "18446744073709551615"});
  expect_json(R"({"const":0.1234567890123456789})", {"0.1234567890123456789"}, {"0.12345678901234568"});
  expect_json(R"({"const":{"a":[-1e-400]}})", {R"({"a":[-1e-400]})"}, {R"({"a":[0]})"});
  expect_json(R"({"const":0.30000000000000004})", {"0.30000000000000004"}, {"0.3"});
  // They are told apart, and compared with bounds, digit by digit.
  expect_json(R"({"enum":[18446744073709551616,18446744073709551617],"minimum":18446744073709551617})",
              {"18446744073709551617"}, {"18446744073709551616"});
  expect_json(R"({"enum":[123456789012345678901234567890.0,0.5],"type":"integer"})",
              {"123456789012345678901234567890.0"}, {"0.5"});
  expect_json(R"({"type":"integer","minimum":0,"maximum":18446744073709551616})", {"0", "1844674407370955161"}, {"-1"});
  expect_json(R"({"type":"string","maxLength":18446744073709551616})", {R"("a")"}, {"1"});
  expect_refused<Unsupported>(schema_spec(R"({"const":1e-2000000000})"), "1e-2000000000");
}

TEST(Schema, Strings) {
  expect_json(R"({"type":"string","minLength":2,"maxLength":3})", {R"("ab")", R"("日é😀")", R"("\n\u00e9")"},
              {R"("a")", R"("abcd")"});
  expect_json(R"({"type":"string","pattern":"b+"})", {R"("b")", R"("abc")"}, {R"("ac")"});
  expect_json(R"({"type":"string","pattern":"^\\p{Lu}[\\p{L}\\p{M}' -]{1,99}$","maxLength":5})",
              {R"("Åsa")", R"("D'Юн")"}, {R"("åsa")", R"("Å")", R"("Åsa Øy")", R"("Å1")"});
  expect_json(R"({"type":"string","pattern":"\\P{ASCII}"})", {R"("naïve")"}, {R"("naive")"});
  expect_json(R"({"type":"string","pattern":"^[a-z]+\\.$","maxLength":4})", {R"("a.")", R"("abc.")"},
              {R"("abcd.")", R"("a")"});
  expect_json(R"({"type":"string","pattern":"^[\"\\\\\\n\\x01]$"})", {R"("\"")", R"("\\")", R"("\n")", R"("\u0001")"},
              {R"("a")", R"("\t")", "\"\n\""});
  expect_json(R"({"type":"string","format":"date"})", {R"("2024-02-29")", R"("1999-12-31")"},
              {R"("2023-02-29")", R"("1900-02-29")", R"("2024-13-01")", R"("2024-1-1")"});
  expect_json(R"({"type":"string","format":"date-time"})",
              {R"("2024-02-29T23:59:59Z")", R"("2024-01-01T00:00:00.5+01:00")"},
              {R"("2024-02-29")", R"("2024-02-29T24:00:00Z")"});
  expect_json(R"({"type":"string","format":"ipv6"})", {R"("::1")", R"("2001:db8::8a2e:370:7334")", R"("::")"},
              {R"("1::2::3")", R"("12345::")", R"(":1")"});
  expect_json(R"({"type":"string","format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"});
  expect_json(R"({"type":"string","format":"email"})", {R"("a.b@example.org")"}, {R"("a@")", R"("@b")", R"("a..b@c")"});
  expect_json(R"({"type":"string","format":"uri"})", {R"("https://example.org/a?b=c#d")", R"("urn:isbn:0451450523")"},
              {R"("example.org")", R"("http://a b")"});
}

TEST(Schema, Objects) {
  const std::string person =
      R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"x":{}},"required":["age"]})";
  expect_json(person, {R"({"age":1})", R"({"name": "a", "age": 1})", R"({"name":"a","age":1,"x":[]})"},
              {"{}", R"({"name":"a"})", R"({"age":1,"name":"a"})", R"({"age":1,"y":2})", R"({"age":1,})"});
  expect_json(person, {R"({"age":1,"y":2})"}, {R"({"age":1,"age":2})", R"({"age":1,"name":3})"}, SchemaReading::kExact);
  expect_json(R"({"type":"object","properties":{"a":{"const":1}},"additionalProperties":{"type":"integer"}})",
              {"{}", R"({"a":1,"b":2,"aa":3})"}, {R"({"a":2})", R"({"b":"x"})", R"({"b":1,"a":2})", R"({"\u0061":2})"});
  expect_json(R"({"type":"object","patternProperties":{"^n":{"type":"null"},"b$":{"const":null}},
                  "additionalProperties":false})",
              {"{}", R"({"n1":null,"xb":null,"nb":null})"}, {R"({"n1":1})", R"({"c":null})"});
  expect_json(R"({"type":"object","properties":{"nx":{"enum":[null,1]}},"patternProperties":{"^n":{"type":"null"}}})",
              {R"({"nx":null})"}, {R"({"nx":1})"});
  expect_json(R"({"type":"object","propertyNames":{"maxLength":2},"minProperties":1})", {R"({"ab":1})"},
              {"{}", R"({"abc":1})"});
  expect_json(R"({"type":"object","maxProperties":2})", {"{}", R"({"a":1,"b":2})"}, {R"({"a":1,"b":2,"c":3})"});
  expect_json(R"({"type":"object","properties":{"a":false,"b":true}})", {"{}", R"({"b":1})"}, {R"({"a":1})"});
  expect_json(R"({"type":"object","required":["k"]})", {R"({"k":1,"z":2})"}, {"{}", R"({"z":2})"});
}

TEST(Schema, Arrays) {
  expect_json(R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})", {"[1]", "[1, 2,3]"},
              {"[]", "[1,2,3,4]", "[\"a\"]", "[1,]"});
  expect_json(R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false,"minItems":1})",
              {"[1]", R"([1, "a"])"}, {"[]", R"([1,"a",2])", R"(["a"])"});
  expect_json(R"({"type":"array","items":[{"type":"integer"}],"additionalItems":{"type":"null"}})",
              {"[]", "[1,null,null]"}, {"[null]", "[1,2]"});
  expect_json(R"({"type":"array","maxItems":0})", {"[]"}, {"[1]"});
}

TEST(Schema, CombinationsAndReferences) {
  expect_json(R"({"enum":["a",1,null,{"k":[true]}]})", {R"("a")", "1", "null", R"({"k": [true]})"}, {"2", R"("b")"});
  expect_json(R"({"type":"string","enum":["a",1],"maxLength":1})", {R"("a")"}, {"1"});
  expect_json(R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}],"maximum":5})", {"5", R"("a")"},
              {"6", R"("ab")"});
  expect_json(R"({"allOf":[{"type":"object","properties":{"a":{"minimum":2}},"required":["a"]},
                           {"properties":{"a":{"type":"integer","maximum":4},"b":{"type":"null"}}}]})",
              {R"({"a":3})", R"({"a":2,"b":null})"}, {R"({"a":1})", R"({"a":5})", R"({"b":null})", R"({"a":3,"c":1})"});
  expect_json(R"({"allOf":[{"properties":{"a":{"type":"integer"}},"additionalProperties":false},
                           {"properties":{"b":{"type":"integer"}}}],"type":"object"})",
              {"{}", R"({"a":1})"}, {R"({"b":1})"});
  expect_json(R"({"oneOf":[{"type":"string"},{"type":"integer"}]})", {R"("a")", "1"}, {"null"});
  expect_json(
      R"({"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"integer"}},"required":["kind","x"]},
                           {"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}]})",
      {R"({"kind":"a","x":1})", R"({"kind":"b"})"}, {R"({"kind":"a"})", R"({"kind":"c"})"});
  expect_json(R"({"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer"},
                  "kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["v"]}}})",
              {R"({"v":1})", R"({"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]})"}, {R"({"v":1,"kids":[{}]})"});
  expect_json(R"({"$defs":{"a":{"$anchor":"here","type":"integer"}},"$ref":"#here","minimum":3})", {"3"}, {"2"});
  expect_json(R"({"type":"array","items":{"$ref":"#"}})", {"[]", "[[],[[]]]"}, {"[1]"});
}

TEST(Schema, WhatCannotBeEnforcedIsRefusedByNameAndPlace) {
  const auto unsupported = [](const std::string& schema, const std::string& part) {
    expect_refused<Unsupported>(schema_spec(schema), part);
  };
  unsupported(R"({"properties":{"a":{"not":{"multipleOf":2}}}})", "'not' at #/properties/a");
  unsupported(R"({"not":{"format":"date"}})", "'not' at # cannot be enforced: the opposite of 'format'");
  unsupported(R"({"if":{"items":{"type":"null"}},"then":{"maxItems":1}})", "'if' at #");
  unsupported(R"({"uniqueItems":true})", "'uniqueItems' at #");
  unsupported(R"({"properties":{"a":{"uniqueItems":true,"items":{"type":"string"}}}})",
              "'uniqueItems' at #/properties/a");
  unsupported(R"({"contains":{"type":"null"}})", "'contains' at # cannot be enforced: a grammar holds each item");
  unsupported(R"({"allOf":[{}],"unevaluatedProperties":false})",
              "'unevaluatedProperties' at # cannot be enforced: what is evaluated depends on");
  unsupported(R"x({"pattern":"b((?=a)a)"})x", "look-ahead");
  unsupported(R"x({"properties":{"a":{"pattern":"^\\p{Emoji}"}}})x",
              "at #/properties/a: the Unicode property \\p{Emoji}");
  unsupported(R"({"$ref":"http://example.org/schema"})", "http://example.org/schema");
  unsupported(R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "'oneOf' at #");
  unsupported(R"({"multipleOf":0.00000001})", "'multipleOf'");
  unsupported(R"({"properties":{"a":{},"b":{},"c":{}},"minProperties":2,"type":"object"})", "'minProperties'");
  unsupported(R"({"type":"string","minLength":1000000})", "'minLength'");
  unsupported(R"({"properties":{"a":{"type":"string","maxLength":60000,"pattern":"^[a-z]*$"}}})",
              "'maxLength' of 60000 at #/properties/a cannot be enforced beside a pattern");
  const auto invalid = [](const std::string& schema, const std::string& part) {
    expect_refused<InvalidArgument>(schema_spec(schema), part);
  };
  invalid("{", "cannot be read");
  invalid(R"({"type":"null","type":"string"})", "'type' twice");
  invalid("[]", "must be an object");
  invalid(R"({"type":"text"})", "'type' at #");
  invalid(R"({"minimum":"3"})", "'minimum' at #");
  invalid(R"({"properties":{"a":3}})", "'properties' at #");
  invalid(R"({"$ref":"#/$defs/x"})", "#/$defs/x");
  invalid(R"({"$ref":"#"})", "itself");
  invalid(R"({"type":"string","enum":[1]})", "nothing can match");
  invalid(R"({"type":"object","required":["a"],"properties":{"a":false}})", "nothing can match");
  invalid(std::string(300, '[') + std::string(300, ']'), "nested");
}

TEST(Schema, WhatIsNotKnownIsAnAnnotationAndNamed) {
  const auto ignored = [](const std::string& schema) {
    std::vector<std::string> names;
    for (const auto& [name, place] : parse_json_schema(schema).ignored) names.push_back(name + " " + place);
    return names;
  };
  using Names = std::vector<std::string>;
  const std::string weight =
      R"({"type":"object","properties":{"a":{"type":"integer","unit":"kg"},"b":{"type":"string","format":"path","unit":1}},
          "required":["a"]})";
  expect_json(weight, {R"({"a":1})", R"({"a":1,"b":"x"})"}, {R"({"a":"x"})"});
  EXPECT_EQ(ignored(weight), (Names{"unit #/properties/a", "format:path #/properties/b"}));
  EXPECT_EQ(ignored(R"({"type":"string","format":"regex","minLength":1})"), (Names{"format:regex #"}));
  expect_json(R"({"type":"string","format":"starts_with","pattern":"^ab.*"})", {R"("abc")"}, {R"("b")"});
  // What is known, and rules nothing out, is not named.
  EXPECT_EQ(ignored(R"({"type":"string","title":"t","x-y":1,"examples":[],"example":2,"discriminator":{},"xml":{},
                        "deprecated":true,"default":3,"nullable":true,"$comment":"","contentEncoding":"base64"})"),
            Names());
  const GrammarSpec call = {.kind = GrammarSpec::Kind::kGbnf,
                            .text = "root ::= \"a\" schema-0 schema-1",
                            .schemas = {R"({"type":"null","unit":1})", R"({"type":"null","unit":2})"}};
  ASSERT_EQ(parse_spec(call).ignored.size(), 1U);
  EXPECT_EQ(Automaton(parse_spec(call)).ignored()[0].name, "unit");
}

TEST(Schema, OlderDraftsAndOpenApi) {
  expect_json(R"({"type":"integer","minimum":3,"exclusiveMinimum":true,"maximum":7,"exclusiveMaximum":false})",
              {"4", "7"}, {"3", "8"});
  expect_json(R"({"type":"integer","divisibleBy":5})", {"10"}, {"7"});
  expect_json(R"({"disallow":["string",{"minimum":3}],"extends":{"type":["string","integer"]}})", {"2"},
              {"3", R"("a")", "null"});
  expect_json(R"({"type":"any"})", {"1", "null", "[]"}, {"x"});
  expect_json(R"({"type":"string","nullable":true})", {"null", R"("a")"}, {"1"});
  expect_json(R"({"type":"string","nullable":false})", {R"("a")"}, {"null"});
  expect_json(
      R"({"type":"object","properties":{"a":{"type":"null","required":true},"b":{"type":"null","required":false}}})",
      {R"({"a":null})", R"({"a":null,"b":null})"}, {"{}", R"({"b":null})"});
  expect_json(
      R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"dependencies":{"a":["b"],"c":{"required":["a"]}}})",
      {"{}", R"({"b":1})", R"({"a":1,"b":1})", R"({"a":1,"b":1,"c":1})"},
      {R"({"a":1})", R"({"c":1})", R"({"b":1,"c":1})"});
  expect_json(R"({"definitions":{"a":{"type":"null"}},"$ref":"#/definitions/a","id":"http://x/y"})", {"null"}, {"1"});
  expect_json(R"({"$dynamicRef":"#a","$defs":{"b":{"$dynamicAnchor":"a","type":"null"}}})", {"null"}, {"1"});
  expect_json(R"({"type":"array","items":{"$recursiveRef":"#"}})", {"[[],[[]]]"}, {"[1]"});
  expect_json(R"({"type":"object","properties":{"a":{"type":"null"}},"unevaluatedProperties":false})",
              {"{}", R"({"a":null})"}, {R"({"b":null})"}, SchemaReading::kExact);
  expect_json(R"({"oneOf":[{"$ref":"#/$defs/cat"},{"$ref":"#/$defs/dog"}],"discriminator":{"propertyName":"k"},
                  "$defs":{"cat":{"type":"object","properties":{"k":{"const":"cat"}},"required":["k"]},
                           "dog":{"type":"object","properties":{"k":{"const":"dog"}},"required":["k"]}}})",
              {R"({"k":"cat"})", R"({"k":"dog"})"}, {R"({"k":"cow"})"});
}

TEST(Schema, Not) {
  expect_json(R"({"not":{"type":["string","object","array"]}})", {"1", "null", "true"}, {R"("a")", "{}", "[]"});
  expect_json(R"({"type":"number","not":{"type":"integer"}})", {"0.5", "-1.25"}, {"1", "1.0", "0.0"});
  expect_json(R"({"type":"string","not":{"enum":["ab","c"]}})", {R"("a")", R"("abc")", R"("")"}, {R"("ab")", R"("c")"});
  expect_json(R"({"type":["integer","boolean","null"],"not":{"enum":[3,true,null,5]}})", {"2", "4", "6", "false"},
              {"3", "5", "true", "null"});
  expect_json(R"({"type":"number","not":{"const":0.5}})", {"0.51", "0.4", "7"}, {"0.5", "0.50"});
  expect_json(R"({"type":"integer","not":{"minimum":3}})", {"2"}, {"3"});
  expect_json(R"({"type":"string","not":{"pattern":"b","minLength":3}})", {R"("aaa")", R"("b")"}, {R"("abc")"});
  expect_json(
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},"not":{"required":["a","b"]}})",
      {"{}", R"({"a":1})", R"({"b":null})"}, {R"({"a":1,"b":null})"});
  expect_json(R"({"type":"object","not":{"required":["a"]}})", {"{}", R"({"b":1})"},
              {R"({"a":1})", R"({"b":1,"a":2})"});
  expect_json(R"({"not":{"anyOf":[{"type":"integer"},{"type":"null"}]},"type":["integer","null","boolean"]})", {"true"},
              {"1", "null"});
  expect_refused<InvalidArgument>(schema_spec(R"({"not":{}})"), "nothing can match");
  expect_refused<InvalidArgument>(schema_spec(R"({"type":"string","not":{"type":"string"}})"), "nothing can match");
}

TEST(Schema, IfThenElse) {
  const std::string address =
      R"({"type":"object","properties":{"country":{"enum":["us","nl"]},"zip":{"type":"string"}},
          "required":["country","zip"],"if":{"properties":{"country":{"const":"us"}}},
          "then":{"properties":{"zip":{"pattern":"^[0-9]{5}$"}}},
          "else":{"properties":{"zip":{"pattern":"^[0-9]{4} [A-Z]{2}$"}}}})";
  for (const SchemaReading reading : {SchemaReading::kStrict, SchemaReading::kExact}) {
    expect_json(address, {R"({"country":"us","zip":"12345"})", R"({"country":"nl","zip":"1234 AB"})"},
                {R"({"country":"us","zip":"1234 AB"})", R"({"country":"nl","zip":"12345"})", R"({"country":"us"})"},
                reading);
  }
  expect_json(R"({"if":{"type":"integer"},"then":{"minimum":5},"else":{"type":"null"}})", {"5", "null"}, {"4", "true"});
  expect_json(R"({"type":"integer","if":{"minimum":5}})", {"1", "9"}, {"null"});
  expect_json(R"({"type":"object","dependentSchemas":{"a":{"properties":{"b":{"type":"null"}},"required":["b"]}},
                  "properties":{"a":{"type":"integer"},"b":{}}})",
              {"{}", R"({"b":1})", R"({"a":1,"b":null})"}, {R"({"a":1})", R"({"a":1,"b":2})"});
}

TEST(Schema, UniqueItemsOfFewValues) {
  expect_json(R"({"type":"array","items":{"enum":["a","b",1,1.0]},"uniqueItems":true})",
              {"[]", R"(["a"])", R"(["b","a"])", R"([1,"a", "b"])"}, {R"(["a","a"])", "[1,1]", R"(["a","b","a"])"});
  expect_json(R"({"type":"array","items":{"type":"boolean"},"uniqueItems":true,"minItems":2})",
              {"[true,false]", "[false,true]"}, {"[true]", "[true,true]", "[]"});
  expect_json(R"({"type":"array","items":{"type":"integer","minimum":1,"maximum":40},"uniqueItems":true,"maxItems":2})",
              {"[]", "[40,1]"}, {"[7,7]", "[1,2,3]", "[41]"});
  expect_json(R"({"type":"array","prefixItems":[{"enum":["a","b"]},{"enum":["b","c"]}],"uniqueItems":true})",
              {"[]", R"(["a"])", R"(["b"])", R"(["a","b"])", R"(["b","c"])"},
              {R"(["b","b"])", R"(["c"])", R"(["a","a"])"});
  expect_json(R"({"type":"array","prefixItems":[{"enum":["a","b"]}],"items":{"type":"boolean"},"uniqueItems":true})",
              {"[]", R"(["a",true])", R"(["b",false,true])"}, {R"(["a",true,true])", "[true]", R"(["a","b"])"});
  expect_json(R"({"type":"array","prefixItems":[{"const":1},{"enum":[1,2]}],"uniqueItems":true,"minItems":2})",
              {"[1,2]"}, {"[1,1]", "[1]"});
  expect_refused<Unsupported>(
      schema_spec(R"({"prefixItems":[{"type":"null"},{"type":"string"}],"uniqueItems":true})"),
      "'uniqueItems' at # cannot be enforced: the items at #/prefixItems/1 may have any number");
  expect_refused<Unsupported>(schema_spec(R"({"prefixItems":[{"type":"null"}],"uniqueItems":true,"minItems":2})"),
                              "the items at #/items may have any number");
  expect_refused<Unsupported>(
      schema_spec(R"({"items":{"type":"integer","minimum":1,"maximum":40},"uniqueItems":true})"),
      "its items may have 40 values, which are more than 2000 sets to tell apart");
  expect_json(R"({"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":1})", {"[]", R"(["a"])"},
              {R"(["a","b"])"});
  expect_refused<InvalidArgument>(
      schema_spec(R"({"type":"array","items":{"type":"boolean"},"uniqueItems":true,"minItems":3})"),
      "nothing can match");
}

TEST(Schema, LongCountsCostNoMoreStatesThanShortOnes) {
  const auto nodes = [](const std::string& schema) { return Automaton(parse_json_schema(schema)).size(); };
  const auto bounded = [](const std::string& rest, int count) { return "{" + rest + std::to_string(count) + "}"; };
  for (const std::string rest :
       {R"("type":"string","maxLength":)", R"("type":"string","minLength":)", R"("type":"array","maxItems":)",
        R"("type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}},"minItems":)",
        R"("type":"object","maxProperties":)"}) {
    EXPECT_EQ(nodes(bounded(rest, 100000)), nodes(bounded(rest, 100))) << rest;
  }
  const auto text = [](size_t length) { return '"' + std::string(length, 'x') + '"'; };
  expect_json(R"({"type":"string","minLength":99,"maxLength":7693})", {text(99), text(7693)}, {text(98), text(7694)});
  const auto list = [](int count) {
    std::string all = "[1";
    for (int i = 1; i < count; ++i) all += ",1";
    return all + "]";
  };
  expect_json(R"({"type":"array","items":{"type":"integer"},"minItems":50,"maxItems":9400})", {list(50), list(9400)},
              {list(49), list(9401), "[]"});
  expect_json(
      R"({"type":"array","items":{"type":"array","items":{"type":"null"},"minItems":40,"maxItems":41},"minItems":35})",
      {}, {"[[null]]"});
  expect_json(R"({"enum":["ab","abc",7],"maxLength":100000,"minLength":3})", {R"("abc")", "7"}, {R"("ab")"});
  // A length that the pattern keeps anyway.
  expect_json(R"({"type":"string","pattern":"^[a-z]{1,5}$","maxLength":65535})", {R"("ab")"}, {R"("abcdef")"});
}

/// A schema at random, made from what can be enforced.
Json random_schema(std::mt19937& random, int depth) {
  const auto one_of = [&](std::initializer_list<const char*> texts) {
    return *(texts.begin() + random() % texts.size());
  };
  switch (random() % (depth > 0 ? 9 : 5)) {
    case 0: {
      const int low = static_cast<int>(random() % 300) - 150;
      Json schema = {{"type", one_of({"integer", "number"})},
                     {"minimum", low},
                     {"maximum", low + static_cast<int>(random() % 200) + 5}};
      if (random() % 3 == 0) schema["multipleOf"] = random() % 4 + 1;
      return schema;
    }
    case 1: {
      const unsigned low = random() % 4;
      return {{"type", "string"}, {"minLength", low}, {"maxLength", low + random() % 6}};
    }
    case 2:
      return {{"type", "string"}, {"pattern", one_of({"^[a-z]{1,5}$", "^\\d+-\\w*$", "x", "^(a|bc)*\"$"})}};
    case 3:
      return {{"type", "string"}, {"format", one_of({"date", "time", "uuid", "ipv4", "email", "date-time", "ipv6"})}};
    case 4:
      return {{"enum", {1, "two", nullptr, false, 2.5, {{"a", 1}}}}};
    case 5: {
      const unsigned low = random() % 3;
      return {{"type", "array"},
              {"items", random_schema(random, depth - 1)},
              {"minItems", low},
              {"maxItems", low + random() % 4}};
    }
    case 6:
      return {{"anyOf", Json::array({random_schema(random, depth - 1), random_schema(random, depth - 1)})}};
    case 7:
      return {{"type", "array"},
              {"prefixItems", Json::array({random_schema(random, depth - 1), random_schema(random, depth - 1)})},
              {"items", random_schema(random, depth - 1)},
              {"maxItems", 4}};
    default: {
      Json schema = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
      for (const char* const name : {"a", "b", "the \"third\""}) {
        if (random() % 3 == 0) continue;
        schema["properties"][name] = random_schema(random, depth - 1);
        if (random() % 2 == 0) schema["required"].push_back(name);
      }
      if (random() % 2 == 0) schema["additionalProperties"] = random_schema(random, 0);
      return schema;
    }
  }
}

TEST(Schema, WhatIsDrawnUnderTheMaskAlwaysFits) {
  const TokenTrie trie = byte_trie({"{\"", "\":",  "\": ", "\",", "\", \"", "\"}", "}}",       "]}",  "],", "[\"", "[[",
                                    "tr",  "true", "null", "},",  "00",     "123", "\xC3\xA9", "\\u", "  ", "\n "});
  std::mt19937 random(17);
  int whole = 0;
  for (int i = 0; i < 150; ++i) {
    const Json schema = random_schema(random, 3);
    const SchemaDocument document(schema.dump(), false);
    StateSpace space = make_space(parse_json_schema(schema.dump()), trie);
    for (int j = 0; j < 4; ++j) {
      const auto text = draw_text(space, trie, random, 1500);
      if (!text) continue;
      ++whole;
      const Json value = Json::parse(*text, nullptr, false);
      ASSERT_FALSE(value.is_discarded()) << schema << " gave " << *text;
      ASSERT_TRUE(document.admits(document.root(), value, "#")) << schema << " gave " << *text;
    }
  }
  EXPECT_GT(whole, 550) << "of 600 draws";
}

}  // namespace
}  // namespace caravel::grammar
