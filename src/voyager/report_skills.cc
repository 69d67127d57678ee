#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

/// One name's versions, and where they served.
struct Reuse {
  std::vector<const SkillRow*> versions;  // newest last
  std::set<std::string> used_by;          // skills
  std::vector<int64_t> iterations;        // whose code called it, each once
  int64_t rounds = 0;                     // of these
  int64_t shown = 0;                      // rounds whose prompt had it
};

std::string names_of(const std::set<std::string>& names) { return joined({names.begin(), names.end()}); }

std::string origin(const SkillRow& skill) {
  return skill.iteration > 0 ? fmt::format("learnt in iteration {}", skill.iteration) : "there from the start";
}

void add_skill(report::Page& page, const std::string& name, const Reuse& reuse) {
  const SkillRow& newest = *reuse.versions.back();
  const report::Page::Fold fold(
      page, name,
      fmt::format("{}{}; used in {}",
                  reuse.versions.size() > 1 ? fmt::format("{} versions, ", reuse.versions.size()) : "",
                  origin(*reuse.versions.front()), counted(reuse.rounds, "round")));
  page.text(newest.description);
  std::vector<std::string> iterations;
  for (const int64_t one : reuse.iterations) iterations.push_back(std::to_string(one));
  report::Table table{"", {"", ""}, {}};
  if (!newest.uses.empty()) table.rows.push_back({"uses", joined(newest.uses)});
  if (!reuse.used_by.empty()) table.rows.push_back({"used by", names_of(reuse.used_by)});
  if (!iterations.empty()) table.rows.push_back({"used in iterations", joined(iterations)});
  table.rows.push_back({"shown in", counted(reuse.shown, "prompt")});
  page.table(table);
  page.code(newest.code);
  for (size_t i = reuse.versions.size() - 1; i-- > 0;) {
    const SkillRow& older = *reuse.versions[i];
    const report::Page::Fold version(page, fmt::format("Version {}", older.version), origin(older));
    page.text(older.description);
    page.code(older.code);
  }
}

}  // namespace

void add_skills(report::Page& page, const RunStore& run) {
  page.heading("Skills");
  const std::vector<SkillRow> skills = run.skills();
  if (skills.empty()) return page.text("None was learnt.");
  std::map<std::string, Reuse> by_name;
  std::vector<std::string> order;  // as they were learnt
  for (const SkillRow& skill : skills) {
    Reuse& reuse = by_name[skill.name];
    if (reuse.versions.empty()) order.push_back(skill.name);
    reuse.versions.push_back(&skill);
  }
  for (const SkillRow& skill : skills) {
    for (const std::string& used : skill.uses) by_name[used].used_by.insert(skill.name);
  }
  run.each_step([&](const StepRow& step) {
    for (const std::string& name : step.skills_shown) ++by_name[name].shown;
    for (const std::string& name : step.skills_used) {
      Reuse& reuse = by_name[name];
      ++reuse.rounds;
      if (reuse.iterations.empty() || reuse.iterations.back() != step.iteration)
        reuse.iterations.push_back(step.iteration);
    }
  });
  page.text(fmt::format("{}, as they were learnt. Code of later tasks may call them.",
                        counted(static_cast<int64_t>(order.size()), "skill")));
  for (const std::string& name : order) add_skill(page, name, by_name.at(name));
}

}  // namespace caravel::voyager
