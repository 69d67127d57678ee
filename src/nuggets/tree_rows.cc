#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/printable.h"
#include "fields/fields.h"
#include "nuggets/row_forms.h"
#include "nuggets/turn_builder.h"

namespace caravel::nuggets {
namespace {

struct Branch {
  const Json* message;
  size_t before;
};

const char* role_in_tree(const std::string& role) {
  if (role == "prompter" || role == "user") return "user";
  if (role == "assistant" || role == "system") return role.c_str();
  throw fail<FormatError>("the role '{}' is not known", printable(role));
}

}  // namespace

RowContent read_tree(const Json& row) {
  const Json* const prompt = find_column(row, "prompt");
  TurnBuilder builder;
  std::vector<Branch> open = {{prompt == nullptr ? &row : prompt, kNothingBefore}};  // the next one to read last
  while (!open.empty()) {
    const Branch branch = open.back();
    open.pop_back();
    Fields fields(*branch.message, "replies");
    if (fields.boolean("deleted", false)) continue;
    const char* const role = role_in_tree(as_string(fields.require("role"), "role"));
    const size_t place =
        builder.say({.role = role, .content = as_string(fields.require("text"), "text")}, branch.before);
    if (std::string_view(role) == "assistant") builder.add_turn(place);
    const Json* const replies = fields.find("replies");
    if (replies == nullptr) continue;
    as_array(*replies, "replies");
    for (auto reply = replies->rbegin(); reply != replies->rend(); ++reply) open.push_back({&*reply, place});
  }
  return builder.finish();
}

}  // namespace caravel::nuggets
