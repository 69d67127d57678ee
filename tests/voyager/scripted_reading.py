"""What a prompt of `caravel voyage` says, as the scripted model reads it: the role by words of its instruction, the rest
by labels at the beginnings of lines. Prompts that are reworded (src/voyager/prompts) need a look at these two tables.
"""

import re
from dataclasses import dataclass, field

ROLES = {  # words that one role's instruction alone has
    "propose": "then set its next task",
    "questions": "Write the questions",
    "answer": "Answer the question",
    "decompose": "Break it up into tasks",
    "action": "You write",
    "describe": "You describe functions",
    "critic": "You judge whether",
}
LABELS = {  # as a line begins: what of Seen it is
    "Code of the last round": "code", "Error": "error", "Said while it ran": "chat", "Task": "task",
    "How it is done": "context", "Advice": "critique", "Goal": "goal", "Question": "question", "Biome": "biome",
    "Time": "time", "Nearby blocks": "nearby_blocks", "Nearby creatures": "entities", "Health": "health",
    "Hunger": "food", "Position": "position", "Equipment": "equipment", "Inventory": "inventory", "Chests": "chests",
    "Done so far": "completed", "Failed so far": "failed", "Changed": "changes",
    "What is known of it": "notes", "Before": "state_before",
    "After": "state_after",
}
LABEL = re.compile(rf"^({'|'.join(LABELS)})(?: \([^)\n]*\))?:[ \n]", re.M)
NOTHING = ("", "none", "nothing", "unknown")


@dataclass
class Seen:
    language: str = "Lua"
    task: str = ""
    context: str = ""
    goal: str = ""
    question: str = ""
    code: str = ""
    error: str = ""
    told: str = ""  # error, what the code said, and advice
    biome: str = ""
    food: float | None = None
    inventory: dict = field(default_factory=dict)
    slots_left: int = 36
    before: dict | None = None
    nearby_blocks: list = field(default_factory=list)
    entities: list = field(default_factory=list)
    equipment: str = ""
    completed: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    functions: list = field(default_factory=list)  # (name, code) of the skills


def counts(text):
    """"oak_log: 3, dirt: 2" """
    return {name: int(many) for name, many in re.findall(r"(\w+)\"?: (\d+)", text)}


def names(text):
    return [] if text.strip().lower() in NOTHING else [name.strip() for name in text.split(",") if name.strip()]


def tasks(text):
    return [] if text.strip().lower() in NOTHING else [task.strip(" .") for task in re.split(r"[;,\n]", text)
                                                       if task.strip(" .")]


def labelled(text):
    """label's name: the values behind it, in order; a value goes on to the next label."""
    found = {}
    marks = list(LABEL.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None]):
        value = text[mark.end() - 1:following.start() if following else len(text)].strip()
        found.setdefault(LABELS[mark[1]], []).append("" if value.lower().rstrip(".") in NOTHING else value)
    return found


def read_prompt(messages):
    """(role, Seen) of [(who, text)]."""
    whole = "\n".join(text for _, text in messages)
    role = next((role for role, words in ROLES.items() if words in whole), None)
    if role is None:
        raise ValueError("a prompt of no role that is known: " + whole[:200])
    text = messages[-1][1]  # examples stand in messages of their own
    text = text.rpartition("\n\n")[0] or text  # without the cue
    found = labelled(text)

    def first(name):
        return found.get(name, [""])[0]

    def last(name):  # a critic is shown the state twice
        return found.get(name, [""])[-1]

    seen = Seen(task=first("task").splitlines()[0] if first("task") else "", context=first("context"),
                goal=first("goal").splitlines()[0] if first("goal") else "", question=first("question"),
                code=first("code"), error=first("error"), biome=first("biome"), equipment=last("equipment"),
                nearby_blocks=names(last("nearby_blocks")), completed=tasks(first("completed")),
                failed=tasks(first("failed")))
    seen.told = "\n".join(part for part in (first("error"), first("chat"), first("critique")) if part)
    seen.entities = re.findall(r"([a-z_]+) \(", first("entities"))
    food = re.match(r"[\d.]+", first("food"))
    seen.food = float(food[0]) if food else None
    seen.inventory = counts(last("inventory"))
    slots = re.findall(r"^Inventory \((\d+)/(\d+)\)", text, re.M)
    if slots:
        seen.slots_left = int(slots[-1][1]) - int(slots[-1][0])
    if role == "critic":
        seen.before = counts(first("inventory"))
    if role == "describe":
        seen.code = text
        seen.task = (re.search(r'for the task "(.*)"', text) or ["", ""])[1]
    language = re.search(r"You write (\w+)", whole)
    seen.language = language[1] if language else seen.language
    seen.functions = [(match[1], match[0]) for match in re.finditer(
        r"^(?:local |async )?function (\w+)\(bot\)(?:\n.*?^end| \{\n.*?^\})$", whole.replace(seen.code, "") if seen.code else whole, re.M | re.S)]
    return role, seen
