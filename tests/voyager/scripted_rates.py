"""What the scripted model can do, and how often it is wrong. These figures were set before any ablation was run and are
not to be changed for the sake of a result: what feedback, critic and library are worth follows from them.

Every draw is a hash of the seed and of the prompt: the same prompt gets the same answer, as from a model at temperature
0. Only faults of the endpoint count how often a prompt was sent, so that a second attempt may do better.
"""

# Sub-steps (gather, craft, smelt, kill, place) that it writes by itself in one answer. Calls of skills that the prompt
# shows are beside that, and are free of mistakes.
SUB_STEPS = 2

# A sub-step that it writes by itself goes wrong in one of these ways.
CODE_MISTAKES = {
    "syntax": 0.05,         # does not parse
    "function": 0.05,       # calls a function that there is not
    "name": 0.06,           # an item or block that there is not
    "forgotten": 0.08,      # left out, as if its yield were there
    "endless": 0.02,        # waits in a loop for what never comes
}
# Times that, where the prompt shows that very mistake: an error of its kind, or its item named by what the code said or
# by the critique.
REPAIR = 0.2

# The critic, by what was and what is.
CRITIC_SAYS_DONE = 0.05     # of what is not
CRITIC_SAYS_UNDONE = 0.08   # of what is

# The curriculum.
SIDE_TASK = 0.35            # something else than the next step of the tech tree, within reach
WRONG_TASK = 0.06           # far out of reach, or no task that anything could be made of

# Answers that ought to be JSON.
MALFORMED_JSON = 0.04
PLAIN_TEXT = 0.04
# Code without a fence around it, or no code at all.
NO_CODE = 0.02

# Of the endpoint, by attempt.
FAULTS = {
    "429": 0.01,            # with Retry-After
    "500": 0.01,
    "cut": 0.01,            # the stream stops in the middle of the answer
    "silent": 0.003,        # nothing comes, then the connection ends
}
RETRY_AFTER_SECONDS = 1
SILENT_SECONDS = 2.0
