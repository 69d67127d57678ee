#include "voyager/skill_library.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/float_vector.h"
#include "fields/json.h"
#include "voyager/cosine.h"
#include "voyager/written_file.h"

namespace caravel::voyager {
namespace {

namespace fs = std::filesystem;

bool is_identifier(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 100 && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// NAME of the first version's files, NAMEV2 of the second's; where another skill has that name, the next that is free.
std::string file_name(const SkillRow& skill, const std::set<std::string>& taken) {
  if (skill.version == 1 && !taken.contains(skill.name)) return skill.name;
  for (int version = std::max(skill.version, 2);; ++version) {
    std::string name = fmt::format("{}V{}", skill.name, version);
    if (!taken.contains(name)) return name;
  }
}

void check_is_own(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error))
    throw fail<InvalidArgument>("{}: is there and is no folder: name another for the skills", folder.string());
  if (is_there(folder / "skills.json")) return;
  const auto is_part = [](const fs::directory_entry& entry) {
    return entry.path().filename() == "code" || entry.path().filename() == "description";
  };
  if (!std::all_of(fs::directory_iterator(folder, error), fs::directory_iterator(), is_part))
    throw fail<InvalidArgument>("{}: holds something that is no library of skills: name another folder",
                                folder.string());
}

}  // namespace

void SkillLibrary::add(SkillRow skill) {
  skill.embedding = unit_vector(std::move(skill.embedding));
  const auto found = std::ranges::find(skills_, skill.name, &SkillRow::name);
  if (found == skills_.end()) {
    skills_.push_back(std::move(skill));
  } else {
    *found = std::move(skill);
  }
}

std::vector<const SkillRow*> SkillLibrary::nearest(const std::vector<float>& query, int k) const {
  const std::vector<float> direction = unit_vector(query);
  std::vector<std::pair<double, const SkillRow*>> ranked;
  for (const SkillRow& skill : skills_) ranked.emplace_back(dot(direction, skill.embedding), &skill);
  std::ranges::stable_sort(ranked, std::greater<>(), &std::pair<double, const SkillRow*>::first);
  std::vector<const SkillRow*> nearest;
  for (const auto& [similarity, skill] : ranked)
    if (std::ssize(nearest) < k) nearest.push_back(skill);
  return nearest;
}

const SkillRow* SkillLibrary::find(std::string_view name) const {
  const auto found = std::ranges::find(skills_, name, &SkillRow::name);
  return found == skills_.end() ? nullptr : &*found;
}

int SkillLibrary::next_version(std::string_view name) const {
  const SkillRow* skill = find(name);
  return skill == nullptr ? 1 : skill->version + 1;
}

std::vector<SkillCode> SkillLibrary::code() const {
  std::vector<SkillCode> code;
  for (const SkillRow& skill : skills_) code.push_back({skill.name, skill.code});
  std::ranges::sort(code, {}, &SkillCode::name);
  return code;
}

size_t SkillLibrary::size() const { return skills_.size(); }

void export_skills(const std::vector<SkillRow>& skills, const std::string& folder, std::string_view extension) {
  const fs::path root(folder);
  for (const fs::path& part : {root, root / "code", root / "description"}) {
    remove_link(part.string());
    if (part == root) check_is_own(root);
    make_folders(part.string());
  }
  std::map<std::string, const SkillRow*> newest;
  for (const SkillRow& skill : skills) newest[skill.name] = &skill;
  Json index = Json::object();
  for (const auto& [name, skill] : newest) index[name] = {{"code", skill->code}, {"description", skill->description}};
  // The first: by it the folder is known as a library, whatever ends the program behind this.
  write_file((root / "skills.json").string(), index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  std::set<std::string> taken;
  for (const SkillRow& skill : skills) {
    const std::string name = file_name(skill, taken);
    taken.insert(name);
    write_file((root / "code" / (name + std::string(extension))).string(), skill.code);
    write_file((root / "description" / (name + ".txt")).string(), skill.description + "\n");
  }
}

std::vector<SkillRow> import_skills(const std::string& folder) {
  const std::string path = (fs::path(folder) / "skills.json").string();
  if (!is_there(path)) throw fail<NotFound>("{}: is not there: the folder is no library of skills", path);
  Json index;
  try {
    index = parse_json(read_file(path));
  } catch (const FormatError& error) {
    throw fail<FormatError>("{}: {}", path, error.what());
  }
  if (!index.is_object()) throw fail<FormatError>("{}: is no JSON object of skills by their names", path);
  std::vector<SkillRow> skills;
  for (const auto& [name, entry] : index.items()) {
    const auto text = [&, &name = name, &entry = entry](const char* key) {
      if (!entry.is_object() || !entry.contains(key) || !entry.at(key).is_string())
        throw fail<FormatError>("{}: skill '{}' has no text as its \"{}\"", path, name, key);
      return entry.at(key).template get<std::string>();
    };
    if (!is_identifier(name)) throw fail<FormatError>("{}: '{}' cannot be the name of a function", path, name);
    skills.push_back({.name = name, .code = text("code"), .description = text("description")});
  }
  std::ranges::sort(skills, {}, &SkillRow::name);
  return skills;
}

}  // namespace caravel::voyager
