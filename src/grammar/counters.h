#pragma once

#include "grammar/expr.h"

namespace caravel::grammar {

/// The same grammar with its long repetitions as rules that are called min to max times: an automaton keeps their count
/// beside its stack (StateSpace), so that they cost no more nodes than short ones. A repetition is counted where it is
/// known, or seen from its part's machine, that the next byte always tells whether a part has ended; and where, written
/// out, it would be very many nodes. The others stay as they are, and are written out.
Grammar with_counters(Grammar grammar);

}  // namespace caravel::grammar
