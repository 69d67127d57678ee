#pragma once

#include <memory>

#include "chat/output_parser.h"

namespace caravel::chat {

/// Sets the reasoning part apart and gives the rest of the answer to `rest`. White space next to the marks goes with
/// them. Marks that come later in the answer are content; a part that was never closed is reasoning to the end, or to
/// `calls`, what opens calls (empty: nothing ends it).
std::unique_ptr<OutputParser> make_reasoning_parser(const ReasoningMarks& marks, std::string_view calls,
                                                    std::unique_ptr<OutputParser> rest);

}  // namespace caravel::chat
