# shellcheck shell=bash
# Programs for Node.js that need packages.

# stage_node FOLDER STAGE: the modules of FOLDER with their packages in STAGE, so that
# the checkout stays as it is. Modules that are gone from FOLDER are gone there too.
stage_node() {
  local installed=$2/node_modules/.installed
  mkdir -p "$2"
  find "$2" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
  (cd "$1" && find . -name '*.mjs' -o -name 'package*.json') |
    while IFS= read -r file; do
      mkdir -p "$2/$(dirname "$file")"
      cp "$1/$file" "$2/$file"
    done
  ! cmp -s "$2/package-lock.json" "$installed" || return 0
  # Locks that the caller holds are not the packages' to keep.
  (cd "$2" && npm ci --silent --ignore-scripts --no-audit --no-fund </dev/null 8>&-) || return 1
  cp "$2/package-lock.json" "$installed"
}
