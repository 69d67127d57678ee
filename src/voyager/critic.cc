#include "voyager/critic.h"

#include "voyager/prompt_texts.h"
#include "voyager/schemas.h"

namespace caravel::voyager {

Readable<Verdict> Critic::judge(const std::string& task, const std::string& context, const Observation& before,
                                const Observation& after) const {
  return asker_.ask_until_read(
      Role::kCritic,
      [&](const Room& room) {
        const bool is_short = room.of(false, false, true, true);
        return Fillings{{"task", task},
                        {"context", shortened(context, room.of<size_t>(2000, 1000, 300, 0))},
                        {"before", is_short ? "Inventory: " + items_text(before.inventory) : observation_text(before)},
                        {"after", is_short ? "Inventory: " + items_text(after.inventory) : observation_text(after)},
                        {"changes", changes_text(before, after)}};
      },
      kCriticSchema, [](const ModelAnswer& told) { return read_verdict(told.text); });
}

}  // namespace caravel::voyager
