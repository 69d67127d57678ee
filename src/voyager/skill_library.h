#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "voyager/run_rows.h"

namespace caravel::voyager {

/// Skills that were learnt (section 2.2): the newest version of each name is what code calls and what is found; older
/// ones stay in the record.
class SkillLibrary {
 public:
  /// In the order in which they were learnt.
  void add(SkillRow skill);
  /// The `k` whose descriptions' vectors are nearest by cosine, nearest first; ties: the older first.
  std::vector<const SkillRow*> nearest(const std::vector<float>& query, int k) const;
  const SkillRow* find(std::string_view name) const;
  int next_version(std::string_view name) const;  // 1 where there is none
  std::vector<SkillCode> code() const;            // newest versions, in order of their names
  size_t size() const;

 private:
  std::vector<SkillRow> skills_;  // newest version of each name
};

/// A folder in Voyager's layout: skills.json (name: {"code", "description"}), code/NAME<extension>,
/// description/NAME.txt. skills.json has the newest versions; the files are of every version, the second's as NAMEV2
/// and so on, as Voyager writes them. skills: in the order in which they were learnt. Where a kill ended it, the next
/// puts it right. Links in it, or in its place, are replaced, not followed. Throws IoError; InvalidArgument where
/// something else stands there.
void export_skills(const std::vector<SkillRow>& skills, const std::string& folder, std::string_view extension);
/// What skills.json has, in the order of their names. Without vectors: a library may come from another model.
/// Throws NotFound, FormatError (which file, and what).
std::vector<SkillRow> import_skills(const std::string& folder);

}  // namespace caravel::voyager
