#!/usr/bin/env bash
# What `cmake --install` leaves is enough for somebody else's project, a shell, man and a voyage: install_test.sh BUILD
# SOURCE installs BUILD into an empty folder, builds the programs of examples/ against the package file there, and runs them.
set -euo pipefail
build=$1 source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder/installed" >/dev/null

share=$folder/installed/share
grep -qF '\-\-max\-tokens' "$share/man/man1/caravel.1"
grep -q 'complete -F _caravel caravel' "$share/bash-completion/completions/caravel"
head -n 1 "$share/zsh/site-functions/_caravel" | grep -qx '#compdef caravel'
grep -q 'complete -c caravel' "$share/fish/vendor_completions.d/caravel.fish"
# The installed binary prints what was installed beside it.
"$folder/installed/bin/caravel" completion bash | cmp - "$share/bash-completion/completions/caravel"

# The installed binary plays in the world that was installed with it, or says how that is made ready.
world=$share/caravel/worlds/minecraft
if [[ -e $world/node_modules/.installed-lock.json ]]; then
  CARAVEL=$folder/installed/bin/caravel python3 "$source/tests/cli/minecraft_test.py" -v Minecraft.test_one_task
  rm -r "$world/node_modules"
fi
! "$folder/installed/bin/caravel" voyage --world minecraft --out "$folder/voyage" 2>"$folder/told"
tail -n 1 "$folder/told" | grep -qxF "caravel: $world: its packages are not installed; $world/install does it, by npm"
test -x "$world/install"
! CARAVEL_WORLDS=$folder/none "$folder/installed/bin/caravel" voyage --world minecraft --out "$folder/voyage" 2>"$folder/told"
grep -c . "$folder/told" | grep -qx 1 # and no warning of a variable that is not known
grep -qF "caravel: $folder/none/minecraft: the Minecraft world is not there" "$folder/told"

cp -r "$source/examples" "$folder/project"
cmake -S "$folder/project" -B "$folder/project/build" -DCMAKE_PREFIX_PATH="$folder/installed" >/dev/null
cmake --build "$folder/project/build" >/dev/null
cd "$folder/project/build"
./hello | tee "$folder/answer"
grep -q 'France is.*Paris' "$folder/answer"
./score | tee "$folder/scores"
# Each beginning finds its own ending likelier.
awk '/France/ { f[++i] = $NF } /Italy/ { t[++j] = $NF } END { exit !(i == 2 && j == 2 && f[1] > f[2] && t[2] > t[1]) }' \
  "$folder/scores"
./chat_with_tool | tee "$folder/chat"
grep -q '^\[weather({"city": "Paris"})\]$' "$folder/chat"
