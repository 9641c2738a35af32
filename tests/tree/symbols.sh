# SPDX-License-Identifier: Apache-2.0
# Sourced by the checks: what the objects of a build define and ask for, by the source they came of.

# Folders whose files make the program, in the order of the flow.
program_folders="base journal ingest rules correlator incidents sinks console app"

# symbols BUILD [FOLDER...] : lines "FILE LETTER NAME", the letters of nm (U: asked for, capitals:
# global). What the build does not make any more is left out; sources that it wrote itself stand
# under their folder.
symbols() {
  local build=$1 folder=
  shift
  for folder in ${*:-$program_folders}; do
    [ -d "$build/$folder/CMakeFiles" ] || continue
    (cd "$build" && find "$folder/CMakeFiles" -name '*.c.o' | made "$build" | xargs -r nm -A -P) |
      awk -v folder="$folder" '{
        file = $1
        sub(/:$/, "", file)
        sub(/^[^\/]*\/CMakeFiles\/[^\/]*\.dir\//, "", file)
        sub(/\.o$/, "", file)
        print folder "/" file, $3, $2
      }'
  done
}
# made BUILD < objects : those that the build makes of something that is there
made() {
  local list=$1/compile_commands.json
  if [ -f "$list" ]; then
    grep -xF "$(grep -oE '\-o [^ ]+\.c\.o' "$list" | cut -c4-)"
  else
    cat
  fi
}

# links < symbols : lines "FROM TO NAME", one for each symbol that a file asks another one for.
links() {
  awk '
    $2 == "U" { asked[++count] = $1 " " $3; next }
    $2 ~ /[A-Z]/ { owner[$3] = $1 }
    END {
      for (i = 1; i <= count; i++) {
        split(asked[i], part, " ")
        if (part[2] in owner && owner[part[2]] != part[1])
          print part[1], owner[part[2]], part[2]
      }
    }'
}
