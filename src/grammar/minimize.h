#pragma once

#include "grammar/fsm.h"

namespace caravel::grammar {

/// The smallest machine that accepts the same; `fsm` is deterministic. A called rule counts as a letter. Nodes from
/// which nothing can be accepted are dropped, the start aside.
Fsm minimize(const Fsm& fsm);

}  // namespace caravel::grammar
