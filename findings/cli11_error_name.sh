#!/usr/bin/env bash
# Debian's libcli11-dev (CLI11 2.1.2), CLI::Error::get_name(), seen 2026-11-29.
#
# Every error that a parse throws has a name, which is its class ("RequiredError", "ConversionError") wherever it is an
# option that complains. Where it is an App that complains of words that it does not know, the name is the App's
# instead ("run"), while get_exit_code() is that of ExtrasError. Who tells errors apart by name takes an unknown flag
# for none of them.
#
# Prints class, name and exit code of an unknown flag, with and without a subcommand, and of a missing option. Exits
# with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download --quiet=2 libcli11-dev=2.1.2+ds-1 2>/dev/null
dpkg-deb --extract ./*.deb package
cat >try.cc <<'CPP'
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

/// The words are in CLI11's order: the last one first.
std::string name_of(std::vector<std::string> words) {
  CLI::App program("try", "try");
  CLI::App* const run = program.add_subcommand("run");
  std::string value;
  program.add_option("--needed", value)->required();
  run->add_option("--known", value);
  try {
    program.parse(words);
  } catch (const CLI::ExtrasError& error) {
    std::cout << "ExtrasError, " << error.get_name() << ", " << error.get_exit_code() << ": " << error.what() << "\n";
    return error.get_name();
  } catch (const CLI::RequiredError& error) {
    std::cout << "RequiredError, " << error.get_name() << ", " << error.get_exit_code() << ": " << error.what() << "\n";
    return error.get_name();
  }
  return "no error";
}

int main() {
  const std::string of_program = name_of({"--unknown", "a", "--needed"});
  const std::string of_command = name_of({"--unknown", "run", "a", "--needed"});
  const std::string missing = name_of({"run"});
  const bool as_seen = of_program == "try" && of_command == "run" && missing == "RequiredError";
  return as_seen ? 0 : 1;
}
CPP
g++ -std=c++17 -I package/usr/include try.cc -o try
./try
