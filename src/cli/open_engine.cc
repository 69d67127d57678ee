#include "cli/open_engine.h"

#include <fmt/format.h>

#include <string_view>

#include "base/error.h"
#include "cli/loading_note.h"
#include "cli/usage.h"

namespace caravel::cli {

std::unique_ptr<Engine> open_engine(const EngineConfig& config) {
  const LoadingNote note(config.model, LoadingNote::on_terminal());
  return Engine::open(config);
}

std::unique_ptr<Engine> open_engine_for(const std::string& what, const EngineConfig& config) {
  try {
    return open_engine(config);
  } catch (const Error& error) {
    const std::string context = fmt::format("max_model_len is {}", config.max_model_len);
    const std::string_view message = error.what();
    if (!message.starts_with(context)) throw;
    const std::string told = what + std::string(message.substr(context.size()));
    if (dynamic_cast<const InvalidArgument*>(&error) != nullptr) throw UsageError(told);
    throw CapacityError(told);
  }
}

}  // namespace caravel::cli
