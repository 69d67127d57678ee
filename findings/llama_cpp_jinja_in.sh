#!/usr/bin/env bash
# llama.cpp's Jinja engine (common/jinja, as llama-cpp-python 0.3.36 carries it), seen 2026-11-28.
#
# Python's `in` looks for any value in any list or tuple; the engine looks for texts and numbers, and a list on the left
# of `in` is an error: "Unknown operator". So the template of ByteDance's Seed-OSS, which llama.cpp has among its own
# (models/templates/ByteDance-Seed-OSS.jinja), cannot be rendered with a tool one of whose parameters has two types (JSON
# Schema's {"type": ["integer", "null"]}): it asks `t in ("number", "integer")`. A null prints as nothing where Python
# prints None (Gemma 4's template loses a null argument of a tool call), 1e-07 prints as 0.0, and `tojson` writes 21.0 as
# 21.
#
# Prints what the engine makes of five expressions beside what Jinja 3.1 makes of them. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet jinja2==3.1.6 scikit-build-core==0.11.6
venv/bin/pip download --quiet --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python==0.3.36
tar -xzf llama_cpp_python-0.3.36.tar.gz
source=$folder/llama_cpp_python-0.3.36/vendor/llama.cpp

cat > run.cpp <<'CPP'
#include <iostream>
#include <stdexcept>

#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "json.h"

extern "C" void ggml_abort(const char*, int, const char*, ...) { throw std::runtime_error("GGML_ASSERT"); }

int main(int, char** argv) {
  const std::string source = argv[1];
  try {
    jinja::lexer lexer;
    auto tokens = lexer.tokenize(source);
    jinja::program program = jinja::parse_from_tokens(tokens);
    jinja::context context(source);
    jinja::global_from_json(context, common_json::parse(argv[2]), true);
    jinja::runtime runtime(context);
    std::cout << jinja::runtime::gather_string_parts(runtime.execute(program))->as_string().str();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    std::cout << text.substr(text.rfind("Error: ") == std::string::npos ? 0 : text.rfind("Error: "));
  }
}
CPP
g++ -std=c++17 -w -I"$source/common" -I"$source/vendor" -I"$source/ggml/include" run.cpp \
  "$source"/common/jinja/{caps,lexer,parser,runtime,string,value}.cpp "$source"/common/{json,unicode}.cpp -o run

changed=0
expect() {  # TEMPLATE VARIABLES WHAT-JINJA-GIVES WHAT-THE-ENGINE-GIVES
  local jinja engine
  jinja=$(venv/bin/python -c 'import jinja2, json, sys
print(jinja2.Environment().from_string(sys.argv[1]).render(json.loads(sys.argv[2])))' "$1" "$2")
  engine=$(./run "$1" "$2")
  printf '%s with %s\n  Jinja 3.1.6: %s\n  llama.cpp:   %s\n' "$1" "$2" "$jinja" "$engine"
  [[ "$jinja" == "$3" && "$engine" == "$4" ]] || { echo "  CHANGED: was '$3' and '$4'"; changed=1; }
}
expect '{{ t in ("number", "integer") }}' '{"t": ["integer", "null"]}' \
  False 'Error: Unknown operator "in" between Array and Tuple'
expect '{{ t in ["number", "integer"] }}' '{"t": ["integer", "null"]}' \
  False 'Error: Unknown operator "in" between Array and Array'
expect '[{{ unit }}]' '{"unit": null}' '[None]' '[]'
expect '{{ limit }}' '{"limit": 1e-07}' 1e-07 0.0
expect '{{ degrees|tojson }}' '{"degrees": 21.0}' 21.0 21
exit $changed
