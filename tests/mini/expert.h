#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mini/world.h"

namespace caravel::mini {

/// A player that knows the way to a diamond pickaxe and plays by World::call alone, as code in the sandbox does: proof
/// that the world can be played, and an example of what skills look like.
class Expert {
 public:
  explicit Expert(World& world) : world_(world) {}

  /// True: it has one. It gives up after `most_ticks`.
  bool reach_diamond_pickaxe(int64_t most_ticks);

  /// Ticks at which it had these for the first time, in order: what a run took, and where.
  const std::vector<std::pair<std::string, int64_t>>& milestones() const { return milestones_; }
  /// Why it gave up.
  const std::string& trouble() const { return trouble_; }

  /// Each of these is a task of its own; true: done.
  bool mine(const std::vector<std::string>& blocks, const std::vector<std::string>& items, int count,
            std::optional<int> depth = std::nullopt);
  bool craft(const std::string& item, int count);
  bool smelt(const std::string& item, int count);
  int have(const std::string& item);

 private:
  Json call(std::string_view name, const Json& arguments);
  /// It has a pickaxe of that kind, or makes one: tools break.
  bool ready(const std::string& pickaxe);
  bool ready_for(const std::vector<std::string>& blocks);
  int have_any(const std::vector<std::string>& items);
  bool find_and_dig(const std::vector<std::string>& blocks);
  bool make_sticks_and_planks(int planks, int sticks);
  /// Puts a table or furnace beside the player; take_back() digs it up again.
  bool set_down(const std::string& item);
  void take_back(const std::string& item);
  bool go_down_to(int y);
  bool stay_alive();
  bool out_of_time() const { return world_.tick() >= most_ticks_; }
  void note(const std::string& item);

  World& world_;
  int64_t most_ticks_ = 0;
  int turn_ = 0;
  std::vector<std::pair<std::string, int64_t>> milestones_;
  std::string trouble_;
};

}  // namespace caravel::mini
