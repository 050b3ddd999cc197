# shellcheck shell=bash
# Programs for Node.js that need packages.

# stage_node FOLDER STAGE: the modules of FOLDER with their packages in STAGE, so that
# the checkout stays as it is. Modules that are gone from FOLDER are gone there too.
stage_node() {
  local kept
  mkdir -p "$2"
  kept=$(cat "$2/package-lock.json" 2>/dev/null || true)
  find "$2" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
  (cd "$1" && find . -name '*.mjs' -o -name 'package*.json') |
    while IFS= read -r file; do
      mkdir -p "$2/$(dirname "$file")"
      cp "$1/$file" "$2/$file"
    done
  [[ -d $2/node_modules && $kept == "$(cat "$2/package-lock.json")" ]] ||
    (cd "$2" && npm ci --silent --no-audit --no-fund)
}
