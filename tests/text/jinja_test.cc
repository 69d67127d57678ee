// The language, by expressions whose values were taken from Jinja 3.1 in the environment that `transformers` sets up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/written_number.h"
#include "text/chat_template.h"

namespace caravel::text {
namespace {

using testing::HasSubstr;

std::string render(std::string_view source, const nlohmann::ordered_json& kwargs = nlohmann::ordered_json::object()) {
  ChatInput input;
  input.messages = nlohmann::ordered_json::array();
  input.kwargs = kwargs;
  return ChatTemplate(source).render(input);
}

template <typename E>
std::string refusal(std::string_view source) {
  try {
    return "rendered " + render(source);
  } catch (const E& error) {
    return error.what();
  }
}

TEST(Jinja, WhitespaceControl) {
  EXPECT_EQ(render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"), "a\n  b\nc");
  EXPECT_EQ(render("a  {%- if true -%}  b  {%- endif -%}  c"), "abc");
  EXPECT_EQ(render("a\n  {%+ if true %}b{% endif +%}\nc"), "a\n  b\nc");
  EXPECT_EQ(render("x {{- 1 -}} y  {# note #}\nz"), "x1y  z");
  EXPECT_EQ(render("{% raw %}{{ x }}{% endraw %}|\r\n"), "{{ x }}|");
}

TEST(Jinja, PythonPrintsItsValues) {
  EXPECT_EQ(render("{{ [1, 2.0, 1e20, True, none, 'a\\'b', \"c\\n\", (1,), {'k': []}] }}"),
            "[1, 2.0, 1e+20, True, None, \"a'b\", 'c\\n', (1,), {'k': []}]");
  EXPECT_EQ(render("{{ 7 // -2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 0.1 + 0.2 }}"),
            "-4 2 3.5 1024 0.30000000000000004");
  EXPECT_EQ(render("{{ 1 == 1.0 == true }} {{ 'a' < 'b' < 'c' }} {{ 'x' ~ 1 ~ none }}"), "True True x1None");
}

TEST(Jinja, StringsAreCodePoints) {
  EXPECT_EQ(render("{{ s|length }} {{ s[1] }} {{ s[::-1] }} {{ s[-2:] }} {{ s.upper() }}", {{"s", "h\xC3\xA9llo"}}),
            "5 \xC3\xA9 oll\xC3\xA9h lo H\xC3\x89LLO");
  EXPECT_EQ(render("{{ ' a  b '.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'abcabc'.replace('b', 'X', 1) }}"),
            "['a', 'b']['a', 'b,c']aXcabc");
  EXPECT_EQ(render("{{ '%s-%03d' % ('a', 7) }} {{ '{0}{x!r:>5}'.format(1, x='y') }} {{ '%.2f' % 2.5 }}"),
            "a-007 1  'y' 2.50");
}

TEST(Jinja, ScopesAndNamespaces) {
  EXPECT_EQ(render("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}"), "231");
  EXPECT_EQ(
      render(
          "{% set n = namespace(c=0) %}{% for i in range(4) if i % 2 %}{% set n.c = n.c + i %}{% endfor %}{{ n.c }}"),
      "4");
  EXPECT_EQ(render("{% set a, (b, c) = 1, (2, 3) %}{{ a }}{{ b }}{{ c }}{% set t %}<{{ a }}>{% endset %}{{ t }}"),
            "123<1>");
}

TEST(Jinja, Loops) {
  EXPECT_EQ(
      render("{% for x in 'abc' %}{{ loop.index }}{{ x }}{{ loop.nextitem }}{{ ',' if not loop.last }}{% endfor %}"),
      "1ab,2bc,3c");
  EXPECT_EQ(render("{% for x in [] %}{% else %}none{% endfor %}"), "none");
  EXPECT_EQ(render("{% for x in range(9) %}{% if x == 2 %}{% continue %}{% elif x == 4 %}{% break %}{% endif %}{{ x "
                   "}}{% endfor %}"),
            "013");
  EXPECT_EQ(render("{% set n = namespace(stop=false) %}{% for x in [1, 2, 3] if not n.stop %}{{ x }}{% set n.stop = "
                   "true %}{% endfor %}"),
            "1");
}

TEST(Jinja, Macros) {
  EXPECT_EQ(render("{% macro m(a, b='B') %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, "
                   "3, c=4) }}"),
            "1B(){}12(3,){'c': 4}");
  EXPECT_EQ(render("{% macro box() %}[{{ caller(2) }}]{% endmacro %}{% call(x) box() %}{{ x }}!{% endcall %}"), "[2!]");
  EXPECT_EQ(render("{% filter upper|trim %} a {% endfilter %}{% generation %}g{% endgeneration %}"), "Ag");
}

TEST(Jinja, Filters) {
  EXPECT_EQ(render("{{ {'b': 'é<', 'a': [1, 2.5]}|tojson }}"), "{\"b\": \"é<\", \"a\": [1, 2.5]}");
  EXPECT_EQ(render("{{ {'a': [1]}|tojson(indent=1) }}"), "{\n \"a\": [\n  1\n ]\n}");
  EXPECT_EQ(render("{{ ms|selectattr('r', 'equalto', 'u')|map(attribute='c')|join(', ') }}",
                   {{"ms", {{{"r", "u"}, {"c", "x"}}, {{"r", "a"}, {"c", "y"}}, {{"r", "u"}, {"c", "z"}}}}}),
            "x, z");
  EXPECT_EQ(render("{{ {'b': 1, 'A': 2}|dictsort }}{{ ['b', 'A']|sort }}{{ 'a\nb'|indent(2) }}{{ x|default('d') }}"),
            "[('A', 2), ('b', 1)]['A', 'b']a\n  bd");
  EXPECT_EQ(render("{{ [3, 1, 2]|min }}{{ [3, 1]|first }}{{ 'abc'|last }}{{ ['b', 'B', 'a']|unique|list }}"),
            "13c['b', 'a']");
  EXPECT_EQ(render("{{ ' 1_0 '|int + '3.9'|int + 'x'|int(5) + '1e400'|int(7) + 'ff'|int(base=16) }}"), "280");
  EXPECT_EQ(render("{{ 'a-b (c'|title }} {{ 'HI'|capitalize }} {{ [1, none]|reject('equalto', none)|list }}"),
            "A-B (C Hi [1]");
  EXPECT_EQ(render("{{ 'a'|safe + '<' }}"), "a&lt;");
}

TEST(Jinja, UndefinedPrintsNothingAndRefusesTheRest) {
  EXPECT_EQ(render("[{{ x }}{{ (x.y is defined) if x }}{{ {}.k }}{{ [1][5] }}]"), "[]");
  EXPECT_EQ(refusal<InvalidArgument>("\n{{ x.y }}"), "chat template, line 2: 'x' is undefined");
  EXPECT_THAT(refusal<InvalidArgument>("{{ x + 1 }}"), HasSubstr("'x' is undefined"));
  EXPECT_THAT(refusal<InvalidArgument>("{{ [1].append(2) }}"), HasSubstr("'append'"));
}

TEST(Jinja, ErrorsHaveTheirLine) {
  EXPECT_EQ(refusal<FormatError>("a\n{% if x %}\nb"), "chat template, line 2: {% if %} has no {% endif %}");
  EXPECT_THAT(refusal<FormatError>("\n{{ 1 + }}"), HasSubstr("line 2: expected an expression"));
  EXPECT_THAT(refusal<Unsupported>("\n\n{% include 'x' %}"), HasSubstr("line 3: the statement {% include %}"));
  EXPECT_THAT(refusal<Unsupported>("{{ x|nosuch }}"), HasSubstr("line 1: the filter 'nosuch' is not supported"));
  EXPECT_THAT(refusal<Unsupported>("{{ [3, 1]|select('odd') }}"), HasSubstr("line 1: the filter 'select'"));
  EXPECT_THAT(refusal<Unsupported>("\n{{ 3 is odd }}"), HasSubstr("line 2: the test 'odd' is not supported"));
  EXPECT_THAT(refusal<InvalidArgument>("{{ [3, 1]|map('abs')|join }}"), HasSubstr("the filter 'abs' is not supported"));
  EXPECT_THAT(refusal<InvalidArgument>("{{ joiner(', ') }}"), HasSubstr("'joiner' is undefined"));
  EXPECT_EQ(refusal<InvalidArgument>("{{ (x|nosuch) if false }}"), "rendered ");
  EXPECT_EQ(refusal<InvalidArgument>("a\n{{ raise_exception('No!') }}"), "chat template, line 2: No!");
}

TEST(Jinja, RunawaysStop) {
  EXPECT_THAT(refusal<CapacityError>("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), HasSubstr("nests deeper"));
  EXPECT_THAT(refusal<CapacityError>("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
              HasSubstr("steps"));
  EXPECT_THAT(refusal<CapacityError>(
                  "{% set n = namespace(s='x' * 1000) %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}"),
              HasSubstr("bytes"));
  EXPECT_THAT(refusal<CapacityError>(
                  "{% set n = namespace(l=[]) %}{% for i in range(9999) %}{% set n.l = [n.l, n.l] %}{% endfor %}"),
              HasSubstr("nest deeper"));
  EXPECT_THAT(refusal<FormatError>("{{ " + std::string(50000, '(') + "1" + std::string(50000, ')') + " }}"),
              HasSubstr("nest deeper"));
  EXPECT_THAT(refusal<FormatError>("{{ 1" +
                                   [] {
                                     std::string s;
                                     for (int i = 0; i < 50000; ++i) s += "+1";
                                     return s;
                                   }() +
                                   " }}"),
              HasSubstr("nest deeper"));
}

TEST(Jinja, DecimalsOfManyDigitsAreFloats) {
  const nlohmann::ordered_json kwargs = {{"d", written_number("0.1234567890123456789")}};
  EXPECT_EQ(render("{{ d + 1 }} {{ d | tojson }}", kwargs), "1.1234567890123457 0.12345678901234568");
}

TEST(Jinja, WideIntegersPassThrough) {
  nlohmann::ordered_json kwargs = {{"u", 18446744073709551615ULL}, {"w", written_number("18446744073709551616")}};
  kwargs["n"] = {{"low", written_number("-9223372036854775809")}};
  EXPECT_EQ(render("{{ u }} {{ w }} {{ n }} {{ n|tojson }} {{ w|tojson }} {{ w|int }} {{ w ~ '' }}", kwargs),
            "18446744073709551615 18446744073709551616 {'low': -9223372036854775809} "
            "{\"low\": -9223372036854775809} 18446744073709551616 18446744073709551616 18446744073709551616");
  EXPECT_EQ(render("{{ w is number }} {{ w is string }} {{ w is none }} {{ 'y' if w }}", kwargs), "True False False y");
  EXPECT_EQ(render("{{ w == w }} {{ w == u }} {{ w > u }} {{ n.low < -5 }} {{ w < 1e30 }} {{ n.low < w }} {{ w >= 3 }}",
                   kwargs),
            "True False True True True True True");
  EXPECT_EQ(render("{{ w == 18446744073709551616.0 }} {{ u == 18446744073709551616.0 }} {{ w in [1, w] }}", kwargs),
            "True False True");
  for (const char* sum : {"{{ 1 + w }}", "{{ w * 2 }}", "{{ -w }}", "{{ '%d' % w }}"}) {
    EXPECT_THROW(render(sum, kwargs), InvalidArgument) << sum;
  }
}

}  // namespace
}  // namespace caravel::text
