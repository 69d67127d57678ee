#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "format/temp_folder.h"
#include "voyager/agent.h"
#include "voyager/exports.h"
#include "voyager/fake_world.h"
#include "voyager/scripted_model.h"

namespace caravel::voyager {

/// What a run leaves, as text: events and calls.
inline std::string exported(const RunStore& run) {
  std::string text;
  write_events(run, [&text](std::string_view piece) { text += piece; });
  write_calls(run, [&text](std::string_view piece) { text += piece; });
  return text;
}

/// Where two long texts part; empty: nowhere.
inline std::string difference(const std::string& a, const std::string& b) {
  if (a == b) return {};
  const auto at = static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const size_t from = at < 80 ? 0 : at - 80;
  return "'" + a.substr(from, 160) + "' against '" + b.substr(from, 160) + "'";
}

class AgentTest : public testing::Test {
 protected:
  std::string folder(const std::string& name) const { return (folder_.path() / name).string(); }

  /// A run, or the rest of one, in a process of its own so to say: world and agent are made anew.
  Ending run(const std::string& name = "run") {
    RunStore store(folder(name), RunStore::Open::kWriting);
    FakeWorld world;
    if (prepare) prepare(world);
    return Agent(config, budget, world, model.models(), prompts, store, watcher).run();
  }
  std::vector<IterationRow> iterations(const std::string& name = "run") const {
    std::vector<IterationRow> rows;
    RunStore(folder(name), RunStore::Open::kReading).each_iteration([&](const IterationRow& row) {
      rows.push_back(row);
    });
    return rows;
  }
  std::vector<StepRow> steps(const std::string& name = "run") const {
    std::vector<StepRow> rows;
    RunStore(folder(name), RunStore::Open::kReading).each_step([&](const StepRow& row) { rows.push_back(row); });
    return rows;
  }
  std::string tasks(const std::string& name = "run") const {
    std::string text;
    for (const IterationRow& row : iterations(name)) text += row.task + (row.success ? " +\n" : " -\n");
    return text;
  }
  std::string exported_run(const std::string& name = "run") const {
    return exported(RunStore(folder(name), RunStore::Open::kReading));
  }

  AgentConfig config{.iterations = 3};
  Budget budget;
  ScriptedModel model;
  Prompts prompts;
  Watcher watcher;
  std::function<void(FakeWorld&)> prepare;

 private:
  format::TempFolder folder_;
};

}  // namespace caravel::voyager
