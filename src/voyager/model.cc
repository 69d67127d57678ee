#include "voyager/model.h"

#include <array>
#include <utility>

namespace caravel::voyager {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, kRoles> kNames = {{{Role::kPropose, "propose"},
                                                                           {Role::kQuestions, "questions"},
                                                                           {Role::kAnswer, "answer"},
                                                                           {Role::kDecompose, "decompose"},
                                                                           {Role::kAction, "action"},
                                                                           {Role::kDescribe, "describe"},
                                                                           {Role::kCritic, "critic"}}};

}  // namespace

std::string_view role_name(Role role) { return kNames[static_cast<size_t>(role)].second; }

std::optional<Role> role_named(std::string_view name) {
  for (const auto& [role, known] : kNames)
    if (known == name) return role;
  return std::nullopt;
}

}  // namespace caravel::voyager
